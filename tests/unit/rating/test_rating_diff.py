from dataclasses import replace
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from rating.prefix_table import PrefixTable
from rating.rate import Rate, RateWindow, Stage
from rating.rate_diff import DiffSummary, RateChange, diff_rates
from rating.rate_gaps import GapFinder, RateGap
from rating.rate_update import updated_rates

NOW = datetime(2026, 11, 28, 12, tzinfo=UTC)
DAYS = [NOW + timedelta(days=day) for day in range(-2, 5)]
BEGUN, SOON, LATER = DAYS[1], DAYS[3], DAYS[4]


def rate(prefix: str, price: int, **terms: object) -> Rate:
    return Rate(prefix=prefix, price_micros_per_minute=price, **terms)  # type: ignore[arg-type]


def prefixes(changes: tuple[RateChange, ...]) -> list[str]:
    return [change.prefix for change in changes]


def told(old: list[Rate], new: list[Rate]) -> tuple[list[tuple[object, ...]], int]:
    """Each change as kind, prefix, both prices and date; and how many prefixes do not change."""
    diff = diff_rates(old, new, NOW)
    every = (*diff.new, *diff.up, *diff.down, *diff.other, *diff.removed)
    return [
        (
            change.kind,
            change.prefix,
            *(side and side.price_micros_per_minute for side in (change.old, change.new)),
            change.begins,
        )
        for change in sorted(every, key=lambda change: (change.prefix, change.begins or BEGUN))
    ], diff.unchanged


def test_every_prefix_is_new_up_down_otherwise_changed_removed_or_unchanged() -> None:
    old = [rate(prefix, 100) for prefix in ("1", "2", "3", "4", "5")]
    new = [rate("1", 100), rate("2", 101), rate("3", 99), rate("4", 100, initial_s=60)]
    diff = diff_rates(old, [*new, rate("6", 1)], NOW)
    assert (["6"], ["2"], ["3"], ["4"], ["5"], 1) == (
        prefixes(diff.new),
        prefixes(diff.up),
        prefixes(diff.down),
        prefixes(diff.other),
        prefixes(diff.removed),
        diff.unchanged,
    )


def test_a_rate_that_becomes_blocked_or_open_is_no_cheaper_or_dearer_one() -> None:
    open_, blocked = rate("49", 5_000), rate("49", 0, blocked=True)
    assert ([("other", "49", 5_000, 0, None)], 0) == told([open_], [blocked])
    assert ([("other", "49", 0, 5_000, None)], 0) == told([blocked], [open_])


def test_the_largest_changes_come_first_in_proportion() -> None:
    old = [rate("1", 100), rate("2", 1_000), rate("3", 0), rate("4", 1)]
    new = [rate("1", 150), rate("2", 1_100), rate("3", 1), rate("4", 1)]
    assert ["3", "1"] == prefixes(diff_rates(old, new, NOW).largest(2))


def test_a_rate_that_lies_ahead_changes_what_is_in_force_before_it() -> None:
    new = [rate("1", 100), rate("1", 200, effective_from=SOON)]
    assert ([("up", "1", 100, 200, SOON)], 0) == told([rate("1", 100)], new)


def test_each_date_of_a_prefix_is_a_change_of_its_own() -> None:
    new = [rate("1", 5, effective_from=SOON), rate("1", 3, effective_from=LATER)]
    assert (
        [("up", "1", 4, 5, SOON), ("down", "1", 5, 3, LATER)], 0
    ) == told([rate("1", 4)], [rate("1", 4, effective_from=BEGUN), *new])  # fmt: skip
    assert ([("new", "1", None, 5, SOON), ("down", "1", 5, 3, LATER)], 0) == told([], new)


def test_rates_that_are_over_and_dates_that_have_passed_do_not_count() -> None:
    old = [rate("1", 9, effective_from=DAYS[0]), rate("1", 5, effective_from=BEGUN), rate("2", 1)]
    gone = [rate("3", 1, effective_from=DAYS[0]), rate("3", 0, withdrawn=True, effective_from=NOW)]
    new = [rate("1", 5), rate("2", 7, effective_from=DAYS[0]), rate("2", 1, effective_from=NOW)]
    assert ([], 2) == told([*old, *gone], [*new, *gone])


def test_what_was_known_to_come_is_no_change_and_what_is_taken_back_is() -> None:
    known = [rate("1", 4), rate("1", 5, effective_from=SOON)]
    assert ([], 1) == told(known, known)
    assert ([("down", "1", 5, 4, SOON)], 0) == told(known, [rate("1", 4)])
    put_off = [rate("1", 4), rate("1", 5, effective_from=LATER)]
    assert ([("down", "1", 5, 4, SOON), ("up", "1", 4, 5, LATER)], 0) == told(known, put_off)
    assert ([("up", "1", 4, 5, SOON)], 0) == told(put_off, known)
    assert ([("up", "1", 4, 6, None), ("up", "1", 5, 6, SOON)], 0) == told(known, [rate("1", 6)])


def test_a_known_date_behind_a_change_is_told_whether_it_stays_or_goes() -> None:
    known = [rate("1", 4), rate("1", 3, effective_from=LATER)]
    change = rate("1", 5, effective_from=SOON)
    assert ([("up", "1", 4, 5, SOON), ("down", "1", 5, 3, LATER)], 0) == (
        told(known, [*known, change])
    )
    ends = [rate("1", 4), rate("1", 0, withdrawn=True, effective_from=LATER)]
    assert ([("up", "1", 4, 5, SOON), ("removed", "1", 5, None, LATER)], 0) == (
        told(ends, [*ends, change])
    )
    assert ([("up", "1", 4, 5, SOON), ("new", "1", None, 5, LATER)], 0) == (
        told(ends, [ends[0], change])
    )


def test_a_prefix_withdrawn_is_removed_from_then_on() -> None:
    new = [rate("1", 1), rate("1", 0, withdrawn=True, effective_from=SOON)]
    assert ([("removed", "1", 1, None, SOON)], 0) == told([rate("1", 1)], new)
    assert ([("removed", "1", 1, None, SOON)], 0) == told(new[:1], new)


def test_another_date_of_the_same_hours_is_no_change() -> None:
    def by_hours(price: int, **terms: object) -> Rate:
        windows = (RateWindow(start_minute=0, end_minute=60, rate=rate("1", price, **terms)),)
        return rate("1", 9, windows=windows, **terms)

    assert ([], 1) == told([by_hours(1)], [by_hours(1, effective_from=BEGUN)])
    assert ([("up", "1", 9, 9, None)], 0) == (
        told([by_hours(1)], [by_hours(2, effective_from=BEGUN)])
    )


def test_a_rate_is_dearer_where_any_hour_or_stage_is_and_counts_by_what_moves_most() -> None:
    def at_night(price: int, night: int, **terms: object) -> Rate:
        other = rate("1", night, **terms)
        return rate("1", price, windows=(RateWindow(start_minute=0, end_minute=60, rate=other),))

    def staged(price: int) -> Rate:
        return rate("3", 50, stages=(Stage(length_s=60, price_micros_per_minute=price),))

    assert ([("up", "1", 9, 5, None)], 0) == told([at_night(9, 2)], [at_night(5, 3)])
    assert ([("down", "1", 9, 9, None)], 0) == told([at_night(9, 2)], [at_night(9, 1)])
    assert ([("up", "1", 9, 9, None)], 0) == told([rate("1", 9)], [at_night(9, 10)])
    assert ([("other", "1", 9, 9, None)], 0) == told([rate("1", 9)], [at_night(9, 0, blocked=True)])
    assert ([("up", "3", 50, 50, None)], 0) == told([staged(10)], [staged(40)])
    old = [at_night(900, 60), rate("2", 100), staged(10)]
    diff = diff_rates(old, [at_night(901, 900), rate("2", 300), staged(60)], NOW)
    assert ["1", "3", "2"] == prefixes(diff.largest(3))


def gaps(old: list[Rate], new: list[Rate]) -> list[RateGap]:
    finder = GapFinder(NOW)
    found: list[RateGap] = []
    for prefix in sorted({each.prefix for each in (*old, *new)}):
        sides = ([each for each in side if each.prefix == prefix] for side in (old, new))
        found += finder.add(prefix, *sides)
    return found


def test_numbers_that_lose_their_rate_until_another_prefix_has_begun_are_told() -> None:
    split = [rate("441", 1, effective_from=SOON), rate("442", 1)]
    assert [RateGap("441", NOW, SOON)] == gaps([rate("44", 1)], split)
    merged = [rate("44", 1, effective_from=SOON)]
    assert [RateGap("441", NOW, SOON)] == gaps(
        [rate("441", 1), rate("442", 0, blocked=True)], merged
    )
    assert [] == gaps([], merged)
    assert [] == gaps([rate("441", 1)], [*merged, rate("4", 1)])


def test_a_time_between_two_rates_is_told_even_of_a_new_prefix() -> None:
    new = [
        rate("44", 1),
        rate("44", 0, withdrawn=True, effective_from=SOON),
        rate("44", 2, effective_from=LATER),
    ]
    assert [RateGap("44", SOON, LATER)] == gaps([], new)
    assert [] == gaps([rate("44", 1)], new[:2])
    assert [] == gaps([], [*new, rate("4", 1)])


_dated = st.lists(
    st.builds(
        rate,
        st.sampled_from(("1", "12", "123", "13", "2")),
        st.integers(1, 2),
        effective_from=st.sampled_from(DAYS),
        withdrawn=st.booleans(),
        blocked=st.booleans(),
    ),
    unique_by=lambda rate: (rate.prefix, rate.effective_from),
    max_size=12,
)


@given(_dated, _dated)
def test_exactly_those_are_told_that_lose_their_rate_and_get_one_again(
    old: list[Rate], new: list[Rate]
) -> None:
    was, becomes = PrefixTable(old), PrefixTable(new)
    told = gaps(old, new)
    for prefix in {each.prefix for each in (*old, *new)}:
        now = was.lookup(prefix, NOW)
        rated = [becomes.lookup(prefix, day) is not None for day in DAYS[2:]]
        called_before = now is not None and not now.blocked
        loses = [
            day
            for day in range(len(rated))
            if not rated[day] and any(rated[day:]) and (called_before or any(rated[:day]))
        ]
        own = [each for each in told if each.prefix == prefix]
        inside = [
            day for day in range(len(rated))
            if any(gap.begins <= DAYS[2 + day] < gap.ends for gap in own)
        ]  # fmt: skip
        assert set(inside) <= set(loses)
        if now is not None and now.prefix == prefix:
            assert inside == loses


def test_only_so_many_gaps_are_told_and_all_are_counted() -> None:
    summary = DiffSummary(1)
    summary.add_gaps([RateGap("1", NOW, SOON), RateGap("2", NOW, SOON)])
    assert ([RateGap("1", NOW, SOON)], 2) == (summary.gaps, summary.counts["gaps"])


def test_changes_replace_their_date_or_without_one_the_whole_prefix() -> None:
    may, june = datetime(2025, 5, 1, tzinfo=UTC), datetime(2025, 6, 1, tzinfo=UTC)
    current = [
        *(rate("1", 1), rate("1", 2, effective_from=may)),
        *(rate("2", 1), rate("2", 2, effective_from=may)),
        *(rate("3", 1), rate("4", 1)),
    ]
    later, new = rate("1", 9, effective_from=may), rate("1", 10, effective_from=june)
    changes = [later, new, rate("2", 7), rate("3", 0, withdrawn=True), rate("5", 5)]
    expected = [rate("1", 1), rate("4", 1), later, new, rate("2", 7), rate("5", 5)]
    assert expected == list(updated_rates(current, changes))


def test_the_end_of_a_rate_does_not_end_the_change_that_comes_before_it() -> None:
    first, end = rate("1", 3), rate("1", 0, withdrawn=True, effective_from=LATER)
    dearer = rate("1", 5, effective_from=SOON)
    assert [first, dearer] == list(updated_rates([first, end], [dearer]))
    blocked = rate("1", 0, blocked=True, effective_from=SOON)
    assert [first, blocked] == list(updated_rates([first, end], [blocked]))
    last_day = replace(end, effective_from=LATER + timedelta(days=1))
    assert [first, dearer, end] == list(updated_rates([first, last_day], [dearer, end]))


def test_a_later_rate_stays_behind_a_change_and_so_does_its_end() -> None:
    later = rate("1", 6, effective_from=LATER)
    end = rate("1", 0, withdrawn=True, effective_from=LATER + timedelta(days=1))
    current = [rate("1", 3), later, end]
    dearer = rate("1", 5, effective_from=SOON)
    assert [*current, dearer] == list(updated_rates(current, [dearer]))
    other = rate("2", 5, effective_from=SOON)
    assert [*current, other] == list(updated_rates(current, [other]))
