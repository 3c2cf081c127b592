"""What the rows of a rate sheet say, brought in order of dates and hours."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import NamedTuple

from rating.hours import Interval, overlapping, whole_week
from rating.rate import Rate, RateWindow, undated

_BEGINNING = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class SheetError:
    """One thing wrong in a sheet: `line` counts from 1, `column` is the header's word or empty."""

    line: int
    column: str
    message: str

    def __str__(self) -> str:
        where = f"line {self.line}" + (f", {self.column}" if self.column else "")
        return f"{where}: {self.message}"


class SheetEntry(NamedTuple):
    """A rate as one row has it: in force in these `hours` (empty: at any), and `until` a date."""

    line: int
    rate: Rate
    hours: tuple[Interval, ...] = ()
    until: datetime | None = None

    @property
    def begins(self) -> datetime:
        """From when the entry is in force."""
        return self.rate.effective_from or _BEGINNING


class Entries:
    """Makes rates of entries and finds those that contradict each other.

    `column` is what the sheet calls the prefix. Errors are appended to `errors`.
    """

    def __init__(self, column: str, errors: list[SheetError]) -> None:
        self._column = column
        self._errors = errors
        # By date and then by prefix: a million pairs as keys were seventy megabytes more.
        self._lines: dict[datetime | None, dict[str, int]] = {}

    def rates(self, entries: Iterable[SheetEntry]) -> Iterator[Rate]:
        """The rate of each entry as it comes, where no entry has hours or an end."""
        return (entry.rate for entry in entries if self._is_first(entry))

    def combined_rates(self, entries: Iterable[SheetEntry]) -> Iterator[Rate]:
        """The rates of entries of which some have hours or an end.

        Most prefixes have one price a date; those with hours or an end are held back, to see all
        their entries together, so all are kept until the last has come.
        """
        plain: list[SheetEntry] = []
        held_back: dict[str, list[SheetEntry]] = {}
        for entry in entries:
            if entry.until is not None and entry.until <= entry.begins:
                message = "ends before it begins"
                self._errors.append(SheetError(entry.line, self._column, message))
            elif entry.hours or entry.until is not None:
                held_back.setdefault(entry.rate.prefix, []).append(entry)
            elif self._is_first(entry):
                plain.append(entry)
        for entry in plain:
            if entry.rate.prefix in held_back:
                held_back[entry.rate.prefix].append(entry)
            else:
                yield entry.rate
        for together in held_back.values():
            contradictions = list(_contradictions(together, self._column))
            self._errors.extend(contradictions)
            if not contradictions:
                yield from self._dated(together)

    def _is_first(self, entry: SheetEntry) -> bool:
        prefix = entry.rate.prefix
        line_of = self._lines.setdefault(entry.rate.effective_from, {})
        count = len(line_of)
        first = line_of.setdefault(prefix, entry.line)
        if len(line_of) > count:
            return True
        message = f"{prefix} from the same date stands in line {first} already"
        self._errors.append(SheetError(entry.line, self._column, message))
        return False

    def _dated(self, entries: list[SheetEntry]) -> Iterator[Rate]:
        """The rates of one prefix from each date at which another entry comes into force or ends.

        At any time the entries that began last count, those before them only outside their hours.
        """
        previous: Rate | None = None
        ends = {entry.until for entry in entries if entry.until is not None}
        for date in sorted({entry.begins for entry in entries} | ends):
            active = [
                entry
                for entry in entries
                if entry.begins <= date and (entry.until is None or date < entry.until)
            ]
            active.sort(key=lambda entry: entry.begins, reverse=True)
            rate = _combined(active, None if date == _BEGINNING else date)
            if rate is None and active:
                message = f"{active[0].rate.prefix} has no price outside these hours"
                self._errors.append(SheetError(active[0].line, self._column, message))
                return
            if rate is None and previous is not None:
                gone = entries[0].rate.prefix
                rate = Rate(prefix=gone, withdrawn=True, effective_from=date)
            if rate is not None and (previous is None or undated(rate) != undated(previous)):
                yield rate
                previous = rate


def _contradictions(entries: list[SheetEntry], column: str) -> Iterator[SheetError]:
    for index, entry in enumerate(entries):
        for other in entries[:index]:
            if entry.begins != other.begins:
                continue
            if not (entry.hours or other.hours) or overlapping((*entry.hours, *other.hours)):
                first, second = sorted((entry.line, other.line))
                message = f"{entry.rate.prefix} in the same hours stands in line {first} already"
                if not entry.hours:
                    message = f"{entry.rate.prefix} in the same date stands in line {first} already"
                yield SheetError(second, column, message)
                break


def _combined(active: Iterable[SheetEntry], date: datetime | None) -> Rate | None:
    """One rate of the entries in force, the latest first; None if they leave hours without one."""
    windows: list[RateWindow] = []
    base: Rate | None = None
    for entry in active:
        rate = replace(entry.rate, effective_from=date)
        if not entry.hours:
            base = rate
            break
        windows += (
            RateWindow(start_minute=start, end_minute=end, rate=rate) for start, end in entry.hours
        )
    if base is None and whole_week(window.interval for window in windows):
        # Never in force, for every minute is in a window; but blocked only if all of them are.
        base = next((each.rate for each in windows if not each.rate.blocked), windows[0].rate)
    return None if base is None else replace(base, windows=tuple(windows))
