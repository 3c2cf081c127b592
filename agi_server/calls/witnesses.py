"""Who can tell how a call ended when its hangup handler did not, and whom to believe. No I/O.

From the best to the last: AMI, where supervision saw answer and end; Asterisk's own call records;
the last sign of life; and when there is none, the rule. Times are Asterisk's, but for the last sign
of life, which is when the daemon had it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Literal

from agi_server.asterisk.live_calls import LiveChannel
from agi_server.calls.call_end import CallEnd
from agi_server.calls.dial import route_of_channel

UnseenEnd = Literal["last_seen", "hold", "nothing"]

# Two witnesses may differ by this before it is worth telling.
TOLERANCE_MS = 1_000
# The clocks of daemon and Asterisk tick alike, but not from the same moment on.
_CLOCK_TOLERANCE = timedelta(seconds=2)


class Witness(StrEnum):
    """Who told the end of a call."""

    HANDLER = "handler"
    CALL = "call"
    AMI = "ami"
    CDR = "cdr"
    LAST_SEEN = "last_seen"
    ORPHAN = "orphan"

    @property
    def saw_the_end(self) -> bool:
        """Whether it is more than a guess."""
        return self not in (Witness.LAST_SEEN, Witness.ORPHAN)


@dataclass(frozen=True, slots=True, kw_only=True)
class AsteriskRecord:
    """One of Asterisk's call records (CDR) of a channel."""

    dstchannel: str
    disposition: str
    answered_at: datetime | None
    ended_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Testimony:
    """What one witness says. `talk_ms` is None for a call that nobody answered.

    `review` is what an operator should know of it; `dstchannel` is the channel that answered, or
    empty.
    """

    witness: Witness
    answered_at: datetime | None = None
    ended_at: datetime | None = None
    talk_ms: int | None = None
    review: str | None = None
    dstchannel: str = ""

    def end(self, trunk_dials: Sequence[str]) -> CallEnd:
        """As settling takes it. Which route carried the call is told by the channel that answered,
        if it is of one of them alone."""
        return CallEnd(
            dialstatus="" if self.talk_ms is None else "ANSWER",
            talk_ms=self.talk_ms,
            hangupcause=None,
            route=route_of_channel(trunk_dials, self.dstchannel),
            answered_at=self.answered_at,
            ended_at=self.ended_at,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """All there is about one call. `channel` is None where supervision knows it not."""

    authorized_at: datetime
    limit_ms: int
    now: datetime
    channel: LiveChannel | None = None
    seen_answered_at: datetime | None = None
    seen_at: datetime | None = None
    records: Sequence[AsteriskRecord] = ()

    @property
    def answered_at(self) -> datetime | None:
        """When the called party answered, if anybody saw it."""
        channel = self._its_channel
        return (channel and channel.answered_at) or self.seen_answered_at

    @property
    def _its_channel(self) -> LiveChannel | None:
        """A channel may make several calls: not what an earlier one of them left behind."""
        if self.channel is None:
            return None
        at = self.channel.answered_at or self.channel.dialled_at
        early = at is not None and at < self.authorized_at - _CLOCK_TOLERANCE
        return None if early else self.channel

    def best(self, rule: UnseenEnd) -> tuple[Testimony, list[Testimony]]:
        """Whom to believe, and the others who saw the end as well."""
        seen = [
            each
            for each in (self.ami(), self.record())
            if each is not None and self._possible(each.talk_ms)
        ]
        if seen:
            return seen[0], seen[1:]
        return self._last_sign(rule) or self._by_rule(rule), []

    def ami(self) -> Testimony | None:
        """Supervision saw answer and end, or a whole call without an answer."""
        channel = self._its_channel
        if channel is None:
            return None
        ended_at = channel.parted_at or channel.ended_at
        answered_at = self.answered_at
        if ended_at is None or (answered_at is None and not channel.whole):
            return None
        return Testimony(
            witness=Witness.AMI,
            answered_at=answered_at,
            ended_at=ended_at,
            talk_ms=None if answered_at is None else _ms(answered_at, ended_at),
            review="its end was not seen exactly" if channel.unsure else None,
            dstchannel=channel.peer_channel,
        )

    def record(self) -> Testimony | None:
        """Asterisk's record of the Dial.

        One channel may have several: of other calls, of routes that failed before, of its hangup
        handler or `h` extension (that one names no called channel, and its times are of no talk).
        What a record gives as the answer is the caller's channel's: an IVR's, if that came first.
        """
        after = [each for each in self.records if each.ended_at >= self.authorized_at]
        if not after:
            return None
        answered = [e for e in after if e.dstchannel and e.disposition == "ANSWERED"]
        if not answered:
            return Testimony(witness=Witness.CDR, ended_at=after[0].ended_at)
        row, review = answered[0], None
        answered_at = self.answered_at or row.answered_at
        if answered_at is None or answered_at > row.ended_at:
            return None
        if answered_at < self.authorized_at - _CLOCK_TOLERANCE:
            answered_at = self.authorized_at
            review = "answered before it was authorized: ringing counted as talk"
        return Testimony(
            witness=Witness.CDR,
            answered_at=answered_at,
            ended_at=row.ended_at,
            talk_ms=_ms(answered_at, row.ended_at),
            review=review,
            dstchannel=row.dstchannel,
        )

    def _last_sign(self, rule: UnseenEnd) -> Testimony | None:
        seen_at = self._its_channel.seen_at if self._its_channel else self.seen_at
        if rule != "last_seen" or seen_at is None:
            return None
        answered_at = self.answered_at
        return Testimony(
            witness=Witness.LAST_SEEN,
            answered_at=answered_at,
            talk_ms=None if answered_at is None else _ms(answered_at, seen_at),
            review="nobody saw the end of this call; charged to its last sign of life",
            dstchannel=self._its_channel.peer_channel if self._its_channel else "",
        )

    def _by_rule(self, rule: UnseenEnd) -> Testimony:
        nothing = rule == "nothing"
        return Testimony(
            witness=Witness.ORPHAN,
            talk_ms=None if nothing else self.limit_ms,
            review="nobody saw the end of this call; charged "
            + ("nothing" if nothing else "what was held for it"),
        )

    def _possible(self, talk_ms: int | None) -> bool:
        """A talk longer than the time since authorize tells of clocks, not of the call."""
        longest = self.now - self.authorized_at + _CLOCK_TOLERANCE
        return talk_ms is None or timedelta(milliseconds=talk_ms) <= longest


def differ(one_ms: int | None, other_ms: int | None) -> bool:
    """Whether two witnesses tell of different talks."""
    if one_ms is None or other_ms is None:
        return one_ms is not other_ms
    return abs(one_ms - other_ms) > TOLERANCE_MS


def _ms(begin: datetime, end: datetime) -> int:
    return max(0, (end - begin) // timedelta(milliseconds=1))
