"""Hours of the week in which a price is in force, in the card's zone.

An interval is a pair of minutes of the week from Monday 00:00, half open; one whose end is not
after its beginning wraps the week. Wall-clock time decides: where the clocks change, an hour that
occurs twice is priced the same twice, and one that is skipped is never in force.
"""

import re
from bisect import bisect_right
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta, tzinfo

MINUTES_OF_DAY = 1_440
MINUTES_OF_WEEK = 7 * MINUTES_OF_DAY
DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")

Interval = tuple[int, int]

_LONGEST_LOOK_AHEAD_S = 12 * 3600
"""Steps this short see each change of the clocks, even two within days."""
_DAY = (
    "(Mon(?:day)?|Tue(?:s(?:day)?)?|Wed(?:nesday)?|Thu(?:rs(?:day)?)?|Fri(?:day)?|Sat(?:urday)?"
    "|Sun(?:day)?)"
)
_TIME = r"([0-9]{1,2}):([0-9]{2})"
_DAYS_AND_TIMES = re.compile(
    rf"(?:{_DAY}(?:\s*-\s*{_DAY})?)?\s*(?:{_TIME}\s*-\s*{_TIME})?", re.IGNORECASE
)
_SPAN = re.compile(rf"{_DAY}\s+{_TIME}\s*-\s*{_DAY}\s+{_TIME}", re.IGNORECASE)


class HoursError(ValueError):
    """The text does not name hours of the week; the message says what is expected."""


def parse_hours(text: str) -> tuple[Interval, ...]:
    """Intervals of text like ``Mon-Fri 08:00-18:00, Sat 22:00-06:00, Fri 18:00 - Mon 08:00``.

    Days alone are whole days, times alone hold every day, and times may pass midnight. Separated by
    commas or semicolons. Raises HoursError, also when two of them overlap.
    """
    intervals: list[Interval] = []
    for part in re.split(r"[,;]", text):
        part = part.strip()
        span = _SPAN.fullmatch(part)
        if span:
            first, hour, minute, last, end_hour, end_minute = span.groups()
            start = _day(first) * MINUTES_OF_DAY + _minute(hour, minute, part)
            end = _day(last) * MINUTES_OF_DAY + _minute(end_hour, end_minute, part)
            intervals.append((start % MINUTES_OF_WEEK, end % MINUTES_OF_WEEK))
            continue
        match = _DAYS_AND_TIMES.fullmatch(part) if part else None
        if match is None:
            raise HoursError(f"{part[:40]!r} is not like Mon-Fri 08:00-18:00")
        intervals += _daily(match, part)
    merged = join_adjacent(intervals)
    if overlapping(merged):
        raise HoursError(f"{text[:60]!r} names the same hour twice")
    return merged


def _daily(match: re.Match[str], part: str) -> Iterable[Interval]:
    first, last, hour, minute, end_hour, end_minute = match.groups()
    begin_day = _day(first) if first else 0
    days = (_day(last) - begin_day) % 7 + 1 if last else (1 if first else 7)
    begin = _minute(hour, minute, part) if hour else 0
    end = _minute(end_hour, end_minute, part) if hour else MINUTES_OF_DAY
    if begin in (end, MINUTES_OF_DAY):
        raise HoursError(f"{part[:40]!r} begins where it ends")
    length = (end - begin) % MINUTES_OF_DAY or MINUTES_OF_DAY
    for day in range(begin_day, begin_day + days):
        start = day * MINUTES_OF_DAY + begin
        yield start % MINUTES_OF_WEEK, (start + length) % MINUTES_OF_WEEK


def _day(name: str) -> int:
    return DAYS.index(name[:3].capitalize())


def _minute(hour: str, minute: str, part: str) -> int:
    minutes = int(hour) * 60 + int(minute)
    if int(minute) > 59 or minutes > MINUTES_OF_DAY:
        raise HoursError(f"{part[:40]!r}: times go from 00:00 to 24:00")
    return minutes


def join_adjacent(intervals: Iterable[Interval]) -> tuple[Interval, ...]:
    """The intervals in order of their beginnings, those that touch made one."""
    joined: list[Interval] = []
    for start, end in sorted(intervals):
        if joined and joined[-1][1] == start:
            joined[-1] = (joined[-1][0], end)
        else:
            joined.append((start, end))
    if len(joined) > 1 and joined[-1][1] == joined[0][0]:
        last = joined.pop()
        joined[0] = (last[0], joined[0][1])
        joined.sort()
    return tuple(joined)


def overlapping(intervals: Iterable[Interval]) -> bool:
    """Whether any minute of the week lies in two of the intervals."""
    covered = 0
    for interval in intervals:
        minutes = minutes_of(interval)
        if covered & minutes:
            return True
        covered |= minutes
    return False


def whole_week(intervals: Iterable[Interval]) -> bool:
    """Whether every minute of the week lies in one of the intervals."""
    covered = 0
    for interval in intervals:
        covered |= minutes_of(interval)
    return covered == (1 << MINUTES_OF_WEEK) - 1


def minutes_of(interval: Interval) -> int:
    """The minutes of the week in the interval, one bit each."""
    start, end = interval
    if end <= start:
        return ((1 << MINUTES_OF_WEEK) - (1 << start)) | ((1 << end) - 1)
    return (1 << end) - (1 << start)


def intervals_of(minutes: int) -> tuple[Interval, ...]:
    """The intervals that hold the minutes of the week whose bits are set."""
    week = (1 << MINUTES_OF_WEEK) - 1
    if minutes == week:
        return ((0, 0),)
    before = (minutes << 1 | minutes >> (MINUTES_OF_WEEK - 1)) & week  # each minute's predecessor
    starts, ends = minutes & ~before, before & ~minutes
    edges = [minute for minute in range(MINUTES_OF_WEEK) if (starts | ends) >> minute & 1]
    if edges and ends >> edges[0] & 1:
        edges.append(edges.pop(0))
    return tuple(sorted(zip(edges[::2], edges[1::2], strict=True)))


def format_hours(intervals: Iterable[Interval]) -> str:
    """Text that `parse_hours` reads as the same hours."""
    return ", ".join(f"{_point(start)} - {_point(end)}" for start, end in intervals)


def short_hours(intervals: Iterable[Interval], days: Sequence[str] = DAYS) -> str:
    """Such text with days put together, `Mon-Fri 08:00-18:00`; `days` are what they are called."""
    days_of: dict[tuple[int, int], list[int]] = {}
    longer: list[str] = []
    for start, end in sorted(intervals):
        times = start % MINUTES_OF_DAY, end % MINUTES_OF_DAY or MINUTES_OF_DAY
        length = (end - start) % MINUTES_OF_WEEK or MINUTES_OF_WEEK
        if length <= MINUTES_OF_DAY and times[0] != times[1]:
            days_of.setdefault(times, []).append(start // MINUTES_OF_DAY)
        else:
            longer.append(f"{_point(start, days)} - {_point(end, days)}")
    daily = [
        f"{each} {_clock(start)}-{_clock(end)}"
        for (start, end), of_times in days_of.items()
        for each in _runs(of_times, days)
    ]
    return ", ".join([*daily, *longer])


def _runs(indices: Sequence[int], days: Sequence[str]) -> Iterable[str]:
    first = indices[0]
    for day, following in zip(indices, [*indices[1:], None], strict=True):
        if following != day + 1:
            yield days[first] if first == day else f"{days[first]}-{days[day]}"
            first = following or 0


def _clock(minute: int) -> str:
    return f"{minute // 60:02d}:{minute % 60:02d}"


def _point(minute: int, days: Sequence[str] = DAYS) -> str:
    day, rest = divmod(minute, MINUTES_OF_DAY)
    return f"{days[day]} {_clock(rest)}"


def contains(interval: Interval, minute: int) -> bool:
    """Whether a minute of the week lies in the interval."""
    start, end = interval
    if start < end:
        return start <= minute < end
    return minute >= start or minute < end


def minute_of_week(at: datetime, zone: tzinfo) -> int:
    """Minute of the local week at an instant."""
    local = at.astimezone(zone)
    return local.weekday() * MINUTES_OF_DAY + local.hour * 60 + local.minute


def change_offsets(
    started_at: datetime, zone: tzinfo, edges: Sequence[int], until_s: int
) -> list[int]:
    """Whole seconds after `started_at` (UTC) at which other hours may apply: 0, … below `until_s`.

    `edges` are the minutes of the week at which intervals begin or end, sorted. A change of the
    clocks counts as well: after it the wall shows another hour.
    """
    offsets = [0]
    while True:
        here = offsets[-1]
        at = started_at + timedelta(seconds=here)
        following = here + min(_seconds_to_next_edge(at, zone, edges), _LONGEST_LOOK_AHEAD_S)
        following = _first_clock_change(started_at, zone, here, min(following, until_s))
        if following >= until_s:
            return offsets
        offsets.append(following)


def _seconds_to_next_edge(at: datetime, zone: tzinfo, edges: Sequence[int]) -> int:
    local = at.astimezone(zone)
    minute = minute_of_week(at, zone)
    following = bisect_right(edges, minute)
    edge = edges[following] if following < len(edges) else edges[0] + MINUTES_OF_WEEK
    # An increment begins at a whole second after the start: at or just after the edge.
    return (edge - minute) * 60 - local.second


def _first_clock_change(started_at: datetime, zone: tzinfo, low: int, high: int) -> int:
    """The first offset in (low, high] where the zone's distance from UTC differs, else high."""

    def from_utc(offset_s: int) -> timedelta | None:
        return (started_at + timedelta(seconds=offset_s)).astimezone(zone).utcoffset()

    before = from_utc(low)
    if from_utc(high) == before:
        return high
    while high - low > 1:
        middle = (low + high) // 2
        if from_utc(middle) == before:
            low = middle
        else:
            high = middle
    return high
