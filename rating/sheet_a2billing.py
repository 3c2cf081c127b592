"""A2Billing's export of a rate card: its table of rates as delimited text with its column names."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, tzinfo

from rating.a2billing import RATE_FIELDS, field_problems, rate_of_fields
from rating.hours import MINUTES_OF_WEEK, Interval
from rating.sheet_cells import CellError, read_date, read_prefixes, shown
from rating.sheet_entries import SheetEntry, SheetError

_NEEDED = ("dialprefix", "rateinitial")
_OWN = ("dialprefix", "destination", "startdate", "stopdate", "starttime", "endtime")
_WITHOUT_EFFECT = frozenset(
    (
        *("id", "idtariffplan", "id_trunk", "musiconhold", "id_outbound_cidgroup", "tag"),
        *("is_merged", "announce_time_correction", "tariffgroup", "ratecard", "trunk"),
    )
)
"""About other things than the price, or about the peer's own bookkeeping."""

_EVERY_PREFIX = tuple("0123456789")
"""What the peer's ``defaultprefix`` matches: any number that no other prefix does."""


def is_a2billing_header(cells: Sequence[str]) -> bool:
    """Whether a row is the header of such an export."""
    names = {cell.strip().lower() for cell in cells}
    return all(name in names for name in _NEEDED)


class A2BillingReader:
    """Reads rows of the export; what is wrong becomes an error of its line."""

    prefix_heading = "dialprefix"
    has_periods = True

    def __init__(self, header: Sequence[str], *, zone: tzinfo) -> None:
        self._names = [cell.strip().lower() for cell in header]
        self._zone = zone

    def header_problems(self) -> Iterator[tuple[str, str]]:
        """Column and message of what is wrong in the header."""
        for index, name in enumerate(self._names):
            if name in self._names[:index] and name:
                yield name, "column twice in the header"
            elif name and name not in RATE_FIELDS | _WITHOUT_EFFECT | frozenset(_OWN):
                yield name, "not a column of A2Billing's rates"

    def entries(
        self, line: int, cells: Sequence[str], errors: list[SheetError]
    ) -> Iterator[SheetEntry]:
        """What one row says, or errors appended."""
        if any(cell.strip() for cell in cells[len(self._names) :]):
            message = f"{len(cells)} cells, the header has {len(self._names)}"
            errors.append(SheetError(line, "", message))
            return
        row = {name: cell.strip() for name, cell in zip(self._names, cells, strict=False) if name}
        before = len(errors)
        fields = {name: value for name, value in row.items() if name in RATE_FIELDS}
        dates = {name: self._date(line, name, row, errors) for name in ("startdate", "stopdate")}
        hours: tuple[Interval, ...] = ()
        prefixes: Sequence[str] = ()
        try:
            hours = _hours(row)
        except CellError as error:
            errors.append(SheetError(line, "starttime", str(error)))
        try:
            prefixes = _prefixes(row.get("dialprefix", ""))
        except CellError as error:
            errors.append(SheetError(line, "dialprefix", str(error)))
        if not row.get("rateinitial"):
            errors.append(SheetError(line, "rateinitial", "empty"))
        for problem in field_problems(fields):
            column, _, message = str(problem).partition(": ")
            errors.append(SheetError(line, column, message))
        if len(errors) > before:
            return
        for prefix in prefixes:
            rate = rate_of_fields(
                prefix,
                fields,
                destination=row.get("destination", ""),
                effective_from=dates["startdate"],
            )
            yield SheetEntry(line, rate, hours, dates["stopdate"])

    def _date(
        self, line: int, column: str, row: Mapping[str, str], errors: list[SheetError]
    ) -> datetime | None:
        """A date, or None where the peer's database has none, its zero, or an end that is none."""
        text = row.get(column, "")
        if not text or text.startswith("0000-00-00"):
            return None
        if column == "stopdate" and text.startswith("9999"):
            return None
        try:
            return read_date(text, None, self._zone)
        except CellError as error:
            errors.append(SheetError(line, column, str(error)))
            return None


def _prefixes(text: str) -> Sequence[str]:
    return _EVERY_PREFIX if text.lower() == "defaultprefix" else read_prefixes(text)


def _hours(row: Mapping[str, str]) -> tuple[Interval, ...]:
    """The peer's minutes of the week, from Monday 00:00, the last one included; empty: always."""
    begin, end = row.get("starttime") or "0", row.get("endtime") or str(MINUTES_OF_WEEK - 1)
    for text in (begin, end):
        if not (text.isascii() and text.isdigit() and int(text[:6]) < MINUTES_OF_WEEK):
            raise CellError(f"{shown(text)} is not a minute of the week, 0 to 10079")
    interval = int(begin), (int(end) + 1) % MINUTES_OF_WEEK
    return () if interval[0] == interval[1] else (interval,)
