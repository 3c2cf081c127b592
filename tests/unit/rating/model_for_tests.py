"""An independent, slow model of a price: walks the call second by second, in exact fractions.

Written from shared/rating.md and not from the engine; tests compare the two.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from fractions import Fraction

from rating.rate import Rate
from rating.rate_card import PricingRules


@dataclass
class Walk:
    """What the walk through a call has counted."""

    amount: Fraction = Fraction(0)
    billed: int = 0


def rates_of_the_week(rate: Rate) -> list[Rate]:
    """What each minute of the week is paid by: blocked ones by what was before them."""
    week = [rate] * 10_080
    for window in reversed(rate.windows):
        length = (window.end_minute - window.start_minute) % 10_080 or 10_080
        for minute in range(window.start_minute, window.start_minute + length):
            week[minute % 10_080] = window.rate
    blocked = any(window.rate.blocked for window in rate.windows)
    for minute in range(2 * 10_080 if blocked else 0):
        if week[minute % 10_080].blocked:
            week[minute % 10_080] = week[(minute - 1) % 10_080]
    return week


def model_sum(rate: Rate, started_at: datetime, talk_s: int, rules: PricingRules) -> Walk:
    """Micros of the call before discount, minimum and rounding, and the seconds billed."""
    week = rates_of_the_week(rate) if rate.windows else []

    def rate_at(at: datetime) -> Rate:
        local = at.astimezone(rules.zone)
        return week[local.weekday() * 1_440 + local.hour * 60 + local.minute] if week else rate

    first = rate_at(started_at)

    def minute_price(second: int) -> int:
        if rules.price_by_start:
            return first.price_micros_per_minute
        now = rate_at(started_at + timedelta(seconds=second))
        return now.price_micros_per_minute

    walk = Walk(Fraction(first.connection_fee_micros))
    if talk_s >= first.disconnection_fee_after_s:
        walk.amount += first.disconnection_fee_micros
    call_s = talk_s + first.grace_s
    short_calls = first.short_call_threshold_s and first.short_call_time_s
    if short_calls and first.short_call_threshold_s < call_s < first.short_call_time_s:
        call_s = first.short_call_time_s
    for second in range(1, call_s + 1):
        if first.block_s and second % first.block_s == 0:
            walk.amount += first.block_surcharge_micros
    if first.stages:
        _walk_stages(walk, first, max(call_s, first.initial_s), rules, minute_price)
    else:
        _walk_flat(walk, first, call_s, rules, minute_price)
    return walk


def _walk_flat(walk, first, call_s, rules, minute_price) -> None:  # type: ignore[no-untyped-def]
    walk.billed = first.initial_s
    walk.amount += Fraction(first.initial_s * minute_price(0), 60)
    for second in range(first.initial_s, call_s):
        if second < walk.billed:
            continue
        if rules.increments_from_zero:
            length = first.increment_s - second % first.increment_s
        else:
            length = first.increment_s
        walk.billed += length
        walk.amount += Fraction(length * minute_price(second), 60)


def _walk_stages(walk, first, call_s, rules, minute_price) -> None:  # type: ignore[no-untyped-def]
    begin = 0
    for stage in first.stages:
        if 0 < begin >= call_s:
            return
        walk.amount += stage.entry_fee_micros
        paid = 0
        for second in range(begin, min(begin + stage.length_s, call_s)):
            if second - begin >= paid:
                paid += stage.increment_s
        if not rules.increments_from_zero:
            paid = min(paid, stage.length_s)
        walk.billed += paid
        walk.amount += Fraction(paid * stage.price_micros_per_minute, 60)
        begin += stage.length_s
    paid = begin
    for second in range(begin, call_s):
        if second >= paid:
            paid += first.increment_s
            walk.billed += first.increment_s
            walk.amount += Fraction(first.increment_s * minute_price(second), 60)
