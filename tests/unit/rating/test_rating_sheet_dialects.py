"""Rate sheets in the shapes carriers send them: tests/rating_sheets."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rates_for_tests import rates, windowed_rates

from rating.a2billing import A2BILLING_RULES
from rating.charges import rate_in_force
from rating.prefix_table import PrefixTable
from rating.rate import Rate, RateError
from rating.rate_card import OWN_RULES
from rating.rate_json import rate_as_json, rate_from_json
from rating.rate_sheet import (
    DateOrder,
    RateSheet,
    SheetFormat,
    SheetOptions,
    open_rate_sheet,
    parse_plain_sheet,
    read_rate_sheet,
)
from rating.sheet_columns import layout_of
from rating.sheet_words import HEADING_WORDS, words_of
from rating.sheet_writing import write_plain_sheet

SHEETS = Path(__file__).parents[2] / "rating_sheets"
EVERY_COLUMN = SHEETS.parents[1] / "config/rates-every-column.csv"
OPTIONS = {
    "02": SheetOptions(date_order=DateOrder.DMY, zone=ZoneInfo("Europe/Berlin")),
    "08": SheetOptions(zone=ZoneInfo("Europe/Madrid")),
    "10": SheetOptions(date_order=DateOrder.MDY, zone=ZoneInfo("America/New_York")),
    "13": SheetOptions(
        headings=(
            *(("Where", "destination"), ("From Digits", "prefix"), ("What You Pay", "rate")),
            *(("Per Call", "connection_fee"), ("step", "increments")),
        )
    ),
    "14": SheetOptions(skip_lines=37, date_order=DateOrder.DMY),
    "15": SheetOptions(date_order=DateOrder.DMY, zone=ZoneInfo("Europe/Berlin")),
    "17": SheetOptions(date_order=DateOrder.DMY),
}
GOOD = sorted(path for path in (SHEETS / "good").iterdir() if path.suffix != ".json")
BROKEN = sorted(path for path in (SHEETS / "broken").iterdir() if path.suffix != ".txt")


def read(text: str, **options: object) -> RateSheet:
    return read_rate_sheet(text.encode(), SheetOptions(**options))  # type: ignore[arg-type]


def errors_of(sheet: RateSheet) -> list[str]:
    return [str(error) for error in sheet.errors]


def test_there_are_nineteen_shapes_and_at_least_fifty_broken_sheets() -> None:
    assert (19, True) == (len(GOOD), len(BROKEN) >= 50)


@pytest.mark.parametrize("path", GOOD, ids=lambda path: path.name)
def test_a_sheet_of_each_shape_is_read_as_its_golden_result(path: Path) -> None:
    sheet = read_rate_sheet(path.read_bytes(), OPTIONS.get(path.name[:2]))
    golden = json.loads(path.with_suffix(".json").read_text())
    assert [] == sheet.errors
    assert golden == {"notes": sheet.notes, "rates": [rate_as_json(rate) for rate in sheet.rates]}
    PrefixTable(sheet.rates)


@pytest.mark.parametrize("path", BROKEN, ids=lambda path: path.name)
def test_a_broken_sheet_has_its_clear_errors(path: Path) -> None:
    sheet = read_rate_sheet(path.read_bytes(), SheetOptions(currency="USD"))
    expected = path.with_suffix(".txt").read_text().splitlines()
    assert expected
    assert expected == errors_of(sheet)


@pytest.mark.parametrize("path", [*GOOD, EVERY_COLUMN], ids=lambda path: path.name)
def test_what_is_exported_prices_the_same_when_read_back(path: Path) -> None:
    rates = read_rate_sheet(path.read_bytes(), OPTIONS.get(path.name[:2])).rates
    again = parse_plain_sheet(write_plain_sheet(rates))
    assert [] == again.errors
    assert {semantics(rate) for rate in rates} == {semantics(rate) for rate in again.rates}


def semantics(rate: Rate) -> tuple[Rate, ...]:
    """What is in force outside all windows, and at each quarter of an hour of the week."""
    in_force = [rate]
    if rate.windows:
        monday = datetime(2025, 6, 2, tzinfo=UTC)
        for quarter in range(7 * 96):
            at = monday + timedelta(minutes=15 * quarter)
            in_force.append(rate_in_force(rate, at, OWN_RULES))
    return tuple(replace(each, windows=()) for each in in_force)


@given(st.one_of(rates, windowed_rates()))
def test_any_rate_survives_export_and_json(rate: Rate) -> None:
    [again] = parse_plain_sheet(write_plain_sheet([rate])).rates
    assert semantics(rate) == semantics(again)
    assert rate == rate_from_json(json.loads(json.dumps(rate_as_json(rate))))


@pytest.mark.parametrize(
    ("value", "part"),
    [
        ({"prefix": "44", "colour": 1}, "colour: no field"),
        ({"prefix": "44", "initial_s": -1}, "initial_s: "),
        ({"initial_s": 1}, "rate: "),
        ({"prefix": "44", "stages": [{"length": 1}]}, "rate: "),
        ({"prefix": "44", "windows": [{"start_minute": 1}]}, "rate: "),
        ({"prefix": 44}, "rate: "),
    ],
)
def test_json_that_is_no_rate_is_refused(value: dict[str, object], part: str) -> None:
    with pytest.raises(RateError, match=part):
        rate_from_json(value)


def test_a_delete_from_a_date_hands_its_numbers_to_the_shorter_prefix() -> None:
    text = "Code,Rate,Increments,Status,Effective\n44,0.01,1/1,new,\n447,0.02,1/1,new,\n"
    table = PrefixTable(read(text + "447,,,deleted,2025-06-15\n").rates)
    found = [table.lookup("44770", datetime(2025, 6, day, 12, tzinfo=UTC)) for day in (14, 15)]
    assert ["447", "44"] == [rate and rate.prefix for rate in found]


def test_valid_until_a_day_includes_the_day() -> None:
    text = "Code,Rate,Increments,Valid until\n44,0.01,1/1,2025-06-15\n"
    table = PrefixTable(read(text).rates)
    found = [table.lookup("4420", datetime(2025, 6, day, 12, tzinfo=UTC)) for day in (15, 16)]
    assert [True, False] == [rate is not None for rate in found]


@pytest.mark.parametrize("day", ["9999-12-31", "31/12/9999", "9999-12-31 23:59:59"])
def test_an_end_that_nobody_will_see_is_none(day: str) -> None:
    text = f"Code,Rate,Increments,Valid until\n44,0.01,1/1,{day}\n"
    assert [Rate(prefix="44", price_micros_per_minute=10_000)] == read(
        text, date_order=DateOrder.DMY
    ).rates
    peer = "dialprefix,rateinitial,startdate,stopdate\n44,0.01,,9999-12-31 00:00:00\n"
    assert 1 == len(read(peer).rates)


@pytest.mark.parametrize("day", ["0001-01-01", "1899-12-31", "3000-01-01", "9999-12-31"])
def test_a_beginning_in_no_year_of_ours_is_an_error(day: str) -> None:
    [error] = read(f"Code,Rate,Increments,Effective\n44,0.01,1/1,{day}\n").errors
    assert f"{day!r} is not a date" in error.message


def test_a_worksheet_of_no_workbook_is_an_error() -> None:
    [error] = read("Code,Rate,Increments\n44,0.01,1/1\n", worksheet="Rates").errors
    assert "no workbook: it has no worksheets (--worksheet)" == error.message


def test_a_sheet_without_header_may_have_its_columns_declared() -> None:
    text = "UK;44;0.01;0.02\n"
    columns = ("destination", "prefix", "buy_price_per_minute", "price_per_minute")
    [rate] = read(text, columns=columns, increments=(60, 6)).rates
    assert (10_000, 20_000, 60, 6) == (
        rate.buy_price_micros_per_minute,
        rate.price_micros_per_minute,
        rate.initial_s,
        rate.increment_s,
    )
    assert ["line 1, colour: no column of ours"] == errors_of(
        read(text, columns=(*columns[1:], "colour"), increments=(1, 1))
    )


def test_headings_may_be_declared_and_go_before_what_we_would_read_there() -> None:
    text = "Offer,,\nDigits Dialled,What,Rate,Cost\n44,UK,7,0.02\n"
    headings = (("digits  dialled", "prefix"), ("What", "destination"), ("Cost", "rate"))
    sheet = read(text, headings=headings, increments=(60, 6))
    assert ([], ["columns left out: Rate"]) == (errors_of(sheet), sheet.notes)
    [rate] = sheet.rates
    assert ("44", "UK", 20_000, 0) == (
        rate.prefix, rate.destination, rate.price_micros_per_minute,
        rate.buy_price_micros_per_minute,
    )  # fmt: skip
    assert ["line 2, colour: no column of ours"] == errors_of(
        read(text, headings=(*headings[:2], ("Cost", "colour")), increments=(1, 1))
    )[:1]
    assert ["line 1: no row of the first 30 has the headings 'Where', 'Cost'"] == errors_of(
        read(text, headings=(("Where", "destination"), headings[2]))
    )


def test_lines_above_the_header_may_be_skipped() -> None:
    text = 'Rates;Codes;"\nhalf a quotation\nsep=;\nCode;Rate;Increments\n44;0.01;1/1\n45;x;1/1\n'
    sheet = read(text, skip_lines=3)
    assert ["line 6, Rate: 'x' is not an amount"] == [
        error.partition(": expected")[0] for error in errors_of(sheet)
    ]
    assert ["line 1: the sheet is empty"] == errors_of(read(text, skip_lines=9))
    assert 7 == read(text + '"', skip_lines=3).errors[-1].line
    workbook = (SHEETS / "good" / "07_workbook.xlsx").read_bytes()
    assert [] == read_rate_sheet(workbook).errors
    assert [] != read_rate_sheet(workbook, SheetOptions(skip_lines=5)).errors


@pytest.mark.parametrize(
    ("header", "columns"),
    [
        ("Breakout,Rate,Code", ["destination", "price_per_minute", "prefix"]),
        ("Country Name,Breakout,Rate", ["destination", "prefix", "price_per_minute"]),
        ("Country Name,Breakout,Area Prefix", ["", "destination", "prefix"]),
        ("Country,Destination,Area Prefix", ["", "destination", "prefix"]),
        ("Country Code,Area Prefix,Country Name", ["country_code", "prefix", "destination"]),
        ("Breakout Name,Breakout Code,USD/Min", ["destination", "prefix", "price_per_minute"]),
        ("Dest Name,Dial Prefixes,Pulse", ["destination", "prefix", "increments"]),
        ("E.164,Valid Till,Eff. Date", ["prefix", "effective_until", "effective_from"]),
        ("1st,next,Rate", ["initial", "increment", "price_per_minute"]),
        ("Min/Incr,Prefix", ["increments", "prefix"]),
        ("Prefix,Set-up", ["prefix", "connection_fee"]),
        ("Increment (sec),Minimum (sec)", ["increment", "initial"]),
        ("Flagfall,Prefix", ["connection_fee", "prefix"]),
        ("Vorwahl,Ziel,Preis/Min.,Gueltig ab", [
            "prefix", "destination", "price_per_minute", "effective_from",
        ]),
        ("INDICATIF,Pays,Prix à la minute", ["prefix", "destination", "price_per_minute"]),
        ("Código,País,Tarifa,Facturación", [
            "prefix", "destination", "price_per_minute", "increments",
        ]),
    ],
)  # fmt: skip
def test_headings_are_known_in_the_words_carriers_use(header: str, columns: list[str]) -> None:
    assert columns == list(layout_of(header.split(",")).columns)


def test_a_heading_means_one_column_only() -> None:
    words = [word for words in HEADING_WORDS.values() for word in words]
    assert [] == sorted(word for word in set(words) if words.count(word) > 1)
    assert [] == [word for word in words if word != words_of(word)]


@pytest.mark.parametrize(
    ("row", "problem"),
    [
        ("49,DE,0.05,60", "columns 1 and 4 may be prefixes"),
        ("49,DE,0.05,60,7", "columns 1, 4 and 5 may be prefixes"),
        ("1,684,0.05,60/6", "columns 1 and 2 may be prefixes"),
        ("49,DE,0.05,0.04", "columns 3 and 4 may be prices with decimals"),
        ("49,DE,5,60,6", "no column looks like prices with decimals"),
        ("DE,0.05", "no column looks like prefixes"),
    ],
)
def test_a_sheet_without_header_is_not_guessed_in_doubt(row: str, problem: str) -> None:
    [error] = read(f"{row}\n{row}\n").errors
    assert error.message.startswith(f"no header, and {problem}: say which is which (--columns ")


def test_words_of_a_header_that_none_is_known_of_are_told() -> None:
    [error] = read("Offer of May\nFoo,Bar,Baz 2\n49,DE,0.05\n").errors
    assert (2, True) == (
        error.line, error.message.startswith("of the headings 'Foo', 'Bar', 'Baz 2' none is known"),
    )  # fmt: skip


def test_a_title_in_words_of_a_header_is_none() -> None:
    [rate] = read("Rates,Valid from,1.5.2027\nCode,Rate,Billing\n44,0.01,60/6\n").rates
    assert ("44", 10_000) == (rate.prefix, rate.price_micros_per_minute)


@pytest.mark.parametrize(
    ("cell", "date"),
    [
        ("Jan 5, 2027", "2027-01-05"),
        ("January 5th 2027", "2027-01-05"),
        ("Tuesday, January 5, 2027", "2027-01-05"),
        ("Di., 5. Januar 2027", "2027-01-05"),
        ("5. März 2027", "2027-03-05"),
        ("1er juin 2027", "2027-06-01"),
        ("1 juin 2027", "2027-06-01"),
        ("1 juil. 2027", "2027-07-01"),
        ("1 de ago. de 2027", "2027-08-01"),
        ("5-Dez-27", "2027-12-05"),
        ("5 Foo 2027", None),
    ],
)
def test_months_have_the_names_of_several_languages(cell: str, date: str | None) -> None:
    sheet = read(f'Code,Rate,Increments,Effective\n44,1,1/1,"{cell}"\n')
    dates = [rate.effective_from and rate.effective_from.date().isoformat() for rate in sheet.rates]
    assert ([] if date is None else [date]) == dates


@pytest.mark.parametrize(
    ("cell", "micros"), [(".011", 11_000), (".5", 500_000), ("USD .011", 11_000), ("$.25", 250_000)]
)
def test_an_amount_may_begin_with_its_decimal_sign(cell: str, micros: int) -> None:
    [rate] = read(f"Code;Rate;Increments\n44;{cell};1/1\n").rates
    assert micros == rate.price_micros_per_minute
    [rate] = read(f"Code;Rate;Increments\n44;{cell.replace('.', ',')};1/1\n").rates
    assert micros == rate.price_micros_per_minute


def test_three_decimals_behind_a_zero_tell_the_decimal_sign() -> None:
    [rate] = read("Code;Rate;Increments\n44;0,125;1/1\n").rates
    assert 125_000 == rate.price_micros_per_minute


def test_one_number_is_both_increments() -> None:
    [rate] = read("Code,Rate,Billing\n44,0.01,60\n").rates
    assert (60, 60) == (rate.initial_s, rate.increment_s)


@pytest.mark.parametrize("cell", ["15/12/26", "15.12.26", "15-Dec-26"])
def test_a_year_of_two_digits_is_of_this_century(cell: str) -> None:
    text = f"Code,Rate,Increments,Effective\n44,1,1/1,{cell}\n"
    [rate] = read(text, date_order=DateOrder.DMY).rates
    assert datetime(2026, 12, 15, tzinfo=UTC) == rate.effective_from


@pytest.mark.parametrize("cell", [".", ",", "..5", ".5.", ".,5"])
def test_a_decimal_sign_alone_is_no_amount(cell: str) -> None:
    [error] = read(f"Code;Rate;Increments\n44;{cell};1/1\n").errors
    assert "is not an amount" in error.message


@pytest.mark.parametrize(
    ("cell", "day"), [("20261215", 15), ("2026-12-16", 16), ("20261232", None), ("15122026", None)]
)
def test_a_date_may_be_eight_digits_year_first(cell: str, day: int | None) -> None:
    for order in (None, *DateOrder):
        sheet = read(f"Code,Rate,Increments,Effective\n44,1,1/1,{cell}\n", date_order=order)
        dates = [rate.effective_from and rate.effective_from.day for rate in sheet.rates]
        assert ([] if day is None else [day]) == dates
        assert (day is None) == any("is not a date" in error for error in errors_of(sheet))


def test_a_doubtful_decimal_sign_and_a_second_price_can_be_settled() -> None:
    text = "Code;Rate;Old price;Price;Increments\n44;1,234;2;3;1/1\n"
    [rate] = read(text, decimal=",", ignored=("Price",)).rates
    assert 1_234_000 == rate.price_micros_per_minute


def test_the_format_can_be_forced() -> None:
    text = "dialprefix,rateinitial,initial\n44,0.01,1\n"
    assert A2BILLING_RULES == read("dialprefix,rateinitial\n44,0.01\n").rules
    assert ["line 1, initial: not a column of A2Billing's rates"] == errors_of(read(text))
    plain = "prefix,destination,price_per_minute,initial\n44,UK,0.01,1\n"
    assert ["line 1: no header with dialprefix and rateinitial: not A2Billing's export"] == (
        errors_of(read(plain, format=SheetFormat.A2BILLING))
    )


def test_a_country_code_may_go_before_each_prefix() -> None:
    sheet = read('Code,Rate,Increments\n"201, 203-204",0.01,6/6\n', country_code="1")
    assert ["1201", "1203", "1204"] == [rate.prefix for rate in sheet.rates]
    assert ["line 2, Code: empty"] == errors_of(
        read("Code,Rate,Increments\n,0.01,6/6\n", country_code="1")
    )


@pytest.mark.parametrize(
    ("header", "first_comes_after"), [("", 6_000), (",hours", 10_001), (",effective_until", 10_001)]
)
def test_rates_come_as_the_sheet_is_read_unless_they_must_be_seen_together(
    header: str, first_comes_after: int
) -> None:
    lines = "".join(f"{number},UK,0.01,1\n" for number in range(10_000, 20_000))
    text = f"prefix,destination,price_per_minute,initial{header}\n{lines}44,UK,dear,1\n"
    seen = [0]
    reading = open_rate_sheet(text.encode(), progress=seen.append)
    assert "10000" == next(reading.rates).prefix
    assert seen[-1] < first_comes_after
    assert (header == "") == ([] == reading.errors)
    list(reading.rates)
    assert [10_002] == [error.line for error in reading.errors]


def test_progress_tells_the_line_reached() -> None:
    lines = "".join(f"44{number},UK,0.01,1\n" for number in range(2_500))
    seen: list[int] = []
    content = ("prefix,destination,price_per_minute,initial\n" + lines).encode()
    assert 2_500 == len(read_rate_sheet(content, progress=seen.append).rates)
    assert [1_000, 2_000] == seen


@given(
    st.one_of(
        st.binary(max_size=300),
        st.text("prefix,;\t|\n\"'-/0123456789.:°é", max_size=300).map(str.encode),
        st.tuples(st.sampled_from([path.read_bytes() for path in GOOD]), st.integers(0, 3_000)).map(
            lambda pair: pair[0][: pair[1]]
        ),
    )
)
@settings(deadline=None)
def test_no_content_raises_anything(content: bytes) -> None:
    sheet = read_rate_sheet(content)
    assert sheet.rates or sheet.errors
