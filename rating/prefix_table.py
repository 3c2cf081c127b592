"""Longest-prefix lookup, in memory, for the call path.

Each prefix covers an interval of the 15-digit numbers; the intervals of all prefixes cut the number
line into stretches, each owned by the longest prefix that covers it. So the longest match is one
binary search in an array of integers, whatever the number of prefix lengths. Rates are kept as
columns of machine integers (some 100 bytes a prefix instead of 500) and become `Rate` when asked.
"""

from array import array
from bisect import bisect_right
from collections.abc import Iterable
from datetime import UTC, datetime
from operator import attrgetter

from rating.rate import MAX_PREFIX_DIGITS, Rate, rate_of_checked

_ALWAYS = -(2**62)
"""Effective from: since ever."""
_NOBODY = -1

_COLUMNS = (
    ("price_micros_per_minute", "q"),
    ("initial_s", "i"),
    ("increment_s", "i"),
    ("connection_fee_micros", "q"),
    ("minimum_charge_micros", "q"),
    ("buy_price_micros_per_minute", "q"),
    ("buy_initial_s", "i"),
    ("buy_increment_s", "i"),
    ("buy_connection_fee_micros", "q"),
)
"""The terms that nearly every rate has; rates with any other term are kept whole."""

_NAMES = Rate.__slots__
_UNUSUAL = _NAMES[
    _NAMES.index("minimum_charge_micros") + 1 : _NAMES.index("buy_price_micros_per_minute")
]
_LAST = _NAMES[_NAMES.index("buy_connection_fee_micros") + 1 : _NAMES.index("effective_from")]
_unusual_terms = attrgetter(*_UNUSUAL, *_LAST)
_PLAIN_TERMS = _unusual_terms(Rate(prefix="0"))
_UNUSUAL_DEFAULTS, _LAST_DEFAULTS = _PLAIN_TERMS[: len(_UNUSUAL)], _PLAIN_TERMS[len(_UNUSUAL) :]


class DuplicateRateError(ValueError):
    """Two rates for the same prefix from the same date."""


class PrefixTable:
    """The rates of one card version, immutable after building."""

    __slots__ = (
        "_columns",
        "_destination_ids",
        "_destinations",
        "_effective",
        "_first_row",
        "_lengths",
        "_owners",
        "_parents",
        "_starts",
        "_stretches",
        "_whole",
    )

    def __init__(self, rates: Iterable[Rate]) -> None:
        """Build from rates in any order, which may be a stream. DuplicateRateError on a clash."""
        keys: list[int] = []
        columns = [array(code) for _, code in _COLUMNS]
        destination_ids, whole = array("i"), dict[int, Rate]()
        known = dict[str, int]()
        for row, rate in enumerate(rates):
            keys.append(_sort_key(rate, row))
            for column, (name, _) in zip(columns, _COLUMNS, strict=True):
                column.append(getattr(rate, name))
            destination_ids.append(known.setdefault(rate.destination, len(known)))
            if not _is_plain(rate):
                whole[row] = rate
        keys.sort()
        order = [key & 0xFFFFFFFF for key in keys]
        self._columns = tuple(
            array(column.typecode, [column[row] for row in order]) for column in columns
        )
        self._destinations = list(known)
        self._destination_ids = array("i", [destination_ids[row] for row in order])
        self._whole = {new: whole[row] for new, row in enumerate(order) if row in whole}
        self._group(keys)
        self._cut()

    def _group(self, keys: list[int]) -> None:
        """One group a prefix, of the rows of its dates in ascending order."""
        self._starts, self._lengths = array("q"), bytearray()
        self._first_row, self._effective = array("i"), array("q")
        group_key = date_key = None
        for row, key in enumerate(keys):
            if key >> 32 == date_key:
                prefix = self._prefix(len(self._starts) - 1)
                raise DuplicateRateError(f"prefix {prefix}: two rates from the same date")
            date_key = key >> 32
            if date_key >> 64 != group_key:
                group_key = date_key >> 64
                self._starts.append(group_key >> 4)
                self._lengths.append(group_key & 15)
                self._first_row.append(row)
            self._effective.append((date_key & (2**64 - 1)) + _ALWAYS)
        self._first_row.append(len(keys))

    def _cut(self) -> None:
        """Stretches of the number line and their owners; each group's next shorter prefix."""
        self._stretches, self._owners, self._parents = array("q"), array("i"), array("i")
        open_groups: list[tuple[int, int]] = []  # (end, group), innermost last

        def mark(position: int, owner: int) -> None:
            if self._stretches and self._stretches[-1] == position:
                self._owners[-1] = owner
            else:
                self._stretches.append(position)
                self._owners.append(owner)

        def close_until(position: int) -> None:
            while open_groups and open_groups[-1][0] <= position:
                end, _ = open_groups.pop()
                mark(end, open_groups[-1][1] if open_groups else _NOBODY)

        mark(0, _NOBODY)
        for group, start in enumerate(self._starts):
            close_until(start)
            self._parents.append(open_groups[-1][1] if open_groups else _NOBODY)
            end = start + 10 ** (MAX_PREFIX_DIGITS - self._lengths[group])
            open_groups.append((end, group))
            mark(start, group)
        close_until(10**MAX_PREFIX_DIGITS)

    def __len__(self) -> int:
        """Number of rates."""
        return len(self._effective)

    def lookup(self, number: str, at: datetime) -> Rate | None:
        """The rate of the longest prefix of `number` (normalised digits) in force at `at`.

        Of one prefix the latest `effective_from` ≤ `at` counts; a prefix with none yet gives way to
        the next shorter one, and so does one withdrawn since. A blocked prefix is returned as its
        rate, with `blocked` set.
        """
        position = int(number[:MAX_PREFIX_DIGITS].ljust(MAX_PREFIX_DIGITS, "0"))
        group = self._owners[bisect_right(self._stretches, position) - 1]
        length = len(number)
        instant = at.timestamp()
        while group != _NOBODY:
            if self._lengths[group] <= length:
                first = self._first_row[group]
                for row in range(self._first_row[group + 1] - 1, first - 1, -1):
                    if self._effective[row] <= instant:
                        rate = self._rate(row, number[: self._lengths[group]])
                        if not rate.withdrawn:
                            return rate
                        break
            group = self._parents[group]
        return None

    def _prefix(self, group: int) -> str:
        return f"{self._starts[group]:0{MAX_PREFIX_DIGITS}d}"[: self._lengths[group]]

    def _rate(self, row: int, prefix: str) -> Rate:
        if self._whole and row in self._whole:
            return self._whole[row]
        price, initial, increment, fee, minimum, buy, buy_initial, buy_increment, buy_fee = (
            self._columns
        )
        effective = self._effective[row]
        return rate_of_checked(
            (
                prefix,
                self._destinations[self._destination_ids[row]],
                price[row],
                initial[row],
                increment[row],
                fee[row],
                minimum[row],
                *_UNUSUAL_DEFAULTS,
                buy[row],
                buy_initial[row],
                buy_increment[row],
                buy_fee[row],
                *_LAST_DEFAULTS,
                None if effective == _ALWAYS else datetime.fromtimestamp(effective, UTC),
            )
        )


def _sort_key(rate: Rate, row: int) -> int:
    """Prefix start, prefix length, date and row in one integer: sorts fast and stays small."""
    start = int(rate.prefix.ljust(MAX_PREFIX_DIGITS, "0"))
    date = rate.effective_from
    effective = _ALWAYS if date is None else int(date.timestamp())
    return ((start << 4 | len(rate.prefix)) << 64 | (effective - _ALWAYS)) << 32 | row


def _is_plain(rate: Rate) -> bool:
    date = rate.effective_from
    return _unusual_terms(rate) == _PLAIN_TERMS and (date is None or not date.microsecond)
