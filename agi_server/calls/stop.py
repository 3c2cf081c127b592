"""Hang up the calls in progress of an account that may not call any more.

Its end is settled as every other: by the hangup handler or the `call` route.
"""

import time
from typing import Any

import structlog

from agi_server.asterisk.ami import AmiError, AmiRefusedError
from agi_server.asterisk.link import AsteriskLink, AsteriskLinks
from agi_server.calls.policy import ACTIVE, STATUS_REASONS
from agi_server.calls.reasons import Reason
from agi_server.storage.postgres.statements import statement

log = structlog.get_logger()


class Stopper:
    """Ends calls on the Asterisk servers of the settings; several daemons do no harm."""

    def __init__(self, *, db: Any, links: AsteriskLinks) -> None:
        self._db = db
        self._links = links
        self._noted: set[str] = set()

    async def look(self) -> None:
        """Hang up whatever belongs to a stopped account; what cannot be reached now is left."""
        for row in await self._db.fetch(statement("calls/stopped_sessions")):
            link = self._links.of(row["uniqueid"], row["server"])
            channel = None if link is None else link.channels.get(row["uniqueid"])
            if link is not None and channel is not None and link.connected:
                await self._stop(row, link, channel.channel)

    async def _stop(self, row: Any, link: AsteriskLink, channel: str) -> None:
        """Note why before it ends; whoever noted it tells it."""
        started = time.monotonic()
        account_id, call_id = row["account_id"], row["call_id"]
        stopped = row["status"] != ACTIVE
        reason = STATUS_REASONS[row["status"]] if stopped else Reason.ACCOUNT_LOCKED
        sql = statement("calls/stop_session")
        if await self._db.fetchval(sql, account_id, call_id, reason.value) is not None:
            self._noted.add(call_id)
        try:
            await link.hangup(channel)
        except AmiRefusedError:
            self._noted.discard(call_id)  # it has ended by itself
        except AmiError:
            return  # AMI went away: the next look will see
        if call_id in self._noted:
            self._noted.remove(call_id)
            log.info(
                "call.hung_up",
                call_id=call_id,
                account_id=account_id,
                account=row["account_number"],
                uniqueid=row["uniqueid"],
                duration_ms=round((time.monotonic() - started) * 1000),
                reason=reason.value,
            )
