"""Hypothesis strategies of rates, rules and calls."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from hypothesis import strategies as st

from rating.money import RoundingMode
from rating.rate import Rate, RateWindow, Stage
from rating.rate_card import PricingRules

_money = st.one_of(st.just(0), st.integers(0, 100), st.integers(0, 5_000_000))
_seconds = st.one_of(st.just(0), st.integers(0, 400))
_increment = st.one_of(st.sampled_from((1, 6, 20, 30, 60)), st.integers(1, 100))

stages = st.builds(
    Stage,
    length_s=st.integers(1, 300),
    price_micros_per_minute=_money,
    increment_s=_increment,
    entry_fee_micros=_money,
)
flat_rates = st.builds(
    Rate,
    prefix=st.just("44"),
    price_micros_per_minute=_money,
    initial_s=_seconds,
    increment_s=_increment,
    connection_fee_micros=_money,
    minimum_charge_micros=_money,
)
rates = st.builds(
    Rate,
    prefix=st.just("44"),
    price_micros_per_minute=_money,
    initial_s=_seconds,
    increment_s=_increment,
    connection_fee_micros=_money,
    minimum_charge_micros=_money,
    disconnection_fee_micros=_money,
    disconnection_fee_after_s=_seconds,
    stages=st.lists(stages, max_size=4).map(tuple),
    short_call_threshold_s=_seconds,
    short_call_time_s=_seconds,
    block_surcharge_micros=_money,
    block_s=_seconds,
    grace_s=_seconds,
    buy_price_micros_per_minute=_money,
    buy_initial_s=_seconds,
    buy_increment_s=_increment,
)
_minutes = st.one_of(st.integers(0, 10_079), st.integers(0, 167).map(lambda hour: hour * 60))


_blocked = st.just(Rate(prefix="44", blocked=True))


@st.composite
def windowed_rates(draw: st.DrawFn) -> Rate:
    """Rates with windows of other rates, all of whose terms may differ, or of blocked hours."""
    at_other_hours = draw(rates)
    windows = draw(
        st.lists(
            st.builds(
                RateWindow,
                start_minute=_minutes,
                end_minute=_minutes,
                rate=st.one_of(rates, rates, _blocked),
            ),
            min_size=1,
            max_size=4,
        )
    )
    return replace(at_other_hours, windows=tuple(windows))


zones = st.sampled_from(
    ("UTC", "Europe/Paris", "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu")
).map(ZoneInfo)
rules = st.builds(
    PricingRules,
    rounding_decimals=st.integers(0, 6),
    rounding_mode=st.sampled_from(RoundingMode),
    increments_from_zero=st.booleans(),
    zone=zones,
    price_by_start=st.booleans(),
)
discounts = st.one_of(st.just(0), st.integers(0, 9_999))

_changes_of_the_clocks = st.sampled_from(
    (
        datetime(2025, 3, 30, 1, tzinfo=UTC),  # Paris, forward
        datetime(2025, 10, 26, 1, tzinfo=UTC),  # Paris, back
        datetime(2025, 3, 9, 7, tzinfo=UTC),  # New York, forward
        datetime(2025, 11, 2, 6, tzinfo=UTC),  # New York, back
        datetime(2025, 4, 5, 15, tzinfo=UTC),  # Lord Howe, back by half an hour
    )
)
starts = st.one_of(
    st.builds(
        lambda change, seconds: change - timedelta(seconds=seconds),
        _changes_of_the_clocks,
        st.integers(-100, 7_200),
    ),
    st.datetimes(datetime(2025, 1, 1), datetime(2026, 1, 1), timezones=st.just(UTC)),
)
