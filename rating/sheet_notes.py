"""Lines of a sheet that are no rates: section titles in the table, notes and totals below it."""

import re
from collections.abc import Iterable, Iterator, Sequence

from rating.sheet_cells import is_amount, is_block_or_delete
from rating.sheet_columns import Layout
from rating.sheet_rows import Row
from rating.sheet_words import folded

_NOTES_TOLD = 10
_MOST_HELD = 1_000
"""Lines of a footer; more of them are no footer."""

_BEGINS_LIKE_A_PREFIX = re.compile(r"[='\"]*\+?[0-9]", re.ASCII)
_NUMBERED_TEXT = re.compile(r"[0-9]{1,2}[.)]\s*[^\W\d]")
_TOTAL = re.compile(
    r"(?:(?:grand|sub)[ -]?)?totale?s?(?: general)?(?: ?:.*| [0-9].*)?"
    r"|(?:sum|summe|gesamt|gesamtsumme|zwischensumme|suma|somme|average|mean)(?: ?:.*)?"
)
_DIGITS = re.compile(r"\s*\+?[0-9]{1,15}\s*", re.ASCII)


class NoteSifter:
    """Takes what is no rate out of the rows below the header.

    A line that repeats the header is one, and a total: without a prefix, and with a word for it.
    A line of one filled cell with text is a note wherever it stands. Of more cells it is one only
    behind the last rate, after an empty line or another note. What begins like a prefix where
    prefixes stand, or has an amount where prices stand, or would be a rate with another delimiter,
    is never one.
    """

    def __init__(self, layout: Layout) -> None:
        self._prefix = [
            index
            for index, column in enumerate(layout.columns)
            if column in ("prefix", "country_code")
        ]
        self._price = [
            index for index, column in enumerate(layout.columns) if column == "price_per_minute"
        ]
        self._header = [folded(heading) for heading in layout.headings if heading]
        self._taken: list[Row] = []

    def rows(self, rows: Iterable[Row]) -> Iterator[Row]:
        """The rows that are rates, or may be meant as such."""
        held: list[Row] = []
        last: Row | None = None
        after_note = False
        plain = self._prefix[0] if self._prefix else 0
        for row in rows:
            cells = row[1]
            # The usual row first: nothing else of it need be looked at.
            likely = plain < len(cells) and cells[plain].isdigit()
            filled = cells if likely else [cell for cell in cells if cell.strip()]
            after_note = after_note or (not likely and _after_empty_line(last, row))
            last = row
            if not likely and self._repeats_or_adds_up(cells, filled):
                self._taken.append((row[0], filled))
                continue
            if likely or self._like_a_rate(cells, filled):
                after_note = False
            elif len(filled) == 1:
                self._taken.append((row[0], filled))
                after_note = True
            elif after_note and len(held) < _MOST_HELD:
                held.append(row)
            else:
                after_note = False
            if not after_note:
                yield from held
                held.clear()
                yield row
        self._taken += held

    def told(self) -> Iterator[str]:
        """Which lines were taken for notes, for people."""
        taken = sorted(self._taken)
        for line, cells in taken[:_NOTES_TOLD]:
            text = " ".join(" ".join(cells).split())
            yield f"line {line} is taken for a note: {text[:80]}"
        if len(taken) > _NOTES_TOLD:
            yield f"and so are {len(taken) - _NOTES_TOLD} more, the last is line {taken[-1][0]}"

    def _repeats_or_adds_up(self, cells: Sequence[str], filled: Sequence[str]) -> bool:
        places = [cells[index].strip() for index in self._prefix if index < len(cells)]
        if any(map(_begins_like_a_prefix, places)):
            return False
        words = [" ".join(folded(cell).split()) for cell in filled]
        return words == self._header or any(map(_TOTAL.fullmatch, words))

    def _like_a_rate(self, cells: Sequence[str], filled: Sequence[str]) -> bool:
        places = [cells[index] for index in self._prefix if index < len(cells)]
        if len(filled) == 1:
            places.append(filled[0])
        if any(_begins_like_a_prefix(cell.strip()) for cell in places):
            return True
        prices = [cells[index].strip() for index in self._price if index < len(cells)]
        if any(is_amount(cell) or is_block_or_delete(cell) for cell in prices):
            return True
        return len(filled) == 1 and any(_is_whole_row(filled[0], sign) for sign in ",;\t|")


def _after_empty_line(last: Row | None, row: Row) -> bool:
    """Whether lines are missing between them, line breaks in cells apart."""
    return last is not None and row[0] > last[0] + 1 + sum(cell.count("\n") for cell in last[1])


def _begins_like_a_prefix(cell: str) -> bool:
    return bool(_BEGINS_LIKE_A_PREFIX.match(cell)) and not _NUMBERED_TEXT.match(cell)


def _is_whole_row(cell: str, delimiter: str) -> bool:
    """Whether one cell has prefix and price in it: this line has another delimiter."""
    parts = cell.split(delimiter)
    digits = sum(bool(_DIGITS.fullmatch(part)) for part in parts)
    return digits > 0 and len(parts) > 2 and sum(is_amount(part.strip()) for part in parts) > 1
