from dataclasses import replace
from datetime import UTC, datetime
from fractions import Fraction
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from model_for_tests import model_sum
from rates_for_tests import rates, rules, starts, windowed_rates

from rating.hours import MINUTES_OF_DAY, parse_hours
from rating.money import round_micros
from rating.price import price_call, price_micros
from rating.rate import Rate, RateError, RateWindow
from rating.rate_card import PricingRules

PARIS = PricingRules(zone=ZoneInfo("Europe/Paris"))


def windowed(hours: str, **terms: object) -> Rate:
    """0.60 a minute (0.01 a second) in `hours`, else 0.06."""
    inside = Rate(**{"prefix": "44", "price_micros_per_minute": 600_000, **terms})  # type: ignore[arg-type]
    windows = tuple(
        RateWindow(start_minute=start, end_minute=end, rate=inside)
        for start, end in parse_hours(hours)
    )
    outside = {"prefix": "44", "price_micros_per_minute": 60_000, **terms, "windows": windows}
    return Rate(**outside)  # type: ignore[arg-type]


def seconds_by_price(
    rate: Rate, start: str, duration: int, rules: PricingRules
) -> list[tuple[int, int]]:
    at = datetime.fromisoformat(start)
    lines = price_call(rate, duration, rules=rules, started_at=at).lines
    return [(line.seconds, line.price_micros_per_minute) for line in lines]


@pytest.mark.parametrize(
    ("start", "expected"),
    [
        ("2025-06-02T17:59:00+02:00", [(60, 600_000), (60, 60_000)]),  # Monday evening
        ("2025-06-02T18:00:00+02:00", [(120, 60_000)]),
        ("2025-06-02T07:59:30+02:00", [(30, 60_000), (90, 600_000)]),
        ("2025-06-07T12:00:00+02:00", [(120, 60_000)]),  # Saturday
    ],
)
def test_each_second_is_priced_by_the_hours_it_begins_in(
    start: str, expected: list[tuple[int, int]]
) -> None:
    rate = windowed("Mon-Fri 08:00-18:00")
    assert expected == seconds_by_price(rate, start, 120, PARIS)


def test_an_increment_that_crosses_the_boundary_keeps_the_price_it_began_with() -> None:
    rate = windowed("Mon-Fri 08:00-18:00", initial_s=60, increment_s=40)
    # 17:59:10: the initial minute ends at 18:00:10, further increments begin after the edge.
    start = "2025-06-02T17:59:10+02:00"
    assert [(60, 600_000), (80, 60_000)] == seconds_by_price(rate, start, 101, PARIS)
    # 17:58:30: an increment runs from 17:59:30 to 18:00:10.
    start = "2025-06-02T17:58:30+02:00"
    assert [(100, 600_000), (40, 60_000)] == seconds_by_price(rate, start, 101, PARIS)


def test_counted_from_zero_an_increment_may_begin_at_the_end_of_the_initial_one() -> None:
    rate = windowed("Mon-Fri 08:00-18:00", initial_s=30, increment_s=20)
    rules = PricingRules(zone=PARIS.zone, increments_from_zero=True)
    start = "2025-06-02T17:59:30+02:00"
    assert [(30, 600_000), (10, 60_000)] == seconds_by_price(rate, start, 31, rules)


def test_a_fraction_of_a_second_before_the_boundary_counts_as_before() -> None:
    rate = windowed("Mon-Fri 08:00-18:00")
    start = "2025-06-02T17:59:58.500+02:00"
    assert [(2, 600_000), (3, 60_000)] == seconds_by_price(rate, start, 5, PARIS)


def test_hours_wrap_midnight_and_the_week() -> None:
    rate = windowed("Fri 18:00 - Mon 08:00")
    assert [(30, 600_000)] == seconds_by_price(rate, "2025-06-08T23:59:45+02:00", 30, PARIS)
    assert [(15, 600_000), (15, 60_000)] == seconds_by_price(
        rate, "2025-06-09T07:59:45+02:00", 30, PARIS
    )
    night = windowed("Sun 22:00-06:00")
    assert [(30, 600_000)] == seconds_by_price(night, "2025-06-08T23:59:45+02:00", 30, PARIS)


def test_the_hour_that_the_clocks_skip_is_never_in_force() -> None:
    rate = windowed("Sun 02:00-03:00")
    start = "2025-03-30T01:59:30+01:00"  # half a minute later it is 03:00
    assert [(60, 60_000)] == seconds_by_price(rate, start, 60, PARIS)


def test_the_hour_that_comes_twice_is_in_force_twice() -> None:
    rate = windowed("Sun 02:00-03:00")
    start = "2025-10-26T01:59:00+02:00"
    assert [(60, 60_000), (7_200, 600_000), (40, 60_000)] == seconds_by_price(
        rate, start, 7_300, PARIS
    )


def test_a_change_of_the_clocks_may_jump_into_and_out_of_hours() -> None:
    rate = windowed("Sun 02:30-03:30")
    forward = "2025-03-30T01:59:00+01:00"
    assert [(60, 60_000), (1_800, 600_000), (140, 60_000)] == seconds_by_price(
        rate, forward, 2_000, PARIS
    )
    back = "2025-10-26T02:59:00+02:00"
    assert [(60, 600_000), (1_800, 60_000), (140, 600_000)] == seconds_by_price(
        rate, back, 2_000, PARIS
    )


def test_by_start_keeps_the_first_price_to_the_end() -> None:
    rate = windowed("Mon-Fri 08:00-18:00")
    by_start = PricingRules(zone=PARIS.zone, price_by_start=True)
    start = "2025-06-02T17:59:59+02:00"
    assert [(60, 600_000)] == seconds_by_price(rate, start, 60, by_start)


def test_fees_and_increments_are_those_of_the_start() -> None:
    rate = windowed("Mon-Fri 08:00-18:00", connection_fee_micros=5, initial_s=30)
    inside = rate.windows[0].rate
    price = price_call(
        rate, 1, rules=PARIS, started_at=datetime.fromisoformat("2025-06-02T17:59:59+02:00")
    )
    assert (5, 30) == (price.lines[0].amount_micros, price.billed_seconds)
    assert price.total_micros == price_micros(inside, 1)


def test_the_carriers_price_follows_the_hours_too() -> None:
    inside = Rate(prefix="44", buy_price_micros_per_minute=600_000)
    window = RateWindow(start_minute=0, end_minute=1, rate=inside)
    rate = Rate(prefix="44", buy_price_micros_per_minute=60_000, windows=(window,))
    price = price_call(rate, 90, started_at=datetime(2025, 6, 2, tzinfo=UTC))
    assert 600_000 + 30_000 == price.buy_total_micros


def test_a_call_that_runs_into_blocked_hours_goes_on_at_the_price_before_them() -> None:
    shut = Rate(prefix="44", blocked=True)
    (start, end), *_ = parse_hours("Mon 18:00-20:00")
    evening = RateWindow(start_minute=start, end_minute=end, rate=shut)
    rate = windowed("Mon-Fri 08:00-18:00")
    rate = replace(rate, windows=(*rate.windows, evening))
    assert [(9_000, 600_000), (60, 60_000)] == seconds_by_price(
        rate, "2025-06-02T17:30:00+02:00", 9_060, PARIS
    )
    # One that was allowed before and is answered in them, too.
    assert [(60, 600_000)] == seconds_by_price(rate, "2025-06-02T18:00:05+02:00", 60, PARIS)


def test_what_is_withdrawn_is_so_at_all_hours() -> None:
    window = RateWindow(start_minute=0, end_minute=1, rate=Rate(prefix="44", withdrawn=True))
    with pytest.raises(RateError, match="withdrawn"):
        Rate(prefix="44", windows=(window,))


def test_a_start_in_another_zone_is_the_same_instant() -> None:
    rate = windowed("Sun 02:30-03:30")
    paris = datetime(2025, 3, 30, 1, 59, tzinfo=ZoneInfo("Europe/Paris"))
    prices = {
        price_micros(rate, 5_000, rules=PARIS, started_at=at)
        for at in (paris, paris.astimezone(UTC))
    }
    assert 1 == len(prices)


def test_windows_hold_rates_of_the_same_prefix_without_windows() -> None:
    window = RateWindow(start_minute=0, end_minute=1, rate=Rate(prefix="44"))
    with pytest.raises(RateError, match="windows"):
        Rate(prefix="33", windows=(window,))
    nested = RateWindow(start_minute=0, end_minute=1, rate=Rate(prefix="44", windows=(window,)))
    with pytest.raises(RateError, match="windows"):
        Rate(prefix="44", windows=(nested,))
    with pytest.raises(RateError, match="end_minute"):
        RateWindow(start_minute=0, end_minute=7 * MINUTES_OF_DAY, rate=Rate(prefix="44"))


@settings(deadline=None)
@given(st.one_of(rates, windowed_rates()), rules, starts, st.integers(0, 3_000))
def test_the_price_is_that_of_a_walk_through_the_call_second_by_second(
    rate: Rate, rules: PricingRules, at: datetime, seconds: int
) -> None:
    walk = model_sum(rate, at, seconds, rules)
    price = price_call(rate, seconds, rules=rules, started_at=at)
    exact = Fraction(walk.amount)
    rounded = round_micros(
        exact.numerator, exact.denominator, rules.rounding_decimals, rules.rounding_mode
    )
    assert walk.billed == price.billed_seconds
    lines = [line for line in price.lines if line.kind != "minimum_charge"]
    assert rounded == sum(line.amount_micros for line in lines)
