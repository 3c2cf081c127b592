import pytest
from hypothesis import given
from hypothesis import strategies as st

from rating.hours import (
    MINUTES_OF_WEEK,
    HoursError,
    contains,
    format_hours,
    join_adjacent,
    overlapping,
    parse_hours,
    short_hours,
    whole_week,
)

DAY = 1_440


@pytest.mark.parametrize(
    ("text", "intervals"),
    [
        ("Mon 08:00-18:00", ((480, 1_080),)),
        ("Mon-Tue 8:00-18:00", ((480, 1_080), (DAY + 480, DAY + 1_080))),
        ("Sat-Sun", ((5 * DAY, 0),)),
        ("Sat-Mon", ((5 * DAY, DAY),)),
        ("sunday 22:00-06:00", ((6 * DAY + 1_320, 360),)),
        ("Fri 18:00 - Mon 08:00", ((4 * DAY + 1_080, 480),)),
        ("Mon 00:00-24:00", ((0, DAY),)),
        ("00:00-24:00", ((0, 0),)),
        ("Mon 08:00-12:00, Mon 12:00-13:00", ((480, 780),)),
    ],
)
def test_hours_are_read_as_intervals_of_the_week(
    text: str, intervals: tuple[tuple[int, int], ...]
) -> None:
    assert intervals == parse_hours(text)


def test_times_alone_hold_every_day() -> None:
    assert [day * DAY + 480 for day in range(7)] == [
        start for start, _ in parse_hours("08:00-9:00")
    ]


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("", "Mon-Fri"),
        ("weekdays", "'weekdays'"),
        ("Mon 25:00-26:00", "24:00"),
        ("Mon 08:60-09:00", "24:00"),
        ("Mon 08:00-08:00", "begins where it ends"),
        ("Mon 08:00", "Mon-Fri"),
        ("Mon 08:00-10:00, Mon 09:00-11:00", "twice"),
        ("Mon,", "''"),
    ],
)
def test_what_is_not_hours_is_refused(text: str, part: str) -> None:
    with pytest.raises(HoursError, match=part):
        parse_hours(text)


_intervals = st.lists(
    st.tuples(st.integers(0, MINUTES_OF_WEEK - 1), st.integers(0, MINUTES_OF_WEEK - 1)),
    min_size=1,
    max_size=5,
)


@given(_intervals)
def test_hours_written_and_read_are_the_same(intervals: list[tuple[int, int]]) -> None:
    if not overlapping(intervals):
        joined = join_adjacent(intervals)
        assert joined == parse_hours(format_hours(joined)) == parse_hours(short_hours(joined))


@given(_intervals)
def test_whole_week_and_overlapping_agree_with_looking_at_every_minute(
    intervals: list[tuple[int, int]],
) -> None:
    times = [
        sum(contains(interval, minute) for interval in intervals)
        for minute in range(MINUTES_OF_WEEK)
    ]
    assert (all(times), max(times) > 1) == (whole_week(intervals), overlapping(intervals))
