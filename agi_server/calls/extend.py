"""Rolling holds in mid-call: the next slice is held, then the channels may last as long.

In this order, so that no call outlasts its hold whatever dies in between: a hold that was extended
without its channel is released when the call ends with its old slice, or the channel is seen to by
the next look, here or by another daemon. Without AMI nothing is extended.
"""

import asyncio
import re
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import structlog

from agi_server.asterisk.ami import AmiError, AmiRefusedError
from agi_server.asterisk.link import AsteriskLink, AsteriskLinks
from agi_server.asterisk.live_calls import Change, LiveChannel
from agi_server.calls.caps import caps_of
from agi_server.calls.sessions import OpenSession, SessionMemory, read_session
from agi_server.calls.slices import SliceFunds, Slicing, next_slice
from agi_server.settings import CallsSettings
from agi_server.storage.postgres.health import JobHealth
from agi_server.storage.postgres.statements import statement

log = structlog.get_logger()

_TICK_S = 1.0
_AT_ONCE = 20
_HOLD_TRIES = 3
# A timeout counts from when Asterisk takes it in: after a slower answer it is given anew.
_QUICK_S = 0.3
_TIMEOUT_TRIES = 4
ANSWERED_AT = "AUTH_ANSWERED_AT"  # by the samples' subroutine, on the caller's channel
_NOW = "STRFTIME(,,%s.%3q)"
_EPOCH = re.compile(r"[0-9]{1,11}\.[0-9]{3}")


class Extender:
    """Looks after the rolling holds whose calls are on the Asterisk servers of the settings."""

    def __init__(
        self,
        *,
        db: Any,
        links: AsteriskLinks,
        sessions: SessionMemory,
        calls: CallsSettings,
        now: Callable[[], datetime],
    ) -> None:
        self._db = db
        self._links = links
        self._sessions = sessions
        self._slicing = Slicing(calls.slice_s)
        self._max_free_s = calls.max_free_s
        self._now = now
        self._answered: set[str] = set()
        for link in links.all:
            link.listen(self._hear)

    def _hear(self, _: AsteriskLink, change: Change, channel: LiveChannel) -> None:
        if change is Change.ANSWERED:
            self._answered.add(channel.uniqueid)

    async def run(self, health: JobHealth) -> None:
        """Until cancelled. What fails is told to `health` and tried again."""
        while True:
            await asyncio.sleep(min(_TICK_S, self._slicing.retry_s))
            try:
                await self.look()
            except Exception as error:
                health.failed(error)
                await asyncio.sleep(_TICK_S)
            else:
                health.worked()

    async def look(self) -> None:
        """Extend what is due; calls whose Asterisk cannot be asked now are left to others."""
        if not any(link.connected for link in self._links.all):
            return
        answered, self._answered = self._answered, set()
        rows = await self._db.fetch(statement("calls/due_extensions"), self._now(), list(answered))
        room = asyncio.Semaphore(_AT_ONCE)

        async def look_after(row: Any) -> None:
            link = self._links.of(row["uniqueid"], row["server"])
            if link is None or not link.connected:
                return
            async with room:
                # The link tells of an Asterisk that is away; the call ends with what it has.
                with suppress(AmiError):
                    await self._look_after(row["account_id"], row["call_id"], link)

        ended = await asyncio.gather(*map(look_after, rows), return_exceptions=True)
        for fault in ended:
            if isinstance(fault, BaseException):
                raise fault

    async def _look_after(self, account_id: int, call_id: str, link: AsteriskLink) -> None:
        started = time.monotonic()
        stored = await read_session(self._db, account_id, call_id)
        if stored is None or stored.state != "open" or stored.session.cap_ms is None:
            return
        session = stored.session
        channel = link.channels.get(session.uniqueid)
        if channel is None or not channel.talking:
            # Nobody has answered yet, or the call is over: as if answered just now.
            await self._look_again_in(session, self._slicing.due_in_s(session.limit_ms / 1000))
            return
        answered_at = await _answered_at(link, channel)
        talk_s = await _talk_s(link, channel, answered_at)
        if session.limit_ms / 1000 - talk_s <= self._slicing.lead_s:
            # Without funds, some may still come before the slice ends.
            session = await self._extend(session, started) or session
        paid_s = await _set_timeouts(link, channel, answered_at, session.limit_ms / 1000)
        await self._look_again_in(session, self._slicing.due_in_s(paid_s))

    async def _extend(self, session: OpenSession, started: float) -> OpenSession | None:
        """Hold the next slice; None when there is none, or somebody else was faster."""
        for _ in range(_HOLD_TRIES):
            row = await self._db.fetchrow(statement("calls/account_funds"), session.account_id)
            now = self._now()
            left_micros = caps_of(row, now).left_micros
            available_micros = row["available_micros"]
            if left_micros is not None:
                available_micros = min(available_micros, left_micros)
            further = next_slice(
                session,
                SliceFunds(
                    held_micros=session.held_micros,
                    available_micros=available_micros,
                    open_calls=row["open_calls"],
                ),
                self._slicing,
                self._max_free_s,
            )
            if further is None:
                return None
            limit_ms = await self._db.fetchval(
                statement("calls/extend_hold"),
                session.account_id,
                session.call_id,
                session.limit_ms,
                further.limit_s * 1000,
                further.held_micros,
                now + timedelta(seconds=self._slicing.retry_s),
                now,
            )
            if limit_ms is not None:
                return self._extended(session, limit_ms, further.held_micros, started)
        return None

    def _extended(
        self, session: OpenSession, limit_ms: int, held_micros: int, started: float
    ) -> OpenSession:
        session = replace(session, limit_ms=limit_ms, held_micros=held_micros)
        if self._sessions.recall(session.call_id) is not None:
            self._sessions.remember(session)
        log.info(
            "call.extended",
            call_id=session.call_id,
            account_id=session.account_id,
            account=session.account_number,
            uniqueid=session.uniqueid,
            duration_ms=round((time.monotonic() - started) * 1000),
            limit_ms=limit_ms,
            held_micros=held_micros,
        )
        return session

    async def _look_again_in(self, session: OpenSession, seconds: float) -> None:
        await self._db.execute(
            statement("calls/postpone_extension"),
            session.account_id,
            session.call_id,
            session.limit_ms,
            self._now() + timedelta(seconds=seconds),
        )


async def _answered_at(link: AsteriskLink, channel: LiveChannel) -> float:
    """When the talk began: epoch seconds by Asterisk's clock. Raises AmiError."""
    noted = await link.get_variable(channel.channel, ANSWERED_AT)
    if _EPOCH.fullmatch(noted):
        return float(noted)
    assert channel.answered_at is not None
    return channel.answered_at.timestamp()


async def _talk_s(link: AsteriskLink, channel: LiveChannel, answered_at: float) -> float:
    """For how long the talk has lasted, by Asterisk's clock, whatever ours says; or AmiError."""
    now = await link.get_variable(channel.channel, _NOW)
    if not _EPOCH.fullmatch(now):
        raise AmiError(f"Asterisk {link.name} does not tell its time")
    return max(0.0, float(now) - answered_at)


async def _set_timeouts(
    link: AsteriskLink, channel: LiveChannel, answered_at: float, limit_s: float
) -> float:
    """Have both channels end when the talk has lasted `limit_s`; returns how long that is from now.

    A talk that has lasted so long is hung up. Raises AmiError; then the channels end with the slice
    that they had.
    """
    late_s = 0.0
    for _ in range(_TIMEOUT_TRIES):
        began = time.monotonic()
        paid_s = limit_s - await _talk_s(link, channel, answered_at)
        if paid_s <= 0:
            # It outlasts its hold: nobody told its channels in time.
            await link.hangup(channel.channel)
            break
        # In whole seconds, so less than one early, which is charged in full. 0 would be never: what
        # is left is then less than a second, and the timeout that is set ends it.
        seconds = int(paid_s - late_s)
        if seconds < 1:
            break
        for called in _called(link, channel):
            await _set_timeout(link, called, seconds)
        await _set_timeout(link, channel, seconds)
        late_s = time.monotonic() - began
        if late_s <= _QUICK_S:
            break
    return paid_s


async def _set_timeout(link: AsteriskLink, channel: LiveChannel, seconds: int) -> None:
    with suppress(AmiRefusedError):  # it has just ended
        await link.absolute_timeout(channel.channel, seconds)


def _called(link: AsteriskLink, channel: LiveChannel) -> list[LiveChannel]:
    """The channel that answered; where that was not seen, all that belong to the call."""
    if channel.peer is not None:
        peer = link.channels.get(channel.peer)
        return [] if peer is None else [peer]
    return [
        each
        for each in link.channels.values()
        if each.linkedid == channel.linkedid and each is not channel
    ]
