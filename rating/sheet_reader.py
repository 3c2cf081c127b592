"""Rows of a rate sheet to rates, by a layout of its columns."""

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import UTC, datetime, tzinfo
from functools import partial
from typing import Any

from rating.hours import HoursError, Interval, parse_hours
from rating.rate import RateError, rate_of_terms
from rating.sheet_cells import (
    Action,
    CellError,
    DateOrder,
    read_action,
    read_date,
    read_increments,
    read_money,
    read_prefixes,
    read_seconds,
    read_stages,
    read_yes,
    shown,
)
from rating.sheet_columns import MONEY_COLUMNS, REQUIRED_COLUMNS, SECONDS_COLUMNS, Layout
from rating.sheet_entries import SheetEntry, SheetError

_FIELD_OF_COLUMN = {**MONEY_COLUMNS, **SECONDS_COLUMNS, "stages": "stages"}
_COLUMN_OF_FIELD = {field: column for column, field in _FIELD_OF_COLUMN.items()}
_INCREMENT_FIELDS = {
    "increments": ("initial_s", "increment_s"),
    "buy_increments": ("buy_initial_s", "buy_increment_s"),
}

_PLAIN_TEXTS = ("prefix", "country_code", "destination")
_MOST_KNOWN = 20_000
_CellReader = Callable[[str], object]


class CarrierReader:
    """Reads rows whose columns a layout names; what is wrong becomes an error of its line."""

    def __init__(
        self,
        layout: Layout,
        *,
        zone: tzinfo = UTC,
        date_order: DateOrder | None = None,
        decimal: str = ".",
        increments: tuple[int, int] | None = None,
        currency: str = "",
        country_code: str = "",
    ) -> None:
        self.layout = layout
        self._zone = zone
        self._date_order = date_order
        self._decimal = decimal
        self._increments = increments
        self._currency = currency
        self._country_code = country_code
        # Of each column its reader, None where the text is the value, and the values of the texts
        # met so far: carriers repeat most of them.
        self._cells: tuple[tuple[str, _CellReader | None, dict[str, object]], ...] = tuple(
            (column, self._cell_reader(column), {}) for column in layout.columns
        )
        self._fields = tuple(
            (column, _FIELD_OF_COLUMN[column])
            for column in layout.columns
            if column in _FIELD_OF_COLUMN
        )
        self._pairs = tuple(
            (column, _INCREMENT_FIELDS[column])
            for column in layout.columns
            if column in _INCREMENT_FIELDS
        )
        self._has_actions = not {"action", "blocked"}.isdisjoint(layout.columns)
        self._usual = {"prefix", "price_per_minute"}
        if increments is None:
            self._usual.add("initial" if "initial" in layout.columns else "increments")
        # The first line with a prefix, and whether it has a country code beside it.
        self._first_line: int | None = None
        self._first_filled = False
        # The prefixes that rows delete, and the line of each.
        self.deletes: dict[str, int] = {}
        self.prefix_heading = layout.heading("prefix")
        # Whether rows may be in force in some hours only, or until a date.
        self.has_periods = not {"hours", "effective_until"}.isdisjoint(layout.columns)

    def entries(
        self, line: int, cells: Sequence[str], errors: list[SheetError]
    ) -> Iterable[SheetEntry]:
        """What one row says: an entry for each of its prefixes, or errors appended."""
        before = len(errors)
        width = len(self._cells)
        if len(cells) > width and any(cell.strip() for cell in cells[width:]):
            message = f"{len(cells)} cells, the header has {width}"
            errors.append(SheetError(line, "", message))
            return ()
        values: dict[str, Any] = {}
        for (column, read, known), cell in zip(self._cells, cells, strict=False):
            text = cell.strip()
            if text and column:
                if read is None:
                    values[column] = text
                elif text in known:
                    values[column] = known[text]
                else:
                    try:
                        values[column] = value = read(text)
                    except (CellError, HoursError) as error:
                        errors.append(SheetError(line, self.layout.heading(column), str(error)))
                        values[column] = None  # not missing, and already complained of
                    else:
                        if len(known) < _MOST_KNOWN:
                            known[text] = value
        action = self._action(values)
        if action is not Action.PRICE or not self._usual <= values.keys():
            errors += self._missing(line, cells, values, action)
        prefixes = self._prefixes(line, values, errors)
        return self._rates(line, prefixes, values, action, errors) if len(errors) == before else ()

    def _cell_reader(self, column: str) -> "_CellReader | None":
        if not column or column in _PLAIN_TEXTS:
            return None
        if column == "price_per_minute":
            return self._price_or_action
        if column in MONEY_COLUMNS:
            return self._money
        if column in SECONDS_COLUMNS:
            return read_seconds
        if column in _INCREMENT_FIELDS:
            return read_increments
        if column in ("effective_from", "effective_until"):
            as_end = column == "effective_until"
            return partial(read_date, order=self._date_order, zone=self._zone, as_end=as_end)
        return {
            "action": read_action,
            "blocked": _blocks,
            "stages": read_stages,
            "hours": parse_hours,
            "currency": self._currency_cell,
        }[column]

    def _money(self, text: str) -> int:
        return read_money(text, self._decimal, self._currency)

    def _currency_cell(self, text: str) -> str:
        if self._currency and text.upper() != self._currency:
            raise CellError(f"{shown(text)}: the card is in {self._currency}")
        return text

    def _price_or_action(self, text: str) -> int | Action:
        """Micros, or that the prefix is blocked, which some write where the price would stand."""
        try:
            return read_money(text, self._decimal, self._currency)
        except CellError:
            if text[:1].isalpha():
                try:
                    action = read_action(text)
                except CellError:
                    action = Action.PRICE
                if action is not Action.PRICE:
                    return action
            raise

    def _action(self, values: dict[str, Any]) -> Action:
        """What the row does: deleting goes before blocking, and that before pricing."""
        price = values.get("price_per_minute")
        if not self._has_actions and type(price) is int:
            return Action.PRICE
        actions = [values.get("action"), values.get("blocked"), price]
        for action in (Action.DELETE, Action.BLOCK):
            if action in actions:
                return action
        return Action.PRICE

    def _missing(
        self, line: int, cells: Sequence[str], values: dict[str, Any], action: Action
    ) -> Iterator[SheetError]:
        needed = {"prefix"}
        if action is Action.PRICE:
            needed.add("price_per_minute")
            if self._increments is None:
                needed.add("initial" if "initial" in self.layout.columns else "increments")
        for index, column in enumerate(self.layout.columns):
            empty = column in needed and column not in values
            if column == "prefix" and values.get("country_code"):
                empty = False
            if column in REQUIRED_COLUMNS or column == "increments":
                if index >= len(cells) and (column in needed or column == "destination"):
                    yield SheetError(line, self.layout.headings[index], "missing")
                elif empty:
                    yield SheetError(line, self.layout.headings[index], "empty")

    def _prefixes(self, line: int, values: dict[str, Any], errors: list[SheetError]) -> list[str]:
        prefix, country_code = values.get("prefix", ""), values.get("country_code", "")
        if not prefix and not country_code:
            return []  # complained of as missing
        if not self._country_code and "country_code" in self.layout.columns:
            self._check_country_code(line, bool(country_code), errors)
        try:
            return read_prefixes(prefix, country_code or self._country_code)
        except CellError as error:
            errors.append(SheetError(line, self.prefix_heading, str(error)))
            return []

    def _check_country_code(self, line: int, filled: bool, errors: list[SheetError]) -> None:
        """All lines have one or none has. Below 44 and 20 a line with 21 alone is 4421 where cells
        were merged, and else a country of its own."""
        if self._first_line is None:
            self._first_line, self._first_filled = line, filled
        elif filled is not self._first_filled:
            message = f"empty, though line {self._first_line} has one: fill it in"
            if filled:
                message = f"filled in, though line {self._first_line} has none: fill all or none"
            heading = self.layout.heading("country_code")
            errors.append(SheetError(line, heading, message))

    def _rates(
        self,
        line: int,
        prefixes: list[str],
        values: dict[str, Any],
        action: Action,
        errors: list[SheetError],
    ) -> list[SheetEntry]:
        terms: dict[str, Any] = {
            "destination": _one_line(values.get("destination", "")),
            "effective_from": values.get("effective_from"),
        }
        hours: tuple[Interval, ...] = values.get("hours") or ()
        until: datetime | None = values.get("effective_until")
        if action is Action.PRICE:
            self._add_terms(terms, values)
        else:
            terms["blocked" if action is Action.BLOCK else "withdrawn"] = True
            if action is Action.DELETE:
                self.deletes |= dict.fromkeys(prefixes, line)
                if hours:
                    errors.append(SheetError(line, self.layout.heading("hours"), _DELETES_HOURS))
                    return []
        try:
            return [
                SheetEntry(line, rate_of_terms(prefix, terms), hours, until) for prefix in prefixes
            ]
        except RateError as error:
            field, _, message = str(error).partition(": ")
            column = _COLUMN_OF_FIELD.get(field, field)
            errors.append(SheetError(line, self.layout.heading(column), message))
            return []

    def _add_terms(self, terms: dict[str, Any], values: dict[str, Any]) -> None:
        if self._increments is not None:
            terms["initial_s"], terms["increment_s"] = self._increments
        for column, field in self._fields:
            if column in values:
                terms[field] = values[column]
        for column, (initial, increment) in self._pairs:
            if column in values:
                terms[initial], terms[increment] = values[column]


_DELETES_HOURS = (
    "a delete is for all hours: leave them empty, or block these hours, or give them a price"
)


def _one_line(text: str) -> str:
    """Without what a terminal would obey: cells of a workbook are wrapped, and break lists."""
    if text.isprintable():
        return text
    return re.sub(r"\s*[\x00-\x1f\x7f-\x9f]\s*", " ", text).strip()


def _blocks(text: str) -> Action:
    return Action.BLOCK if read_yes(text) else Action.PRICE
