"""Rate sheets: what a file says, with every error by line and column. Nothing is ever raised."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, tzinfo
from itertools import chain, islice

from rating.a2billing import A2BILLING_RULES
from rating.rate import Rate
from rating.rate_card import OWN_RULES, PricingRules
from rating.sheet_a2billing import A2BillingReader, is_a2billing_header
from rating.sheet_cells import DateOrder as DateOrder
from rating.sheet_cells import decimal_sign
from rating.sheet_columns import MONEY_COLUMNS, MORE_COLUMNS, REQUIRED_COLUMNS, Layout
from rating.sheet_columns import PLAIN_HEADER as PLAIN_HEADER
from rating.sheet_entries import Entries, SheetEntry
from rating.sheet_entries import SheetError as SheetError
from rating.sheet_header import header_row, sheet_layout
from rating.sheet_notes import NoteSifter
from rating.sheet_options import SheetFormat as SheetFormat
from rating.sheet_options import SheetOptions as SheetOptions
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
    notes: list[str] = []
    try:
        if is_workbook(content):
            rows = workbook_rows(content, options.worksheet, options.skip_lines, notes)
        elif options.worksheet:
            raise SheetUnreadableError(1, "no workbook: it has no worksheets (--worksheet)")
        else:
            rows = text_rows(content, options.skip_lines)
    except SheetUnreadableError as error:
        errors.append(SheetError(error.line, "", str(error)))
        return SheetReading(iter(()), errors, [], OWN_RULES)
    rows = _until_unreadable(rows, errors)
    sample = list(islice(rows, _SAMPLE_ROWS))
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
    header = None if options.columns else header_row(sample, options)
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
    layout = sheet_layout(sample, header, options, errors, notes)
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


def _decimal_sign(rows: Iterable[Row], layout: Layout) -> str | None:
    indices = [index for index, column in enumerate(layout.columns) if column in MONEY_COLUMNS]
    return decimal_sign(
        cells[index] for _, cells in rows for index in indices if index < len(cells)
    )
