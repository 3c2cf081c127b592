"""Versions of rate cards: stored once, immutable, one at a time in force."""

import asyncio
from typing import Any

import asyncpg
import pytest
from cards_for_tests import LATER, NOW, UK, active_versions, rates_of, store

from agi_server.refused import InvalidFieldError, NotFoundError, RefusedError
from agi_server.tariffs import rate_cards, trunks
from agi_server.tariffs.rate_cards import CardVersion, Source
from rating.rate import Rate
from rating.rate_card import OWN_RULES


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
    with pytest.raises(InvalidFieldError, match="rate card retail is in EUR, not in USD"):
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


async def test_a_rate_is_of_a_version_that_there_is(pool: Any) -> None:
    await store(pool, UK, activate=True)
    add = "INSERT INTO rate (version_id, prefix, destination, price_micros_per_minute, initial_s,"
    add += " increment_s) SELECT id, '33', '', 1, 1, 1 FROM unnest($1::bigint[]) id"
    version = await pool.fetchval("SELECT id FROM rate_card_version")
    with pytest.raises(asyncpg.ForeignKeyViolationError, match="rates of version 99: there is"):
        await pool.execute(add, [version, 99])
    assert [UK] == await rates_of(pool)
    await pool.execute(add, [version])


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
    async with rate_cards.begin_import(
        pool, "retail", currency=None, default_currency="USD", at=NOW
    ) as importing:
        await importing.stage([Rate(prefix="33")])
        await importing.complete(changes_only=True)
        await store(pool, UK, sha256="b", activate=True)
        with pytest.raises(RefusedError, match="came into force meanwhile"):
            await importing.store(source)
    assert [2, 1] == [
        each.version for each in await rate_cards.list_versions(pool, "retail", at=NOW)
    ]


async def test_activation_tells_the_daemons(pool: Any) -> None:
    async with pool.acquire() as listener:
        told = asyncio.Event()
        await listener.add_listener("tariffs", lambda *_: told.set())
        await store(pool, UK, activate=True)
        async with asyncio.timeout(10):
            await told.wait()
        await listener.reset()
