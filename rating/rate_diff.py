"""What a new set of rates changes, and from when: printed before anything is written."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import groupby
from operator import attrgetter

from rating.rate import Rate, undated
from rating.rate_gaps import RateGap
from rating.rate_terms import moved_prices
from rating.rate_timeline import Timeline, date_key, in_force_from


@dataclass(frozen=True, slots=True)
class RateChange:
    """One prefix whose rate changes; either side is None where the prefix is new or removed.

    `begins`: the date ahead on which it does (UTC); None: as soon as the new rates are in force.
    """

    prefix: str
    old: Rate | None
    new: Rate | None
    begins: datetime | None = None

    @property
    def kind(self) -> str:
        """`new`, `up`, `down`, `removed`, or `other`: another term than a price per minute, or
        what was blocked is not any more or the other way round.

        It is `up` where any price rises, at whatever hour and in whatever stage."""
        if self.old is None:
            return "new"
        if self.new is None:
            return "removed"
        moved = moved_prices(self.old, self.new)
        if not moved or self.old.blocked != self.new.blocked:
            return "other"
        return "up" if any(new > old for old, new in moved) else "down"


@dataclass(frozen=True, slots=True)
class RateDiff:
    """Changes by kind, a prefix with several dates as often as it changes.

    `unchanged` counts the prefixes that do not change at all.
    """

    new: tuple[RateChange, ...]
    up: tuple[RateChange, ...]
    down: tuple[RateChange, ...]
    other: tuple[RateChange, ...]
    removed: tuple[RateChange, ...]
    unchanged: int

    def largest(self, count: int = 10) -> tuple[RateChange, ...]:
        """The changed prices that move most in proportion to the old one, then in money."""
        return tuple(sorted(self.up + self.down, key=_by_weight)[:count])


_KINDS = ("new", "up", "down", "other", "removed")


@dataclass(slots=True)
class DiffSummary:
    """How many rates change in which way, and of each way the `most` that matter most.

    `add` takes the diffs of one part after another, so that two large sets need not be in memory.
    """

    most: int
    counts: Counter[str] = field(default_factory=Counter)
    moved: list[RateChange] = field(default_factory=list)
    new: list[RateChange] = field(default_factory=list)
    other: list[RateChange] = field(default_factory=list)
    removed: list[RateChange] = field(default_factory=list)
    gaps: list[RateGap] = field(default_factory=list)

    @property
    def changed(self) -> int:
        """How many changes there are."""
        return sum(self.counts[kind] for kind in _KINDS)

    def add(self, diff: RateDiff) -> None:
        """Add the diff of prefixes that no part before had."""
        for kind in _KINDS:
            self.counts[kind] += len(getattr(diff, kind))
        self.counts["unchanged"] += diff.unchanged
        self.moved = sorted([*self.moved, *diff.largest(self.most)], key=_by_weight)[: self.most]
        for kind in ("new", "other", "removed"):
            shown: list[RateChange] = getattr(self, kind)
            shown += getattr(diff, kind)[: self.most - len(shown)]

    def add_gaps(self, gaps: Sequence[RateGap]) -> None:
        """Add times without a rate; they are counted, and `most` of them told."""
        self.counts["gaps"] += len(gaps)
        self.gaps += gaps[: self.most - len(self.gaps)]

    def changes(self) -> list[RateChange]:
        """At most `most` of them: changed prices by their weight, then the others."""
        return [*self.moved, *self.other, *self.new, *self.removed][: self.most]


def diff_rates(old: Iterable[Rate], new: Iterable[Rate], at: datetime) -> RateDiff:
    """Compare two sets of rates, of which the new one comes into force at a time.

    Each rate of a prefix counts that is in force then or later, against what is in force before it;
    what is over by then does not count. A step that the old set takes as well, from the same to the
    same, is no change, and neither is another date of a rate that has begun. One that only the old
    set takes is a change, unless both are alike after it: the new set takes it back.
    """
    before, after = _by_prefix(old), _by_prefix(new)
    kinds: dict[str, list[RateChange]] = {kind: [] for kind in _KINDS}
    unchanged = 0
    for prefix in sorted(before.keys() | after.keys()):
        was = in_force_from(before.get(prefix, ()), at)
        becomes = in_force_from(after.get(prefix, ()), at)
        changes = list(_changes(prefix, was, becomes))
        for change in changes:
            kinds[change.kind].append(change)
        if not changes and (any(was.values()) or any(becomes.values())):
            unchanged += 1
    return RateDiff(
        **{kind: tuple(changes) for kind, changes in kinds.items()}, unchanged=unchanged
    )


def _changes(prefix: str, was: Timeline, becomes: Timeline) -> Iterator[RateChange]:
    old, new = was[None], becomes[None]
    if not _alike(old, new):
        yield RateChange(prefix, old, new)
    for date in sorted(date for date in was.keys() | becomes.keys() if date is not None):
        old_before, new_before = old, new
        old, new = was.get(date, old), becomes.get(date, new)
        taken_before = not _alike(old_before, old)
        if not _alike(new_before, new):
            if not (_alike(old_before, new_before) and _alike(old, new)):
                yield RateChange(prefix, new_before, new, date)
        elif taken_before and not _alike(old, new):
            yield RateChange(prefix, old, new, date)


def _alike(one: Rate | None, other: Rate | None) -> bool:
    if one is None or other is None:
        return one is other
    return one == other or undated(one) == undated(other)


def _by_prefix(rates: Iterable[Rate]) -> dict[str, Sequence[Rate]]:
    prefix = attrgetter("prefix")
    return {key: list(same) for key, same in groupby(sorted(rates, key=prefix), prefix)}


def _by_weight(change: RateChange) -> tuple[bool, int, int, str, float]:
    """From nothing first, then by the share of the old price, in millionths: that price of the
    rate counts which moves most."""
    assert change.old
    assert change.new
    dear, share, moved = min(
        (bool(old), -(abs(new - old) * 1_000_000 // old if old else 0), -abs(new - old))
        for old, new in moved_prices(change.old, change.new)
    )
    return dear, share, moved, change.prefix, date_key(change.begins)
