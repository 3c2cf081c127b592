"""What a new set of rates changes: printed before anything is written."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from rating.rate import Rate


@dataclass(frozen=True, slots=True)
class RateChange:
    """One prefix whose rate changes; either side is None where the prefix is new or removed."""

    prefix: str
    old: Rate | None
    new: Rate | None

    @property
    def price_change_micros(self) -> int:
        """How much dearer a minute becomes (negative: cheaper)."""
        old = self.old.price_micros_per_minute if self.old else 0
        new = self.new.price_micros_per_minute if self.new else 0
        return new - old


@dataclass(frozen=True, slots=True)
class RateDiff:
    """Changes by kind. `other` changes another term than the price per minute."""

    new: tuple[RateChange, ...]
    up: tuple[RateChange, ...]
    down: tuple[RateChange, ...]
    other: tuple[RateChange, ...]
    removed: tuple[RateChange, ...]
    unchanged: int

    def largest(self, count: int = 10) -> tuple[RateChange, ...]:
        """The changed prices that move most in proportion to the old one, then in money."""
        return tuple(sorted(self.up + self.down, key=_by_weight)[:count])


@dataclass(slots=True)
class DiffSummary:
    """How many prefixes change in which way, and of each way the `most` that matter most.

    `add` takes the diffs of one part after another, so that two large sets need not be in memory.
    """

    most: int
    counts: Counter[str] = field(default_factory=Counter)
    moved: list[RateChange] = field(default_factory=list)
    new: list[RateChange] = field(default_factory=list)
    other: list[RateChange] = field(default_factory=list)
    removed: list[RateChange] = field(default_factory=list)

    def add(self, diff: RateDiff) -> None:
        """Add the diff of prefixes that no part before had."""
        for kind in ("new", "up", "down", "other", "removed"):
            self.counts[kind] += len(getattr(diff, kind))
        self.counts["unchanged"] += diff.unchanged
        self.moved = sorted([*self.moved, *diff.largest(self.most)], key=_by_weight)[: self.most]
        for kind in ("new", "other", "removed"):
            shown: list[RateChange] = getattr(self, kind)
            shown += getattr(diff, kind)[: self.most - len(shown)]

    def changes(self) -> list[RateChange]:
        """At most `most` of them: changed prices by their weight, then the others."""
        return [*self.moved, *self.other, *self.new, *self.removed][: self.most]


def diff_rates(old: Iterable[Rate], new: Iterable[Rate]) -> RateDiff:
    """Compare two sets of rates prefix by prefix; of several dates the latest counts.

    That a rate begins at another date is no change by itself. A prefix withdrawn in the end counts
    as not there.
    """
    before, after = _latest_by_prefix(old), _latest_by_prefix(new)
    kinds: dict[str, list[RateChange]] = {
        kind: [] for kind in ("new", "up", "down", "other", "removed")
    }
    unchanged = 0
    for prefix in sorted(before.keys() | after.keys()):
        change = RateChange(prefix, before.get(prefix), after.get(prefix))
        kind = _kind(change)
        if kind is None:
            unchanged += 1
        else:
            kinds[kind].append(change)
    return RateDiff(
        **{kind: tuple(changes) for kind, changes in kinds.items()}, unchanged=unchanged
    )


def _kind(change: RateChange) -> str | None:
    if change.old is None:
        return "new"
    if change.new is None:
        return "removed"
    if change.old == change.new:
        return None
    if change.price_change_micros:
        return "up" if change.price_change_micros > 0 else "down"
    same_date = replace(change.new, effective_from=change.old.effective_from)
    return None if same_date == change.old else "other"


def _latest_by_prefix(rates: Iterable[Rate]) -> dict[str, Rate]:
    latest: dict[str, Rate] = {}
    for rate in rates:
        known = latest.get(rate.prefix)
        if known is None or _begins_later(rate, known):
            latest[rate.prefix] = rate
    return {prefix: rate for prefix, rate in latest.items() if not rate.withdrawn}


def _begins_later(rate: Rate, known: Rate) -> bool:
    if rate.effective_from is None or known.effective_from is None:
        return known.effective_from is None
    return rate.effective_from > known.effective_from


def _by_weight(change: RateChange) -> tuple[bool, int, int, str]:
    """From nothing first, then by the share of the old price, in millionths."""
    moved = abs(change.price_change_micros)
    old = change.old.price_micros_per_minute if change.old else 0
    share = moved * 1_000_000 // old if old else 0
    return bool(old), -share, -moved, change.prefix
