from datetime import UTC, datetime

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from rates_for_tests import discounts, flat_rates, rates, rules, starts, windowed_rates

from rating.charges import LineKind, course_of
from rating.grant import free_bound_s, grant_seconds
from rating.price import WHOLE_CALL_FREE_S, billable_seconds, price_call, price_micros
from rating.rate import Rate, RateWindow, Stage
from rating.rate_card import OWN_RULES, PricingRules

CREDIT = st.integers(0, 50_000_000)
AT_MOST_S = 36_000
ALL_RATES = st.one_of(flat_rates, rates, windowed_rates())
FREE_SECONDS = st.one_of(st.just(0), st.integers(0, 1_000))
MONDAY = datetime(2025, 6, 2, tzinfo=UTC)


@given(ALL_RATES, rules, discounts, CREDIT, starts, FREE_SECONDS)
def test_the_limit_is_the_exact_inverse_of_the_price(
    rate: Rate, rules: PricingRules, discount: int, credit: int, at: datetime, free: int
) -> None:
    def price(seconds: int) -> int:
        return price_micros(
            rate,
            seconds,
            rules=rules,
            discount_basis_points=discount,
            started_at=at,
            free_seconds=free,
        )

    limit = grant_seconds(
        rate,
        credit,
        AT_MOST_S,
        rules=rules,
        discount_basis_points=discount,
        started_at=at,
        free_seconds=free,
    )
    bound = min(free_bound_s(course_of(rate, at, rules, AT_MOST_S), 5_400, AT_MOST_S), AT_MOST_S)
    if not price(bound):
        bound = min(bound, 5_400)
    assert 0 <= limit <= bound
    if limit:
        assert price(limit) <= credit
    if limit < bound:
        assert credit < price(limit + 1)


@given(ALL_RATES, rules, discounts, starts, FREE_SECONDS, st.integers(0, 9_000), st.integers(0, 99))
def test_a_longer_call_never_costs_less(
    rate: Rate,
    rules: PricingRules,
    discount: int,
    at: datetime,
    free: int,
    shorter: int,
    more: int,
) -> None:
    prices = [
        price_micros(
            rate,
            seconds,
            rules=rules,
            discount_basis_points=discount,
            started_at=at,
            free_seconds=free,
        )
        for seconds in (shorter, shorter + more)
    ]
    assert sorted(prices) == prices


@given(ALL_RATES, rules, discounts, starts, FREE_SECONDS, st.integers(0, 5_000))
def test_lines_add_up_to_the_total_and_the_total_is_the_price(
    rate: Rate, rules: PricingRules, discount: int, at: datetime, free: int, seconds: int
) -> None:
    price = price_call(
        rate,
        seconds,
        rules=rules,
        discount_basis_points=discount,
        started_at=at,
        free_seconds=free,
    )
    assert price.total_micros == sum(line.amount_micros for line in price.lines)
    assert price.total_micros == price_micros(
        rate,
        seconds,
        rules=rules,
        discount_basis_points=discount,
        started_at=at,
        free_seconds=free,
    )
    assert price.billed_seconds == sum(
        line.seconds for line in price.lines if line.kind in (LineKind.TALK, LineKind.STAGE)
    )
    assert price.package_seconds == min(free, price.billed_seconds)
    assert price.total_micros % 10 ** (6 - rules.rounding_decimals) == 0
    assert price.total_micros >= 0


@given(ALL_RATES, rules, discounts, CREDIT, starts, FREE_SECONDS, st.integers(0, 10**6))
@example(Rate(prefix="44", price_micros_per_minute=60), OWN_RULES, 0, 10, MONDAY, 0, 1_000)
@example(Rate(prefix="44", price_micros_per_minute=60), OWN_RULES, 5_000, 10, MONDAY, 0, 10**6)
def test_what_is_settled_is_never_above_what_was_held(
    rate: Rate,
    rules: PricingRules,
    discount: int,
    credit: int,
    at: datetime,
    free: int,
    parts_per_million: int,
) -> None:
    def price(seconds: int) -> int:
        return price_micros(
            rate,
            seconds,
            rules=rules,
            discount_basis_points=discount,
            started_at=at,
            free_seconds=free,
        )

    limit = grant_seconds(
        rate,
        credit,
        AT_MOST_S,
        rules=rules,
        discount_basis_points=discount,
        started_at=at,
        free_seconds=free,
    )
    if not limit:
        return
    talk_ms = (limit * 1_000 + 1_000) * parts_per_million // 10**6
    assert price(billable_seconds(talk_ms, limit * 1_000)) <= price(limit) <= credit


def test_the_discount_lengthens_the_limit() -> None:
    rate = Rate(prefix="44", price_micros_per_minute=60)
    granted = [grant_seconds(rate, 10, 100, discount_basis_points=off) for off in (0, 5_000)]
    assert [10, 20] == granted


def test_less_than_the_first_billed_second_is_no_credit() -> None:
    rate = Rate(prefix="44", price_micros_per_minute=120_000, initial_s=60)
    assert (0, 60) == (grant_seconds(rate, 119_999, 100), grant_seconds(rate, 120_000, 100))


def test_the_limit_heeds_the_minimum_charge() -> None:
    rate = Rate(prefix="44", price_micros_per_minute=60_000, minimum_charge_micros=120_000)
    assert 0 == grant_seconds(rate, 10_000, 3_600)


def test_a_free_rate_is_bounded_and_a_priced_one_is_not() -> None:
    free = Rate(prefix="44", connection_fee_micros=1)
    assert (5_400, 60) == (grant_seconds(free, 1, 36_000), grant_seconds(free, 1, 60))
    assert 100 == grant_seconds(free, 1, 36_000, max_free_s=100)
    assert 0 == grant_seconds(free, 0, 36_000)
    cheap = Rate(prefix="44", price_micros_per_minute=1)
    assert 36_000 == grant_seconds(cheap, 10_000_000, 36_000)


def test_what_follows_priced_stages_for_nothing_is_bounded_from_their_end() -> None:
    stages = (
        Stage(length_s=60, price_micros_per_minute=100),
        Stage(length_s=60, price_micros_per_minute=0),
    )
    rate = Rate(prefix="44", stages=stages)
    assert 5_460 == grant_seconds(rate, 100, 36_000)


def test_hours_that_cost_nothing_are_bounded_unless_the_call_reaches_others() -> None:
    priced = Rate(prefix="44", price_micros_per_minute=60)
    free_hours = RateWindow(start_minute=0, end_minute=300, rate=Rate(prefix="44"))
    rate = Rate(prefix="44", price_micros_per_minute=60, windows=(free_hours,))
    assert 5_400 == grant_seconds(rate, 10, 10_000, started_at=MONDAY)
    assert 18_010 == grant_seconds(rate, 10, 36_000, started_at=MONDAY)
    assert 10 == grant_seconds(priced, 10, 36_000)


def test_a_package_extends_the_limit_and_a_free_call_is_bounded() -> None:
    rate = Rate(prefix="44", price_micros_per_minute=60)
    assert 110 == grant_seconds(rate, 10, 36_000, free_seconds=100)
    assert 100 == grant_seconds(rate, 0, 36_000, free_seconds=100)
    assert 5_400 == grant_seconds(rate, 0, 36_000, free_seconds=WHOLE_CALL_FREE_S)


def test_nothing_available_or_no_time_grants_nothing() -> None:
    rate = Rate(prefix="44", price_micros_per_minute=1_000_000)
    assert 0 == grant_seconds(rate, -5, 3_600)
    assert 0 == grant_seconds(rate, 10**9, 0)


def test_the_price_of_hours_needs_the_start_of_the_call() -> None:
    window = RateWindow(start_minute=0, end_minute=1, rate=Rate(prefix="44"))
    with pytest.raises(ValueError, match="started_at"):
        grant_seconds(Rate(prefix="44", windows=(window,)), 1, 1)
