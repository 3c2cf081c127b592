"""Ends a call in progress through the manager interface of the Asterisk that has it."""

from collections.abc import Sequence
from typing import Any

import structlog

from agi_server.asterisk.ami import AmiError, ami_session
from agi_server.refused import RefusedError
from agi_server.settings import AmiSettings
from agi_server.web.auth.roles import Operator

log = structlog.get_logger()

_NORMAL_CLEARING = "16"


async def hang_up(servers: Sequence[AmiSettings], call: Any, operator: Operator) -> None:
    """Hang up the caller's channel; its hangup handler settles the call as always.

    Another Asterisk may have a channel of the same name, so each is asked for the uniqueid first.
    Raises RefusedError when no Asterisk has the channel or none can be asked.
    """
    if not servers:
        raise RefusedError("no manager interface is set up: add an [[ami]] section to the settings")
    channel, uniqueid = call["channel"], call["uniqueid"]
    unreachable = []
    for server in servers:
        try:
            async with ami_session(server) as ami:
                found = await ami.ask("Getvar", Channel=channel, Variable="CHANNEL(uniqueid)")
                if found.get("Value") != uniqueid:
                    continue
                done = await ami.ask("Hangup", Channel=channel, Cause=_NORMAL_CLEARING)
                if done.get("Response") == "Success":
                    log.info(
                        "web.hung_up",
                        operator=operator.name,
                        call_id=call["call_id"],
                        account_id=call["account_id"],
                    )
                    return
        except (AmiError, ValueError):
            unreachable.append(f"{server.host}:{server.port}")
    if unreachable:
        raise RefusedError(f"Asterisk does not answer at {', '.join(unreachable)}")
    raise RefusedError("no Asterisk has this call any more: it will end by itself")
