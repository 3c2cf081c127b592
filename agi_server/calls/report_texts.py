"""A report as texts, for tables, JSON and CSV. Pure."""

import csv
from collections.abc import Iterable, Sequence
from io import StringIO

from agi_server.calls.reports import ReportBy, ReportRow
from agi_server.csv_cells import plain_cell
from rating.money import format_money

EVERYTHING = (
    "dialled", "answered", "refused", "asr_percent", "minutes", "acd", "revenue", "cost", "margin",
    "margin_percent", "currency",
)  # fmt: skip
"""All columns beside those that name the row."""


def columns_of(by: ReportBy, wanted: Sequence[str]) -> tuple[str, ...]:
    """The columns that are wanted, after those that name the row."""
    return ("prefix", "destination", *wanted) if by == "destination" else (by, *wanted)


def texts_of(row: ReportRow, by: ReportBy) -> dict[str, int | str | None]:
    """All columns of a row: money as decimal strings, minutes and percents with 2 decimals."""
    return {
        "prefix" if by == "destination" else by: row.key,
        "destination": row.destination,
        "dialled": row.dialled,
        "answered": row.answered,
        "refused": row.refused,
        "minutes": _hundredths(row.billed_seconds * 100 // 60),
        "revenue": format_money(row.revenue_micros),
        "cost": format_money(row.buy_cost_micros),
        "margin": format_money(row.margin_micros),
        "margin_percent": _hundredths(row.margin_basis_points),
        "asr_percent": _hundredths(row.asr_basis_points),
        "acd": None if row.acd_ms is None else _clock(row.acd_ms),
        "currency": row.currency,
    }


def as_csv(rows: Iterable[ReportRow], by: ReportBy, wanted: Sequence[str] = EVERYTHING) -> str:
    """The columns that are wanted, under their names. No cell is a formula: destinations are named
    by carriers."""
    out = StringIO()
    names = columns_of(by, wanted)
    writer = csv.DictWriter(out, names, lineterminator="\n", extrasaction="ignore")
    writer.writeheader()
    writer.writerows(
        {name: plain_cell(text) for name, text in texts_of(row, by).items()} for row in rows
    )
    return out.getvalue()


def _hundredths(value: int | None) -> str | None:
    if value is None:
        return None
    sign, digits = "-" * (value < 0), abs(value)
    return f"{sign}{digits // 100}.{digits % 100:02}"


def _clock(duration_ms: int) -> str:
    minutes, seconds = divmod(duration_ms // 1000, 60)
    return f"{minutes}:{seconds:02}"
