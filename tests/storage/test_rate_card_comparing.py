"""What a sheet changes and what it leaves, as the database compares it."""

import asyncio
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import asyncpg
from cards_for_tests import DAY, LATER, NOW, UK, rates_of, store
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from agi_server.storage.postgres.pool import open_pool
from agi_server.storage.postgres.statements import statement
from agi_server.tariffs import rate_cards
from agi_server.tariffs.staged_rates import keep_until_begun, stage_rates
from rating.rate import Rate
from rating.rate_diff import DiffSummary, diff_rates
from rating.rate_gaps import GapFinder
from rating.rate_update import updated_rates

_prefixes = st.text("0123", min_size=1, max_size=2)
_dates = st.sampled_from([None, NOW - DAY, NOW, LATER, NOW + 2 * DAY])
_rates = st.lists(
    st.builds(
        Rate,
        prefix=_prefixes,
        price_micros_per_minute=st.integers(0, 2),
        grace_s=st.integers(0, 1),
        withdrawn=st.booleans(),
        effective_from=_dates,
    ),
    unique_by=lambda rate: (rate.prefix, rate.effective_from),
    max_size=12,
)


@given(_rates, _rates, st.booleans(), st.integers(0, 3))
@example([], [replace(UK, effective_from=None), UK, Rate(prefix="1", blocked=True)], False, 1)
@settings(
    deadline=None,
    max_examples=30,
    suppress_health_check=[HealthCheck.function_scoped_fixture],  # each has a card of its own
)
def test_the_database_compares_and_updates_as_rating_does(
    postgres_dsn: str, old: list[Rate], new: list[Rate], changes_only: bool, most: int
) -> None:
    async def compared() -> DiffSummary:
        async with open_pool(postgres_dsn) as pool:
            card = f"card{uuid4().hex}"
            if old:
                await store(pool, *old, card=card, activate=True)
            async with rate_cards.begin_import(
                pool, card, currency=None, default_currency="USD", at=NOW
            ) as importing:
                await importing.stage(new)
                await importing.complete(changes_only=changes_only)
                return await importing.compare(most)

    expected = DiffSummary(most)
    after = list(updated_rates(old, new)) if changes_only else [*new, *kept(old, new)]
    expected.add(diff_rates(old, after, NOW))
    finder = GapFinder(NOW)
    for prefix in sorted({rate.prefix for rate in (*old, *after)}):
        sides = ([rate for rate in side if rate.prefix == prefix] for side in (old, after))
        expected.add_gaps(finder.add(prefix, *sides))
    found = asyncio.run(compared())
    assert +expected.counts == +found.counts
    assert expected.changes() == found.changes()
    assert expected.gaps == found.gaps


async def test_a_card_that_nobody_has_counted_is_not_compared_row_by_row_with_each_row(
    postgres_dsn: str,
) -> None:
    rates = [replace(UK, prefix=str(prefix)) for prefix in range(10_000, 14_000)]
    async with open_pool(postgres_dsn) as pool:
        await store(pool, *rates, card="counted", activate=True)
        owner = await asyncpg.connect(postgres_dsn)
        await owner.execute("ANALYZE rate")
        await owner.close()
        await store(pool, *rates, card="uncounted", activate=True)
        version_id = await pool.fetchval("SELECT max(id) FROM rate_card_version")
        async with pool.acquire() as db, db.transaction():
            await stage_rates(db, rates)
            await keep_until_begun(db, version_id, NOW)
            explain = f"EXPLAIN {statement('tariffs/keep_until_begun')}"
            plan = [row[0] for row in await db.fetch(explain, version_id, NOW)]
            assert [] == [line for line in plan if "Nested Loop" in line]


def kept(old: list[Rate], new: list[Rate]) -> list[Rate]:
    """What stays of prefixes of which the new sheet has nothing in force yet."""

    def begins(rate: Rate) -> datetime:
        return rate.effective_from or datetime.min.replace(tzinfo=UTC)

    stays: list[Rate] = []
    for prefix in {rate.prefix for rate in new}:
        first = min(begins(rate) for rate in new if rate.prefix == prefix)
        before = [rate for rate in old if rate.prefix == prefix and begins(rate) < first]
        begun = [rate for rate in before if begins(rate) <= NOW]
        if first > NOW:
            stays += [rate for rate in before if begins(rate) > NOW]
            stays += [rate for rate in sorted(begun, key=begins)[-1:] if not rate.withdrawn]
    return stays


async def test_a_sheet_whose_dates_lie_ahead_leaves_what_is_in_force_until_then(pool: Any) -> None:
    old = [replace(UK, effective_from=date) for date in (None, NOW - DAY, NOW + DAY)]
    await store(pool, *old, Rate(prefix="33"), Rate(prefix="34"), activate=True)
    begun, ahead = Rate(prefix="33", effective_from=NOW), replace(UK, effective_from=NOW + 2 * DAY)
    stored = await store(pool, ahead, begun, sha256="b", activate=True)
    assert [begun, *old[1:], ahead] == await rates_of(pool, stored.version)
    again = await store(pool, ahead, begun, sha256="b", activate=True, at=NOW + DAY / 2)
    assert stored.version == again.version


async def test_a_sheet_for_a_later_time_leaves_what_will_be_in_force_then(pool: Any) -> None:
    now, later = replace(UK, effective_from=None), replace(UK, effective_from=NOW + DAY)
    await store(pool, now, later, activate=True)
    ahead = replace(UK, effective_from=NOW + 2 * DAY)
    await store(pool, ahead, sha256="b", activate=True, effective_at=NOW + DAY)
    assert [later, ahead] == await rates_of(pool, 2)


async def test_a_prefix_withdrawn_by_then_is_not_brought_back(pool: Any) -> None:
    gone = Rate(prefix="33", withdrawn=True, effective_from=NOW)
    await store(pool, Rate(prefix="33"), gone, activate=True)
    ahead = Rate(prefix="33", effective_from=LATER)
    await store(pool, ahead, sha256="b", activate=True)
    assert [ahead] == await rates_of(pool, 2)
