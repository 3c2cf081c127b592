"""A sheet of changes put onto the rates of a card: many carriers send only what changes."""

from collections.abc import Iterable, Iterator

from rating.rate import Rate


def updated_rates(current: Iterable[Rate], changes: Iterable[Rate]) -> Iterator[Rate]:
    """The rates of a new version: `current` ones as the `changes` leave them.

    A change from a date stands beside the prefix's other dates and replaces that of the same date.
    A change without a date replaces the prefix altogether, and a withdrawn one removes it.
    """
    changed = {(rate.prefix, rate.effective_from): rate for rate in changes}
    altogether = {prefix for prefix, date in changed if date is None}
    for rate in current:
        if rate.prefix not in altogether and (rate.prefix, rate.effective_from) not in changed:
            yield rate
    for (_, date), rate in changed.items():
        if not (rate.withdrawn and date is None):
            yield rate
