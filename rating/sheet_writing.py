"""Rates as a plain sheet, for export: reading it back gives rates that price the same."""

import csv
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from io import StringIO

from rating.hours import Interval, format_hours
from rating.money import format_money
from rating.rate import Rate
from rating.rate_terms import format_stage, rates_by_hours
from rating.sheet_columns import MONEY_COLUMNS, MORE_COLUMNS, PLAIN_HEADER, SECONDS_COLUMNS

_PLAIN_RATE = Rate(prefix="0")


def needed_columns(rates: Iterable[Rate]) -> tuple[str, ...]:
    """The header of a sheet of these rates: `PLAIN_HEADER` and what they need of `MORE_COLUMNS`."""
    needed = {column for rate in rates for row in _rows(rate) for column in row}
    return (*PLAIN_HEADER, *(column for column in MORE_COLUMNS if column in needed))


def write_plain_sheet(rates: Sequence[Rate]) -> Iterator[str]:
    """Lines of CSV: a header of `needed_columns`, and the rates."""
    columns = needed_columns(rates)
    yield header_line(columns)
    yield from rate_lines(rates, columns)


def header_line(columns: Sequence[str]) -> str:
    """The first line of a sheet with these columns."""
    return _line(columns)


def rate_lines(rates: Iterable[Rate], columns: Sequence[str]) -> Iterator[str]:
    """The lines of rates in a sheet with these columns, which must be all that they need."""
    for rate in rates:
        for row in _rows(rate):
            yield _line([row.get(column, "") for column in columns])


def _line(cells: Sequence[str]) -> str:
    # As it is, also where a spreadsheet would take it for a formula: the sheet is imported again,
    # and a destination must come back the same.
    line = StringIO()
    csv.writer(line, lineterminator="\n").writerow(cells)
    return line.getvalue()


def _rows(rate: Rate) -> Iterator[dict[str, str]]:
    """A row for the rate, and one for each other rate that has hours of it."""
    yield _row(replace(rate, windows=()), ())
    for other, hours in rates_by_hours(rate):
        yield _row(other, hours)


def _row(rate: Rate, hours: tuple[Interval, ...]) -> dict[str, str]:
    row = {"prefix": rate.prefix, "destination": rate.destination}
    if rate.effective_from is not None:
        row["effective_from"] = rate.effective_from.isoformat().replace("+00:00", "Z")
    if hours:
        row["hours"] = format_hours(hours)
    if rate.blocked or rate.withdrawn:
        row["action"] = "block" if rate.blocked else "delete"
        return row
    row["price_per_minute"] = format_money(rate.price_micros_per_minute)
    row["initial"] = str(rate.initial_s)
    for column, field in MONEY_COLUMNS.items():
        if getattr(rate, field) != getattr(_PLAIN_RATE, field):
            row[column] = format_money(getattr(rate, field))
    for column, field in SECONDS_COLUMNS.items():
        if getattr(rate, field) != getattr(_PLAIN_RATE, field):
            row[column] = str(getattr(rate, field))
    if rate.stages:
        row["stages"] = " ".join(map(format_stage, rate.stages))
    return row
