"""What commands print: tables for people, JSON for programs."""

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from enum import IntEnum

import click
from rich.console import Console
from rich.table import Table
from rich.text import Text

from rating.money import format_money


def print_json(value: object) -> None:
    """One JSON document: an object for one thing, an array for a list."""
    click.echo(json_text(value), nl=False)


def json_text(value: object) -> str:
    """The same as a text, with its last line ended."""
    return json.dumps(value, indent=2) + "\n"


def print_list(
    rows: Sequence[Mapping[str, object]],
    *,
    as_json: bool,
    nothing: str = "",
    columns: Sequence[str] = (),
) -> None:
    """Things of a kind; a table shows `columns` (otherwise all), or says `nothing` to stderr."""
    if as_json:
        print_json(rows)
        return
    if not rows:
        click.echo(nothing, err=True)
        return
    shown = columns or list(rows[0])
    table = Table(box=None, pad_edge=False, header_style="bold")
    for column in shown:
        table.add_column(column.replace("_", " "), overflow="fold")
    for row in rows:
        table.add_row(*(_cell(row[column]) for column in shown))
    _print(table)


def print_one(fields: Mapping[str, object], *, as_json: bool) -> None:
    """One thing; for people a field a line."""
    if as_json:
        print_json(fields)
        return
    table = Table(box=None, pad_edge=False, show_header=False)
    table.add_column(style="bold")
    table.add_column(overflow="fold")
    for name, value in fields.items():
        table.add_row(name.replace("_", " "), _cell(value))
    _print(table)


def money(micros: int | None) -> str | None:
    """An amount as JSON and tables show it."""
    return None if micros is None else format_money(micros)


def word(value: IntEnum) -> str:
    """The word for a coded value: `waiting_payment`."""
    return value.name.lower()


def amount(micros: int | None, currency: str | None) -> str | None:
    """An amount in a table of several currencies: `0.33 USD`."""
    return None if micros is None else f"{format_money(micros)} {currency}"


def clock(duration_ms: int | None) -> str | None:
    """How long, in a table: minutes and whole seconds, `1:35`."""
    if duration_ms is None:
        return None
    minutes, seconds = divmod(duration_ms // 1000, 60)
    return f"{minutes}:{seconds:02}"


def percent(basis_points: int) -> str:
    """Hundredths of a percent as a percentage: at most 2 decimals, no zeros beyond need."""
    whole, hundredths = divmod(basis_points, 100)
    return f"{whole}.{hundredths:02d}".rstrip("0").rstrip(".")


def units(count: int | None, unit: str | None) -> str | None:
    """So much of a package: minutes and seconds, `85:00 min`, or `3 calls`."""
    if count is None or unit is None:
        return None
    return f"{clock(count * 1000)} min" if unit == "seconds" else f"{count} calls"


def moment(value: datetime) -> str:
    """When, in a table: UTC, to the second."""
    return value.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S")


def time(value: datetime | None) -> str | None:
    """UTC, to the millisecond."""
    if value is None:
        return None
    text = value.astimezone(UTC).isoformat(timespec="milliseconds")
    return text.replace("+00:00", "Z")


def _print(table: Table) -> None:
    console = Console(highlight=False)
    if console.is_terminal:
        console.print(table)
        return
    # Nobody reads along: as wide as its text, so that nothing is cut for grep.
    console = Console(highlight=False, width=10_000)
    with console.capture() as captured:
        console.print(table)
    for line in captured.get().splitlines():
        click.echo(line.rstrip())


def _cell(value: object) -> Text:
    """As it is: no markup, and no control characters that a caller sent. A Text keeps its style."""
    match value:
        case Text():
            return value
        case None:
            text = ""
        case bool():
            text = "yes" if value else "no"
        case list() | tuple():
            text = ", ".join(str(each) for each in value)
        case _:
            text = str(value)
    if not text.isprintable():
        text = text.encode("unicode_escape").decode()
    return Text(text)
