"""Hang up the calls in progress of an account that may not call any more.

Its end is settled as every other: by the hangup handler or the `call` route.
"""

import time
from typing import Any

import structlog

from agi_server.asterisk.ami import AmiError
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
        self._ours: set[str] = set()
        self._others: set[str] = set()
        self._told: set[str] = set()

    async def look(self) -> None:
        """Hang up whatever belongs to a stopped account; what cannot be reached now is left."""
        rows = await self._db.fetch(statement("calls/stopped_sessions"))
        still_open = {row["call_id"] for row in rows}
        for calls in (self._ours, self._others, self._told):
            calls &= still_open
        for row in rows:
            link = self._links.of(row["uniqueid"], row["server"])
            channel = None if link is None else link.channels.get(row["uniqueid"])
            if link is not None and channel is not None and link.connected:
                await self._stop(row, link, channel.channel)

    async def _stop(self, row: Any, link: AsteriskLink, channel: str) -> None:
        """Note why before it ends; whoever noted it hangs up and tells it.

        A call that another daemon has noted is left to that one until the next look: then it has
        died, or lost Asterisk.
        """
        started = time.monotonic()
        account_id, call_id = row["account_id"], row["call_id"]
        stopped = row["status"] != ACTIVE
        reason = STATUS_REASONS[row["status"]] if stopped else Reason.ACCOUNT_LOCKED
        sql = statement("calls/stop_session")
        if await self._db.fetchval(sql, account_id, call_id, reason.value) is not None:
            self._ours.add(call_id)
        elif call_id not in self._ours | self._others:
            self._others.add(call_id)
            return
        try:
            await link.hangup(channel)
        except AmiError:
            return  # it has ended by itself, or AMI went away: the next look will see
        if call_id in self._told:
            return
        self._told.add(call_id)
        log.info(
            "call.hung_up",
            call_id=call_id,
            account_id=account_id,
            account=row["account_number"],
            uniqueid=row["uniqueid"],
            duration_ms=round((time.monotonic() - started) * 1000),
            reason=reason.value,
        )
