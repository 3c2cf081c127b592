"""What an upload says of its rate sheet: texts of the console's form or of a query of the API."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from zoneinfo import ZoneInfo

from agi_server.accounts.field_rules import timezone
from agi_server.refused import InvalidFieldError, InvalidFieldsError
from rating.rate_sheet import DateOrder, SheetOptions
from rating.sheet_options import (
    SheetOptionError,
    parse_columns,
    parse_country_code,
    parse_increments,
)

_MOST_SKIPPED = 1_000_000
_DECIMAL_SIGNS = (".", ",")


@dataclass(frozen=True, slots=True, kw_only=True)
class SaidOfSheet:
    """`options` without currency and zone, which are the card's; another `zone` if it was said."""

    options: SheetOptions
    zone: ZoneInfo | None = None


def said_of_sheet(texts: Mapping[str, str]) -> SaidOfSheet:
    """The options of `rates import` by their names, with `_` for `-`; an empty text says nothing.

    Raises InvalidFieldsError with all that are not as they must be.
    """
    problems: list[InvalidFieldError] = []
    said: dict[str, Any] = {}
    for name, parse in _PARSERS.items():
        text = texts.get(name, "").strip()
        if text:
            try:
                said[name] = parse(text)
            except ValueError as error:  # SheetOptionError is one
                problems.append(InvalidFieldError(name, str(error)))
    if problems:
        raise InvalidFieldsError(problems)
    columns, headings = said.get("columns", ((), ()))
    options = SheetOptions(
        columns=columns,
        headings=headings,
        ignored=said.get("ignore", ()),
        skip_lines=said.get("skip_lines", 0),
        date_order=said.get("dates"),
        decimal=said.get("decimal", ""),
        increments=said.get("increments"),
        country_code=said.get("country_code", ""),
        worksheet=said.get("worksheet", ""),
    )
    return SaidOfSheet(options=options, zone=said.get("timezone"))


def _ignored(text: str) -> tuple[str, ...]:
    return tuple(name for name in (part.strip() for part in text.split(",")) if name)


def _skipped(text: str) -> int:
    if not (text.isascii() and text.isdigit() and int(text[:8]) <= _MOST_SKIPPED):
        raise SheetOptionError("must be a whole number")
    return int(text)


def _order(text: str) -> DateOrder:
    if text not in list(DateOrder):
        raise SheetOptionError(f"must be one of {', '.join(DateOrder)}")
    return DateOrder(text)


def _decimal(text: str) -> str:
    if text not in _DECIMAL_SIGNS:
        raise SheetOptionError(f"must be one of {' '.join(_DECIMAL_SIGNS)}")
    return text


def _zone(text: str) -> ZoneInfo:
    return ZoneInfo(timezone(text))


_PARSERS: dict[str, Callable[[str], Any]] = {
    "columns": parse_columns,
    "ignore": _ignored,
    "skip_lines": _skipped,
    "dates": _order,
    "decimal": _decimal,
    "increments": parse_increments,
    "country_code": parse_country_code,
    "worksheet": str,
    "timezone": _zone,
}
SAID = tuple(_PARSERS)
"""The names of what may be said."""
