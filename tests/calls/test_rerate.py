"""Calls priced again: what differs is told, and corrected only when asked for, by new entries."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from agi_server.calls.rerate import Correction, Rerated, correct, rerate
from agi_server.tariffs import plans, rate_cards
from agi_server.tariffs.exchange_rates import set_exchange_rate
from agi_server.tariffs.packages import change_package, create_package
from agi_server.tariffs.tables import read_exchange_table
from rating.currency import ExchangeTable
from rating.package import PackageUnit
from rating.rate import Rate
from support.business import Business, nothing_reserved
from support.channel import Channel
from support.clock import Clock
from support.fixtures import StartDaemon

BY_ANOTHER = Correction.BOOKED_BY_ANOTHER
WRONG, RIGHT = 60_000, 30_000
"""Prices per minute: 1,000 and 500 micros a second."""


async def talk(
    business: Business, start_daemon: StartDaemon, clock: Clock, account: Any, **about: str
) -> str:
    """Ten seconds at the wrong price."""
    daemon = await start_daemon()
    phone = Channel(daemon.port, clock, accountcode=account.account_number, **about)
    call = (await phone.authorize()).call
    clock.advance(30)
    await phone.settle(10_000)
    return call


async def differences(business: Business, now: datetime, **by: Any) -> list[Rerated]:
    hour = timedelta(hours=1)
    return [call async for call in rerate(business.pool, now - hour, now + hour, **by)]


async def sold(business: Business, price: int, buy: int = 0, **options: Any) -> None:
    rates = [Rate(prefix="44", price_micros_per_minute=price, buy_price_micros_per_minute=buy)]
    await business.card("sold", rates, ("gw",), **options)


async def corrections(business: Business, account: Any) -> list[tuple[str, str, int]]:
    rows = await business.pool.fetch(
        "SELECT debit, credit, amount_micros FROM ledger_entry"
        " WHERE account_id = $1 AND kind = 'correction' ORDER BY created_at, movement_id, part",
        account.id,
    )
    return [tuple(row) for row in rows]


async def apply(business: Business, call: Rerated) -> Correction:
    return await correct(
        business.pool, call, created_by="test", reason="wrong price", at=business.now()
    )


async def test_calls_come_out_as_they_were_promised(
    business: Business, start_daemon: StartDaemon, clock: Clock
) -> None:
    now = clock()
    await sold(business, WRONG)
    await plans.create_plan(business.pool, "sold", ["sold"])
    account = await business.customer(plan="sold", discount_basis_points=750)
    await talk(business, start_daemon, clock, account)
    await sold(business, RIGHT)
    assert [] == await differences(business, now, in_force=False)


@pytest.mark.parametrize(("old", "new"), [(WRONG, RIGHT), (RIGHT, WRONG)])
async def test_a_version_activated_for_the_past_is_applied_once_by_correcting_entries(
    business: Business, start_daemon: StartDaemon, clock: Clock, old: int, new: int
) -> None:
    now = clock()
    await sold(business, old, effective_at=now - timedelta(days=2))
    await plans.create_plan(business.pool, "sold", ["sold"])
    account = await business.customer(1_000_000, plan="sold")
    call_id = await talk(business, start_daemon, clock, account)
    await sold(business, new, effective_at=now - timedelta(days=1))
    (found,) = await differences(business, now, in_force=True)
    assert (call_id, old // 6, (new - old) // 6) == (
        found.call_id, found.cost_micros, found.difference_micros,
    )  # fmt: skip
    assert [] == await corrections(business, account)
    assert Correction.BOOKED is await apply(business, found)
    assert BY_ANOTHER is await apply(business, found)  # a second one who saw the same
    expected = ("customer", "revenue") if new > old else ("revenue", "customer")
    assert [(*expected, 5_000)] == await corrections(business, account)
    assert 1_000_000 - new // 6 == (await business.account(account)).balance_micros
    assert [] == await differences(business, now, in_force=True)
    record = await business.session(call_id)
    assert (old // 6, new // 6) == (record["cost_micros"], record["corrected_cost_micros"])
    assert 10 == record["billed_seconds"]
    assert [] == await differences(business, now, in_force=False)  # it names what prices it now
    # And back again: another movement.
    await sold(business, old, effective_at=now - timedelta(hours=12))
    (back,) = await differences(business, now, in_force=True)
    assert Correction.BOOKED is await apply(business, back)
    assert 1_000_000 - old // 6 == (await business.account(account)).balance_micros
    assert await nothing_reserved(business, account)


async def test_what_a_call_was_bought_for_is_corrected_even_where_its_price_is_the_same(
    business: Business, start_daemon: StartDaemon, clock: Clock
) -> None:
    now = clock()
    await sold(business, WRONG, 6_000, effective_at=now - timedelta(days=2))
    await plans.create_plan(business.pool, "sold", ["sold"])
    account = await business.customer(1_000_000, plan="sold")
    call_id = await talk(business, start_daemon, clock, account)
    assert 1_000 == (await business.session(call_id))["buy_cost_micros"]
    await sold(business, WRONG, 12_000, effective_at=now - timedelta(days=1))
    (found,) = await differences(business, now, in_force=True)
    assert (0, 1_000) == (found.difference_micros, found.buy_cost_micros)
    assert Correction.BOOKED is await apply(business, found)
    assert BY_ANOTHER is await apply(business, found)
    assert [] == await corrections(business, account)
    assert 2_000 == (await business.session(call_id))["buy_cost_micros"]
    for in_force in (False, True):
        assert [] == await differences(business, now, in_force=in_force)


async def test_a_route_that_did_not_carry_the_call_may_have_lost_its_rate(
    business: Business, start_daemon: StartDaemon, clock: Clock
) -> None:
    now = clock()
    days = [now - timedelta(days=2), now - timedelta(days=1)]
    cheap = Rate(prefix="44", price_micros_per_minute=WRONG, buy_price_micros_per_minute=6_000)
    other = Rate(prefix="44", price_micros_per_minute=WRONG, buy_price_micros_per_minute=7_000)
    await business.card("sold", [cheap], ("gw",), effective_at=days[0])
    await business.card("spare", [other], ("backup",), effective_at=days[0])
    await plans.create_plan(business.pool, "sold", ["sold", "spare"])
    account = await business.customer(1_000_000, plan="sold")
    call_id = await talk(business, start_daemon, clock, account)
    assert 2 == len((await business.session(call_id))["trunk_ids"])
    by_minute = replace(cheap, initial_s=60, increment_s=60)
    await business.card("sold", [by_minute], ("gw",), effective_at=days[1])
    await business.card("spare", [Rate(prefix="33")], ("backup",), effective_at=days[1])
    (found,) = await differences(business, now, in_force=True)
    assert 50_000 == found.difference_micros
    assert Correction.BOOKED is await apply(business, found)
    assert 60 == (await business.session(call_id))["billed_seconds"]
    for in_force in (False, True):
        assert [] == await differences(business, now, in_force=in_force)


async def test_a_short_code_without_a_rate_by_now_is_not_priced_by_a_shorter_prefix(
    business: Business, start_daemon: StartDaemon, clock: Clock
) -> None:
    now, rates = clock(), [Rate(prefix="1"), Rate(prefix="116123")]
    await business.card("sold", rates, ("gw",), effective_at=now - timedelta(days=2))
    await plans.create_plan(business.pool, "sold", ["sold"])
    account = await business.customer(1_000_000, plan="sold")
    await talk(business, start_daemon, clock, account, extension="116123")
    await business.card("sold", rates[:1], ("gw",), effective_at=now - timedelta(days=1))
    (found,) = await differences(business, now, in_force=True)
    assert None is found.price


async def test_what_the_funds_do_not_cover_is_overrun_and_is_paid_back_first(
    business: Business, start_daemon: StartDaemon, clock: Clock
) -> None:
    now = clock()
    await sold(business, RIGHT, effective_at=now - timedelta(days=2))
    await plans.create_plan(business.pool, "sold", ["sold"])
    account = await business.customer(7_000, plan="sold")
    await talk(business, start_daemon, clock, account)
    await sold(business, WRONG, effective_at=now - timedelta(days=1))
    (dearer,) = await differences(business, now, in_force=True)
    assert Correction.BOOKED is await apply(business, dearer)
    assert [
        ("customer", "revenue", 2_000),
        ("overrun", "revenue", 3_000),
    ] == await corrections(business, account)
    await sold(business, RIGHT, effective_at=now - timedelta(hours=12))
    (cheaper,) = await differences(business, now, in_force=True)
    clock.advance(1)
    assert Correction.BOOKED is await apply(business, cheaper)
    assert [
        ("revenue", "customer", 2_000),
        ("revenue", "overrun", 3_000),
    ] == (await corrections(business, account))[2:]
    assert 2_000 == (await business.account(account)).balance_micros


async def with_package(business: Business, now: datetime, amount: int, rate: Rate) -> Any:
    """A customer without money on a plan `sold`, with a package of seconds."""
    await business.card("sold", [rate], ("gw",), effective_at=now - timedelta(days=2))
    await create_package(business.pool, "bundle", PackageUnit.SECONDS, amount)
    await plans.create_plan(business.pool, "sold", ["sold"], packages=["bundle"])
    return await business.customer(0, plan="sold")


async def taken(business: Business) -> int:
    return int(await business.pool.fetchval("SELECT taken FROM package_use"))


BY_MINUTE = Rate(prefix="44", price_micros_per_minute=WRONG, initial_s=60, increment_s=60)
BY_SECOND = Rate(prefix="44", price_micros_per_minute=WRONG)


async def test_a_call_with_a_package_comes_out_as_it_was_promised(
    business: Business, start_daemon: StartDaemon, clock: Clock
) -> None:
    now = clock()
    account = await with_package(business, now, 4, BY_SECOND)
    await business.refill(account, 10_000, "refill:1")
    await talk(business, start_daemon, clock, account)
    assert [("customer", 6_000)] == await business.charges(account)
    await change_package(business.pool, "bundle", amount=0)
    assert [] == await differences(business, now, in_force=False)


async def test_what_a_call_takes_of_its_package_is_corrected_even_where_the_price_is_the_same(
    business: Business, start_daemon: StartDaemon, clock: Clock
) -> None:
    now = clock()
    account = await with_package(business, now, 100, BY_MINUTE)
    await talk(business, start_daemon, clock, account)
    await business.card("sold", [BY_SECOND], ("gw",), effective_at=now - timedelta(days=1))
    (found,) = await differences(business, now, in_force=True)
    assert (0, 60, 10) == (found.difference_micros, found.package_used, found.package_rerated)
    assert 60 == await taken(business)
    assert Correction.BOOKED is await apply(business, found)
    assert BY_ANOTHER is await apply(business, found)
    assert (10, []) == (await taken(business), await corrections(business, account))
    assert [] == await differences(business, now, in_force=True)


async def test_what_others_took_of_the_package_since_is_paid_with_money(
    business: Business, start_daemon: StartDaemon, clock: Clock
) -> None:
    """Ten seconds by the second, of 100 that were held; then 85 more are used by another call."""
    now = clock()
    account = await with_package(business, now, 100, BY_SECOND)
    first = await talk(business, start_daemon, clock, account)
    daemon = await start_daemon()
    phone = Channel(daemon.port, clock, accountcode=account.account_number)
    await phone.authorize()
    clock.advance(90)
    await phone.settle(85_000)
    await business.refill(account, 100_000, "refill:1")
    await business.card("sold", [BY_MINUTE], ("gw",), effective_at=now - timedelta(days=1))
    dearer, other = await differences(business, now, in_force=True)
    # 60 s billed, 10 + 5 of them free; the other one has 85 + 5 of 120.
    assert (first, 45_000, 15) == (
        dearer.call_id, dearer.difference_micros, dearer.package_rerated,
    )  # fmt: skip
    assert (30_000, 90) == (other.difference_micros, other.package_rerated)
    assert Correction.BOOKED is await apply(business, dearer)
    assert Correction.OVERTAKEN is await apply(
        business, other
    )  # the first has taken the last five seconds
    (other,) = await differences(business, now, in_force=True)
    assert (35_000, 85) == (other.difference_micros, other.package_rerated)
    assert Correction.BOOKED is await apply(business, other)
    assert 100 == await taken(business)
    assert 20_000 == (await business.account(account)).balance_micros
    # By the second and back by the minute, each call corrected before the next one is priced.
    for rate, hours in ((BY_SECOND, 23), (BY_MINUTE, 22)):
        effective_at = now - timedelta(hours=hours)
        await business.card("sold", [rate], ("gw",), effective_at=effective_at)
        hour = timedelta(hours=1)
        async for call in rerate(business.pool, now - hour, now + hour, in_force=True):
            assert Correction.BOOKED is await apply(business, call)
    assert (100, 20_000) == (
        await taken(business), (await business.account(account)).balance_micros,
    )  # fmt: skip


async def test_an_older_version_activated_again_still_prices_the_calls_of_its_first_time(
    business: Business, start_daemon: StartDaemon, clock: Clock
) -> None:
    """Versions 1, 2 (in force for the call), 3, then 2 again: neither 1 nor nothing prices it."""
    now = clock()
    for price, days in ((2 * WRONG, 3), (RIGHT, 2)):
        await sold(business, price, effective_at=now - timedelta(days=days))
    await plans.create_plan(business.pool, "sold", ["sold"])
    account = await business.customer(1_000_000, plan="sold")
    await talk(business, start_daemon, clock, account)
    clock.advance(3600)
    await sold(business, WRONG)
    clock.advance(3600)
    await rate_cards.activate_version(business.pool, "sold", 2, at=clock())
    assert [] == await differences(business, now, in_force=True)
    await rate_cards.activate_version(
        business.pool, "sold", 3, at=clock(), effective_at=clock() + timedelta(days=1)
    )
    await rate_cards.cancel_activation(business.pool, "sold", 3, at=clock())
    assert [] == await differences(business, now, in_force=True)


@pytest.mark.parametrize("in_force", [False, True])
async def test_a_wrong_exchange_rate_is_corrected_only_when_that_is_asked_for(
    business: Business, start_daemon: StartDaemon, clock: Clock, in_force: bool
) -> None:
    now = clock()
    since = now - timedelta(days=2)
    await set_exchange_rate(business.pool, "USD", "EUR", "0.05", since)  # 0.5 was meant
    await sold(business, WRONG, 6_000, currency="EUR", effective_at=since)
    await plans.create_plan(business.pool, "sold", ["sold"])
    account = await business.customer(1_000_000, plan="sold")
    call_id = await talk(business, start_daemon, clock, account)
    await set_exchange_rate(business.pool, "USD", "EUR", "0.5", since)
    assert [] == await differences(business, now, in_force=in_force)
    table = await read_exchange_table(business.pool, "USD")
    again = await differences(business, now, in_force=in_force, exchange_table=table)
    assert [(-180_000, 20_000)] == [
        (each.difference_micros, each.buy_cost_micros) for each in again
    ]
    assert Correction.BOOKED is await apply(business, again[0])
    assert 1_000_000 - 20_000 == (await business.account(account)).balance_micros
    record = await business.session(call_id)
    assert ("2", 2_000) == (record["exchange"], record["buy_cost_micros"])
    for exchange_table in (None, table):
        assert [] == await differences(
            business, now, in_force=in_force, exchange_table=exchange_table
        )
    none = ExchangeTable("USD", [])
    (rateless,) = await differences(business, now, in_force=in_force, exchange_table=none)
    assert None is rateless.price
    assert [] == await business.mismatches()
