"""The table of columns in docs/rating.md, and config/rates-every-column.csv beside it."""

import csv
import re
from datetime import UTC, datetime
from io import StringIO

import pytest
from written_from_code import DOCS

from rating.money import parse_money
from rating.price import price_call
from rating.rate import Rate
from rating.rate_sheet import RateSheet, SheetOptions, read_rate_sheet
from rating.sheet_columns import (
    MONEY_COLUMNS,
    MORE_COLUMNS,
    OTHER_COLUMNS,
    PLAIN_HEADER,
    SECONDS_COLUMNS,
)

SECTION = (DOCS / "rating.md").read_text().split("### Columns of a rate sheet\n")[1]
ROWS = re.findall(r"^\| `(\w+)` \|(.*)\|(.*)\| (.*) \| (.*) \|$", SECTION, re.MULTILINE)
EXAMPLES = [(name, each) for name, *_, cell in ROWS for each in re.findall("`(.*?)`", cell)]
EVERY_COLUMN = (DOCS.parent / "config/rates-every-column.csv").read_text()
A_MONDAY_NOON = datetime(2026, 11, 30, 12, tzinfo=UTC)


def read(*rows: dict[str, str]) -> RateSheet:
    text = StringIO()
    writer = csv.DictWriter(text, dict.fromkeys(name for row in rows for name in row))
    writer.writeheader()
    writer.writerows(rows)
    return read_rate_sheet(text.getvalue().encode(), SheetOptions(currency="USD"))


def test_the_table_has_every_column_and_no_other() -> None:
    assert [*PLAIN_HEADER, *MORE_COLUMNS, *OTHER_COLUMNS] == [name for name, *_ in ROWS]
    assert all(form.strip() and meaning.strip() for _, form, meaning, _, _ in ROWS)


def test_the_defaults_are_those_of_a_rate() -> None:
    fields, plain = MONEY_COLUMNS | SECONDS_COLUMNS, Rate(prefix="0")
    for name, _, _, default, _ in ROWS:
        if name in fields and not default.startswith("required"):
            assert f"`{getattr(plain, fields[name])}`" == default.split(":")[0], name


@pytest.mark.parametrize(("column", "example"), EXAMPLES)
def test_each_example_is_read_and_says_something(column: str, example: str) -> None:
    usual = {"prefix": "1", "price_per_minute": "1", "initial": "60"}
    row = usual | {column: example}
    if column == "increments":
        del row["initial"]
    rows = [row, usual] if column == "hours" else [row]
    sheet = read(*rows)
    assert [] == sheet.errors
    # A currency changes nothing: it is checked.
    assert (column != "currency") == (sheet.rates != read(usual).rates)
    assert column != "currency" or read(row | {column: "EUR"}).errors


def test_the_example_sheet_has_every_column_of_a_card_and_a_value_in_each() -> None:
    lines = [row for row in csv.reader(EVERY_COLUMN.splitlines()) if len(row) > 1]
    header, *rates = lines
    assert [*PLAIN_HEADER, *MORE_COLUMNS] == header
    assert [] == [name for name, *cells in zip(header, *rates, strict=True) if not any(cells)]


def test_calls_cost_by_the_example_sheet_what_it_says() -> None:
    sheet = read_rate_sheet(EVERY_COLUMN.encode())
    assert [] == sheet.errors
    rates = {rate.prefix: rate for rate in sheet.rates}
    told = re.findall(r"call to (\d+) of (\d+) s costs (\d\.\d+)", EVERY_COLUMN)
    assert ["44", "44", "4487", "33", "883"] == [prefix for prefix, *_ in told]
    for prefix, seconds, cost in told:
        price = price_call(rates[prefix], int(seconds), started_at=A_MONDAY_NOON)
        assert parse_money(cost) == price.total_micros, prefix
