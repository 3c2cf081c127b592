"""Longest-prefix lookup, in memory, for the call path.

Each prefix covers an interval of the 15-digit numbers; the intervals of all prefixes cut the number
line into stretches, each owned by the longest prefix that covers it. So the longest match is one
binary search in an array of integers, whatever the number of prefix lengths. Rates are kept packed
(some 100 bytes a prefix instead of 500) and become `Rate` when asked for.
"""

from array import array
from bisect import bisect_right
from collections.abc import Iterable
from datetime import UTC, datetime
from operator import attrgetter
from struct import Struct

from rating.rate import MAX_PREFIX_DIGITS, Rate, rate_of_checked

_ALWAYS = -(2**62)
"""Effective from: since ever."""
_NOBODY = -1

_ROW = Struct("<6q5i")
"""A rate: its usual amounts and the date it is in force from; its usual times and its destination.

The terms that nearly every rate has; rates with any other term are kept whole beside.
"""
_GROUP = Struct("<3iB")
"""A prefix: its first row and the one after its last, the next shorter prefix, its length."""

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
        "_destinations",
        "_groups",
        "_owners",
        "_rows",
        "_starts",
        "_stretches",
        "_whole",
    )

    def __init__(self, rates: Iterable[Rate]) -> None:
        """Build from rates in any order, which may be a stream. DuplicateRateError on a clash."""
        keys: list[int] = []
        rows, whole = bytearray(), dict[int, Rate]()
        known = dict[str, int]()
        for row, rate in enumerate(rates):
            keys.append(_sort_key(rate, row))
            rows += _pack(rate, known.setdefault(rate.destination, len(known)))
            if not _is_plain(rate):
                whole[row] = rate
        keys.sort()
        order = [key & 0xFFFFFFFF for key in keys]
        size = _ROW.size
        self._rows = b"".join([rows[row * size : (row + 1) * size] for row in order])
        self._destinations = list(known)
        self._whole = {new: whole[row] for new, row in enumerate(order) if row in whole}
        first_rows = self._group(keys)
        self._cut(first_rows)

    def _group(self, keys: list[int]) -> list[int]:
        """One group a prefix, of the rows of its dates in ascending order: the first row of each,
        and the number of rows."""
        self._starts = array("q")  # of each group: first number of the prefix << 4 | its length
        first_rows: list[int] = []
        date_key = None
        for row, key in enumerate(keys):
            if key >> 32 == date_key:
                prefix = self._prefix(len(self._starts) - 1)
                raise DuplicateRateError(f"prefix {prefix}: two rates from the same date")
            date_key = key >> 32
            if not self._starts or date_key >> 64 != self._starts[-1]:
                self._starts.append(date_key >> 64)
                first_rows.append(row)
        first_rows.append(len(keys))
        return first_rows

    def _cut(self, first_rows: list[int]) -> None:
        """Stretches of the number line and their owners; each group's next shorter prefix."""
        self._stretches, self._owners = array("q"), array("i")
        groups = bytearray()
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
        for group, start_and_length in enumerate(self._starts):
            start, length = start_and_length >> 4, start_and_length & 15
            close_until(start)
            parent = open_groups[-1][1] if open_groups else _NOBODY
            groups += _GROUP.pack(first_rows[group], first_rows[group + 1], parent, length)
            open_groups.append((start + 10 ** (MAX_PREFIX_DIGITS - length), group))
            mark(start, group)
        close_until(10**MAX_PREFIX_DIGITS)
        self._groups = bytes(groups)

    def __len__(self) -> int:
        """Number of rates."""
        return len(self._rows) // _ROW.size

    def lookup(self, number: str, at: datetime) -> Rate | None:
        """The rate of the longest prefix of `number` (normalised digits) in force at `at`.

        Of one prefix the latest `effective_from` ≤ `at` counts; a prefix with none yet gives way to
        the next shorter one, and so does one withdrawn since. A blocked prefix is returned as its
        rate, with `blocked` set.
        """
        position = int(number[:MAX_PREFIX_DIGITS].ljust(MAX_PREFIX_DIGITS, "0"))
        group = self._owners[bisect_right(self._stretches, position) - 1]
        instant = at.timestamp()
        while group != _NOBODY:
            first, row, parent, length = _GROUP.unpack_from(self._groups, group * _GROUP.size)
            if length <= len(number):
                while row > first:
                    row -= 1
                    values = _ROW.unpack_from(self._rows, row * _ROW.size)
                    if values[0] <= instant:
                        rate = self._whole.get(row) or self._rate(number[:length], values)
                        if not rate.withdrawn:
                            return rate
                        break
            group = parent
        return None

    def _prefix(self, group: int) -> str:
        start, length = self._starts[group] >> 4, self._starts[group] & 15
        return f"{start:0{MAX_PREFIX_DIGITS}d}"[:length]

    def _rate(self, prefix: str, values: tuple[int, ...]) -> Rate:
        effective, price, fee, minimum, buy, buy_fee = values[:6]
        initial, increment, buy_initial, buy_increment, destination = values[6:]
        return rate_of_checked(
            (
                prefix,
                self._destinations[destination],
                price,
                initial,
                increment,
                fee,
                minimum,
                *_UNUSUAL_DEFAULTS,
                buy,
                buy_initial,
                buy_increment,
                buy_fee,
                *_LAST_DEFAULTS,
                None if effective == _ALWAYS else datetime.fromtimestamp(effective, UTC),
            )
        )


def _effective(rate: Rate) -> int:
    date = rate.effective_from
    return _ALWAYS if date is None else int(date.timestamp())


def _pack(rate: Rate, destination: int) -> bytes:
    return _ROW.pack(
        _effective(rate),
        rate.price_micros_per_minute,
        rate.connection_fee_micros,
        rate.minimum_charge_micros,
        rate.buy_price_micros_per_minute,
        rate.buy_connection_fee_micros,
        rate.initial_s,
        rate.increment_s,
        rate.buy_initial_s,
        rate.buy_increment_s,
        destination,
    )


def _sort_key(rate: Rate, row: int) -> int:
    """Prefix start, prefix length, date and row in one integer: sorts fast and stays small."""
    start = int(rate.prefix.ljust(MAX_PREFIX_DIGITS, "0"))
    return ((start << 4 | len(rate.prefix)) << 64 | (_effective(rate) - _ALWAYS)) << 32 | row


def _is_plain(rate: Rate) -> bool:
    date = rate.effective_from
    return _unusual_terms(rate) == _PLAIN_TERMS and (date is None or not date.microsecond)
