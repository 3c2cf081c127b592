"""What Asterisk said about the end of a call, read with distrust: no value may make it free."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

_MILLISECONDS = re.compile(r"[0-9]{1,12}")
_EPOCH = re.compile(r"([0-9]{1,11})\.([0-9]{3})")
_CAUSE = re.compile(r"[0-9]{1,3}")
_ROUTE = re.compile(r"[0-9]{1,2}")
_DIALSTATUS = re.compile(r"[A-Z]{0,20}")
# The clocks of daemon and Asterisk tick alike, but not from the same moment on: a talk may seem a
# little longer than the time since authorize.
_CLOCK_TOLERANCE = timedelta(seconds=2)
# An Asterisk whose clock is further off than this told no time at all.
_CLOCK_ERROR = timedelta(days=1)


class UnbelievableEndError(Exception):
    """A time that cannot be: the session is left to recovery. The message says what was wrong."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CallEnd:
    """How a call ended. `talk_ms` is None when nobody answered."""

    dialstatus: str
    talk_ms: int | None
    hangupcause: int | None
    route: int | None
    answered_at: datetime | None
    ended_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportedEnd:
    """The values as they came, each possibly empty: `settle`'s arguments, or a Dial's variables."""

    dialstatus: str
    answeredtime_ms: str
    hangupcause: str
    route: str = ""
    answered_at: str = ""
    ended_at: str = ""

    @property
    def dialled(self) -> bool:
        """Whether Asterisk has begun to dial: it then sets these variables."""
        return bool(self.dialstatus or self.answeredtime_ms)

    def read(self, authorized_at: datetime, now: datetime, age: timedelta = timedelta()) -> CallEnd:
        """Make sense of it. Raises UnbelievableEndError rather than guess a time.

        `age` is for how long the call is known to have been open by a clock that nobody sets.

        ANSWERED_AT and ENDED_AT, when both are there, give the talk time, else ANSWEREDTIME_MS
        does (contracts.md, section 1): the latter counts from the answer of an IVR, if there was
        one. An answered call without any time is unbelievable, and so is a talk longer than the
        time since authorize.
        """
        if not _DIALSTATUS.fullmatch(self.dialstatus):
            raise UnbelievableEndError("DIALSTATUS is not a word")
        answered_at = _instant("ANSWERED_AT", self.answered_at)
        ended_at = _instant("ENDED_AT", self.ended_at)
        talk_ms = self._talk_ms(answered_at, ended_at)
        if ended_at is not None and abs(ended_at - now) > _CLOCK_ERROR:
            raise UnbelievableEndError("ENDED_AT is more than a day away from now")
        longest = max(now - authorized_at, age) + _CLOCK_TOLERANCE
        if talk_ms is not None and timedelta(milliseconds=talk_ms) > longest:
            raise UnbelievableEndError("the talk is longer than the time since authorize")
        return CallEnd(
            dialstatus=self.dialstatus,
            talk_ms=talk_ms,
            hangupcause=int(self.hangupcause) if _CAUSE.fullmatch(self.hangupcause) else None,
            route=int(self.route) if _ROUTE.fullmatch(self.route) else None,
            answered_at=answered_at,
            ended_at=ended_at if answered_at is not None else None,
        )

    def _talk_ms(self, answered_at: datetime | None, ended_at: datetime | None) -> int | None:
        if answered_at is not None and ended_at is not None:
            if ended_at < answered_at:
                raise UnbelievableEndError("ENDED_AT is before ANSWERED_AT")
            return (ended_at - answered_at) // timedelta(milliseconds=1)
        if self.answeredtime_ms:
            if not _MILLISECONDS.fullmatch(self.answeredtime_ms):
                raise UnbelievableEndError("ANSWEREDTIME_MS is not a number")
            return int(self.answeredtime_ms)
        if answered_at is not None or self.dialstatus == "ANSWER":
            raise UnbelievableEndError("answered, but no time was given")
        return None


def _instant(name: str, text: str) -> datetime | None:
    if not text:
        return None
    match = _EPOCH.fullmatch(text)
    if match is None:
        raise UnbelievableEndError(f"{name} is not epoch seconds with milliseconds")
    return datetime.fromtimestamp(int(match[1]), UTC) + timedelta(milliseconds=int(match[2]))
