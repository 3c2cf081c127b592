"""The time that daemon and Asterisk of a test agree on."""

from datetime import UTC, datetime, timedelta


class Clock:
    """Real time plus what a test has let pass, or one instant when frozen."""

    def __init__(self) -> None:
        self._passed = timedelta()
        self._frozen: datetime | None = None

    def __call__(self) -> datetime:
        return (self._frozen or datetime.now(UTC)) + self._passed

    def advance(self, seconds: float) -> None:
        """Let time pass."""
        self._passed += timedelta(seconds=seconds)

    def freeze(self, at: datetime | None = None) -> datetime:
        """Stand still, at this instant if one is given; returns it."""
        self._frozen, self._passed = at or self(), timedelta()
        return self._frozen

    def epoch(self) -> str:
        """As Asterisk's STRFTIME prints it: seconds with milliseconds."""
        return epoch(self())


def epoch(at: datetime) -> str:
    """An instant as Asterisk's `STRFTIME(,,%s.%3q)` prints it."""
    milliseconds = (at - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(milliseconds=1)
    return f"{milliseconds // 1000}.{milliseconds % 1000:03}"
