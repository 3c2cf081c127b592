"""What a call costs: a list of lines that add up.

The charges are collected as exact sixtieths of a micro (prices are per minute, times in seconds),
so the sum is rounded once, at the end.
"""

from dataclasses import dataclass
from enum import StrEnum

from rating.money import RoundingMode, round_micros
from rating.rate import Rate
from rating.rate_card import OWN_RULES, PricingRules

LATE_HANGUP_TOLERANCE_MS = 1_000
"""Asterisk measures 10,001 ms for L(10000), and more with an end sound."""

FULL_PRICE_BASIS_POINTS = 10_000


class LineKind(StrEnum):
    """What a line of a price is for."""

    CONNECTION_FEE = "connection_fee"
    DISCONNECTION_FEE = "disconnection_fee"
    BLOCK_SURCHARGE = "block_surcharge"
    STAGE_ENTRY_FEE = "stage_entry_fee"
    STAGE = "stage"
    TALK = "talk"
    DISCOUNT = "discount"
    ROUNDING = "rounding"
    MINIMUM_CHARGE = "minimum_charge"


@dataclass(frozen=True, slots=True)
class PriceLine:
    """`seconds` billed at `price_micros_per_minute` (both 0 for a fee) make the amount."""

    kind: LineKind
    seconds: int
    price_micros_per_minute: int
    amount_micros: int


@dataclass(frozen=True, slots=True)
class Price:
    """The price of a call: the lines add up to `total_micros`; the buy side is the carrier's."""

    lines: tuple[PriceLine, ...]
    total_micros: int
    billed_seconds: int
    buy_total_micros: int
    buy_billed_seconds: int


Charge = tuple[LineKind, int, int, int]
"""Kind, billed seconds, price per minute in micros, amount in sixtieths of a micro."""


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
) -> Price:
    """Price of an answered call of `duration_s` whole seconds (see `billable_seconds`).

    `discount_basis_points` (0 to 9,999: hundredths of a percent) come off the sum before the
    minimum charge. Rounding happens once, by the card's rules.
    """
    charges = _charges(rate, duration_s, rules)
    total = _total_micros(charges, rate, rules, discount_basis_points)
    buy_total, buy_seconds = _buy_side(rate, duration_s, rules)
    lines = _lines(charges, total, rules, discount_basis_points, rate)
    billed = sum(charge[1] for charge in charges)
    return Price(lines, total, billed, buy_total, buy_seconds)


def price_micros(
    rate: Rate,
    duration_s: int,
    *,
    rules: PricingRules = OWN_RULES,
    discount_basis_points: int = 0,
) -> int:
    """The total of `price_call` alone, in micros, without its lines: the limit is sought by it."""
    charges = _charges(rate, duration_s, rules)
    return _total_micros(charges, rate, rules, discount_basis_points)


def _charges(rate: Rate, duration_s: int, rules: PricingRules) -> list[Charge]:
    """Everything the call is charged for before discount, minimum and rounding."""
    if duration_s < 0:
        raise ValueError(f"duration_s: {duration_s} is negative")
    charges: list[Charge] = []
    if rate.connection_fee_micros:
        charges.append((LineKind.CONNECTION_FEE, 0, 0, rate.connection_fee_micros * 60))
    if rate.disconnection_fee_micros and duration_s >= rate.disconnection_fee_after_s:
        charges.append((LineKind.DISCONNECTION_FEE, 0, 0, rate.disconnection_fee_micros * 60))
    seconds = duration_s + rate.grace_s
    if rate.short_call_threshold_s and rate.short_call_threshold_s < seconds:
        seconds = max(seconds, rate.short_call_time_s)
    if rate.block_s and rate.block_surcharge_micros and seconds >= rate.block_s:
        surcharge = seconds // rate.block_s * rate.block_surcharge_micros
        charges.append((LineKind.BLOCK_SURCHARGE, 0, 0, surcharge * 60))
    if rate.stages:
        _stage_charges(charges, rate, max(seconds, rate.initial_s), rules)
    else:
        billed = _billed_seconds(seconds, rate.initial_s, rate.increment_s, rules)
        price = rate.price_micros_per_minute
        charges.append((LineKind.TALK, billed, price, billed * price))
    return charges


def _stage_charges(charges: list[Charge], rate: Rate, seconds: int, rules: PricingRules) -> None:
    left = seconds
    for stage in rate.stages:
        if not left:
            return
        share = min(left, stage.length_s)
        billed = -(-share // stage.increment_s) * stage.increment_s
        if not rules.increments_from_zero:
            # The peer bills a stage's last increment in full and the seconds past the stage's end
            # again in the next one; here nobody pays for the same second twice.
            billed = min(billed, stage.length_s)
        if stage.entry_fee_micros:
            charges.append((LineKind.STAGE_ENTRY_FEE, 0, 0, stage.entry_fee_micros * 60))
        price = stage.price_micros_per_minute
        charges.append((LineKind.STAGE, billed, price, billed * price))
        left -= share
    if left:
        billed = -(-left // rate.increment_s) * rate.increment_s
        price = rate.price_micros_per_minute
        charges.append((LineKind.TALK, billed, price, billed * price))


def _billed_seconds(seconds: int, initial_s: int, increment_s: int, rules: PricingRules) -> int:
    if seconds <= initial_s:
        return initial_s
    counted_from = 0 if rules.increments_from_zero else initial_s
    return counted_from - (counted_from - seconds) // increment_s * increment_s


def _total_micros(
    charges: list[Charge], rate: Rate, rules: PricingRules, discount_basis_points: int
) -> int:
    total = _rounded_sum(charges, rules.rounding_decimals, rules, discount_basis_points)
    minimum = rate.minimum_charge_micros
    if total < minimum:
        # Rounded up, so that the total keeps to the card's decimals and the minimum is the floor.
        total = round_micros(minimum, 1, rules.rounding_decimals, RoundingMode.UP)
    return total


def _rounded_sum(
    charges: list[Charge], decimals: int, rules: PricingRules, discount_basis_points: int
) -> int:
    sixtieths = 0
    for charge in charges:
        sixtieths += charge[3]
    if not discount_basis_points:
        return round_micros(sixtieths, 60, decimals, rules.rounding_mode)
    if not 0 < discount_basis_points < FULL_PRICE_BASIS_POINTS:
        raise ValueError(f"discount_basis_points: {discount_basis_points} is not 0 to 9999")
    share = FULL_PRICE_BASIS_POINTS - discount_basis_points
    return round_micros(
        sixtieths * share, 60 * FULL_PRICE_BASIS_POINTS, decimals, rules.rounding_mode
    )


def _lines(
    charges: list[Charge],
    total_micros: int,
    rules: PricingRules,
    discount_basis_points: int,
    rate: Rate,
) -> tuple[PriceLine, ...]:
    """Lines in whole micros that add up: each is what it adds to the rounded sum so far."""
    lines: list[PriceLine] = []
    exact = rounded = 0
    for kind, seconds, price, sixtieths in charges:
        exact += sixtieths
        so_far = round_micros(exact, 60, 6, rules.rounding_mode)
        lines.append(PriceLine(kind, seconds, price, so_far - rounded))
        rounded = so_far
    if discount_basis_points:
        so_far = _rounded_sum(charges, 6, rules, discount_basis_points)
        lines.append(PriceLine(LineKind.DISCOUNT, 0, 0, so_far - rounded))
        rounded = so_far
    if rules.rounding_decimals < 6:
        so_far = _rounded_sum(charges, rules.rounding_decimals, rules, discount_basis_points)
        if so_far != rounded:
            lines.append(PriceLine(LineKind.ROUNDING, 0, 0, so_far - rounded))
            rounded = so_far
    if rounded != total_micros:
        lines.append(PriceLine(LineKind.MINIMUM_CHARGE, 0, 0, total_micros - rounded))
    return tuple(lines)


def _buy_side(rate: Rate, duration_s: int, rules: PricingRules) -> tuple[int, int]:
    seconds = duration_s + (rate.grace_s if rules.increments_from_zero else 0)
    billed = _billed_seconds(seconds, rate.buy_initial_s, rate.buy_increment_s, rules)
    sixtieths = rate.buy_connection_fee_micros * 60 + billed * rate.buy_price_micros_per_minute
    return round_micros(sixtieths, 60), billed
