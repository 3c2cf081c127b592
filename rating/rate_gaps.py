"""Numbers that would have no rate for a time after new rates come into force."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from rating.rate import Rate
from rating.rate_timeline import in_force_from

_Span = tuple[datetime, datetime | None]
"""From the first instant to before the second; None: without end."""


@dataclass(frozen=True, slots=True)
class RateGap:
    """Numbers with this prefix have no rate from `begins` until `ends` (UTC)."""

    prefix: str
    begins: datetime
    ends: datetime


@dataclass(frozen=True, slots=True)
class _Prefix:
    """A prefix, shorter ones included: whether its numbers had a price, and when they have none."""

    prefix: str
    had_price: bool
    without: tuple[_Span, ...]


class GapFinder:
    """Takes prefixes in their order, each with its old and new rates; tells their gaps.

    A gap is a time without a rate of the prefix or a shorter one, with a rate before and after it.
    What nobody could call before, and what nobody can call ever after, is none.
    """

    def __init__(self, at: datetime) -> None:
        self._at = at
        self._enclosing: list[_Prefix] = []

    def add_covered(self, prefix: str, *, had_price: bool) -> None:
        """A prefix that has a rate from now on and for ever."""
        above = self._above(prefix)
        self._enclosing.append(_Prefix(prefix, had_price or above.had_price, ()))

    def add(self, prefix: str, old: Iterable[Rate], new: Iterable[Rate]) -> list[RateGap]:
        """The next prefix and its gaps."""
        above = self._above(prefix)
        old_now = in_force_from(old, self._at)[None]
        had_price = above.had_price if old_now is None else not old_now.blocked
        own = self._spans_without(new)
        without = tuple(_common(own, above.without))
        self._enclosing.append(_Prefix(prefix, had_price, without))
        begins_again = {end for _, end in own}
        return [
            RateGap(prefix, begins, ends)
            for begins, ends in without
            if ends is not None
            and (begins > self._at or had_price)
            and (old_now is not None or ends in begins_again)
        ]

    def _above(self, prefix: str) -> _Prefix:
        """The next shorter prefix; those that do not enclose this one will enclose no later one."""
        while self._enclosing and not prefix.startswith(self._enclosing[-1].prefix):
            self._enclosing.pop()
        if self._enclosing:
            return self._enclosing[-1]
        return _Prefix("", False, ((self._at, None),))

    def _spans_without(self, rates: Iterable[Rate]) -> list[_Span]:
        timeline = in_force_from(rates, self._at)
        spans: list[_Span] = []
        begins: datetime | None = None
        for date, rate in timeline.items():
            if rate is None:
                begins = begins or date or self._at
            elif begins is not None:
                spans.append((begins, date))
                begins = None
        return spans if begins is None else [*spans, (begins, None)]


def _common(some: Iterable[_Span], others: Iterable[_Span]) -> Iterable[_Span]:
    for begins, ends in some:
        for other_begins, other_ends in others:
            first = max(begins, other_begins)
            last = min(filter(None, (ends, other_ends)), default=None)
            if last is None or first < last:
                yield first, last
