"""For how long may a call last: the exact inverse of the price."""

from datetime import datetime

from rating.charges import Course
from rating.price import course_price_micros, courses_of
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
    started_at: datetime | None = None,
    answered_by: datetime | None = None,
    free_seconds: int = 0,
) -> int:
    """The greatest whole d ≤ `at_most_s` with price(d) ≤ `available_micros`.

    0: not even the first billed second is affordable (`no_credit`). A call that costs nothing
    however long, or nothing more after its priced stages, is bounded by `max_free_s` (counted from
    their end). Exact because the price never falls with time (see `Rate`): each answer is checked
    against the price itself, an estimate only saves steps. The others are `price_micros`'s.
    """
    for course in courses_of(rate, started_at, answered_by, rules, at_most_s):
        at_most_s = _grant_course(
            course,
            available_micros,
            at_most_s,
            rules=rules,
            discount_basis_points=discount_basis_points,
            max_free_s=max_free_s,
            free_seconds=free_seconds,
        )
    return at_most_s


def slice_seconds(
    rate: Rate,
    granted_s: int,
    fair_micros: int,
    most_micros: int,
    *,
    slice_s: int,
    least_s: int,
    at_most_s: int,
    rules: PricingRules = OWN_RULES,
    discount_basis_points: int = 0,
    max_free_s: int = MAX_FREE_S,
    started_at: datetime | None = None,
    answered_by: datetime | None = None,
    free_seconds: int = 0,
) -> int:
    """Until which second a call may go on whose talk is paid for up to `granted_s`.

    A slice further as long as the whole price is ≤ `fair_micros`: what the call holds already and
    its share of what is left. Where the share is not worth `least_s` seconds the call may have them
    nevertheless, or what of them `most_micros` (what it holds and all that is left) still pays for.
    Never less than `granted_s`, and that when nothing more is affordable. The others are those of
    `grant_seconds`.
    """

    def grant(available_micros: int, until_s: int) -> int:
        return grant_seconds(
            rate,
            available_micros,
            until_s,
            rules=rules,
            discount_basis_points=discount_basis_points,
            max_free_s=max_free_s,
            started_at=started_at,
            answered_by=answered_by,
            free_seconds=free_seconds,
        )

    slice_ends_s = min(granted_s + slice_s, at_most_s)
    least_ends_s = min(granted_s + least_s, slice_ends_s)
    seconds = grant(fair_micros, slice_ends_s)
    if seconds < least_ends_s:
        seconds = max(seconds, grant(most_micros, least_ends_s))
    return max(seconds, granted_s)


def _grant_course(
    course: Course,
    available_micros: int,
    at_most_s: int,
    *,
    rules: PricingRules,
    discount_basis_points: int,
    max_free_s: int,
    free_seconds: int,
) -> int:
    at_most_s = min(at_most_s, free_bound_s(course, max_free_s, at_most_s))
    if at_most_s < 1:
        return 0

    def price(seconds: int) -> int:
        return course_price_micros(course, seconds, rules, discount_basis_points, free_seconds)

    low, high = 1, at_most_s
    if not course.stretches and not free_seconds and not course.rate.stages:
        # Mostly right at once; then the two prices around it settle the matter.
        estimate = _flat_estimate(course.rate, available_micros, discount_basis_points)
        if low < estimate < high:
            if price(estimate) > available_micros:
                high = estimate
            elif price(estimate + 1) > available_micros:
                return estimate
            else:
                low = estimate + 1
    if high == at_most_s:
        most = price(at_most_s)
        if most <= available_micros:
            return at_most_s if most else min(at_most_s, max_free_s)
    if low == 1 and price(1) > available_micros:
        return 0
    while high - low > 1:  # price(low) ≤ available < price(high)
        middle = (low + high) // 2
        if price(middle) <= available_micros:
            low = middle
        else:
            high = middle
    return low


def free_bound_s(course: Course, max_free_s: int, otherwise_s: int) -> int:
    """How long a call may last although its minutes cost nothing; `otherwise_s` if they do cost."""
    start = course.rate
    if start.block_s and start.block_surcharge_micros:
        return otherwise_s
    if any(rate.price_micros_per_minute for _, rate in course.stretches or ((0, start),)):
        return otherwise_s
    return _priced_stages_s(start) + max_free_s


def _priced_stages_s(rate: Rate) -> int:
    """The seconds up to the end of the last stage that has a price."""
    passed = end = 0
    for stage in rate.stages:
        passed += stage.length_s
        if stage.price_micros_per_minute:
            end = passed
    return end


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
