from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from rating.rate import Rate
from rating.rate_sheet import PLAIN_HEADER, parse_plain_sheet

HEADER = ",".join(PLAIN_HEADER)


def test_the_four_required_columns_are_enough() -> None:
    sheet = parse_plain_sheet(["prefix,destination,price_per_minute,initial", "44,UK,0.0125,60"])
    assert [] == sheet.errors
    expected = Rate(prefix="44", destination="UK", price_micros_per_minute=12_500, initial_s=60)
    assert [expected] == sheet.rates


def test_every_column_reaches_its_field() -> None:
    sheet = parse_plain_sheet(
        [HEADER, '+44,"UK, all",0.0125,60,6,0.05,0.1,0.01,30,12,2025-06-01T12:00:00+02:00']
    )
    assert [
        Rate(
            prefix="44",
            destination="UK, all",
            price_micros_per_minute=12_500,
            initial_s=60,
            increment_s=6,
            connection_fee_micros=50_000,
            minimum_charge_micros=100_000,
            buy_price_micros_per_minute=10_000,
            buy_initial_s=30,
            buy_increment_s=12,
            effective_from=datetime(2025, 6, 1, 10, tzinfo=UTC),
        )
    ] == sheet.rates


def test_a_date_begins_at_midnight_in_the_cards_zone() -> None:
    lines = [HEADER, "44,UK,1,1,,,,,,,2025-06-01"]
    [rate] = parse_plain_sheet(lines, zone=ZoneInfo("Europe/Paris")).rates
    assert datetime(2025, 5, 31, 22, tzinfo=UTC) == rate.effective_from


def test_empty_lines_a_byte_order_mark_and_other_column_orders_are_fine() -> None:
    lines = ["\ufeffInitial,price_per_minute,destination,prefix\r\n", "\r\n", "1,2,UK,44\r\n"]
    sheet = parse_plain_sheet(lines)
    assert ([], ["44"]) == (sheet.errors, [rate.prefix for rate in sheet.rates])


@pytest.mark.parametrize(
    ("line", "column", "part"),
    [
        ("44,UK,1.x,60", "price_per_minute", "'1.x'"),
        ("44,UK,,60", "price_per_minute", "empty"),
        ("44,UK,-1,60", "price_per_minute", "negative"),
        ("44,UK,1,", "initial", "empty"),
        ("44,UK,1,1.5", "initial", "whole seconds"),
        ("44,UK,1,60,0", "increment", "1 to"),
        ("44x,UK,1,60", "prefix", "digits"),
        (",UK,1,60", "prefix", "empty"),
        ("44,UK,1", "initial", "missing"),
        ("44,UK,1,60,6,0.1.2", "connection_fee", "'0.1.2'"),
        ("44,UK,1,60,,,,,,,31.02.2025", "effective_from", "2025-01-31"),
        ("44,UK,1,60,,,,,,,2025-02-31", "effective_from", "2025-01-31"),
        ("44,UK,1,60,,,,,,,,x", "", "12 cells"),
    ],
)
def test_an_error_names_its_line_and_column(line: str, column: str, part: str) -> None:
    sheet = parse_plain_sheet([HEADER, "33,France,1,1", line])
    assert [(3, column)] == [(error.line, error.column) for error in sheet.errors]
    assert part in sheet.errors[0].message


def test_all_errors_are_reported_at_once() -> None:
    sheet = parse_plain_sheet([HEADER, "44,UK,x,y", "4x,UK,1,1"])
    assert [(2, "price_per_minute"), (2, "initial"), (3, "prefix")] == [
        (error.line, error.column) for error in sheet.errors
    ]


def test_a_prefix_twice_from_the_same_date_is_an_error_and_from_another_is_not() -> None:
    rows = ["44,UK,1,1,,,,,,,2025-01-01", "44,UK,2,1,,,,,,,2025-02-01", "44,UK,3,1"]
    assert [] == parse_plain_sheet([HEADER, *rows]).errors
    [error] = parse_plain_sheet([HEADER, *rows, rows[0]]).errors
    assert "line 5, prefix: 44 from the same date stands in line 2 already" == str(error)


@pytest.mark.parametrize(
    ("header", "column", "part"),
    [
        ("prefix,destination,price_per_minute", "initial", "missing"),
        (HEADER + ",colour", "colour", "unknown"),
        (HEADER + ",initial", "initial", "twice"),
    ],
)
def test_a_wrong_header_is_an_error(header: str, column: str, part: str) -> None:
    [error] = parse_plain_sheet([header]).errors
    assert (1, column) == (error.line, error.column)
    assert part in error.message


def test_an_empty_sheet_and_a_broken_quote_are_errors_and_raise_nothing() -> None:
    assert 4 == len(parse_plain_sheet([]).errors)
    [error] = parse_plain_sheet([HEADER, "44,UK,1,1", '33,"Fra']).errors
    assert "line 3: a quotation mark opens here and is never closed" == str(error)
