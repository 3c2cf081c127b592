"""A rate: what calls to one destination prefix cost from a date on."""

from collections.abc import Iterable, Mapping
from dataclasses import MISSING, dataclass, fields, make_dataclass, replace
from datetime import datetime
from operator import attrgetter
from typing import cast

from rating.hours import MINUTES_OF_WEEK, Interval
from rating.money import MAX_MONEY_MICROS

MAX_PREFIX_DIGITS = 15
"""E.164 allows at most 15 digits."""
MAX_SECONDS = 10_000_000
"""More than any call lasts; keeps every time in a rate, and every price made of it, bounded."""


class RateError(ValueError):
    """A field of a rate is out of bounds; the message begins with the field's name."""


def _check_bounds(owner: object, names: tuple[str, ...], least: int, most: int) -> None:
    for name in names:
        value = getattr(owner, name)
        if type(value) is not int or not least <= value <= most:
            raise RateError(f"{name}: {value!r} is not a whole number from {least} to {most}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """A first stretch of the call with a price of its own.

    `increment_s` is the granularity within the stage, `entry_fee_micros` is charged once when the
    call reaches it. What lasts longer than all stages is priced at the rate's main price.
    """

    length_s: int
    price_micros_per_minute: int
    increment_s: int = 1
    entry_fee_micros: int = 0

    def __post_init__(self) -> None:
        _check_bounds(self, ("length_s", "increment_s"), 1, MAX_SECONDS)
        amounts = ("price_micros_per_minute", "entry_fee_micros")
        _check_bounds(self, amounts, 0, MAX_MONEY_MICROS)


_AMOUNTS = (
    "price_micros_per_minute",
    "connection_fee_micros",
    "minimum_charge_micros",
    "disconnection_fee_micros",
    "block_surcharge_micros",
    "buy_price_micros_per_minute",
    "buy_connection_fee_micros",
)
_TIMES = (
    "initial_s",
    "disconnection_fee_after_s",
    "short_call_threshold_s",
    "short_call_time_s",
    "block_s",
    "grace_s",
    "buy_initial_s",
)
_GRANULARITIES = ("increment_s", "buy_increment_s")
_numbers_of = attrgetter(*_GRANULARITIES, *_AMOUNTS, *_TIMES)
_ONLY_INT = {int}
_WITHIN_ALL_BOUNDS = min(MAX_SECONDS, MAX_MONEY_MICROS)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rate:
    """Price of calls to numbers beginning with `prefix`, from `effective_from` (UTC; None: always).

    Seconds and micros are whole and never negative: from that alone follows that no longer call is
    cheaper, because each step of the price (fees reached, seconds billed, surcharges counted) only
    ever adds. The limit of a call rests on it, so a rate that breaks it cannot be made (RateError).

    sell: `price_micros_per_minute`, at least `initial_s`, then in steps of `increment_s`;
    `connection_fee_micros` once; `disconnection_fee_micros` once if the call lasted at least
    `disconnection_fee_after_s`; `block_surcharge_micros` for every completed `block_s` (0: none);
    `grace_s` added to the billed duration; a call longer than `short_call_threshold_s` and shorter
    than `short_call_time_s` counts as the latter (both > 0); `minimum_charge_micros` is the floor
    of the total. buy: what the carrier charges us. `blocked`: no call to the prefix begins; one
    that runs into blocked hours goes on at the price before them.
    `withdrawn`: from its date on the prefix is no more in the card. `windows`: hours of the week in
    which another rate of the same prefix is in force; the first that holds the minute counts.
    """

    prefix: str
    destination: str = ""
    price_micros_per_minute: int = 0
    initial_s: int = 1
    increment_s: int = 1
    connection_fee_micros: int = 0
    minimum_charge_micros: int = 0
    disconnection_fee_micros: int = 0
    disconnection_fee_after_s: int = 0
    stages: tuple[Stage, ...] = ()
    short_call_threshold_s: int = 0
    short_call_time_s: int = 0
    block_surcharge_micros: int = 0
    block_s: int = 0
    grace_s: int = 0
    buy_price_micros_per_minute: int = 0
    buy_initial_s: int = 1
    buy_increment_s: int = 1
    buy_connection_fee_micros: int = 0
    blocked: bool = False
    withdrawn: bool = False
    windows: "tuple[RateWindow, ...]" = ()
    effective_from: datetime | None = None

    def __post_init__(self) -> None:
        prefix = self.prefix
        if not (prefix.isascii() and prefix.isdigit() and len(prefix) <= MAX_PREFIX_DIGITS):
            raise RateError(f"prefix: {prefix[:40]!r} is not 1 to {MAX_PREFIX_DIGITS} digits")
        if self.effective_from is not None and self.effective_from.tzinfo is None:
            raise RateError("effective_from: has no time zone")
        numbers = _numbers_of(self)
        if not (
            set(map(type, numbers)) == _ONLY_INT
            and min(numbers) >= 0
            and max(numbers) <= _WITHIN_ALL_BOUNDS
            and numbers[0] > 0
            and numbers[1] > 0
        ):  # not the way of a million usual rates
            _check_bounds(self, _AMOUNTS, 0, MAX_MONEY_MICROS)
            _check_bounds(self, _TIMES, 0, MAX_SECONDS)
            _check_bounds(self, _GRANULARITIES, 1, MAX_SECONDS)
        for window in self.windows:
            other = window.rate
            if other.windows or (other.prefix, other.effective_from) != (
                prefix,
                self.effective_from,
            ):
                raise RateError("windows: hold rates of the same prefix and date, without windows")
            if other.withdrawn:
                raise RateError("windows: a prefix is withdrawn at all hours or at none")


@dataclass(frozen=True, slots=True, kw_only=True)
class RateWindow:
    """Minutes of the week (see `rating.hours`) in which `rate` is in force instead."""

    start_minute: int
    end_minute: int
    rate: Rate

    def __post_init__(self) -> None:
        _check_bounds(self, ("start_minute", "end_minute"), 0, MINUTES_OF_WEEK - 1)

    @property
    def interval(self) -> Interval:
        """Beginning and end as one pair."""
        return self.start_minute, self.end_minute


def undated(rate: Rate) -> Rate:
    """The rate as if it had always been in force: its terms, to compare with those of others."""
    windows = tuple(
        replace(window, rate=replace(window.rate, effective_from=None)) for window in rate.windows
    )
    return replace(replace(rate, windows=(), effective_from=None), windows=windows)


_Unchecked = make_dataclass(
    "_Unchecked",
    [
        (each.name, object) if each.default is MISSING else (each.name, object, each.default)
        for each in fields(Rate)
    ],
    slots=True,
)


def rate_of_checked(values: Iterable[object]) -> Rate:
    """The rate with these values of its fields, in their order, that were in a `Rate` before.

    Skips the checks, which take longer than all the rest of a lookup, and the detour by which a
    frozen class sets its fields: an object with the same slots is filled, and then is a `Rate`.
    """
    rate = _Unchecked(*values)
    rate.__class__ = Rate
    return cast(Rate, rate)


def rate_of_terms(prefix: str, terms: Mapping[str, object]) -> Rate:
    """`Rate(prefix=prefix, **terms)`, checked like any and raising RateError, in half the time: of
    that, too, it skips the detour. For sheets of a million rows."""
    unchecked = _Unchecked(prefix, **terms)
    unchecked.__class__ = Rate
    rate = cast(Rate, unchecked)
    rate.__post_init__()
    return rate
