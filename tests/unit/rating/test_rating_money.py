from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rating.money import (
    MAX_MONEY_MICROS,
    MoneyError,
    RoundingMode,
    format_money,
    parse_money,
    round_micros,
)


@pytest.mark.parametrize(
    ("text", "micros"),
    [
        ("0", 0),
        ("12", 12_000_000),
        ("12.5", 12_500_000),
        ("0.0125", 12_500),
        ("0.000001", 1),
        (" 1.00 ", 1_000_000),
        ("999999999999.999999", MAX_MONEY_MICROS),
    ],
)
def test_decimal_strings_become_micros(text: str, micros: int) -> None:
    assert micros == parse_money(text)


@pytest.mark.parametrize(
    "text",
    [
        *("", "x", "1e3", "NaN", "inf", "1,5", "1.0000001", ".5", "5.", "+1", "--1", "1 000"),
        *("0x1", "1_000", "١٢", "1000000000000", "-1", "1.5\n2"),
    ],
)
def test_anything_else_is_refused_with_its_text_in_the_message(text: str) -> None:
    with pytest.raises(MoneyError) as refusal:
        parse_money(text)
    assert repr(text) in str(refusal.value)


def test_a_negative_amount_needs_permission() -> None:
    assert -1_500_000 == parse_money("-1.5", signed=True)


@pytest.mark.parametrize(
    ("micros", "text"),
    [
        (10_000_000, "10.00"),
        (12_500, "0.0125"),
        (1, "0.000001"),
        (-1_500_000, "-1.50"),
        (0, "0.00"),
    ],
)
def test_amounts_are_written_with_two_to_six_decimals(micros: int, text: str) -> None:
    assert text == format_money(micros)


@given(st.integers(-MAX_MONEY_MICROS, MAX_MONEY_MICROS))
def test_writing_and_reading_an_amount_gives_it_back(micros: int) -> None:
    assert micros == parse_money(format_money(micros), signed=True)


@pytest.mark.parametrize(
    ("numerator", "denominator", "decimals", "mode", "expected"),
    [
        (5, 2, 6, RoundingMode.HALF_UP, 3),
        (-5, 2, 6, RoundingMode.HALF_UP, -3),
        (5, 2, 6, RoundingMode.HALF_EVEN, 2),
        (7, 2, 6, RoundingMode.HALF_EVEN, 4),
        (1, 3, 6, RoundingMode.UP, 1),
        (-1, 3, 6, RoundingMode.UP, -1),
        (6, 3, 6, RoundingMode.UP, 2),
        (1_005_000, 1, 2, RoundingMode.HALF_UP, 1_010_000),
        (1_005_000, 1, 2, RoundingMode.HALF_EVEN, 1_000_000),
        (1_000_001, 1, 2, RoundingMode.UP, 1_010_000),
        (1_499_999, 1, 0, RoundingMode.HALF_UP, 1_000_000),
    ],
)
def test_rounding_follows_its_mode(
    numerator: int, denominator: int, decimals: int, mode: RoundingMode, expected: int
) -> None:
    assert expected == round_micros(numerator, denominator, decimals, mode)


@given(
    st.integers(-(10**15), 10**15),
    st.integers(1, 10**6),
    st.integers(0, 6),
    st.sampled_from(RoundingMode),
)
def test_rounding_moves_less_than_one_step_and_at_most_half_unless_up(
    numerator: int, denominator: int, decimals: int, mode: RoundingMode
) -> None:
    step = 10 ** (6 - decimals)
    rounded = round_micros(numerator, denominator, decimals, mode)
    moved = abs(rounded - Fraction(numerator, denominator))
    assert 0 == rounded % step
    if mode is RoundingMode.UP:
        assert abs(rounded) >= abs(Fraction(numerator, denominator))
        assert moved < step
    else:
        assert moved <= Fraction(step, 2)
