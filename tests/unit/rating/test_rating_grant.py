from hypothesis import example, given
from hypothesis import strategies as st
from rates_for_tests import discounts, flat_rates, rates, rules

from rating.grant import costs_nothing_per_minute, grant_seconds
from rating.price import billable_seconds, price_call, price_micros
from rating.rate import Rate
from rating.rate_card import PricingRules

CREDIT = st.integers(0, 50_000_000)
AT_MOST_S = 36_000


@given(st.one_of(flat_rates, rates), rules, discounts, CREDIT)
def test_the_limit_is_the_exact_inverse_of_the_price(
    rate: Rate, rules: PricingRules, discount: int, credit: int
) -> None:
    def price(seconds: int) -> int:
        return price_micros(rate, seconds, rules=rules, discount_basis_points=discount)

    limit = grant_seconds(rate, credit, AT_MOST_S, rules=rules, discount_basis_points=discount)
    bound = 5_400 if costs_nothing_per_minute(rate) else AT_MOST_S
    assert 0 <= limit <= bound
    if limit:
        assert price(limit) <= credit
    if limit < bound:
        assert credit < price(limit + 1)


@given(rates, rules, discounts, st.integers(0, 2_000), st.integers(0, 2_000))
def test_a_longer_call_never_costs_less(
    rate: Rate, rules: PricingRules, discount: int, shorter: int, more: int
) -> None:
    prices = [
        price_micros(rate, seconds, rules=rules, discount_basis_points=discount)
        for seconds in (shorter, shorter + more)
    ]
    assert sorted(prices) == prices


@given(rates, rules, discounts, st.integers(0, 5_000))
def test_lines_add_up_to_the_total_and_the_total_is_the_price(
    rate: Rate, rules: PricingRules, discount: int, seconds: int
) -> None:
    price = price_call(rate, seconds, rules=rules, discount_basis_points=discount)
    assert price.total_micros == sum(line.amount_micros for line in price.lines)
    assert price.total_micros == price_micros(
        rate, seconds, rules=rules, discount_basis_points=discount
    )
    assert price.billed_seconds == sum(line.seconds for line in price.lines)
    assert price.total_micros % 10 ** (6 - rules.rounding_decimals) == 0


@given(rates, rules, CREDIT, st.integers(0, 10**6))
@example(Rate(prefix="44", price_micros_per_minute=60), PricingRules(), 10, 1_000)
def test_what_is_settled_is_never_above_what_was_held(
    rate: Rate, rules: PricingRules, credit: int, parts_per_million: int
) -> None:
    limit = grant_seconds(rate, credit, AT_MOST_S, rules=rules)
    if not limit:
        return
    held = price_micros(rate, limit, rules=rules)
    talk_ms = (limit * 1_000 + 1_000) * parts_per_million // 10**6
    seconds = billable_seconds(talk_ms, limit * 1_000)
    assert price_micros(rate, seconds, rules=rules) <= held <= credit


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


def test_nothing_available_or_no_time_grants_nothing() -> None:
    rate = Rate(prefix="44", price_micros_per_minute=1_000_000)
    assert 0 == grant_seconds(rate, -5, 3_600)
    assert 0 == grant_seconds(rate, 10**9, 0)
