"""What a call costs: a list of lines that add up."""

from datetime import datetime
from typing import NamedTuple

from rating.charges import (
    Charge,
    Course,
    LineKind,
    buy_side,
    course_of,
    sell_charges,
    worst_courses,
)
from rating.money import RoundingMode, round_micros
from rating.rate import MAX_SECONDS, Rate
from rating.rate_card import OWN_RULES, PricingRules

LATE_HANGUP_TOLERANCE_MS = 1_000
"""Asterisk measures 10,001 ms for L(10000), and more with an end sound."""

FULL_PRICE_BASIS_POINTS = 10_000

WHOLE_CALL_FREE_S = 1_000 * MAX_SECONDS
"""As `free_seconds`: the call is one of a package's free calls, however long."""


class PriceLine(NamedTuple):
    """`seconds` billed at `price_micros_per_minute` (both 0 for a fee) make the amount.

    The line `package` has the seconds that a package paid for, and takes their price off. (A named
    tuple: some are made for every call, at a third of a frozen dataclass's time.)
    """

    kind: LineKind
    seconds: int
    price_micros_per_minute: int
    amount_micros: int


class Price(NamedTuple):
    """The price of a call: the lines add up to `total_micros`; the buy side is the carrier's.

    `package_seconds` are those of `billed_seconds` that a package paid for.
    """

    lines: tuple[PriceLine, ...]
    total_micros: int
    billed_seconds: int
    buy_total_micros: int
    buy_billed_seconds: int
    package_seconds: int = 0


def billable_seconds(talk_ms: int, limit_ms: int | None = None) -> int:
    """Whole seconds to price: talk time rounded up; up to 1,000 ms past the limit is the limit."""
    if talk_ms < 0:
        raise ValueError(f"talk_ms: {talk_ms} is negative")
    if limit_ms is not None and limit_ms < talk_ms <= limit_ms + LATE_HANGUP_TOLERANCE_MS:
        talk_ms = limit_ms
    return -(-talk_ms // 1_000)


def price_call(
    rate: Rate,
    duration_s: int,
    *,
    rules: PricingRules = OWN_RULES,
    discount_basis_points: int = 0,
    started_at: datetime | None = None,
    free_seconds: int = 0,
) -> Price:
    """Price of an answered call of `duration_s` whole seconds (see `billable_seconds`).

    `discount_basis_points` (0 to 9,999: hundredths of a percent) come off the sum before the
    minimum charge. `started_at` is needed if the rate has time windows. `free_seconds` of a package
    pay for the first billed seconds; if they pay for all of them, the call costs nothing, fees and
    minimum included, else those are due in full. Rounding happens once, by the card's rules.
    """
    course = course_of(rate, started_at, rules, duration_s)
    charges, billed = sell_charges(course, duration_s, rules)
    covered = min(billed, free_seconds)
    if free_seconds:
        charges.append(_package_charge(charges, billed, free_seconds))
    minimum = 0 if free_seconds and billed <= free_seconds else course.rate.minimum_charge_micros
    lines, total = _lines(charges, minimum, rules, discount_basis_points)
    buy_sixtieths, buy_billed = buy_side(course, duration_s, rules)
    return Price(lines, total, billed, round_micros(buy_sixtieths, 60), buy_billed, covered)


def price_micros(
    rate: Rate,
    duration_s: int,
    *,
    rules: PricingRules = OWN_RULES,
    discount_basis_points: int = 0,
    started_at: datetime | None = None,
    answered_by: datetime | None = None,
    free_seconds: int = 0,
) -> int:
    """The total of `price_call` alone, in micros.

    With `answered_by`, that of the dearest second at which the call may be answered, from
    `started_at` on (see `worst_courses`).
    """
    return max(
        course_price_micros(course, duration_s, rules, discount_basis_points, free_seconds)
        for course in courses_of(rate, started_at, answered_by, rules, duration_s)
    )


def package_seconds(
    rate: Rate,
    duration_s: int,
    free_seconds: int,
    *,
    rules: PricingRules = OWN_RULES,
    started_at: datetime | None = None,
    answered_by: datetime | None = None,
) -> int:
    """The most that a call of `duration_s` takes of a package's `free_seconds`, whenever it is
    answered (see `price_micros`)."""
    billed = [
        sell_charges(course, duration_s, rules)[1]
        for course in courses_of(rate, started_at, answered_by, rules, duration_s)
    ]
    return min(max(billed), free_seconds)


def courses_of(
    rate: Rate,
    started_at: datetime | None,
    answered_by: datetime | None,
    rules: PricingRules,
    longest_s: int,
) -> tuple[Course, ...]:
    """The course of a call answered at `started_at`, or the worst ones until `answered_by`."""
    if answered_by is None or started_at is None:
        return (course_of(rate, started_at, rules, longest_s),)
    return worst_courses(rate, started_at, answered_by, rules, longest_s)


def course_price_micros(
    course: Course,
    duration_s: int,
    rules: PricingRules,
    discount_basis_points: int,
    free_seconds: int,
) -> int:
    """`price_micros` of a call whose course is known: what the limit is sought with."""
    charges, billed = sell_charges(course, duration_s, rules)
    minimum = course.rate.minimum_charge_micros
    if free_seconds:
        charges.append(_package_charge(charges, billed, free_seconds))
        if billed <= free_seconds:
            return 0
    sixtieths = sum([charge[3] for charge in charges])
    total = _rounded(sixtieths, rules.rounding_decimals, rules, discount_basis_points)
    return total if total >= minimum else _rounded_minimum(minimum, rules)


def _package_charge(charges: list[Charge], billed: int, free_seconds: int) -> Charge:
    """Takes off what the first `free_seconds` cost, or all if they are enough for the call."""
    if billed <= free_seconds:
        return LineKind.PACKAGE, billed, 0, -sum([charge[3] for charge in charges])
    left, sixtieths = free_seconds, 0
    for _, seconds, price, _ in charges:
        share = min(seconds, left)
        sixtieths += share * price
        left -= share
    return LineKind.PACKAGE, free_seconds, 0, -sixtieths


def _rounded(sixtieths: int, decimals: int, rules: PricingRules, discount_basis_points: int) -> int:
    """The sum less the discount, in micros, rounded once."""
    if not discount_basis_points:
        return round_micros(sixtieths, 60, decimals, rules.rounding_mode)
    if not 0 < discount_basis_points < FULL_PRICE_BASIS_POINTS:
        raise ValueError(f"discount_basis_points: {discount_basis_points} is not 0 to 9999")
    share = FULL_PRICE_BASIS_POINTS - discount_basis_points
    return round_micros(
        sixtieths * share, 60 * FULL_PRICE_BASIS_POINTS, decimals, rules.rounding_mode
    )


def _rounded_minimum(minimum_micros: int, rules: PricingRules) -> int:
    # Up, so that the total keeps to the card's decimals and the minimum is the floor.
    return round_micros(minimum_micros, 1, rules.rounding_decimals, RoundingMode.UP)


def _lines(
    charges: list[Charge], minimum_micros: int, rules: PricingRules, discount_basis_points: int
) -> tuple[tuple[PriceLine, ...], int]:
    """Lines in whole micros and the total: each line is what it adds to the rounded sum so far."""
    lines: list[PriceLine] = []
    mode = rules.rounding_mode
    exact = total = 0
    for kind, seconds, price, sixtieths in charges:
        exact += sixtieths
        so_far = round_micros(exact, 60, 6, mode)
        lines.append(PriceLine(kind, seconds, price, so_far - total))
        total = so_far
    if discount_basis_points:
        so_far = _rounded(exact, 6, rules, discount_basis_points)
        lines.append(PriceLine(LineKind.DISCOUNT, 0, 0, so_far - total))
        total = so_far
    if rules.rounding_decimals < 6:
        so_far = _rounded(exact, rules.rounding_decimals, rules, discount_basis_points)
        if so_far != total:
            lines.append(PriceLine(LineKind.ROUNDING, 0, 0, so_far - total))
            total = so_far
    if total < minimum_micros:
        so_far = _rounded_minimum(minimum_micros, rules)
        lines.append(PriceLine(LineKind.MINIMUM_CHARGE, 0, 0, so_far - total))
        total = so_far
    return tuple(lines), total
