"""What a sheet says in passing and must not be overlooked: a price that is silently read wrong
costs more than a sheet that is refused."""

from datetime import UTC, datetime

import pytest

from rating.rate import Rate
from rating.rate_sheet import DateOrder, RateSheet, SheetOptions, read_rate_sheet


def read(text: str, **options: object) -> RateSheet:
    return read_rate_sheet(text.encode(), SheetOptions(**options))  # type: ignore[arg-type]


def errors_of(sheet: RateSheet) -> list[str]:
    return [str(error) for error in sheet.errors]


@pytest.mark.parametrize("heading", ["Rate (cents)", "Rate [ct]", "Price (¢)", "Rate (pence)"])
def test_prices_in_cents_are_refused(heading: str) -> None:
    sheet = read(f"Code,{heading},Increments\n44,1.25,1/1\n")
    problem = "is in cents: prices are read in whole units, give them so"
    assert [f"line 1, {heading}: {problem}"] == errors_of(sheet)


@pytest.mark.parametrize("heading", ["Rate/sec", "Rate (per second)", "Price USD/s"])
def test_prices_a_second_are_refused(heading: str) -> None:
    sheet = read(f"Code,{heading},Increments\n44,0.001,1/1\n")
    assert [f"line 1, {heading}: is a price a second: prices are read a minute, give them so"] == (
        errors_of(sheet)
    )


def test_a_heading_in_another_currency_than_the_cards_is_refused() -> None:
    text = "Code,Rate (EUR/min),Increments\n44,0.01,1/1\n"
    assert ["line 1, Rate (EUR/min): says EUR: the card is in USD"] == (
        errors_of(read(text, currency="USD"))
    )
    assert [10_000] == [rate.price_micros_per_minute for rate in read(text, currency="EUR").rates]


@pytest.mark.parametrize("cell", ["EUR 0.01", "0.01 EUR", "€0.01", "€ 0.01"])
def test_an_amount_in_another_currency_than_the_cards_is_refused(cell: str) -> None:
    text = f"Code,Rate,Increments\n44,{cell},1/1\n"
    assert [f"line 2, Rate: '{cell}': the card is in USD"] == errors_of(read(text, currency="USD"))
    assert [10_000] == [rate.price_micros_per_minute for rate in read(text, currency="EUR").rates]


@pytest.mark.parametrize(
    ("sign", "other", "possible"), [("$", "EUR", "CAD"), ("¥", "USD", "CNY"), ("£", "USD", "GBP")]
)
def test_a_sign_that_cannot_be_the_cards_currency_is_refused(
    sign: str, other: str, possible: str
) -> None:
    amount = f"Code,Rate,Increments\n44,{sign}0.01,1/1\n"
    heading = f"Code,Rate ({sign}),Increments\n44,0.01,1/1\n"
    assert [f"line 2, Rate: '{sign}0.01': the card is in {other}"] == (
        errors_of(read(amount, currency=other))
    )
    assert [f"line 1, Rate ({sign}): says {sign}: the card is in {other}"] == (
        errors_of(read(heading, currency=other))
    )
    for text in (amount, heading):
        rates = read(text, currency=possible).rates
        assert [10_000] == [rate.price_micros_per_minute for rate in rates]


def test_an_interval_beside_an_initial_time_is_the_further_increment() -> None:
    [rate] = read("Code,Rate,Min Time,Interval\n44,0.01,60 sec,6 sec\n").rates
    assert (60, 6) == (rate.initial_s, rate.increment_s)


@pytest.mark.parametrize(
    "heading", ["Initial (min)", "Increment [minutes]", "Billing (in Minuten)"]
)
def test_increments_in_minutes_are_refused(heading: str) -> None:
    errors = errors_of(read(f"Code,Rate,{heading}\n44,0.01,1\n"))
    problem = "is in minutes: increments are read in seconds, give them so"
    assert f"line 1, {heading}: {problem}" in errors


def test_a_country_code_before_codes_that_all_have_it_is_refused_unless_it_is_meant() -> None:
    text = "Country Code,Code,Rate,Billing\n7,7701,0.01,1/1\n7,77,0.02,1/1\n"
    problem = (
        "line 1, Country Code: all of 'Code' begins with it: leave it out"
        " (--ignore 'Country Code'), or say that it goes before them"
        " (--columns 'Country Code=country_code')"
    )
    assert [problem] == errors_of(read(text))

    def prefixes(text: str, **options: object) -> list[str]:
        return [rate.prefix for rate in read(text, **options).rates]

    assert ["7701", "77"] == prefixes(text, ignored=("Country Code",))
    assert ["77701", "777"] == prefixes(text, headings=(("Country Code", "country_code"),))
    assert ["77701", "777", "7495"] == prefixes(text + "7,495,0.03,1/1\n")


def test_increments_said_twice_are_refused() -> None:
    sheet = read("Code,Rate,Initial,Increment,Billing\n44,0.01,60,6,1/1\n")
    problem = "has both increments, and so has 'Initial': ignore one of them (--ignore)"
    assert [f"line 1, Billing: {problem}"] == errors_of(sheet)


@pytest.mark.parametrize("cell", ["1 684", "44 20", "+44 20", "212 661", "00 49", '"1 684, 1 685"'])
def test_a_prefix_with_spaces_does_not_price_what_stands_before_them(cell: str) -> None:
    [error] = read(f"Code,Rate,Increments\n{cell},0.01,1/1\n").errors
    assert "one prefix with spaces or several?" in error.message


@pytest.mark.parametrize("time", ["12:00 AM", "12:00:00 am", "00:00"])
def test_midnight_of_a_clock_of_twelve_hours_is_the_beginning_of_the_day(time: str) -> None:
    text = f"Code,Rate,Increments,Effective\n44,0.01,1/1,12/31/2026 {time}\n"
    rates: list[Rate] = read(text, date_order=DateOrder.MDY).rates
    assert [datetime(2026, 12, 31, tzinfo=UTC)] == [rate.effective_from for rate in rates]


def test_a_country_code_that_only_some_lines_have_is_refused() -> None:
    """As merged cells leave it: 21 would price calls to Algeria as those to London."""
    header = "Country Code,Area Code,Rate,Increments\n"
    assert ["line 3, Country Code: empty, though line 2 has one: fill it in"] == errors_of(
        read(header + "44,20,0.01,1/1\n,21,0.01,1/1\n45,,0.02,1/1\n")
    )
    message = "line 3, Country Code: filled in, though line 2 has none: fill all or none"
    assert [message] == errors_of(read(header + ",4420,0.01,1/1\n44,21,0.01,1/1\n"))
    whole = read(header + ",4420,0.01,1/1\n,4421,0.01,1/1\n")
    assert ["4420", "4421"] == [rate.prefix for rate in whole.rates]
    declared = read(header + "44,20,0.01,1/1\n,21,0.01,1/1\n", country_code="44")
    assert ["4420", "4421"] == [rate.prefix for rate in declared.rates]


@pytest.mark.parametrize(
    ("cell", "others", "first"),
    [("4420, 21, 22", "21, 22", "4420"), ("447400;401;403", "401, 403", "447400")],
)
def test_prefixes_that_may_be_ends_of_the_first_are_refused(
    cell: str, others: str, first: str
) -> None:
    [error] = read(f'Code,Rate,Increments\n"{cell}",0.01,1/1\n').errors
    assert f"'{others}': prefixes, or ends of {first}? Write each in full" == error.message


@pytest.mark.parametrize(
    "cell", ["1242, 52, 54", "4420, 4421", "7, 76, 77", "870, 881", "44, 4420", "4420, 7, 8"]
)
def test_prefixes_of_several_countries_in_a_cell_are_read_as_they_are(cell: str) -> None:
    sheet = read(f'Code,Rate,Increments\n"{cell}",0.01,1/1\n')
    assert cell.split(", ") == [rate.prefix for rate in sheet.rates]
