from datetime import UTC, datetime
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rates_for_tests import discounts, rates

from rating.currency import (
    CurrencyError,
    Exchange,
    ExchangeRate,
    ExchangeTable,
    convert_price,
    parse_exchange_rate,
)
from rating.grant import grant_seconds
from rating.price import price_call, price_micros
from rating.rate import Rate

JANUARY, JUNE = datetime(2025, 1, 1, tzinfo=UTC), datetime(2025, 6, 1, tzinfo=UTC)


def dated(currency: str, value: str, at: datetime) -> ExchangeRate:
    return ExchangeRate(currency=currency, per_base=parse_exchange_rate(value), effective_from=at)


TABLE = ExchangeTable(
    "EUR", [dated("USD", "1.10", JUNE), dated("USD", "1.00", JANUARY), dated("GBP", "0.88", JUNE)]
)


def test_the_rate_in_force_at_the_instant_converts() -> None:
    for at, micros in ((JANUARY, 2_000_000), (JUNE, 2_200_000)):
        exchange = TABLE.exchange("EUR", "USD", at)
        assert exchange is not None
        assert micros == exchange.convert(2_000_000)


def test_two_currencies_convert_through_the_base_without_rounding_between() -> None:
    assert Exchange("USD", "GBP", Fraction(4, 5)) == TABLE.exchange("USD", "GBP", JUNE)


def test_a_currency_is_itself_and_an_unknown_or_not_yet_dated_one_is_nothing() -> None:
    assert Exchange("XXX", "XXX", Fraction(1)) == TABLE.exchange("XXX", "XXX", JUNE)
    assert None is TABLE.exchange("EUR", "GBP", JANUARY)
    assert None is TABLE.exchange("JPY", "EUR", JUNE)


@pytest.mark.parametrize("text", ["0", "0.0", "-1", "1e3", "", "1,1", "1/2", "nan"])
def test_what_is_no_positive_decimal_is_refused(text: str) -> None:
    with pytest.raises(CurrencyError, match="is not a positive rate"):
        parse_exchange_rate(text)


def test_wrong_tables_are_refused() -> None:
    with pytest.raises(CurrencyError, match="base"):
        ExchangeTable("USD", [dated("USD", "1", JUNE)])
    with pytest.raises(CurrencyError, match="two rates"):
        ExchangeTable("EUR", [dated("USD", "1", JUNE), dated("USD", "2", JUNE)])
    with pytest.raises(CurrencyError, match="ISO 4217"):
        dated("usd", "1", JUNE)
    with pytest.raises(CurrencyError, match="time zone"):
        dated("USD", "1", datetime(2025, 1, 1))


_factors = st.fractions(Fraction(1, 10_000), 10_000, max_denominator=10**6)


@given(_factors, st.integers(-(10**9), 10**12))
def test_the_greatest_amount_within_is_exact(factor: Fraction, target: int) -> None:
    exchange = Exchange("EUR", "USD", factor)
    most = exchange.greatest_within(target)
    assert exchange.convert(most) <= target < exchange.convert(most + 1)


@given(rates, _factors, discounts, st.integers(0, 10**9))
def test_a_limit_in_another_currency_is_the_exact_inverse(
    rate: Rate, factor: Fraction, discount: int, available: int
) -> None:
    exchange = Exchange("EUR", "USD", factor)

    def price(seconds: int) -> int:
        return exchange.convert(price_micros(rate, seconds, discount_basis_points=discount))

    limit = grant_seconds(
        rate, exchange.greatest_within(available), 5_000, discount_basis_points=discount
    )
    assert not limit or price(limit) <= available
    assert limit == 5_000 or available < price(limit + 1)


@given(rates, _factors, discounts, st.integers(0, 1_000))
def test_converted_lines_add_up_to_the_converted_total(
    rate: Rate, factor: Fraction, discount: int, seconds: int
) -> None:
    exchange = Exchange("EUR", "USD", factor)
    price = price_call(rate, seconds, discount_basis_points=discount)
    converted = convert_price(price, exchange)
    assert exchange.convert(price.total_micros) == converted.total_micros
    assert converted.total_micros == sum(line.amount_micros for line in converted.lines)
    assert exchange.convert(price.buy_total_micros) == converted.buy_total_micros
