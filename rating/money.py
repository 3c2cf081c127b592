"""Money as integers of 10⁻⁶ of a currency unit ("micros"), and the one place that rounds it."""

import re
from enum import StrEnum

MICROS_PER_UNIT = 1_000_000
MAX_MONEY_MICROS = 10**18 - 1
"""Just under 10¹² currency units: every amount fits PostgreSQL's bigint, and so do sums of many."""

_STEPS = (1_000_000, 100_000, 10_000, 1_000, 100, 10, 1)
"""Micros between two amounts of so many decimals."""

_DECIMAL = re.compile(r"(-?)([0-9]{1,12})(?:\.([0-9]{1,6}))?", re.ASCII)


class MoneyError(ValueError):
    """The text is not an amount of money; the message says what is expected."""


class RoundingMode(StrEnum):
    """How an amount between two representable ones is rounded."""

    HALF_UP = "half_up"
    """To the nearest; a half goes away from zero."""
    UP = "up"
    """Always away from zero."""
    HALF_EVEN = "half_even"
    """To the nearest; a half goes to the even neighbour."""


_HALF_UP, _UP = RoundingMode.HALF_UP, RoundingMode.UP
"""Looking a member up in its class takes as long as half a rounding."""


def parse_money(text: str, *, signed: bool = False) -> int:
    """Micros of a decimal string like ``12``, ``12.5`` or ``0.0125`` (at most 6 decimals).

    Exponents, signs (unless `signed` allows a leading ``-``), separators of thousands and anything
    that is not plain ASCII digits raise MoneyError.
    """
    units, _, decimals = text.partition(".")
    if (
        # The usual price of a sheet of a million: a third of the time of what follows.
        (text.isascii() and units.isdigit() and decimals.isdigit())
        and len(units) <= 12
        and len(decimals) <= 6
    ):
        return int(units + decimals.ljust(6, "0"))
    match = _DECIMAL.fullmatch(text.strip())
    if match is None:
        raise MoneyError(
            f"{text[:40]!r} is not an amount: expected at most 12 digits and 6 decimals, like 12.50"
        )
    sign, units, decimals = match.groups()
    if sign and not signed:
        raise MoneyError(f"{text[:40]!r} is negative: an amount is at least 0")
    micros = int(units) * MICROS_PER_UNIT + (int(decimals.ljust(6, "0")) if decimals else 0)
    return -micros if sign else micros


def format_money(micros: int) -> str:
    """Plain decimal string of an amount: at least 2 decimals, at most 6, no zeros beyond need."""
    sign = "-" if micros < 0 else ""
    units, rest = divmod(abs(micros), MICROS_PER_UNIT)
    decimals = f"{rest:06d}"
    return f"{sign}{units}.{decimals[:2]}{decimals[2:].rstrip('0')}"


def round_micros(
    numerator: int,
    denominator: int,
    decimals: int = 6,
    mode: RoundingMode = _HALF_UP,
) -> int:
    """``numerator / denominator`` micros rounded to `decimals` places of the currency unit.

    In micros. `denominator` is positive, `decimals` 0 to 6. Money is divided nowhere else.
    """
    step = _STEPS[decimals]
    divisor = denominator * step
    quotient, remainder = divmod(abs(numerator), divisor)
    if remainder:
        twice = 2 * remainder
        if (
            mode is _UP
            or twice > divisor
            or (twice == divisor and (mode is _HALF_UP or quotient % 2))
        ):
            quotient += 1
    return -quotient * step if numerator < 0 else quotient * step
