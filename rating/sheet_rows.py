"""Rate sheets as rows of cells: text of any encoding and delimiter, and XLSX workbooks."""

import csv
import zipfile
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, time
from io import BytesIO, TextIOWrapper
from itertools import islice
from typing import Any

from rating.sheet_columns import known_columns

Row = tuple[int, list[str]]
"""Line (from 1) and cells."""

HEADER_WITHIN_ROWS = 30
"""Titles and notes may stand above the header, but not more of them."""

_DELIMITERS = (",", ";", "\t", "|")
_MAX_XLSX_BYTES = 1 << 30
"""Unpacked: above any sheet of a million rates; a smaller file could hide more."""


class SheetUnreadableError(ValueError):
    """The file is no sheet from some line on; the message says why."""

    def __init__(self, line: int, message: str) -> None:
        super().__init__(message)
        self.line = line


_NO_SHEETS = (
    (b"\xd0\xcf\x11\xe0", "a workbook of an old Excel (.xls)"),
    (b"%pdf", "a PDF"),
    *((sign, "a web page or XML") for sign in (b"<!", b"<?", b"<html", b"<table")),
)
_SAVE_IT = "open it and save it as XLSX or CSV"


def _check_kind(content: bytes) -> None:
    beginning = content[:64].removeprefix(b"\xef\xbb\xbf").lstrip().lower()
    for sign, kind in _NO_SHEETS:
        if beginning.startswith(sign):
            raise SheetUnreadableError(1, f"{kind}: {_SAVE_IT}")


def is_workbook(content: bytes) -> bool:
    """Whether the bytes are a ZIP archive, as XLSX is."""
    return content.startswith(b"PK\x03\x04")


def _encoding(content: bytes) -> str:
    """UTF-8 or UTF-16 by the byte order mark or by every other byte being 0, UTF-8, or else
    Windows-1252."""
    beginning = content[:200]
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        encodings = ["utf-16"]
    elif len(beginning) > 3 and 0 not in beginning[::2] and not any(beginning[1::2]):
        encodings = ["utf-16-le"]
    elif len(beginning) > 3 and 0 not in beginning[1::2] and not any(beginning[::2]):
        encodings = ["utf-16-be"]
    else:
        encodings = ["utf-8-sig", "cp1252"]
    for encoding in encodings:
        try:
            text = content.decode(encoding)
        except UnicodeDecodeError as error:
            line = content[: error.start].count(b"\n") + 1
        else:
            if "\0" in text:
                line = text[: text.index("\0")].count("\n") + 1
                raise SheetUnreadableError(line, "not text: has a byte 0")
            return encoding
    raise SheetUnreadableError(line, "not text in UTF-8, UTF-16 or Windows-1252")


def delimited_rows(lines: Iterable[str], delimiter: str = ",") -> Iterator[Row]:
    """Rows of CSV with this delimiter that are not empty. Raises SheetUnreadableError."""
    reader = csv.reader(lines, delimiter=delimiter, strict=True)
    while True:
        line = reader.line_num + 1
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            if "end of data" in str(error):
                message = "a quotation mark opens here and is never closed"
                raise SheetUnreadableError(line, message) from error
            raise SheetUnreadableError(line, f"not readable as CSV: {error}") from error
        if any(cell.strip() for cell in cells):
            yield line, cells


def text_rows(content: bytes, skip_lines: int = 0) -> Iterator[Row]:
    """Rows of delimited text; the delimiter is the one that makes most sense of its first lines.
    So many lines are not looked at.

    A first line like ``sep=;`` says which it is. Raises SheetUnreadableError. The text is decoded
    as it is read: a large sheet is in memory once.
    """
    _check_kind(content)
    encoding = _encoding(content)
    sample = list(islice(TextIOWrapper(BytesIO(content), encoding), skip_lines + 200))
    says_delimiter = (
        bool(sample) and sample[0].lower().startswith("sep=") and len(sample[0].strip()) == 5
    )
    skipped = max(skip_lines, int(says_delimiter))
    delimiter = sample[0][4] if says_delimiter else _best_delimiter(sample[skipped:])
    lines = islice(TextIOWrapper(BytesIO(content), encoding, newline=""), skipped, None)
    return _below(skipped, delimited_rows(lines, delimiter))


def _below(skipped: int, rows: Iterator[Row]) -> Iterator[Row]:
    """The rows with their lines counted from the beginning of the file."""
    try:
        for line, cells in rows:
            yield line + skipped, cells
    except SheetUnreadableError as error:
        raise SheetUnreadableError(error.line + skipped, str(error)) from error


def _best_delimiter(sample: Sequence[str]) -> str:
    """The delimiter that shows most known headings, else that cuts most lines alike."""

    def merit(delimiter: str) -> tuple[int, int, int]:
        rows = [cells for _, cells in _readable(delimited_rows(sample, delimiter))]
        headings = max((known_columns(row) for row in rows[:HEADER_WITHIN_ROWS]), default=0)
        widths = [len(row) for row in rows]
        width = max(set(widths) - {1}, key=lambda each: (widths.count(each), each), default=0)
        return headings, widths.count(width) if width else 0, width

    return max(_DELIMITERS, key=merit)


def _readable(rows: Iterator[Row]) -> Iterator[Row]:
    try:
        yield from rows
    except SheetUnreadableError:
        return


def workbook_rows(
    content: bytes, worksheet: str = "", skip_lines: int = 0, notes: list[str] | None = None
) -> Iterator[Row]:
    """Rows, after so many lines, of an XLSX workbook's named worksheet, or of the first that has a
    header we know, else of the first. `notes` are told which others have one. A hidden one is
    read only if it is named.

    Raises SheetUnreadableError.
    """
    from openpyxl import load_workbook  # here: no daemon reads workbooks, and it loads slowly

    try:
        with zipfile.ZipFile(BytesIO(content)) as archive:
            unpacked = sum(entry.file_size for entry in archive.infolist())
            if "content.xml" in archive.namelist():
                raise SheetUnreadableError(1, f"an OpenDocument workbook: {_SAVE_IT}")
        if unpacked > _MAX_XLSX_BYTES:
            raise SheetUnreadableError(1, f"unpacks to more than {_MAX_XLSX_BYTES >> 20} MB")
        workbook = load_workbook(BytesIO(content), read_only=True, data_only=True)
        sheets = {sheet.title: sheet for sheet in workbook.worksheets}
        if worksheet and worksheet not in sheets:
            names = ", ".join(sheets)
            raise SheetUnreadableError(1, f"no worksheet {worksheet!r}; there is: {names}")
        shown = [sheet for sheet in sheets.values() if sheet.sheet_state == "visible"]
        chosen = [sheets[worksheet]] if worksheet else shown
        for index, sheet in enumerate(chosen):
            if worksheet or _has_header(sheet):
                others = [each.title for each in chosen[index + 1 :] if _has_header(each)]
                if others and notes is not None:
                    names = ", ".join(map(repr, others))
                    notes.append(
                        f"of the workbook only {sheet.title!r} is read, not {names} (--worksheet)"
                    )
                yield from _sheet_rows(sheet, skip_lines)
                return
        if chosen:
            yield from _sheet_rows(chosen[0], skip_lines)
    except SheetUnreadableError:
        raise
    except (
        Exception
    ) as error:  # a damaged workbook makes openpyxl and its XML parser raise anything
        raise SheetUnreadableError(1, f"not readable as XLSX: {error}") from error


def _has_header(sheet: Any) -> bool:
    rows = islice(_sheet_rows(sheet), HEADER_WITHIN_ROWS)
    return any(known_columns(cells) >= 2 for _, cells in rows)


def _sheet_rows(sheet: Any, skip_lines: int = 0) -> Iterator[Row]:
    for line, values in enumerate(sheet.iter_rows(values_only=True), start=1):
        cells = [_cell_text(value) for value in values]
        if any(cells) and line > skip_lines:
            yield line, cells


def _cell_text(value: object) -> str:
    """What stands in the cell, as a text sheet would have it."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "TRUE" if value else "FALSE"
    if isinstance(value, float):
        # Fifteen digits are what Excel itself keeps: 0.1 + 0.2 is 0.3.
        text = f"{value:.15g}"
        return f"{value:.12f}".rstrip("0").rstrip(".") if "e" in text else text
    if isinstance(value, datetime):
        return value.date().isoformat() if value.time() == time() else value.isoformat()
    return str(value).strip()
