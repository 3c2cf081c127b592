"""Rate sheets: what a file says, with every error by line and column. Nothing is ever raised."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, tzinfo
from enum import StrEnum
from itertools import chain, islice

from rating.a2billing import A2BILLING_RULES
from rating.rate import Rate
from rating.rate_card import OWN_RULES, PricingRules
from rating.sheet_a2billing import A2BillingReader, is_a2billing_header
from rating.sheet_cells import DateOrder as DateOrder
from rating.sheet_cells import decimal_sign
from rating.sheet_columns import (
    INCREMENT_COLUMNS,
    MONEY_COLUMNS,
    MORE_COLUMNS,
    OTHER_COLUMNS,
    REQUIRED_COLUMNS,
    Layout,
    column_of,
    guess_layout,
    has_headings,
    known_columns,
    layout_of,
    our_column,
    price_doubts,
    suggestion,
)
from rating.sheet_columns import PLAIN_HEADER as PLAIN_HEADER
from rating.sheet_entries import Entries, SheetEntry
from rating.sheet_entries import SheetError as SheetError
from rating.sheet_notes import NoteSifter
from rating.sheet_reader import CarrierReader
from rating.sheet_rows import (
    HEADER_WITHIN_ROWS,
    Row,
    SheetUnreadableError,
    delimited_rows,
    is_workbook,
    text_rows,
    workbook_rows,
)

_SAMPLE_ROWS = 5_000
"""Rows looked at to tell the header and the decimal sign."""


class SheetFormat(StrEnum):
    """What a file is: told by itself, A2Billing's export, or a sheet with a price a prefix."""

    AUTO = "auto"
    A2BILLING = "a2billing"
    CSV = "csv"


@dataclass(frozen=True, slots=True, kw_only=True)
class SheetOptions:
    """What a sheet does not say itself.

    Dates without a time begin at midnight in `zone`; `date_order` is needed for dates like
    31/01/2025. `decimal` is the sign before decimals, needed if it cannot be told. `columns` are
    our names of the columns of a sheet without a header (empty: not used). `headings` are those of
    the header that mean something else than we read there, or nothing to us, with our names for
    them. The first `skip_lines` are not read. `increments` (initial,
    further) hold where the sheet has none. With `currency` a sheet that names another is refused.
    `ignored` are headings of columns not to read. `worksheet` is the one of a workbook.
    `country_code` goes before each prefix of a sheet that leaves it out everywhere.
    """

    format: SheetFormat = SheetFormat.AUTO
    zone: tzinfo = UTC
    date_order: DateOrder | None = None
    decimal: str = ""
    columns: tuple[str, ...] = ()
    headings: tuple[tuple[str, str], ...] = ()
    skip_lines: int = 0
    increments: tuple[int, int] | None = None
    currency: str = ""
    ignored: tuple[str, ...] = ()
    worksheet: str = ""
    country_code: str = ""


@dataclass(frozen=True, slots=True)
class RateSheet:
    """What a sheet says. With any error nothing of it is to be imported.

    `notes` tell what was left out or assumed; `rules` are those that the format brings.
    """

    rates: list[Rate]
    errors: list[SheetError]
    notes: list[str] = field(default_factory=list)
    rules: PricingRules = OWN_RULES


@dataclass(frozen=True, slots=True)
class SheetReading:
    """A sheet being read: `rates` can be gone through once, and all else is known after that.

    `deletes` are the prefixes that it deletes, with the line of each.
    """

    rates: Iterator[Rate]
    errors: list[SheetError]
    notes: list[str]
    rules: PricingRules
    deletes: dict[str, int] = field(default_factory=dict)


RowReader = CarrierReader | A2BillingReader


def parse_plain_sheet(lines: Iterable[str], *, zone: tzinfo = UTC) -> RateSheet:
    """Read the plain sheet: CSV with a header of `PLAIN_HEADER` and, where needed, `MORE_COLUMNS`.

    The first four columns are required. A missing or empty optional cell means the default: no fee,
    no minimum, nothing bought, billed by the second after the initial increment, in force always.
    Dates without a time begin at midnight in `zone`. All errors are returned at once.
    """
    errors: list[SheetError] = []
    rows = _until_unreadable(delimited_rows(_without_bom(lines)), errors)
    line, header = next(rows, (1, []))
    names = tuple(name.strip().lower() for name in header)
    errors += _plain_header_errors(line, names)
    if errors:
        return RateSheet([], errors)
    reader = CarrierReader(Layout(names, names), zone=zone)
    return RateSheet(list(_read(reader, rows, errors, None)), errors)


def read_rate_sheet(
    content: bytes,
    options: SheetOptions | None = None,
    *,
    progress: Callable[[int], None] | None = None,
) -> RateSheet:
    """Read a rate sheet as carriers send them: CSV of any dialect, XLSX, or A2Billing's export.

    `progress` is told the line reached, every thousand. All errors are returned at once.
    """
    reading = open_rate_sheet(content, options, progress=progress)
    rates = list(reading.rates)
    return RateSheet(rates, reading.errors, reading.notes, reading.rules)


def open_rate_sheet(
    content: bytes,
    options: SheetOptions | None = None,
    *,
    progress: Callable[[int], None] | None = None,
) -> SheetReading:
    """Begin to read such a sheet, whose rates then come one by one.

    So a sheet of a million rows needs no memory for its rates, only for which prefixes it had;
    but one with hours or last days is read to its end before the first of them comes.
    """
    options = options or SheetOptions()
    errors: list[SheetError] = []
    try:
        if is_workbook(content):
            rows = workbook_rows(content, options.worksheet, options.skip_lines)
        else:
            rows = text_rows(content, options.skip_lines)
    except SheetUnreadableError as error:
        errors.append(SheetError(error.line, "", str(error)))
        return SheetReading(iter(()), errors, [], OWN_RULES)
    rows = _until_unreadable(rows, errors)
    sample = list(islice(rows, _SAMPLE_ROWS))
    notes: list[str] = []
    found = _reader_of(sample, options, errors, notes)
    if found is None:
        return SheetReading(iter(()), errors, notes, OWN_RULES)
    reader, first_row = found
    last_row = sample[-1][0]
    rows = chain(sample[first_row:], rows)
    if isinstance(reader, CarrierReader):
        rows = _without_notes(rows, reader.layout, notes)
    rates = _some(_read(reader, rows, errors, progress), last_row, errors)
    if isinstance(reader, A2BillingReader):
        return SheetReading(rates, errors, notes, A2BILLING_RULES)
    return SheetReading(rates, errors, notes, OWN_RULES, reader.deletes)


def _without_notes(rows: Iterator[Row], layout: Layout, notes: list[str]) -> Iterator[Row]:
    sifter = NoteSifter(layout)
    yield from sifter.rows(rows)
    notes += sifter.told()


def _some(rates: Iterator[Rate], last_row: int, errors: list[SheetError]) -> Iterator[Rate]:
    """The rates; that there are none is an error."""
    first = next(rates, None)
    if first is not None:
        yield first
        yield from rates
    elif not errors:
        errors.append(SheetError(last_row, "", "no rates below the header"))


def _read(
    reader: RowReader,
    rows: Iterable[Row],
    errors: list[SheetError],
    progress: Callable[[int], None] | None,
) -> Iterator[Rate]:
    entries = Entries(reader.prefix_heading, errors)
    read = _entries(reader, rows, errors, progress)
    return entries.combined_rates(read) if reader.has_periods else entries.rates(read)


def _entries(
    reader: RowReader,
    rows: Iterable[Row],
    errors: list[SheetError],
    progress: Callable[[int], None] | None,
) -> Iterator[SheetEntry]:
    for line, cells in rows:
        yield from reader.entries(line, cells, errors)
        if progress is not None and line % 1_000 == 0:
            progress(line)


def _until_unreadable(rows: Iterator[Row], errors: list[SheetError]) -> Iterator[Row]:
    try:
        yield from rows
    except SheetUnreadableError as error:
        errors.append(SheetError(error.line, "", str(error)))


def _without_bom(lines: Iterable[str]) -> Iterator[str]:
    for index, line in enumerate(lines):
        yield line if index else line.removeprefix("\ufeff")


def _plain_header_errors(line: int, names: Sequence[str]) -> Iterator[SheetError]:
    for name in REQUIRED_COLUMNS:
        if name not in names:
            yield SheetError(line, name, "column missing in the header")
    for index, name in enumerate(names):
        if name not in PLAIN_HEADER and name not in MORE_COLUMNS:
            yield SheetError(line, name, "unknown column")
        elif name in names[:index]:
            yield SheetError(line, name, "column twice in the header")


def _reader_of(
    sample: list[Row], options: SheetOptions, errors: list[SheetError], notes: list[str]
) -> tuple[RowReader, int] | None:
    """A reader of the rows, and the index of the first; None with errors appended."""
    if not sample:
        if not errors:
            errors.append(SheetError(1, "", "the sheet is empty"))
        return None
    header = None if options.columns else _header_row(sample, options)
    if header is None and options.headings:
        wanted = ", ".join(repr(heading) for heading, _ in options.headings)
        message = f"no row of the first {HEADER_WITHIN_ROWS} has the headings {wanted}"
        errors.append(SheetError(sample[0][0], "", message))
        return None
    if header is not None:
        line, cells = sample[header]
        if options.format is not SheetFormat.CSV and is_a2billing_header(cells):
            a2billing = A2BillingReader(cells, zone=options.zone)
            errors += (SheetError(line, *problem) for problem in a2billing.header_problems())
            return None if errors else (a2billing, header + 1)
    if options.format is SheetFormat.A2BILLING:
        message = "no header with dialprefix and rateinitial: not A2Billing's export"
        errors.append(SheetError(sample[0][0], "", message))
        return None
    layout = _layout(sample, header, options, errors, notes)
    if layout is None:
        return None
    first_row = 0 if header is None else header + 1
    sign = options.decimal or _decimal_sign(sample[first_row:], layout)
    if sign is None:
        message = "decimal point or comma? 1,234 may be either: declare it (--decimal)"
        errors.append(SheetError(sample[first_row][0], "", message))
        return None
    reader = CarrierReader(
        layout,
        zone=options.zone,
        date_order=options.date_order,
        decimal=sign,
        increments=options.increments,
        currency=options.currency,
        country_code=options.country_code,
    )
    return reader, first_row


def _header_row(sample: list[Row], options: SheetOptions) -> int | None:
    """The first row with the headings that were named, or that names at least two columns we know,
    or one and has no digits."""
    for index, (_, cells) in enumerate(sample[:HEADER_WITHIN_ROWS]):
        if options.headings:
            if has_headings(cells, options.headings):
                return index
            continue
        if options.format is not SheetFormat.CSV and is_a2billing_header(cells):
            return index
        known = known_columns(cells)
        if known > 1 or (known and len(cells) > 1 and not any(map(_has_digit, cells))):
            return index
    return None


def _has_digit(cell: str) -> bool:
    return any(character.isdigit() for character in cell)


def _layout(
    sample: list[Row],
    header: int | None,
    options: SheetOptions,
    errors: list[SheetError],
    notes: list[str],
) -> Layout | None:
    if options.columns:
        layout = Layout(options.columns, options.columns)
        line = sample[0][0]
        for name in options.columns:
            if name and name not in (*PLAIN_HEADER, *MORE_COLUMNS, *OTHER_COLUMNS):
                errors.append(SheetError(line, name, "no column of ours"))
    elif header is None:
        guess, line = guess_layout(_table(sample[:200])), sample[0][0]
        if guess is None:
            message = (
                "no header, and the columns cannot be told apart: say which is which (--columns)"
            )
            errors.append(SheetError(line, "", message))
            return None
        layout = guess
        names = ", ".join(column or "(ignored)" for column in layout.columns)
        notes.append(f"no header; the columns are taken for: {names}")
    else:
        line = sample[header][0]
        layout = layout_of(sample[header][1], options.ignored, options.headings)
        for _, name in options.headings:
            if not our_column(name):
                errors.append(SheetError(line, name, "no column of ours"))
        _look_over_headings(layout, line, options.ignored, errors, notes)
    errors += _layout_errors(layout, line, options)
    return None if errors else layout


def _table(rows: Sequence[Row]) -> list[list[str]]:
    """Rows of more than one filled cell: others are titles and notes."""
    return [cells for _, cells in rows if sum(bool(cell.strip()) for cell in cells) > 1]


def _look_over_headings(
    layout: Layout,
    line: int,
    ignored: Sequence[str],
    errors: list[SheetError],
    notes: list[str],
) -> None:
    left_out = []
    for column, heading in zip(layout.columns, layout.headings, strict=True):
        known = column or heading in ignored or column_of(heading)
        meant = "" if known else suggestion(heading)
        if meant:
            errors.append(SheetError(line, heading, f"unknown column: is it {meant}?"))
        elif not column and heading:
            left_out.append(heading)
    if left_out:
        notes.append(f"columns left out: {', '.join(left_out)}")


def _layout_errors(layout: Layout, line: int, options: SheetOptions) -> Iterator[SheetError]:
    columns = layout.columns
    for index, column in enumerate(columns):
        if column and column in columns[:index]:
            first, second = layout.heading(column), layout.headings[index]
            message = f"means {column} like {first!r}: ignore one of them"
            yield SheetError(line, second, message)
    for initial, increment, both in INCREMENT_COLUMNS:
        if both in columns and (initial in columns or increment in columns):
            other = layout.heading(initial if initial in columns else increment)
            message = f"has both increments, and so has {other!r}: ignore one of them"
            yield SheetError(line, layout.heading(both), message)
    for column, heading in zip(columns, layout.headings, strict=True):
        if column in MONEY_COLUMNS and not options.columns:
            for doubt in price_doubts(heading, options.currency):
                yield SheetError(line, heading, doubt)
    for column in ("prefix", "price_per_minute"):
        if column not in columns:
            message = (
                f"no such column in the sheet: say which one it is (--columns HEADING={column})"
            )
            yield SheetError(line, column, message)
    if not {"initial", "increments"} & set(columns) and options.increments is None:
        message = "no such column in the sheet, and none declared for all rates (--increments 60/6)"
        yield SheetError(line, "increments", message)


def _decimal_sign(rows: Iterable[Row], layout: Layout) -> str | None:
    indices = [index for index, column in enumerate(layout.columns) if column in MONEY_COLUMNS]
    return decimal_sign(
        cells[index] for _, cells in rows for index in indices if index < len(cells)
    )
