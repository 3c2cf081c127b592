import pytest

from rating.charges import LineKind
from rating.money import RoundingMode
from rating.price import billable_seconds, price_call
from rating.rate import Rate, RateError, Stage
from rating.rate_card import PricingRules

MINUTE = 60


def rate(**terms: object) -> Rate:
    """A rate of 0.60 a minute, so that a second costs 0.01."""
    return Rate(**{"prefix": "44", "price_micros_per_minute": 600_000, **terms})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("initial", "increment", "duration", "billed"),
    [
        (1, 1, 0, 1),
        (1, 1, 59, 59),
        (60, 6, 0, 60),
        (60, 6, 60, 60),
        (60, 6, 61, 66),
        (60, 60, 61, 120),
        (30, 20, 31, 50),
        (30, 20, 50, 50),
        (0, 10, 0, 0),
        (0, 10, 1, 10),
    ],
)
def test_further_increments_count_from_the_end_of_the_initial_one(
    initial: int, increment: int, duration: int, billed: int
) -> None:
    price = price_call(rate(initial_s=initial, increment_s=increment), duration)
    assert (billed, billed * 10_000) == (price.billed_seconds, price.total_micros)


def test_the_peers_convention_counts_increments_from_zero() -> None:
    rules = PricingRules(increments_from_zero=True)
    price = price_call(rate(initial_s=30, increment_s=20), 31, rules=rules)
    assert 40 == price.billed_seconds


def test_the_connection_fee_is_charged_once() -> None:
    price = price_call(rate(connection_fee_micros=50_000), 10)
    assert [
        (LineKind.CONNECTION_FEE, 0, 50_000),
        (LineKind.TALK, 10, 100_000),
    ] == [(line.kind, line.seconds, line.amount_micros) for line in price.lines]


@pytest.mark.parametrize(("duration", "total"), [(9, 90_000), (10, 200_000)])
def test_the_disconnection_fee_is_due_from_its_duration_on(duration: int, total: int) -> None:
    priced = rate(disconnection_fee_micros=100_000, disconnection_fee_after_s=10)
    assert total == price_call(priced, duration).total_micros


def test_the_minimum_charge_is_the_floor_of_the_total_fees_included() -> None:
    priced = rate(connection_fee_micros=50_000, minimum_charge_micros=120_000)
    short, long = price_call(priced, 1), price_call(priced, 8)
    assert (120_000, 60_000) == (short.total_micros, short.lines[-1].amount_micros)
    assert LineKind.MINIMUM_CHARGE == short.lines[-1].kind
    assert (130_000, LineKind.TALK) == (long.total_micros, long.lines[-1].kind)
    exact = price_call(priced, 7)
    assert (120_000, LineKind.TALK) == (exact.total_micros, exact.lines[-1].kind)


@pytest.mark.parametrize(("duration", "billed"), [(10, 10), (11, 30), (29, 30), (31, 31)])
def test_a_short_call_counts_as_the_call_time(duration: int, billed: int) -> None:
    priced = rate(short_call_threshold_s=10, short_call_time_s=30)
    assert billed == price_call(priced, duration).billed_seconds


def test_every_completed_block_is_surcharged() -> None:
    priced = rate(block_s=60, block_surcharge_micros=1_000)
    assert [590_000, 601_000, 1_202_000] == [
        price_call(priced, seconds).total_micros for seconds in (59, 60, 120)
    ]


def test_grace_is_added_once_and_not_to_what_the_carrier_bills() -> None:
    priced = rate(grace_s=5, buy_price_micros_per_minute=600_000)
    price = price_call(priced, 10)
    assert (15, 10) == (price.billed_seconds, price.buy_billed_seconds)


def test_stages_are_priced_one_after_the_other_and_the_rest_at_the_main_price() -> None:
    stages = (
        Stage(length_s=60, price_micros_per_minute=6_000_000, entry_fee_micros=10),
        Stage(length_s=30, price_micros_per_minute=1_200_000, increment_s=20, entry_fee_micros=20),
    )
    price = price_call(rate(stages=stages, increment_s=6), 91)
    assert [
        (LineKind.STAGE_ENTRY_FEE, 0, 10),
        (LineKind.STAGE, 60, 6_000_000),
        (LineKind.STAGE_ENTRY_FEE, 0, 20),
        (LineKind.STAGE, 30, 600_000),
        (LineKind.TALK, 6, 60_000),
    ] == [(line.kind, line.seconds, line.amount_micros) for line in price.lines]
    assert 96 == price.billed_seconds


def test_a_stage_not_reached_costs_nothing() -> None:
    stage = Stage(length_s=60, price_micros_per_minute=0, entry_fee_micros=10)
    price = price_call(rate(stages=(stage, stage)), 60)
    assert 10 == price.total_micros


def test_the_discount_is_a_line_and_comes_off_before_the_minimum() -> None:
    priced = rate(minimum_charge_micros=95_000)
    price = price_call(priced, 10, discount_basis_points=1_000)
    assert [100_000, -10_000, 5_000] == [line.amount_micros for line in price.lines]
    assert 95_000 == price.total_micros


def test_a_card_with_two_decimals_rounds_once_and_shows_it() -> None:
    rules = PricingRules(rounding_decimals=2, rounding_mode=RoundingMode.UP)
    price = price_call(rate(price_micros_per_minute=1_000), 60, rules=rules)
    assert [(LineKind.TALK, 1_000), (LineKind.ROUNDING, 9_000)] == [
        (line.kind, line.amount_micros) for line in price.lines
    ]


def test_a_minimum_finer_than_the_cards_decimals_is_rounded_up() -> None:
    priced = rate(price_micros_per_minute=1, minimum_charge_micros=12_500)
    price = price_call(priced, 1, rules=PricingRules(rounding_decimals=2))
    assert 20_000 == price.total_micros


def test_the_sum_is_rounded_and_not_its_parts() -> None:
    stage = Stage(length_s=1, price_micros_per_minute=20)
    priced = rate(price_micros_per_minute=20, stages=(stage, stage))
    price = price_call(priced, 3)
    assert 1 == price.total_micros == sum(line.amount_micros for line in price.lines)


@pytest.mark.parametrize(
    ("talk_ms", "limit_ms", "seconds"),
    [
        (0, None, 0),
        (1, None, 1),
        (10_000, None, 10),
        (10_001, None, 11),
        (10_001, 10_000, 10),
        (11_000, 10_000, 10),
        (11_001, 10_000, 12),
        (9_001, 10_000, 10),
    ],
)
def test_talk_is_rounded_up_and_a_second_past_the_limit_counts_as_the_limit(
    talk_ms: int, limit_ms: int | None, seconds: int
) -> None:
    assert seconds == billable_seconds(talk_ms, limit_ms)


@pytest.mark.parametrize(
    ("field", "terms"),
    [
        ("prefix", {"prefix": ""}),
        ("prefix", {"prefix": "44x"}),
        ("prefix", {"prefix": "1234567890123456"}),
        ("price_micros_per_minute", {"price_micros_per_minute": -1}),
        ("price_micros_per_minute", {"price_micros_per_minute": 0.5}),
        ("increment_s", {"increment_s": 0}),
        ("grace_s", {"grace_s": -1}),
        ("buy_increment_s", {"buy_increment_s": 0}),
    ],
)
def test_a_rate_out_of_bounds_cannot_be_made(field: str, terms: dict[str, object]) -> None:
    with pytest.raises(RateError, match=f"^{field}: "):
        rate(**terms)


def test_a_negative_duration_or_a_discount_of_everything_is_refused() -> None:
    with pytest.raises(ValueError, match="duration_s"):
        price_call(rate(), -1)
    with pytest.raises(ValueError, match="discount_basis_points"):
        price_call(rate(), 1, discount_basis_points=10_000)
    with pytest.raises(ValueError, match="talk_ms"):
        billable_seconds(-1)


def test_a_package_pays_for_the_first_seconds_and_the_rest_costs_with_fees() -> None:
    priced = rate(connection_fee_micros=50_000)
    price = price_call(priced, 100, free_seconds=60)
    assert [
        (LineKind.CONNECTION_FEE, 0, 50_000),
        (LineKind.TALK, 100, 1_000_000),
        (LineKind.PACKAGE, 60, -600_000),
    ] == [(line.kind, line.seconds, line.amount_micros) for line in price.lines]
    assert (450_000, 60) == (price.total_micros, price.package_seconds)


def test_a_call_within_the_package_costs_nothing_fees_and_minimum_included() -> None:
    priced = rate(connection_fee_micros=50_000, minimum_charge_micros=10**6, initial_s=60)
    price = price_call(priced, 1, free_seconds=60)
    assert (0, 60) == (price.total_micros, price.package_seconds)
    assert 1_000_000 == price_call(priced, 1, free_seconds=59).total_micros


def test_a_package_pays_for_stages_in_the_order_of_the_call() -> None:
    stage = Stage(length_s=30, price_micros_per_minute=6_000_000, entry_fee_micros=7)
    price = price_call(rate(stages=(stage,)), 60, free_seconds=40)
    assert (7 + 200_000, -3_100_000) == (price.total_micros, price.lines[-1].amount_micros)
