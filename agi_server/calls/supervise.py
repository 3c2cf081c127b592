"""Which open calls are really up, by AMI: a second witness, and the first to miss a call's end.

A channel that has ended, or that is missing in a list that Asterisk gave, has told its end by its
hangup handler before. A session that is still open a moment later is settled here. Without AMI none
of this happens, and leases and limits end everything.
"""

import asyncio
import time
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import structlog

from agi_server.asterisk.link import AsteriskLink, AsteriskLinks
from agi_server.asterisk.live_calls import Change, LiveChannel
from agi_server.calls.recover import Recovery
from agi_server.storage.postgres.health import JobHealth
from agi_server.storage.postgres.statements import statement

log = structlog.get_logger()

# How often it looks at what it was told, and how long a settlement that is under way may take.
_TICK_S = 1.0
_GRACE_S = 2.0


@dataclass(frozen=True, slots=True)
class _Gone:
    """A channel that has ended; None where it was only missed in a list."""

    channel: LiveChannel | None
    due: float


class Supervisor:
    """Follows the calls of all Asterisk servers of the settings."""

    def __init__(
        self,
        *,
        db: Any,
        links: AsteriskLinks,
        recovery: Recovery,
        round_s: float,
        grace_s: float = _GRACE_S,
    ) -> None:
        self._db = db
        self._links = links
        self._recovery = recovery
        self._round_s = round_s
        self._grace_s = grace_s
        self._answered: dict[str, LiveChannel] = {}
        self._gone: dict[str, _Gone] = {}
        self._next_round = 0.0
        self._caught_up = asyncio.Event()
        for link in links.all:
            link.listen(self._hear)
            link.on_caught_up(self._hear_catch_up)

    def _hear(self, _: AsteriskLink, change: Change, channel: LiveChannel) -> None:
        if change is Change.ANSWERED:
            self._answered[channel.uniqueid] = channel
        elif change is Change.ENDED:
            self._answered.pop(channel.uniqueid, None)
            self._gone[channel.uniqueid] = _Gone(channel, time.monotonic() + self._grace_s)

    def _hear_catch_up(self, _: AsteriskLink) -> None:
        self._next_round = 0.0
        self._caught_up.set()

    async def run(self, health: JobHealth) -> None:
        """Until cancelled. What fails is told to `health` and tried again."""
        while True:
            with suppress(TimeoutError):
                async with asyncio.timeout(_TICK_S):
                    await self._caught_up.wait()
            self._caught_up.clear()
            try:
                await self._look()
            except Exception as error:
                health.failed(error)
                await asyncio.sleep(_TICK_S)
            else:
                health.worked()

    async def _look(self) -> None:
        await self._note_answers()
        await self._settle_gone()
        if time.monotonic() >= self._next_round:
            self._next_round = time.monotonic() + self._round_s
            await self.compare()

    async def compare(self) -> None:
        """Match all open sessions with what Asterisk has, and keep what was seen of them."""
        matched = await self._recovery.match()
        due = time.monotonic() + self._grace_s
        for row in matched.over:
            self._gone.setdefault(row["uniqueid"], _Gone(None, due))
        await self._note(matched.up)

    async def _note_answers(self) -> None:
        answered, self._answered = self._answered, {}
        try:
            await self._note(list(answered.values()))
        except Exception:
            self._answered = {**answered, **self._answered}
            raise

    async def _note(self, channels: list[LiveChannel]) -> None:
        """Keep where it survives us that these are up; tell of answers that are news."""
        if not channels:
            return
        started = time.monotonic()
        rows = await self._db.fetch(
            statement("calls/note_seen"),
            [channel.uniqueid for channel in channels],
            [channel.seen_at for channel in channels],
            [channel.answered_at for channel in channels],
        )
        for row in rows:
            log.info(
                "call.answered",
                call_id=row["call_id"],
                account_id=row["account_id"],
                account=row["account_number"],
                uniqueid=row["uniqueid"],
                duration_ms=round((time.monotonic() - started) * 1000),
                answered_at=row["seen_answered_at"].isoformat(),
            )

    async def _settle_gone(self) -> None:
        """Settle what should have been settled by now; in the usual case there is nothing."""
        now = time.monotonic()
        due = {uniqueid: gone for uniqueid, gone in self._gone.items() if gone.due <= now}
        if not due:
            return
        rows = await self._db.fetch(statement("calls/open_of_channels"), list(due))
        # Of several calls of a channel, what AMI told of it is about the last one.
        last = {row["uniqueid"]: row["call_id"] for row in rows}
        await self._recovery.settle(
            [
                (
                    row,
                    due[row["uniqueid"]].channel
                    if last[row["uniqueid"]] == row["call_id"]
                    else None,
                )
                for row in rows
            ]
        )
        # Only now: a database that was away must not make us forget what we saw.
        for uniqueid, gone in due.items():
            if self._gone.get(uniqueid) is gone:
                del self._gone[uniqueid]
