from datetime import UTC, datetime

from rating.rate import Rate
from rating.rate_diff import RateChange, diff_rates
from rating.rate_update import updated_rates


def rate(prefix: str, price: int, **terms: object) -> Rate:
    return Rate(prefix=prefix, price_micros_per_minute=price, **terms)  # type: ignore[arg-type]


def prefixes(changes: tuple[RateChange, ...]) -> list[str]:
    return [change.prefix for change in changes]


def test_every_prefix_is_new_up_down_otherwise_changed_removed_or_unchanged() -> None:
    old = [rate(prefix, 100) for prefix in ("1", "2", "3", "4", "5")]
    new = [rate("1", 100), rate("2", 101), rate("3", 99), rate("4", 100, initial_s=60)]
    diff = diff_rates(old, [*new, rate("6", 1)])
    assert (["6"], ["2"], ["3"], ["4"], ["5"], 1) == (
        prefixes(diff.new),
        prefixes(diff.up),
        prefixes(diff.down),
        prefixes(diff.other),
        prefixes(diff.removed),
        diff.unchanged,
    )


def test_the_largest_changes_come_first_in_proportion() -> None:
    old = [rate("1", 100), rate("2", 1_000), rate("3", 0), rate("4", 1)]
    new = [rate("1", 150), rate("2", 1_100), rate("3", 1), rate("4", 1)]
    assert ["3", "1"] == prefixes(diff_rates(old, new).largest(2))


def test_of_several_dates_the_latest_counts_and_a_date_alone_is_no_change() -> None:
    january, may = datetime(2025, 1, 1, tzinfo=UTC), datetime(2025, 5, 1, tzinfo=UTC)
    old = [rate("1", 100), rate("2", 5)]
    new = [rate("1", 200, effective_from=may), rate("1", 100, effective_from=january)]
    diff = diff_rates(old, [*new, rate("2", 5, effective_from=may)])
    assert (["1"], 1) == (prefixes(diff.up), diff.unchanged)


def test_a_prefix_withdrawn_in_the_end_is_removed() -> None:
    may = datetime(2025, 5, 1, tzinfo=UTC)
    diff = diff_rates(
        [rate("1", 1)], [rate("1", 1), rate("1", 0, withdrawn=True, effective_from=may)]
    )
    assert (["1"], 0) == (prefixes(diff.removed), diff.unchanged)


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
