"""Rate sheets: text to rates, with every error by line and column."""

import csv
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo

from rating.money import MoneyError, parse_money
from rating.rate import Rate, RateError

PLAIN_HEADER = (
    "prefix",
    "destination",
    "price_per_minute",
    "initial",
    "increment",
    "connection_fee",
    "minimum_charge",
    "buy_price_per_minute",
    "buy_initial",
    "buy_increment",
    "effective_from",
)
"""Columns of the plain sheet (shared/contracts.md, section 8)."""
REQUIRED_COLUMNS = PLAIN_HEADER[:4]

_MONEY_FIELDS = {
    "price_per_minute": "price_micros_per_minute",
    "connection_fee": "connection_fee_micros",
    "minimum_charge": "minimum_charge_micros",
    "buy_price_per_minute": "buy_price_micros_per_minute",
}
_SECONDS_FIELDS = {
    "initial": "initial_s",
    "increment": "increment_s",
    "buy_initial": "buy_initial_s",
    "buy_increment": "buy_increment_s",
}
_COLUMN_OF_FIELD = {
    field: column for column, field in (_MONEY_FIELDS | _SECONDS_FIELDS).items()
} | {"prefix": "prefix", "effective_from": "effective_from"}


@dataclass(frozen=True, slots=True)
class SheetError:
    """One thing wrong in a sheet: `line` counts from 1, `column` is the header's word or empty."""

    line: int
    column: str
    message: str

    def __str__(self) -> str:
        where = f"line {self.line}" + (f", {self.column}" if self.column else "")
        return f"{where}: {self.message}"


@dataclass(frozen=True, slots=True)
class RateSheet:
    """What a sheet says. With any error nothing of it is to be imported."""

    rates: list[Rate]
    errors: list[SheetError]


def parse_plain_sheet(lines: Iterable[str], *, zone: tzinfo = UTC) -> RateSheet:
    """Read the plain sheet: CSV with a header of `PLAIN_HEADER`, the first four columns required.

    A missing or empty optional cell means the default: no fee, no minimum, nothing bought, billed
    by the second after the initial increment, in force always. Dates without a time begin at
    midnight in `zone`. Never raises: all errors are returned at once.
    """
    rates: list[Rate] = []
    errors: list[SheetError] = []
    records = _records(lines, errors)
    line, header = next(records, (1, []))
    names = [name.strip().lower() for name in header]
    errors += _header_errors(line, names)
    if errors:
        return RateSheet([], errors)
    seen: dict[tuple[str, datetime | None], int] = {}
    for line, cells in records:
        if len(cells) > len(names):
            message = f"{len(cells)} cells, the header has {len(names)}"
            errors.append(SheetError(line, "", message))
            continue
        rate = _rate_of(line, dict(zip(names, cells, strict=False)), zone, errors)
        if rate is None:
            continue
        first = seen.setdefault((rate.prefix, rate.effective_from), line)
        if first != line:
            message = f"{rate.prefix} from the same date stands in line {first} already"
            errors.append(SheetError(line, "prefix", message))
        rates.append(rate)
    return RateSheet(rates, errors)


def _records(lines: Iterable[str], errors: list[SheetError]) -> Iterator[tuple[int, list[str]]]:
    """Line number and cells of each line that is not empty, up to the first unreadable one."""
    reader = csv.reader(_without_bom(lines), strict=True)
    while True:
        line = reader.line_num + 1
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            errors.append(SheetError(reader.line_num, "", f"not readable as CSV: {error}"))
            return
        if any(cell.strip() for cell in cells):
            yield line, cells


def _without_bom(lines: Iterable[str]) -> Iterator[str]:
    for index, line in enumerate(lines):
        yield line if index else line.removeprefix("\ufeff")


def _header_errors(line: int, names: list[str]) -> Iterator[SheetError]:
    for name in REQUIRED_COLUMNS:
        if name not in names:
            yield SheetError(line, name, "column missing in the header")
    for index, name in enumerate(names):
        if name not in PLAIN_HEADER:
            yield SheetError(line, name, "unknown column")
        elif name in names[:index]:
            yield SheetError(line, name, "column twice in the header")


def _rate_of(line: int, row: dict[str, str], zone: tzinfo, errors: list[SheetError]) -> Rate | None:
    """The rate of one row, or None with its errors appended."""
    before = len(errors)
    fields: dict[str, object] = {
        "prefix": row["prefix"].strip().removeprefix("+"),
        "destination": row.get("destination", "").strip(),
    }
    for column, raw in row.items():
        text = raw.strip()
        if column in ("price_per_minute", "initial") and not text:
            errors.append(SheetError(line, column, "empty"))
        elif not text:
            continue
        elif column in _MONEY_FIELDS:
            try:
                fields[_MONEY_FIELDS[column]] = parse_money(text)
            except MoneyError as error:
                errors.append(SheetError(line, column, str(error)))
        elif column in _SECONDS_FIELDS:
            if text.isascii() and text.isdigit() and len(text) < 9:
                fields[_SECONDS_FIELDS[column]] = int(text)
            else:
                message = f"{text[:40]!r} is not a number of whole seconds"
                errors.append(SheetError(line, column, message))
        elif column == "effective_from":
            try:
                date = datetime.fromisoformat(text)
                date = date if date.tzinfo else date.replace(tzinfo=zone)
                fields["effective_from"] = date.astimezone(UTC)
            except (ValueError, OverflowError):
                message = f"{text[:40]!r} is not a date like 2025-01-31 or 2025-01-31T08:00:00Z"
                errors.append(SheetError(line, column, message))
    for column in REQUIRED_COLUMNS:
        if column not in row:
            errors.append(SheetError(line, column, "missing"))
    if len(errors) > before:
        return None
    try:
        return Rate(**fields)  # type: ignore[arg-type]
    except RateError as error:
        field, _, message = str(error).partition(": ")
        errors.append(SheetError(line, _COLUMN_OF_FIELD.get(field, field), message))
        return None
