"""Longest-prefix lookup, in memory, for the call path.

Each prefix covers an interval of the 15-digit numbers; the intervals of all prefixes cut the number
line into stretches, each owned by the longest prefix that covers it. So the longest match is one
binary search in an array of integers, whatever the number of prefix lengths; an index by the first
digits says between which of them. Rates are kept packed (some 50 bytes a prefix instead of 500) and
become `Rate` when asked for. In a table of many cards nearly every access to memory misses the
processor's cache, which takes longer than all else: what a lookup needs stands together.
"""

from array import array
from bisect import bisect_right
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from operator import attrgetter
from struct import Struct
from sys import intern
from typing import Any

from rating.rate import MAX_PREFIX_DIGITS, Rate, rate_of_checked

_INDEXED_DIGITS = 4
_NOBODY = -1

_TERMS = Struct("<2q3I4H2I")
"""A rate: price and buy price; connection fee, minimum, buy connection fee; initial and further
increment, bought ones; number of its destination, and of the date it is in force from.

The terms that nearly every rate has; rates with any other term, or a value that needs more room,
are kept whole beside.
"""
_PLACE = Struct("<iB")
"""Where it stands: the latest row of the next shorter prefix, and the length of its own with marks.
"""
_ROW = Struct(_TERMS.format + _PLACE.format[1:])
_MAX_PACKED_AMOUNT = 2**32 - 1
_MAX_PACKED_TIME = 2**16 - 1

_LENGTH = 15
_HAS_EARLIER = 16
"""Mark: the row before is of the same prefix, from an earlier date."""
_IS_WHOLE = 32
"""Mark: the rate is kept whole, only its place counts."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)

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
        "_dates",
        "_destinations",
        "_index",
        "_indexed_unit",
        "_owner_bits",
        "_owner_mask",
        "_rows",
        "_stretches",
        "_whole",
    )

    def __init__(self, rates: Iterable[Rate]) -> None:
        """Build from rates in any order, which may be a stream. DuplicateRateError on a clash."""
        keys: list[int] = []
        terms, whole = bytearray(), dict[int, Rate]()
        destinations, dates = dict[str, int](), dict[datetime | None, int]()
        for row, rate in enumerate(rates):
            keys.append(_sort_key(rate, row))
            destination = destinations.setdefault(rate.destination, len(destinations))
            date = dates.setdefault(rate.effective_from, len(dates))
            if _is_plain(rate):
                terms += _pack(rate, destination, date)
            else:
                terms += _TERMS.pack(*[0] * 10, date)
                whole[row] = rate
        keys.sort()
        # Names are much the same in all cards: kept once, they stay in the processor's cache.
        self._destinations = [intern(name) for name in destinations]
        self._dates = list(dates)
        self._whole = {
            row: whole[key & 0xFFFFFFFF]
            for row, key in enumerate(keys)
            if key & 0xFFFFFFFF in whole
        }
        self._place(keys, terms)

    def _place(self, keys: list[int], terms: bytearray) -> None:
        """Put the rows in their order, and cut the number line into stretches with their owners."""
        size, rows = _TERMS.size, bytearray()
        positions, owners = array("q"), array("i")
        open_prefixes: list[tuple[int, int]] = []  # (end, latest row), innermost last

        def mark(position: int, owner: int) -> None:
            if positions and positions[-1] == position:
                owners[-1] = owner
            else:
                positions.append(position)
                owners.append(owner)

        def close_until(position: int) -> None:
            while open_prefixes and open_prefixes[-1][0] <= position:
                end, _ = open_prefixes.pop()
                mark(end, open_prefixes[-1][1] if open_prefixes else _NOBODY)

        mark(0, _NOBODY)
        parent, dated_prefix = _NOBODY, -1
        for row, key in enumerate(keys):
            before, dated_prefix = dated_prefix, key >> 32
            start, length = dated_prefix >> 68, dated_prefix >> 64 & _LENGTH
            flags = length
            if dated_prefix >> 64 == before >> 64:
                if dated_prefix == before:
                    prefix = f"{start:0{MAX_PREFIX_DIGITS}d}"[:length]
                    raise DuplicateRateError(f"prefix {prefix}: two rates from the same date")
                open_prefixes[-1] = (open_prefixes[-1][0], row)
                flags |= _HAS_EARLIER
            else:
                close_until(start)
                parent = open_prefixes[-1][1] if open_prefixes else _NOBODY
                open_prefixes.append((start + 10 ** (MAX_PREFIX_DIGITS - length), row))
            mark(start, row)
            if row in self._whole:
                flags |= _IS_WHOLE
            old = (key & 0xFFFFFFFF) * size
            rows += terms[old : old + size] + _PLACE.pack(parent, flags)
        close_until(10**MAX_PREFIX_DIGITS)
        self._rows = bytes(rows)
        self._index_stretches(positions, owners)

    def _index_stretches(self, positions: "array[int]", owners: "array[int]") -> None:
        """Of each stretch the digits after the indexed ones and its owner, in one integer; before
        which of them each combination of the indexed digits begins."""
        digits = min(len(str(len(self))), _INDEXED_DIGITS)
        self._indexed_unit = 10 ** (MAX_PREFIX_DIGITS - digits)
        self._owner_bits = len(self).bit_length()
        self._owner_mask = (1 << self._owner_bits) - 1
        self._stretches, self._index = array("q"), array("i")
        for position, owner in zip(positions, owners, strict=True):
            indexed, rest = divmod(position, self._indexed_unit)
            while len(self._index) <= indexed:
                self._index.append(len(self._stretches))
            self._stretches.append(rest << self._owner_bits | owner + 1)
        while len(self._index) <= 10**digits:
            self._index.append(len(self._stretches))

    def __setstate__(self, state: tuple[None, dict[str, Any]]) -> None:
        for name, value in state[1].items():
            setattr(self, name, value)
        self._destinations = [intern(name) for name in self._destinations]

    def __len__(self) -> int:
        """Number of rates."""
        return len(self._rows) // _ROW.size

    def lookup(self, number: str, at: datetime) -> Rate | None:
        """The rate of the longest prefix of `number` (normalised digits) in force at `at`.

        Of one prefix the latest `effective_from` ≤ `at` counts; a prefix with none yet gives way to
        the next shorter one, and so does one withdrawn since. A blocked prefix is returned as its
        rate, with `blocked` set.
        """
        padded = number[:MAX_PREFIX_DIGITS].ljust(MAX_PREFIX_DIGITS, "0")
        indexed, rest = divmod(int(padded), self._indexed_unit)
        mask, index = self._owner_mask, self._index
        last = rest << self._owner_bits | mask
        # Where none begins so low, the one before reaches from the digits before into these.
        stretch = bisect_right(self._stretches, last, index[indexed], index[indexed + 1]) - 1
        row = (self._stretches[stretch] & mask) - 1
        while row != _NOBODY:
            values = _ROW.unpack_from(self._rows, row * _ROW.size)
            date, parent, flags = values[-3:]
            length = flags & _LENGTH
            if length > len(number):
                row = parent
                continue
            effective_from = self._dates[date]
            if effective_from is not None and effective_from > at:
                row = row - 1 if flags & _HAS_EARLIER else parent
                continue
            if not flags & _IS_WHOLE:
                return self._rate(number[:length], values, effective_from)
            rate = self._whole[row]
            if not rate.withdrawn:
                return rate
            row = parent
        return None

    def _rate(self, prefix: str, values: tuple[int, ...], effective_from: datetime | None) -> Rate:
        price, buy, fee, minimum, buy_fee, initial, increment, buy_initial, buy_increment = values[
            :9
        ]
        return rate_of_checked(
            (
                prefix,
                self._destinations[values[9]],
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
                effective_from,
            )
        )


def _pack(rate: Rate, destination: int, date: int) -> bytes:
    return _TERMS.pack(
        rate.price_micros_per_minute,
        rate.buy_price_micros_per_minute,
        rate.connection_fee_micros,
        rate.minimum_charge_micros,
        rate.buy_connection_fee_micros,
        rate.initial_s,
        rate.increment_s,
        rate.buy_initial_s,
        rate.buy_increment_s,
        destination,
        date,
    )


def _sort_key(rate: Rate, row: int) -> int:
    """Prefix start, prefix length, date and row in one integer: sorts fast and stays small."""
    start = int(rate.prefix.ljust(MAX_PREFIX_DIGITS, "0"))
    date = rate.effective_from
    # None sorts before every date there is.
    since = 0 if date is None else 2**62 + (date - _EPOCH) // _MICROSECOND
    return ((start << 4 | len(rate.prefix)) << 64 | since) << 32 | row


def _is_plain(rate: Rate) -> bool:
    amounts = rate.connection_fee_micros, rate.minimum_charge_micros, rate.buy_connection_fee_micros
    times = rate.initial_s, rate.increment_s, rate.buy_initial_s, rate.buy_increment_s
    return (
        _unusual_terms(rate) == _PLAIN_TERMS
        and max(amounts) <= _MAX_PACKED_AMOUNT
        and max(times) <= _MAX_PACKED_TIME
    )
