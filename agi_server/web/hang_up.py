"""Ends a call in progress through the daemon's connection to the Asterisk that has it."""

from typing import Any

import structlog

from agi_server.asterisk.ami import AmiError, AmiRefusedError
from agi_server.asterisk.link import AsteriskLinks
from agi_server.refused import RefusedError
from agi_server.web.auth.roles import Operator

log = structlog.get_logger()


async def hang_up(links: AsteriskLinks, call: Any, operator: Operator) -> None:
    """Hang up the caller's channel; the call is settled as always when it has ended.

    Raises RefusedError when its Asterisk cannot be asked or has the call no more.
    """
    if not links.all:
        raise RefusedError("no manager interface is set up: add an [[ami]] section to the settings")
    link = links.of(call["uniqueid"], call["server"])
    if link is None or not link.connected:
        raise RefusedError("the Asterisk that has this call cannot be reached now")
    channel = link.channels.get(call["uniqueid"])
    if channel is None:
        raise RefusedError("Asterisk has this call no more: it will be settled by itself")
    try:
        await link.hangup(channel.channel)
    except AmiRefusedError:
        raise RefusedError("Asterisk has this call no more: it will be settled by itself") from None
    except AmiError:
        raise RefusedError("the Asterisk that has this call cannot be reached now") from None
    log.info(
        "web.hung_up",
        operator=operator.name,
        call_id=call["call_id"],
        account_id=call["account_id"],
    )
