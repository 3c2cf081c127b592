"""A sheet of changes put onto the rates of a card: many carriers send only what changes."""

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable, Iterator
from datetime import datetime

from rating.rate import Rate
from rating.rate_timeline import date_key

_Dates = dict[str, list[float]]
"""Of each prefix, in order."""


def updated_rates(current: Iterable[Rate], changes: Iterable[Rate]) -> Iterator[Rate]:
    """The rates of a new version: `current` ones as the `changes` leave them.

    A change from a date stands beside the prefix's other dates and replaces that of the same date.
    It is in force until another rate begins: a current end of the prefix behind it was that of the
    rate before it, and goes. A change without a date replaces the prefix altogether, and a
    withdrawn one removes it.
    """
    current = list(current)
    changed = {(rate.prefix, rate.effective_from): rate for rate in changes}
    altogether = {prefix for prefix, date in changed if date is None}
    new_dates = _dates_by_prefix(changed)
    own_dates = _dates_by_prefix(
        (rate.prefix, rate.effective_from) for rate in current if rate.prefix in new_dates
    )
    for rate in current:
        if rate.prefix in altogether or (rate.prefix, rate.effective_from) in changed:
            continue
        if not (rate.withdrawn and _ends_a_change(rate, new_dates, own_dates)):
            yield rate
    for (_, date), rate in changed.items():
        if not (rate.withdrawn and date is None):
            yield rate


def _dates_by_prefix(dated: Iterable[tuple[str, datetime | None]]) -> _Dates:
    dates: _Dates = defaultdict(list)
    for prefix, date in dated:
        dates[prefix].append(date_key(date))
    return {prefix: sorted(of_prefix) for prefix, of_prefix in dates.items()}


def _ends_a_change(end: Rate, new_dates: _Dates, own_dates: _Dates) -> bool:
    """Whether what a current end would end has come with the changes."""
    changes = new_dates.get(end.prefix, [])
    own = own_dates.get(end.prefix, [])
    date = date_key(end.effective_from)
    before, own_before = bisect_left(changes, date), bisect_left(own, date)
    return before > 0 and (own_before == 0 or changes[before - 1] >= own[own_before - 1])
