"""For how long may a call last: the exact inverse of the price."""

from rating.price import price_micros
from rating.rate import Rate
from rating.rate_card import OWN_RULES, PricingRules

MAX_FREE_S = 5_400
"""Bound of a call whose minutes cost nothing, unless the setting says otherwise."""


def grant_seconds(
    rate: Rate,
    available_micros: int,
    at_most_s: int,
    *,
    rules: PricingRules = OWN_RULES,
    discount_basis_points: int = 0,
    max_free_s: int = MAX_FREE_S,
) -> int:
    """The greatest whole d ≤ `at_most_s` with price(d) ≤ `available_micros`.

    0: not even the first billed second is affordable (`no_credit`). A rate whose minutes cost
    nothing is bounded by `max_free_s` as well. Exact because the price never falls with time (see
    `Rate`): the answer is checked against the price itself, an estimate only saves steps.
    """

    def affordable(seconds: int) -> bool:
        price = price_micros(
            rate, seconds, rules=rules, discount_basis_points=discount_basis_points
        )
        return price <= available_micros

    if costs_nothing_per_minute(rate):
        at_most_s = min(at_most_s, max_free_s)
    if at_most_s < 1 or not affordable(1):
        return 0
    if affordable(at_most_s):
        return at_most_s
    low, high = 1, at_most_s  # affordable(low) and not affordable(high), from here on
    if not rate.stages:
        guess = _flat_estimate(rate, available_micros, discount_basis_points)
        for seconds in (guess, guess + 1):
            if low < seconds < high:
                if affordable(seconds):
                    low = seconds
                else:
                    high = seconds
    while high - low > 1:
        middle = (low + high) // 2
        if affordable(middle):
            low = middle
        else:
            high = middle
    return low


def costs_nothing_per_minute(rate: Rate) -> bool:
    """Whether talking longer stays free of charge for ever."""
    return (
        not rate.price_micros_per_minute
        and not (rate.block_s and rate.block_surcharge_micros)
        and not any(stage.price_micros_per_minute for stage in rate.stages)
    )


def _flat_estimate(rate: Rate, available_micros: int, discount_basis_points: int) -> int:
    """Where the limit of a flat rate lies if only fees, price and further increments matter."""
    if not rate.price_micros_per_minute:
        return 0
    undiscounted = available_micros * 10_000 // (10_000 - discount_basis_points)
    for_talk = undiscounted - rate.connection_fee_micros - rate.disconnection_fee_micros
    # Half a micro that rounding forgives is 30 sixtieths.
    billed = (for_talk * 60 + 30) // rate.price_micros_per_minute
    further = max(billed - rate.initial_s, 0) // rate.increment_s * rate.increment_s
    return rate.initial_s + further - rate.grace_s
