"""Hypothesis strategies of rates, rules and calls."""

from hypothesis import strategies as st

from rating.money import RoundingMode
from rating.rate import Rate, Stage
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
rules = st.builds(
    PricingRules,
    rounding_decimals=st.integers(0, 6),
    rounding_mode=st.sampled_from(RoundingMode),
    increments_from_zero=st.booleans(),
)
discounts = st.one_of(st.just(0), st.integers(0, 9_999))
