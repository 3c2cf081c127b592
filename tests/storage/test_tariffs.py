import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4
from zoneinfo import ZoneInfo

import asyncpg
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from agi_server.refused import InvalidFieldError, NotFoundError, RefusedError
from agi_server.storage.postgres.pool import open_pool
from agi_server.tariffs import plans, rate_cards, trunks
from agi_server.tariffs.rate_cards import CardVersion, Source
from agi_server.tariffs.table_builder import TableBuildError
from agi_server.tariffs.tables import TariffStore
from rating.money import RoundingMode
from rating.rate import Rate, RateWindow, Stage
from rating.rate_card import OWN_RULES, PricingRules
from rating.rate_diff import DiffSummary, diff_rates
from rating.rate_gaps import GapFinder
from rating.rate_update import updated_rates

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
LATER = datetime(2026, 3, 2, 12, tzinfo=UTC)
DAY = timedelta(days=1)
UK = Rate(
    prefix="44",
    destination="United Kingdom",
    price_micros_per_minute=12_500,
    initial_s=60,
    increment_s=6,
    connection_fee_micros=100,
    minimum_charge_micros=5_000,
    buy_price_micros_per_minute=8_000,
    buy_initial_s=30,
    buy_increment_s=1,
    effective_from=datetime(2026, 1, 1, tzinfo=UTC),
)


@pytest.fixture
async def pool(postgres_dsn: str) -> AsyncIterator[Any]:
    async with open_pool(postgres_dsn) as pool:
        yield pool


async def store(
    pool: Any, *rates: Rate, sha256: str = "a", card: str = "retail", **options: Any
) -> CardVersion:
    return await rate_cards.store_version(
        pool,
        card,
        rates,
        Source(name="rates.csv", sha256=sha256),
        **{"currency": None, "default_currency": "USD", "at": NOW, **options},
    )


async def rates_of(pool: Any, version: int | None = None) -> list[Rate]:
    async with rate_cards.stored_version(pool, "retail", version, at=LATER) as stored:
        return [rate async for part in stored.rates() for rate in part]


async def active_versions(pool: Any) -> list[int]:
    return [
        each.version
        for each in await rate_cards.list_versions(pool, "retail", at=LATER)
        if each.active
    ]


@pytest.mark.parametrize(
    "dial",
    [
        "PJSIP/{number}@gw",
        "PJSIP/gw/sip:{number}@carrier.example:5060;transport=tcp",
        "Local/{prefix}-{number}@out/n",
        "SIP/{account_id}-{number}",
    ],
)
async def test_a_trunk_keeps_its_dial_template(pool: Any, dial: str) -> None:
    created = await trunks.create_trunk(pool, "gw", dial)
    assert [created] == await trunks.list_trunks(pool)
    assert ("gw", dial, True) == (created.name, created.dial, created.enabled)


@pytest.mark.parametrize(
    "dial",
    [
        "PJSIP/442079460000@gw",
        "PJSIP/{number}@gw&PJSIP/{number}@other",
        "PJSIP/{number}@gw,60",
        "PJSIP/{number}@gw\r\nHANGUP",
        "PJSIP/{number}@gw\0",
        "PJSIP/{number}@${HOST}",
        "PJSIP/{number!r}@gw",
        "PJSIP/{number:>9}@gw",
        "PJSIP/{number.__class__}@gw",
        "PJSIP/{0}{number}@gw",
        "PJSIP/{secret}{number}@gw",
        "PJSIP/{number@gw",
        "PJSIP/number}@gw",
        "{number}",
        "",
    ],
)
async def test_a_template_that_could_dial_something_else_is_refused(pool: Any, dial: str) -> None:
    with pytest.raises(InvalidFieldError) as caught:
        await trunks.create_trunk(pool, "gw", dial)
    assert "dial" == caught.value.field
    assert [] == await trunks.list_trunks(pool)


async def test_trunk_names_are_unique_and_plain(pool: Any) -> None:
    await trunks.create_trunk(pool, "gw", "PJSIP/{number}@gw")
    with pytest.raises(RefusedError, match="a trunk gw exists already"):
        await trunks.create_trunk(pool, "gw", "PJSIP/{number}@gw")
    with pytest.raises(InvalidFieldError, match="name: "):
        await trunks.create_trunk(pool, "my gw", "PJSIP/{number}@gw")


async def test_a_trunk_out_of_service_carries_no_calls(pool: Any) -> None:
    await trunks.create_trunk(pool, "gw", "PJSIP/{number}@gw")
    await trunks.create_trunk(pool, "gw2", "PJSIP/{number}@gw2")
    await store(pool, UK, trunks=["gw", "gw2"], activate=True)
    await plans.create_plan(pool, "standard", ["retail"])
    assert not (await trunks.switch_trunk(pool, "gw", False)).enabled
    tariffs = TariffStore()
    await tariffs.reload(pool, NOW)
    plan = tariffs.current.plan_ids["standard"]
    quote = tariffs.current.quote(plan, "USD", "442079460000", NOW)
    assert quote is not None
    assert ["gw2"] == [route.trunk for route in quote.routes]
    with pytest.raises(NotFoundError, match="there is no trunk nowhere"):
        await trunks.switch_trunk(pool, "nowhere", True)


async def test_an_imported_sheet_is_an_inactive_version_until_activated(pool: Any) -> None:
    await trunks.create_trunk(pool, "gw", "PJSIP/{number}@gw")
    rates = [UK, Rate(prefix="33", price_micros_per_minute=9)]
    stored = await store(pool, *rates, currency="EUR", trunks=["gw"])
    assert stored == CardVersion(
        card="retail",
        currency="EUR",
        version=1,
        active=False,
        rates=2,
        trunks=("gw",),
        source_name="rates.csv",
        source_sha256="a",
        imported_at=NOW,
        activated_at=None,
        effective_at=None,
        superseded_at=None,
        rules=OWN_RULES,
    )
    with pytest.raises(NotFoundError, match="no version in force"):
        await rates_of(pool)
    activated = await rate_cards.activate_version(pool, "retail", None, at=LATER)
    assert (True, LATER) == (activated.active, activated.activated_at)
    by_prefix = {rate.prefix: rate for rate in await rates_of(pool)}
    assert {"44": UK, "33": rates[1]} == by_prefix


async def test_one_version_at_a_time_is_active_and_one_may_go_back(pool: Any) -> None:
    await store(pool, UK, sha256="a", activate=True)
    await store(pool, UK, sha256="b", activate=True)
    assert [2] == await active_versions(pool)
    await store(pool, UK, sha256="c")
    assert [2] == await active_versions(pool)
    await rate_cards.activate_version(pool, "retail", 1, at=LATER)
    assert [1] == await active_versions(pool)
    with pytest.raises(NotFoundError, match="rate card retail has no version 9"):
        await rate_cards.activate_version(pool, "retail", 9, at=LATER)
    assert [1] == await active_versions(pool)
    with pytest.raises(NotFoundError, match="there is no rate card wholesale"):
        await rate_cards.activate_version(pool, "wholesale", None, at=LATER)


async def test_the_same_file_again_makes_no_second_version(pool: Any) -> None:
    await store(pool, UK)
    again = await store(pool, UK, activate=True)
    assert (1, True) == (again.version, again.active)
    assert 1 == len(await rate_cards.list_versions(pool, at=LATER))


async def test_imports_at_the_same_time_get_versions_of_their_own(pool: Any) -> None:
    stored = await asyncio.gather(
        *(store(pool, UK, sha256=str(n), activate=True) for n in range(6))
    )
    assert {1, 2, 3, 4, 5, 6} == {each.version for each in stored}
    assert 1 == len(await active_versions(pool))


async def test_a_failed_import_leaves_nothing_behind(pool: Any) -> None:
    with pytest.raises(NotFoundError, match="there is no trunk nowhere"):
        await store(pool, UK, trunks=["nowhere"])
    with pytest.raises(asyncpg.UniqueViolationError):
        await store(pool, UK, UK)
    with pytest.raises(InvalidFieldError, match="name"):
        await store(pool, UK, card="re tail")
    assert [] == await rate_cards.list_versions(pool, at=LATER)
    assert 0 == await pool.fetchval("SELECT count(*) FROM rate_card")


async def test_the_currency_of_a_card_never_changes(pool: Any) -> None:
    await store(pool, UK, currency="EUR")
    assert "EUR" == (await store(pool, UK, sha256="b")).currency
    with pytest.raises(RefusedError, match="rate card retail is in EUR, not in USD"):
        await store(pool, UK, sha256="c", currency="USD")


async def test_trunks_are_replaced_only_when_given(pool: Any) -> None:
    for name in ("a", "b", "c"):
        await trunks.create_trunk(pool, name, "PJSIP/{number}@" + name)
    assert ("b", "a") == (await store(pool, UK, trunks=["b", "a"])).trunks
    assert ("b", "a") == (await store(pool, UK, sha256="b")).trunks
    assert ("c",) == (await store(pool, UK, sha256="b", trunks=["c"])).trunks
    with pytest.raises(InvalidFieldError, match="names a trunk twice"):
        await store(pool, UK, trunks=["a", "a"])


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE rate SET price_micros_per_minute = 1",
        "DELETE FROM rate",
        "UPDATE rate_card_version SET rules = '{}'",
        "UPDATE rate_card_version SET version = 2",
        "UPDATE rate_card_version SET source_sha256 = ''",
        "DELETE FROM rate_card_version",
        "UPDATE rate_card SET currency = 'EUR'",
    ],
)
async def test_a_stored_version_never_changes(pool: Any, change: str) -> None:
    await store(pool, UK, activate=True)
    with pytest.raises(asyncpg.RaiseError, match="versions of rate cards are immutable"):
        await pool.execute(change)
    assert [UK] == await rates_of(pool)


async def test_a_version_in_force_may_not_begin_later(pool: Any) -> None:
    await store(pool, UK, activate=True)
    with pytest.raises(RefusedError, match="version 1 is in force already"):
        await rate_cards.activate_version(pool, "retail", 1, at=NOW, effective_at=LATER)
    await store(pool, UK, sha256="b")
    await rate_cards.activate_version(pool, "retail", 2, at=NOW, effective_at=LATER)
    versions = await rate_cards.list_versions(pool, "retail", at=NOW)
    assert [(False, LATER, None), (True, NOW, LATER)] == [
        (each.active, each.effective_at, each.superseded_at) for each in versions
    ]


async def test_changes_are_refused_when_another_version_came_into_force_meanwhile(
    pool: Any,
) -> None:
    await store(pool, UK, activate=True)
    source = Source(name="changes.csv", sha256="c")
    async with rate_cards.begin_import(pool, "retail", at=NOW) as importing:
        await importing.stage([Rate(prefix="33")])
        await importing.complete(changes_only=True)
        await store(pool, UK, sha256="b", activate=True)
        with pytest.raises(RefusedError, match="came into force meanwhile"):
            await importing.store(source, currency=None, default_currency="USD")
    assert [2, 1] == [
        each.version for each in await rate_cards.list_versions(pool, "retail", at=NOW)
    ]


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
            async with rate_cards.begin_import(pool, card, at=NOW) as importing:
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


async def test_activation_tells_the_daemons(pool: Any) -> None:
    async with pool.acquire() as listener:
        told = asyncio.Event()
        await listener.add_listener("tariffs", lambda *_: told.set())
        await store(pool, UK, activate=True)
        async with asyncio.timeout(10):
            await told.wait()
        await listener.reset()


async def test_a_plan_prices_by_its_cards_in_order(pool: Any) -> None:
    await store(pool, UK, card="retail", activate=True)
    await store(pool, Rate(prefix="4420", price_micros_per_minute=1), card="local", activate=True)
    created = await plans.create_plan(pool, "standard", ["local", "retail"])
    assert [created] == await plans.list_plans(pool)
    assert (("local", "retail"), 0) == (created.cards, created.accounts)
    assert created.id == await plans.plan_id(pool, "standard")
    tariffs = TariffStore()
    await tariffs.reload(pool, NOW)
    for number, card in (("442079460000", "local"), ("441234567890", "retail")):
        quote = tariffs.current.quote(created.id, "USD", number, NOW)
        assert quote is not None
        assert card == quote.sell.card.name


async def test_a_plan_that_cannot_be_is_refused_whole(pool: Any) -> None:
    await store(pool, UK)
    with pytest.raises(NotFoundError, match="there is no rate card wholesale"):
        await plans.create_plan(pool, "standard", ["retail", "wholesale"])
    with pytest.raises(InvalidFieldError, match="at least one"):
        await plans.create_plan(pool, "standard", [])
    with pytest.raises(InvalidFieldError, match="twice"):
        await plans.create_plan(pool, "standard", ["retail", "retail"])
    assert [] == await plans.list_plans(pool)
    await plans.create_plan(pool, "standard", ["retail"])
    with pytest.raises(RefusedError, match="a call plan standard exists already"):
        await plans.create_plan(pool, "standard", ["retail"])
    with pytest.raises(NotFoundError, match="there is no call plan none"):
        await plans.plan_id(pool, "none")


EVERYTHING = Rate(
    prefix="33",
    destination="France",
    price_micros_per_minute=9,
    buy_connection_fee_micros=3,
    disconnection_fee_micros=4,
    stages=(Stage(length_s=60, price_micros_per_minute=5, entry_fee_micros=1),),
    windows=(
        RateWindow(
            start_minute=540,
            end_minute=1080,
            rate=Rate(prefix="33", price_micros_per_minute=8, effective_from=NOW),
        ),
    ),
    grace_s=2,
    effective_from=NOW,
)


async def test_every_term_of_a_rate_is_stored_and_loaded(pool: Any, postgres_dsn: str) -> None:
    rules = PricingRules(
        rounding_decimals=2,
        rounding_mode=RoundingMode.HALF_EVEN,
        increments_from_zero=True,
        price_by_start=True,
        zone=ZoneInfo("Europe/Paris"),
    )
    many = [Rate(prefix=str(prefix), price_micros_per_minute=7) for prefix in range(4_000, 8_000)]
    blocked = Rate(prefix="882", blocked=True)
    await store(pool, UK, EVERYTHING, blocked, activate=True, rules=rules)
    await store(pool, EVERYTHING, *many, card="large", activate=True)
    stored = {rate.prefix: rate for rate in await rates_of(pool)}
    assert {"44": UK, "33": EVERYTHING, "882": blocked} == stored
    assert rules == (await rate_cards.list_versions(pool, "retail", at=LATER))[0].rules
    await plans.create_plan(pool, "standard", ["retail", "large"])
    tariffs = TariffStore("USD", postgres_dsn)  # the large card is built by another process
    await tariffs.reload(pool, LATER)
    plan = tariffs.current.plans[tariffs.current.plan_ids["standard"]]
    (retail, small_table), (_, large_table) = plan.cards
    assert rules == retail.rules
    assert EVERYTHING == small_table.lookup("33123", LATER) == large_table.lookup("33123", LATER)
    assert many[1] == large_table.lookup("400112", LATER)
    assert 4_001 == len(large_table)
    await tariffs.reload(pool, LATER)
    assert large_table is tariffs.current.plans[plan.id].cards[1][1]


async def test_a_table_that_cannot_be_built_says_why_and_leaves_the_old_ones(
    pool: Any, postgres_dsn: str
) -> None:
    many = [Rate(prefix=str(prefix), price_micros_per_minute=7) for prefix in range(4_000, 8_000)]
    await store(pool, *many, activate=True)
    await plans.create_plan(pool, "standard", ["retail"])
    tariffs = TariffStore("USD", postgres_dsn.replace("/test", "/nowhere"))
    with pytest.raises(TableBuildError, match="nowhere"):
        await tariffs.reload(pool, LATER)
    assert {} == tariffs.current.plans
