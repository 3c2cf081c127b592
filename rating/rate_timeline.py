"""What is in force of a prefix, and when: rates with dates brought in order."""

from collections.abc import Iterable
from datetime import datetime

from rating.rate import Rate

Timeline = dict[datetime | None, Rate | None]


def in_force_from(rates: Iterable[Rate], at: datetime) -> Timeline:
    """What is in force of the rates of one prefix at a time (key None), and from each later date.

    None is nothing: no rate has begun, or the prefix is withdrawn.
    """
    timeline: Timeline = {None: None}
    for rate in sorted(rates, key=lambda rate: date_key(rate.effective_from)):
        date = rate.effective_from
        begun = date is None or date <= at
        timeline[None if begun else date] = None if rate.withdrawn else rate
    return timeline


def date_key(date: datetime | None) -> float:
    """Brings dates in order, that of a rate without one first."""
    return float("-inf") if date is None else date.timestamp()
