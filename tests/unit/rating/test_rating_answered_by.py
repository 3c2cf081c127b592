"""A call rings before it is answered: limit and hold cover the dearest second of the answer."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from hypothesis import given, settings
from hypothesis import strategies as st

from rating.grant import grant_seconds
from rating.price import WHOLE_CALL_FREE_S, package_seconds, price_call, price_micros
from rating.rate import Rate, RateWindow
from rating.rate_card import PricingRules

PARIS = ZoneInfo("Europe/Paris")
BEFORE_SUMMER_TIME = datetime(2026, 3, 29, 0, 50, tzinfo=UTC)
"""Ten minutes before Paris goes from 02:00 to 03:00, on a Sunday."""
SUNDAY_2 = 6 * 1440 + 2 * 60
RULES = PricingRules(zone=PARIS)


def rates(**more: object) -> st.SearchStrategy[Rate]:
    return st.builds(
        Rate,
        prefix=st.just("44"),
        price_micros_per_minute=st.sampled_from((0, 1_000, 60_000, 99_999)),
        initial_s=st.sampled_from((0, 1, 45, 60)),
        increment_s=st.sampled_from((1, 6, 7, 60)),
        connection_fee_micros=st.sampled_from((0, 500)),
        grace_s=st.sampled_from((0, 5)),
        **more,  # type: ignore[arg-type]
    )


windows = st.builds(
    RateWindow,
    start_minute=st.integers(SUNDAY_2 - 15, SUNDAY_2 + 90),
    end_minute=st.integers(SUNDAY_2 - 15, SUNDAY_2 + 90),
    rate=rates(blocked=st.sampled_from((False, False, True))),
)
dated_rates = rates(windows=st.lists(windows, min_size=1, max_size=3).map(tuple))
rules = st.builds(
    PricingRules,
    zone=st.just(PARIS),
    price_by_start=st.booleans(),
    increments_from_zero=st.booleans(),
)
starts = st.integers(0, 3_600_000).map(lambda ms: BEFORE_SUMMER_TIME + timedelta(milliseconds=ms))


@settings(max_examples=300)
@given(dated_rates, rules, starts, st.integers(0, 300), st.integers(0, 1_200), st.integers(0, 300))
def test_no_answer_within_the_ring_time_costs_more(
    rate: Rate, rules: PricingRules, at: datetime, ring_s: int, duration_s: int, after_s: int
) -> None:
    worst = price_micros(
        rate, duration_s, rules=rules, started_at=at, answered_by=at + timedelta(seconds=ring_s)
    )
    answered_at = at + timedelta(seconds=min(after_s, ring_s))
    assert worst >= price_micros(rate, duration_s, rules=rules, started_at=answered_at)


@given(dated_rates, rules, starts, st.integers(0, 300), st.integers(0, 1_000_000))
def test_the_limit_is_the_inverse_of_the_worst_price(
    rate: Rate, rules: PricingRules, at: datetime, ring_s: int, available: int
) -> None:
    by = at + timedelta(seconds=ring_s)
    limit = grant_seconds(
        rate, available, 1_200, rules=rules, started_at=at, answered_by=by, max_free_s=2_000
    )

    def worst(seconds: int) -> int:
        return price_micros(rate, seconds, rules=rules, started_at=at, answered_by=by)

    if limit:
        assert worst(limit) <= available
    if limit < 1_200:
        assert worst(limit + 1) > available


@settings(max_examples=300)
@given(
    dated_rates,
    rules,
    starts,
    st.integers(0, 300),
    st.integers(0, 1_000_000),
    st.one_of(st.integers(0, 400), st.just(WHOLE_CALL_FREE_S)),
    st.integers(0, 300),
    st.integers(0, 1_200),
)
def test_the_part_of_a_package_that_is_held_prices_each_call_as_all_of_it_would(
    rate: Rate,
    rules: PricingRules,
    at: datetime,
    ring_s: int,
    available: int,
    free: int,
    after_s: int,
    duration_s: int,
) -> None:
    by = at + timedelta(seconds=ring_s)
    limit = grant_seconds(
        rate, available, 1_200, rules=rules, started_at=at, answered_by=by, free_seconds=free
    )
    if not limit:
        return
    part = package_seconds(rate, limit, free, rules=rules, started_at=at, answered_by=by)
    held = price_micros(rate, limit, rules=rules, started_at=at, answered_by=by, free_seconds=free)
    answered_at = at + timedelta(seconds=min(after_s, ring_s))
    seconds = min(max(duration_s, 1), limit)
    price = price_call(rate, seconds, rules=rules, started_at=answered_at, free_seconds=part)
    assert price.package_seconds <= part <= free
    assert price.total_micros <= held <= available
    assert price.total_micros == price_micros(
        rate, seconds, rules=rules, started_at=answered_at, free_seconds=free
    )


def test_the_hold_expects_the_answer_after_the_price_rises_and_before_it_falls() -> None:
    def priced(start: int, end: int) -> Rate:
        peak = Rate(prefix="44", price_micros_per_minute=600_000)
        window = RateWindow(start_minute=start, end_minute=end, rate=peak)
        return Rate(prefix="44", price_micros_per_minute=60_000, windows=(window,))

    at = datetime(2026, 3, 2, 7, 59, 30, tzinfo=UTC)  # Monday 08:59:30 in Paris
    for rate, seconds_at_peak in ((priced(540, 600), 60), (priced(480, 540), 30)):
        price = price_micros(
            rate, 60, rules=RULES, started_at=at, answered_by=at + timedelta(seconds=60)
        )
        assert seconds_at_peak * 10_000 + (60 - seconds_at_peak) * 1_000 == price
