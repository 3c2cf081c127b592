"""What commands print: tables for people, JSON for programs."""

import json
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from enum import IntEnum
from typing import Any

import click
from rich.console import Console
from rich.table import Table
from rich.text import Text

from rating.money import format_money

# Where nobody reads along, a table is as wide as its text: nothing is cut for grep.
_WIDE = 10_000


def print_json(value: object) -> None:
    """One JSON document: an object for one thing, an array for a list."""
    click.echo(json.dumps(value, indent=2, default=_plain))


def print_table(columns: Sequence[str], rows: Iterable[Sequence[object]], nothing: str) -> None:
    """A table; `nothing` is printed to stderr when it would be empty."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    for column in columns:
        table.add_column(column, overflow="fold")
    for row in rows:
        table.add_row(*(_cell(value) for value in row))
    if table.row_count:
        _console().print(table)
    else:
        click.echo(nothing, err=True)


def print_fields(fields: Iterable[tuple[str, object]]) -> None:
    """One thing, a field a line."""
    table = Table(box=None, pad_edge=False, show_header=False)
    table.add_column(style="bold")
    table.add_column(overflow="fold")
    for name, value in fields:
        table.add_row(name, _cell(value))
    _console().print(table)


def money(micros: int | None) -> str | None:
    """An amount as JSON and tables show it."""
    return None if micros is None else format_money(micros)


def word(value: IntEnum) -> str:
    """The word for a coded value: `waiting_payment`."""
    return value.name.lower()


def time(value: datetime | None) -> str | None:
    """UTC, to the millisecond."""
    if value is None:
        return None
    text = value.astimezone(UTC).isoformat(timespec="milliseconds")
    return text.replace("+00:00", "Z")


def _console() -> Console:
    console = Console(highlight=False)
    return console if console.is_terminal else Console(highlight=False, width=_WIDE)


def _cell(value: object) -> Text:
    """Text as it is: no markup, and no control characters that a caller sent."""
    match value:
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


def _plain(value: Any) -> object:
    if isinstance(value, datetime):
        return time(value)
    raise TypeError(f"no JSON for {type(value).__name__}")
