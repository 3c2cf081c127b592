"""Finds the header of a rate sheet, or does without, and says which column is what."""

import re
from collections.abc import Iterator, Sequence
from itertools import pairwise

from rating.sheet_a2billing import is_a2billing_header
from rating.sheet_cells import shown
from rating.sheet_columns import (
    INCREMENT_COLUMNS,
    MONEY_COLUMNS,
    MORE_COLUMNS,
    OTHER_COLUMNS,
    PLAIN_HEADER,
    SECONDS_COLUMNS,
    Layout,
    column_of,
    has_headings,
    is_in_minutes,
    known_columns,
    layout_of,
    our_column,
    price_doubts,
    suggestion,
)
from rating.sheet_entries import SheetError
from rating.sheet_guess import guess_layout
from rating.sheet_options import SheetFormat, SheetOptions
from rating.sheet_rows import HEADER_WITHIN_ROWS, Row

_ROWS_TO_GUESS_BY = 200
_HEADINGS_TOLD = 12
_BOTH_INCREMENTS = frozenset(both for _, _, both in INCREMENT_COLUMNS)


def header_row(sample: Sequence[Row], options: SheetOptions) -> int | None:
    """The index of the header: the row with the headings that were named, else one with a prefix
    and a price, else the first that names at least two columns we know, or one and has no digits.
    """
    likely: int | None = None
    for index, (_, cells) in enumerate(sample[:HEADER_WITHIN_ROWS]):
        if options.headings:
            if has_headings(cells, options.headings):
                return index
            continue
        if options.format is not SheetFormat.CSV and is_a2billing_header(cells):
            return index
        known = known_columns(cells)
        if known > 1 and {"prefix", "price_per_minute"} <= set(layout_of(cells).columns):
            return index
        if likely is None and (
            known > 1 or (known and len(cells) > 1 and not any(map(_has_digit, cells)))
        ):
            likely = index
    return likely


def _has_digit(cell: str) -> bool:
    return any(character.isdigit() for character in cell)


def sheet_layout(
    sample: Sequence[Row],
    header: int | None,
    options: SheetOptions,
    errors: list[SheetError],
    notes: list[str],
) -> Layout | None:
    """The layout by the header or the options, or guessed; None with errors appended."""
    line = sample[header or 0][0]
    if options.columns:
        layout = Layout(options.columns, options.columns)
        for name in options.columns:
            if name and name not in (*PLAIN_HEADER, *MORE_COLUMNS, *OTHER_COLUMNS):
                errors.append(SheetError(line, name, "no column of ours"))
    elif header is None:
        guess = guess_layout(_table(sample[:_ROWS_TO_GUESS_BY]))
        if isinstance(guess, str):
            errors.append(
                _unknown_header(sample) or SheetError(line, "", f"no header, and {guess}")
            )
            return None
        layout = guess
        names = ", ".join(column or "(ignored)" for column in layout.columns)
        notes.append(f"no header; the columns are taken for: {names}")
    else:
        layout = layout_of(sample[header][1], options.ignored, options.headings)
        for _, name in options.headings:
            if not our_column(name):
                errors.append(SheetError(line, name, "no column of ours"))
        _look_over_headings(layout, line, options.ignored, errors, notes)
    errors += _layout_errors(layout, line, options)
    errors += _whole_codes(layout, sample[1 + (header or 0) :], line, options)
    return None if errors else layout


def _table(rows: Sequence[Row]) -> list[list[str]]:
    """Rows of more than one filled cell: others are titles and notes."""
    return [cells for _, cells in rows if sum(bool(cell.strip()) for cell in cells) > 1]


def _unknown_header(sample: Sequence[Row]) -> SheetError | None:
    """What to do about the first row of words only, if rows with digits follow it."""
    table = [row for row in sample[:HEADER_WITHIN_ROWS] if _table([row])]
    for (line, cells), (_, below) in pairwise(table):
        filled = [" ".join(cell.split()) for cell in cells if cell.strip()]
        if not all(heading[0].isalpha() for heading in filled) or not any(
            cell.strip()[:1].isdigit() for cell in below
        ):
            continue
        known = [heading for heading in filled if column_of(heading)]
        message = (
            f"of the headings {_quoted(filled)} none is known: say what they are"
            " (--columns 'HEADING=prefix,HEADING=price_per_minute,…')"
        )
        if known:
            message = (
                f"of the headings {_quoted(filled)} only {_quoted(known)} is known: say what they"
                " are (--columns 'HEADING=prefix,HEADING=price_per_minute,…')"
            )
        return SheetError(line, "", message)
    return None


def _quoted(headings: Sequence[str]) -> str:
    more = ", …" if len(headings) > _HEADINGS_TOLD else ""
    return ", ".join(map(shown, headings[:_HEADINGS_TOLD])) + more


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
            message = (
                f"unknown column: is it {meant}? Say so (--columns {shown(f'{heading}={meant}')}),"
                f" or leave it out (--ignore {shown(heading)})"
            )
            errors.append(SheetError(line, heading, message))
        elif not column and heading:
            left_out.append(heading)
    if left_out:
        notes.append(f"columns left out: {', '.join(left_out)}")


def _layout_errors(layout: Layout, line: int, options: SheetOptions) -> Iterator[SheetError]:
    columns = layout.columns
    for index, column in enumerate(columns):
        if column and column in columns[:index]:
            first, second = layout.heading(column), layout.headings[index]
            message = f"means {column} like {first!r}: ignore one of them (--ignore)"
            yield SheetError(line, second, message)
    for initial, increment, both in INCREMENT_COLUMNS:
        if both in columns and (initial in columns or increment in columns):
            other = layout.heading(initial if initial in columns else increment)
            message = f"has both increments, and so has {other!r}: ignore one of them (--ignore)"
            yield SheetError(line, layout.heading(both), message)
    for column, heading in zip(columns, layout.headings, strict=True):
        if column in MONEY_COLUMNS and not options.columns:
            for doubt in price_doubts(heading, options.currency):
                yield SheetError(line, heading, doubt)
        if (column in SECONDS_COLUMNS or column in _BOTH_INCREMENTS) and is_in_minutes(heading):
            message = "is in minutes: increments are read in seconds, give them so"
            yield SheetError(line, heading, message)
    yield from _missing_columns(layout, line, options)


def _whole_codes(
    layout: Layout, rows: Sequence[Row], line: int, options: SheetOptions
) -> Iterator[SheetError]:
    """A country code before codes that all have it already: 49 and 4915 would be 494915."""
    declared = {our_column(name) for _, name in options.headings} | set(options.columns)
    if not {"prefix", "country_code"} <= set(layout.columns) or "country_code" in declared:
        return
    places = [layout.columns.index(column) for column in ("country_code", "prefix")]
    pairs = [
        [re.sub(r"^(?:00|\+)", "", cells[index].strip()) for index in places]
        for _, cells in rows
        if max(places) < len(cells)
    ]
    filled = [(country, code) for country, code in pairs if country and code]
    if filled and all(code.startswith(country) for country, code in filled):
        heading = layout.heading("country_code")
        message = (
            f"all of {layout.heading('prefix')!r} begins with it: leave it out"
            f" (--ignore {shown(heading)}), or say that it goes before them"
            f" (--columns {shown(f'{heading}=country_code')})"
        )
        yield SheetError(line, heading, message)


def _missing_columns(layout: Layout, line: int, options: SheetOptions) -> Iterator[SheetError]:
    pairs = zip(layout.columns, layout.headings, strict=True)
    unread = [heading for column, heading in pairs if heading and not column]
    for column in ("prefix", "price_per_minute"):
        if column not in layout.columns:
            message = (
                f"no such column in the sheet: say which one it is (--columns HEADING={column})"
            )
            if unread:
                message = (
                    "no such column in the sheet: say which one it is (--columns"
                    f" HEADING={column}); is it {_quoted(unread)}?"
                )
            yield SheetError(line, column, message)
    if not {"initial", "increments"} & set(layout.columns) and options.increments is None:
        message = "no such column in the sheet, and none declared for all rates (--increments 60/6)"
        if unread:
            message = (
                "no such column in the sheet, and none declared for all rates (--increments 60/6);"
                f" is it {_quoted(unread)}?"
            )
        yield SheetError(line, "increments", message)
