"""Free minutes and calls: taken before money, never twice, down to CDR, ledger and counters."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from agi_server.tariffs import packages, plans
from rating.package import PackagePeriod, PackageUnit
from rating.rate import Rate, Stage
from support.business import Business, nothing_reserved
from support.channel import Answer, Channel
from support.clock import Clock
from support.fixtures import StartDaemon

MIDDAY = datetime(2026, 3, 18, 12, tzinfo=UTC)
A_SECOND = 1_000
"""Price of one, in micros."""

Phone = Callable[..., Awaitable[Channel]]


@pytest.fixture
def phone(start_daemon: StartDaemon, clock: Clock) -> Phone:
    """A phone of an account, on a daemon of its own."""

    async def new(account: Any, extension: str = "442079460000", **sections: Any) -> Channel:
        daemon = await start_daemon(**sections)
        return Channel(daemon.port, clock, accountcode=account.account_number, extension=extension)

    return new


async def sold(
    business: Business,
    amount: int,
    unit: PackageUnit = PackageUnit.SECONDS,
    rate: Rate | None = None,
    **terms: Any,
) -> None:
    """A plan `sold` of a second a milli-unit, with a package `bundle`."""
    rate = rate or Rate(prefix="44", price_micros_per_minute=60 * A_SECOND)
    await business.card("sold", [rate, Rate(prefix="1800")], ("gw",))
    await packages.create_package(business.pool, "bundle", unit, amount, **terms)
    await plans.create_plan(business.pool, "sold", ["sold"], packages=["bundle"])


async def taken(business: Business, account: Any) -> list[int]:
    """Of each period that has a call, in their order."""
    rows = await business.pool.fetch(
        "SELECT taken FROM package_use WHERE account_id = $1 ORDER BY begins_on, package_id",
        account.id,
    )
    return [row["taken"] for row in rows]


async def test_a_call_within_the_package_needs_and_costs_no_money(
    business: Business, phone: Phone, clock: Clock
) -> None:
    await sold(business, 100)
    account = await business.customer(0, plan="sold")
    caller = await phone(account)
    answer = await caller.authorize()
    assert (100_000, [100]) == (answer.limit_ms, await taken(business, account))
    clock.advance(60)
    await caller.settle(40_000)
    assert [("talk", 40, 40_000), ("package", 40, -40_000)] == await business.price_lines(
        answer.call
    )
    assert [] == await business.charges(account)
    assert [40] == await taken(business, account)
    assert await nothing_reserved(business, account)
    assert 60_000 == (await caller.authorize()).limit_ms


async def test_a_call_over_the_end_of_the_package_pays_for_the_rest(
    business: Business, phone: Phone, clock: Clock
) -> None:
    await sold(business, 100)
    account = await business.customer(50 * A_SECOND, plan="sold")
    caller = await phone(account)
    answer = await caller.authorize()
    assert 150_000 == answer.limit_ms
    assert 50 * A_SECOND == (await business.account(account)).held_micros
    clock.advance(200)
    await caller.settle(130_000)
    assert [("talk", 130, 130_000), ("package", 100, -100_000)] == await business.price_lines(
        answer.call
    )
    assert [("customer", 30_000)] == await business.charges(account)
    assert [100] == await taken(business, account)
    assert 20_000 == (await caller.authorize()).limit_ms


async def test_every_limit_is_the_inverse_of_the_price(
    business: Business, phone: Phone, clock: Clock
) -> None:
    """One second more would cost more than there is, whatever increments and fees."""
    rate = Rate(
        prefix="44",
        price_micros_per_minute=60 * A_SECOND,
        initial_s=30,
        increment_s=7,
        connection_fee_micros=5_000,
    )
    await sold(business, 100, rate=rate)
    account = await business.customer(40_000, plan="sold")
    caller = await phone(account)
    answer = await caller.authorize()
    # 135 s bill 135: 35 of them and the fee are 40,000.
    assert (135_000, [100]) == (answer.limit_ms, await taken(business, account))
    clock.advance(200)
    await caller.settle(answer.limit_ms + 1_000)
    assert [("customer", 40_000)] == await business.charges(account)


@pytest.mark.parametrize("status", ["BUSY", "ANSWER", "void", "nobody"])
async def test_what_a_call_did_not_use_is_free_again(
    business: Business, phone: Phone, clock: Clock, status: str
) -> None:
    await sold(business, 100)
    account = await business.customer(0, plan="sold")
    caller = await phone(account)
    answer = await caller.authorize()
    assert [100] == await taken(business, account)
    if status == "void":  # asked again on this channel: the first is taken back
        assert (await caller.authorize()).allowed
        assert "void" == (await business.session(answer.call))["state"]
        assert [100] == await taken(business, account)
        await caller.settle()
    elif status == "nobody":
        clock.advance(100_000)
        assert 1 == await business.recover(account, unseen_end="nothing")
    else:
        clock.advance(60)
        talk = {"talk_ms": 1_000} if status == "ANSWER" else {"status": "BUSY"}
        await caller.settle(**talk)  # type: ignore[arg-type]
        await caller.settle(50_000)  # said again: nothing happens
    assert [1 if status == "ANSWER" else 0] == await taken(business, account)
    assert await nothing_reserved(business, account)


async def test_a_call_whose_end_nobody_saw_took_what_it_held(
    business: Business, phone: Phone, clock: Clock
) -> None:
    await sold(business, 100)
    account = await business.customer(20_000, plan="sold")
    await (await phone(account)).authorize()
    clock.advance(100_000)
    assert 1 == await business.recover(account)
    assert [100] == await taken(business, account)
    assert [("customer", 20_000)] == await business.charges(account)


@pytest.mark.parametrize("elsewhere", [False, True])
async def test_a_call_is_priced_by_the_part_it_was_promised_although_the_package_changed(
    business: Business,
    phone: Phone,
    start_daemon: StartDaemon,
    clock: Clock,
    elsewhere: bool,
) -> None:
    await sold(business, 100)
    account = await business.customer(plan="sold")
    caller = await phone(account)
    answer = await caller.authorize()
    await packages.change_package(business.pool, "bundle", amount=10, prefixes=["33"])
    await plans.change_plan(business.pool, "sold", packages=[])
    if elsewhere:
        caller.port = (await start_daemon()).port
    clock.advance(200)
    await caller.settle(130_000)
    assert [("talk", 130, 130_000), ("package", 100, -100_000)] == await business.price_lines(
        answer.call
    )
    assert [100] == await taken(business, account)


async def test_a_free_call_is_free_however_long_and_the_next_costs(
    business: Business, phone: Phone, clock: Clock
) -> None:
    await sold(business, 1, PackageUnit.CALLS)
    account = await business.customer(10_000, plan="sold")
    first, second = await phone(account), await phone(account)
    answer = await first.authorize()
    assert 3_600_000 == answer.limit_ms
    assert 10_000 == (await second.authorize()).limit_ms
    clock.advance(3_700)
    await first.settle(3_600_000)
    await second.settle(9_000)
    assert [
        ("talk", 3_600, 3_600_000),
        ("package", 3_600, -3_600_000),
    ] == await business.price_lines(answer.call)
    assert [("customer", 9_000)] == await business.charges(account)
    assert [1] == await taken(business, account)


async def test_a_free_call_that_nobody_answers_does_not_count(
    business: Business, phone: Phone, clock: Clock
) -> None:
    await sold(business, 1, PackageUnit.CALLS)
    account = await business.customer(0, plan="sold")
    caller = await phone(account)
    await caller.authorize()
    await caller.settle()
    assert [0] == await taken(business, account)
    assert (await caller.authorize()).allowed


async def test_a_call_that_costs_nothing_takes_nothing(business: Business, phone: Phone) -> None:
    await sold(business, 100)
    account = await business.customer(0, plan="sold")
    assert (await (await phone(account, "18005551234")).authorize()).allowed
    assert [] == await taken(business, account)


async def test_a_package_pays_for_its_prefixes_only_and_the_next_one_for_others(
    business: Business, phone: Phone, clock: Clock
) -> None:
    await sold(business, 100, prefixes=["4420"])
    await packages.create_package(
        business.pool, "calls", PackageUnit.CALLS, 1, prefixes=["44161", "33"]
    )
    await plans.change_plan(business.pool, "sold", packages=["bundle", "calls"])
    account = await business.customer(0, plan="sold")
    london, elsewhere = await phone(account), await phone(account, "441612345678")
    assert 100_000 == (await london.authorize()).limit_ms
    assert 3_600_000 == (await elsewhere.authorize()).limit_ms
    assert [100, 1] == await taken(business, account)
    another = await phone(account)
    assert "no_credit" == (await another.authorize()).reason
    clock.advance(60)
    await london.settle(10_000)
    assert 90_000 == (await another.authorize()).limit_ms


async def test_the_last_seconds_of_a_package_hide_no_other_and_are_used_after_it(
    business: Business, phone: Phone, clock: Clock
) -> None:
    rate = Rate(prefix="44", price_micros_per_minute=60 * A_SECOND, initial_s=60, increment_s=60)
    await sold(business, 10, rate=rate)
    await packages.create_package(business.pool, "more", PackageUnit.SECONDS, 60)
    await plans.change_plan(business.pool, "sold", packages=["bundle", "more"])
    account = await business.customer(50_000, plan="sold")
    caller = await phone(account)
    first = await caller.authorize()  # ten seconds would not pay for the first minute
    assert (60_000, 0) == (first.limit_ms, (await business.account(account)).held_micros)
    clock.advance(60)
    await caller.settle(20_000)
    second = await caller.authorize()
    clock.advance(60)
    await caller.settle(20_000)
    assert [("talk", 60, 60_000), ("package", 10, -10_000)] == await business.price_lines(
        second.call
    )
    assert [10, 60] == await taken(business, account)


async def test_a_package_lengthens_a_call_whose_first_seconds_cost_nothing(
    business: Business, phone: Phone
) -> None:
    stages = (Stage(length_s=30, price_micros_per_minute=0),)
    rate = Rate(prefix="44", price_micros_per_minute=60 * A_SECOND, stages=stages)
    await sold(business, 100, rate=rate)
    account = await business.customer(0, plan="sold")
    assert 100_000 == (await (await phone(account)).authorize()).limit_ms


@pytest.mark.parametrize(
    ("period", "first_day", "begins"),
    [
        (PackagePeriod.DAY, 1, datetime(2026, 3, 18, 23)),
        (PackagePeriod.WEEK, 4, datetime(2026, 3, 18, 23)),
        (PackagePeriod.MONTH, 19, datetime(2026, 3, 18, 23)),
        (PackagePeriod.MONTH, 1, datetime(2026, 3, 31, 22)),  # summer time by then
    ],
)
async def test_a_period_begins_at_midnight_of_the_account_and_a_call_counts_where_it_starts(
    business: Business,
    phone: Phone,
    clock: Clock,
    period: PackagePeriod,
    first_day: int,
    begins: datetime,
) -> None:
    await sold(business, 100, period=period, first_day=first_day)
    account = await business.customer(0, plan="sold", timezone="Europe/Paris")
    caller, late = await phone(account), await phone(account)
    clock.freeze(begins.replace(tzinfo=UTC) - timedelta(seconds=1))
    old = await late.authorize()
    assert 100_000 == old.limit_ms
    assert "no_credit" == (await caller.authorize()).reason
    clock.advance(1)
    assert 100_000 == (await caller.authorize()).limit_ms
    clock.advance(99)
    await late.settle(30_000)
    await caller.settle(20_000)
    assert [30, 20] == await taken(business, account)
    assert 80_000 == (await caller.authorize()).limit_ms


async def test_another_zone_gives_nobody_a_second_month(
    business: Business, phone: Phone, clock: Clock
) -> None:
    await sold(business, 100)
    account = await business.customer(0, plan="sold")
    clock.freeze(MIDDAY)
    caller = await phone(account)
    await caller.authorize()
    for zone in ("Pacific/Kiritimati", "Pacific/Pago_Pago"):
        await business.set(account, timezone=zone)
        assert "no_credit" == (await (await phone(account)).authorize()).reason


async def test_limit_and_hold_cover_every_second_of_the_ring_time_with_a_package(
    business: Business, phone: Phone, clock: Clock
) -> None:
    from rating.rate import RateWindow

    peak = Rate(prefix="44", price_micros_per_minute=600_000, initial_s=60, increment_s=60)
    window = RateWindow(start_minute=2 * 1440 + 720, end_minute=2 * 1440 + 780, rate=peak)
    rate = Rate(prefix="44", price_micros_per_minute=60 * A_SECOND, windows=(window,))
    await sold(business, 90, rate=rate)
    account = await business.customer(20_000, plan="sold")
    for ring_s in (0, 29, 31, 60):
        clock.freeze(MIDDAY - timedelta(seconds=30))
        await business.refill(account, 1, f"refill:{ring_s}")
        caller = await phone(account)
        answer = await caller.authorize()
        if not answer.allowed:
            continue
        clock.advance(ring_s + answer.limit_ms / 1000)
        await caller.settle(answer.limit_ms)
        await business.price_lines(answer.call)
    assert [] == [debit for debit, _ in await business.charges(account) if debit != "customer"]


@pytest.mark.parametrize("unit", list(PackageUnit))
async def test_parallel_calls_share_no_second_and_no_free_call(
    business: Business, start_daemon: StartDaemon, clock: Clock, unit: PackageUnit
) -> None:
    amount = 100 if unit is PackageUnit.SECONDS else 7
    await sold(business, amount, unit)
    account = await business.customer(0, plan="sold")
    settings: dict[str, Any] = {"calls": {"max_grant_s": 30}}
    daemons = [await start_daemon(**settings) for _ in range(2)]
    channels = [
        Channel(daemons[number % 2].port, clock, accountcode=account.account_number)
        for number in range(24)
    ]
    answers: list[Answer] = await asyncio.gather(*(each.authorize() for each in channels))
    assert {"", "no_credit"} == {answer.reason for answer in answers}
    limits = sorted(answer.limit_ms for answer in answers if answer.allowed)
    if unit is PackageUnit.SECONDS:
        assert [10_000, 30_000, 30_000, 30_000] == limits
    else:
        assert [30_000] * 7 == limits
    assert [amount] == await taken(business, account)
    clock.advance(31)
    allowed = [each for each in channels if each.answer.allowed]
    # Each end is told twice, at once, to two daemons.
    twice = []
    for each in allowed:
        for daemon in daemons:
            again = Channel(daemon.port, clock, uniqueid=each.uniqueid)
            twice.append(again.settle(3_000, call=each.answer.call))
    await asyncio.gather(*twice)
    used = len(allowed) * (3 if unit is PackageUnit.SECONDS else 1)
    assert [used] == await taken(business, account)
    assert [] == await business.charges(account)
    assert await nothing_reserved(business, account)
