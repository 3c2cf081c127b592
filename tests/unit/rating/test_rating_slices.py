"""Rolling holds: a call is paid for slice by slice, and parallel calls share what is left."""

from hypothesis import given, settings
from hypothesis import strategies as st
from rates_for_tests import discounts, flat_rates, rates, rules, starts, windowed_rates

from rating.grant import grant_seconds, slice_seconds
from rating.price import price_micros
from rating.rate import Rate
from rating.rate_card import PricingRules

MONEY = st.integers(0, 50_000_000)
ALL_RATES = st.one_of(flat_rates, rates, windowed_rates())
SLICES = st.integers(1, 400)
PER_SECOND = Rate(prefix="44", price_micros_per_minute=60_000)
PER_MINUTE = Rate(prefix="49", price_micros_per_minute=60_000, initial_s=60, increment_s=60)


@given(
    ALL_RATES, rules, discounts, starts, MONEY, MONEY, st.integers(0, 900), SLICES,
    st.integers(1, 60), st.integers(0, 2_000),
)  # fmt: skip
def test_a_slice_is_the_exact_inverse_of_the_price(
    rate: Rate,
    rules: PricingRules,
    discount: int,
    at: object,
    fair: int,
    more: int,
    granted: int,
    slice_s: int,
    least: int,
    cap: int,
) -> None:
    terms = {"rules": rules, "discount_basis_points": discount, "started_at": at}

    def price(seconds: int) -> int:
        return price_micros(rate, seconds, **terms)  # type: ignore[arg-type]

    until = slice_seconds(
        rate, granted, fair, fair + more, slice_s=slice_s, least_s=least, at_most_s=cap, **terms
    )  # type: ignore[arg-type]
    slice_ends = min(granted + slice_s, cap)
    least_ends = min(granted + least, slice_ends)
    assert granted <= until <= max(granted, slice_ends)
    if until > granted:
        assert price(until) <= (fair if until > least_ends else fair + more)
    if granted <= until < least_ends:
        assert price(until + 1) > fair + more
    elif until < slice_ends:
        assert price(until + 1) > fair


@settings(max_examples=50)
@given(ALL_RATES, rules, discounts, starts, MONEY, st.integers(5, 400), st.integers(1, 3_000))
def test_slice_by_slice_a_call_lasts_as_long_as_with_all_of_it_held_at_once(
    rate: Rate, rules: PricingRules, discount: int, at: object, funds: int, slice_s: int, cap: int
) -> None:
    terms = {"rules": rules, "discount_basis_points": discount, "started_at": at}
    at_once = grant_seconds(rate, funds, cap, **terms)  # type: ignore[arg-type]
    until, held = 0, 0
    while True:
        further = slice_seconds(
            rate, until, funds, funds, slice_s=slice_s, least_s=1, at_most_s=at_once, **terms
        )  # type: ignore[arg-type]
        assert further >= until
        if further == until:
            break
        price = price_micros(rate, further, **terms)  # type: ignore[arg-type]
        assert held <= price <= funds
        until, held = further, price
    assert at_once == until


def ends_of_parallel_calls(
    rate: Rate, funds: int, calls: int, *, slice_s: int, lead_s: int, least_s: int
) -> tuple[list[int], int]:
    """When each of the calls that begin together ends, and what is left, as supervision does it."""
    until, held = [0] * calls, [0] * calls

    def extend(call: int, open_calls: int, length_s: int) -> None:
        left = funds - sum(held)
        seconds = slice_seconds(
            rate,
            until[call],
            held[call] + left // open_calls,
            held[call] + left,
            slice_s=length_s,
            least_s=least_s,
            at_most_s=36_000,
        )
        if seconds:
            until[call], held[call] = seconds, price_micros(rate, seconds)

    for call in range(calls):
        extend(call, call + 1, rate.initial_s + slice_s)
    second = 0
    while any(end > second for end in until):
        open_calls = sum(end > second for end in until)
        for call in range(calls):
            if second < until[call] <= second + lead_s:
                extend(call, open_calls, slice_s)
        second += 1
    return until, funds - sum(held)


@given(st.integers(2, 20), st.integers(20, 200), st.integers(8, 60))
def test_parallel_calls_share_one_balance_and_end_within_a_slice_of_each_other(
    calls: int, seconds_each: int, slice_s: int
) -> None:
    funds = 1_000 * seconds_each * calls
    ends, left = ends_of_parallel_calls(
        PER_SECOND, funds, calls, slice_s=slice_s, lead_s=slice_s // 2, least_s=1
    )
    assert 0 == left
    assert funds == 1_000 * sum(ends)
    assert max(ends) - min(ends) <= slice_s + 1


def test_five_calls_on_ten_minutes_of_money_all_get_through_and_use_it_up() -> None:
    ends, left = ends_of_parallel_calls(PER_SECOND, 600_000, 5, slice_s=180, lead_s=30, least_s=10)
    assert (600, 0) == (sum(ends), left)
    assert min(ends) >= 60


def test_a_share_too_small_for_a_slice_worth_it_is_made_up_from_what_is_left() -> None:
    def until(fair: int, most: int) -> int:
        return slice_seconds(PER_SECOND, 30, fair, most, slice_s=30, least_s=10, at_most_s=3_600)

    assert 60 == until(90_000, 90_000)
    assert 50 == until(50_000, 90_000)
    assert 40 == until(33_000, 90_000)
    assert 37 == until(33_000, 37_999)
    assert 30 == until(30_000, 30_999)


def test_what_an_increment_has_paid_for_costs_nothing_more() -> None:
    assert 60 == slice_seconds(
        PER_MINUTE, 40, 60_000, 60_000, slice_s=30, least_s=10, at_most_s=3_600
    )


def test_a_slice_never_goes_beyond_the_cap() -> None:
    rich = 10**9
    assert 100 == slice_seconds(PER_SECOND, 90, rich, rich, slice_s=30, least_s=10, at_most_s=100)
    assert 90 == slice_seconds(PER_SECOND, 90, rich, rich, slice_s=30, least_s=10, at_most_s=90)
