"""Calls whose end nobody reported: settled by the best witness there is, else by the rule."""

import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import structlog

from agi_server.asterisk.ami import AmiError
from agi_server.asterisk.link import AsteriskLinks
from agi_server.asterisk.live_calls import LiveChannel
from agi_server.calls.sessions import StoredSession, read_session
from agi_server.calls.settle import Settler
from agi_server.calls.witnesses import AsteriskRecord, Evidence, UnseenEnd
from agi_server.storage.postgres.health import CONNECTION_FAULTS
from agi_server.storage.postgres.statements import statement

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Matched:
    """Open sessions: the channels of those that are up, those that are over, and the rest."""

    up: list[LiveChannel] = field(default_factory=list)
    over: list[Any] = field(default_factory=list)
    unknown: list[Any] = field(default_factory=list)


class Recovery:
    """Settles open sessions whose calls are over.

    `unseen_end` says what a call costs whose end nobody saw: to its last sign of life, all that was
    held for it (nobody gets a call for free by making its end unseen), or nothing. A call of which
    there never was a sign of life costs what was held for it, unless that is nothing.
    """

    def __init__(
        self,
        *,
        db: Any,
        settler: Settler,
        links: AsteriskLinks,
        unseen_end: UnseenEnd,
        now: Callable[[], datetime],
    ) -> None:
        self._db = db
        self._settler = settler
        self._links = links
        self._unseen_end = unseen_end
        self._now = now

    async def settle_overdue(self, account_id: int | None = None) -> int:
        """End what has outlived all it was granted, of one account or of all; returns how many.

        One that Asterisk still has is not settled by guess: it is hung up, and settled at its end.
        """
        rows = await self._db.fetch(statement("calls/overdue_sessions"), self._now(), account_id)
        gone = []
        for row in rows:
            channel = self._links.channel(row["uniqueid"], row["server"])
            if channel is None or channel.parted_at is not None:
                gone.append((row, channel))
            else:
                await self._hang_up(row, channel)
        return await self.settle(gone)

    async def match(self, account_id: int | None = None) -> Matched:
        """The open sessions, of one account or of all, beside what Asterisk has.

        The sessions are read before the lists are asked for: a call that was authorized by then and
        is in no list is over.
        """
        rows = await self._db.fetch(statement("calls/open_everywhere"), account_id)
        listed = set()
        for link in self._links.all:
            with suppress(AmiError):  # its link sees that, too, and tells
                await link.refresh()
                listed.add(link)
        matched = Matched()
        for row in rows:
            its = self._links.of(row["uniqueid"], row["server"])
            if its is None or its not in listed:
                matched.unknown.append(row)
            elif (channel := its.channels.get(row["uniqueid"])) is not None:
                matched.up.append(channel)
            else:
                matched.over.append(row)
        return matched

    async def settle(self, calls: Sequence[tuple[Any, LiveChannel | None]]) -> int:
        """Settle calls that are over: rows with account_id and call_id, and what AMI told of each.

        Returns how many were ended. Raises CONNECTION_FAULTS; those not yet settled stay open.
        """
        ended = 0
        for row, channel in calls:
            try:
                ended += await self._settle(row["account_id"], row["call_id"], channel)
            except CONNECTION_FAULTS:
                raise
            except Exception as error:
                # One call that cannot be settled must not keep all others from it.
                log.error(
                    "background.failed",
                    work="recovery",
                    account_id=row["account_id"],
                    call_id=row["call_id"],
                    error=str(error),
                    exc_type=type(error).__name__,
                )
        return ended

    async def _settle(self, account_id: int, call_id: str, channel: LiveChannel | None) -> bool:
        """Whether it was us who ended it."""
        started = time.monotonic()
        stored = await read_session(self._db, account_id, call_id)
        if stored is None or stored.state != "open":
            return False
        evidence = await self._evidence(stored, channel)
        believed, others = evidence.best(self._unseen_end)
        settlement = await self._settler.settle_by_witness(
            stored.session,
            believed,
            believed.end(stored.trunk_dials),
            others,
            lambda: round((time.monotonic() - started) * 1000),
        )
        return not settlement.repeated

    async def _evidence(self, stored: StoredSession, channel: LiveChannel | None) -> Evidence:
        session = stored.session
        rows = await self._db.fetch(statement("calls/asterisk_records"), session.uniqueid)
        return Evidence(
            authorized_at=session.authorized_at,
            limit_ms=session.limit_ms,
            now=self._now(),
            channel=channel,
            seen_answered_at=stored.seen_answered_at,
            seen_at=stored.seen_at,
            records=[AsteriskRecord(**row) for row in rows],
        )

    async def _hang_up(self, row: Any, channel: LiveChannel) -> None:
        link = self._links.of(row["uniqueid"], row["server"])
        try:
            if link is not None:
                await link.hangup(channel.channel)
        except AmiError as error:
            log.error(
                "background.failed",
                work="hanging up a call past its limit",
                account_id=row["account_id"],
                call_id=row["call_id"],
                error=str(error),
                exc_type=type(error).__name__,
            )
