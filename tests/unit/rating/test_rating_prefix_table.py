from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rates_for_tests import rates, windowed_rates

from rating.prefix_table import DuplicateRateError, PrefixTable
from rating.rate import Rate, Stage

NOON = datetime(2025, 6, 1, 12, tzinfo=UTC)
LATER = datetime(2025, 7, 1, tzinfo=UTC)


def prefix_of(table: PrefixTable, number: str, at: datetime = NOON) -> str | None:
    rate = table.lookup(number, at)
    return rate and rate.prefix


def test_the_longest_prefix_wins() -> None:
    table = PrefixTable([Rate(prefix="44"), Rate(prefix="4420"), Rate(prefix="447")])
    numbers = ("442079460000", "447700900000", "441632960000", "33123456789")
    assert ["4420", "447", "44", None] == [prefix_of(table, number) for number in numbers]


def test_a_number_shorter_than_a_prefix_does_not_match_it() -> None:
    table = PrefixTable([Rate(prefix="44"), Rate(prefix="4420"), Rate(prefix="442000")])
    assert ["44", "4420"] == [prefix_of(table, number) for number in ("442", "4420")]


def test_a_rate_comes_back_as_it_was_given() -> None:
    plain = Rate(
        prefix="0044",
        destination="Somewhere",
        price_micros_per_minute=123,
        initial_s=60,
        increment_s=6,
        connection_fee_micros=1,
        minimum_charge_micros=2,
        buy_price_micros_per_minute=3,
        buy_initial_s=30,
        buy_increment_s=7,
        buy_connection_fee_micros=4,
        effective_from=NOON,
    )
    staged = Rate(prefix="33", stages=(Stage(length_s=1, price_micros_per_minute=1),), grace_s=4)
    blocked = Rate(prefix="882", blocked=True)
    table = PrefixTable([plain, staged, blocked])
    assert [plain, staged, blocked] == [
        table.lookup(number, NOON) for number in ("00441", "331", "88212")
    ]


def test_the_latest_date_that_has_come_counts() -> None:
    old = Rate(prefix="44", price_micros_per_minute=1)
    new = Rate(prefix="44", price_micros_per_minute=2, effective_from=NOON)
    future = Rate(prefix="44", price_micros_per_minute=3, effective_from=LATER)
    table = PrefixTable([future, old, new])
    before = datetime(2025, 6, 1, 11, 59, 59, 999_999, tzinfo=UTC)
    assert [old, new, future] == [table.lookup("4420", at) for at in (before, NOON, LATER)]


def test_a_prefix_not_yet_in_force_gives_way_to_a_shorter_one() -> None:
    table = PrefixTable([Rate(prefix="44"), Rate(prefix="4420", effective_from=LATER)])
    assert ["44", "4420"] == [prefix_of(table, "442079460000", at) for at in (NOON, LATER)]
    assert None is PrefixTable([Rate(prefix="4", effective_from=LATER)]).lookup("44", NOON)


def test_a_withdrawn_prefix_gives_way_to_a_shorter_one_from_its_date_on() -> None:
    table = PrefixTable(
        [
            Rate(prefix="44"),
            Rate(prefix="4420"),
            Rate(prefix="4420", withdrawn=True, effective_from=NOON),
            Rate(prefix="4420", effective_from=LATER),
        ]
    )
    before = datetime(2025, 1, 1, tzinfo=UTC)
    assert ["4420", "44", "4420"] == [
        prefix_of(table, "442079460000", at) for at in (before, NOON, LATER)
    ]


@given(st.one_of(rates, windowed_rates()))
def test_any_rate_comes_back_as_it_was_given(rate: Rate) -> None:
    assert rate == PrefixTable([rate]).lookup("441", NOON)


def test_a_blocked_prefix_is_returned_whatever_a_shorter_one_allows() -> None:
    table = PrefixTable([Rate(prefix="44"), Rate(prefix="4470", blocked=True)])
    rate = table.lookup("447012345678", NOON)
    assert rate is not None
    assert rate.blocked


def test_two_rates_for_a_prefix_from_the_same_date_are_refused() -> None:
    with pytest.raises(DuplicateRateError, match="prefix 44:"):
        PrefixTable([Rate(prefix="44", effective_from=NOON)] * 2)


def test_an_empty_table_knows_nothing() -> None:
    assert (0, None) == (len(PrefixTable([])), PrefixTable([]).lookup("44", NOON))


_prefixes = st.text("01239", min_size=1, max_size=15)


@given(st.sets(_prefixes, max_size=40), st.text("01239", min_size=1, max_size=15))
def test_lookup_finds_what_trying_every_prefix_finds(prefixes: set[str], number: str) -> None:
    table = PrefixTable(Rate(prefix=prefix) for prefix in prefixes)
    matching = [prefix for prefix in prefixes if number.startswith(prefix)]
    assert max(matching, key=len, default=None) == prefix_of(table, number)
