"""Redis is made to count what PostgreSQL has open, although no call shows the difference."""

import asyncio

from redis.asyncio import Redis

from agi_server.calls.slot_repair import SlotRepair
from support.business import Business, until_waiting_for_a_lock
from support.channel import Channel
from support.checker import slots, until, violations
from support.clock import Clock
from support.event_log import EventLog
from support.fixtures import StartDaemon
from support.wire_proxy import Connection, Proxy

FAR_AWAY_MS = 9e15
GHOST = "77-" + "0" * 32


async def test_what_a_dead_daemon_left_is_freed_and_what_was_forgotten_added(
    business: Business,
    start_daemon: StartDaemon,
    clock: Clock,
    repair: SlotRepair,
    events: EventLog,
) -> None:
    daemon = await start_daemon()
    phones = [
        Channel(daemon.port, clock, accountcode=(await business.customer()).account_number)
        for _ in range(2)
    ]
    calls = [(await phone.authorize()).call for phone in phones]
    foreign = "{somebody}:else"
    async with Redis.from_url(business.redis_url) as redis:
        await redis.flushall()
        for key in ("{77}:slots", "{trunks}:1"):
            await redis.zadd(key, {GHOST: FAR_AWAY_MS})
        await redis.zadd(foreign, {"a thing": 1})
    await repair.mend_all(0)
    counted = await slots(business.redis_url)
    assert {"a thing"} == counted.pop(foreign)
    assert set(calls) == {call for key in counted.values() for call in key}
    assert 3 == len(events.of("slot.reconciled"))
    await repair.mend_all(0)
    assert 3 == len(events.of("slot.reconciled"))


async def test_the_slot_of_a_call_whose_hold_is_on_its_way_stays(
    business: Business,
    start_daemon: StartDaemon,
    clock: Clock,
    repair: SlotRepair,
    postgres_proxy: Proxy,
) -> None:
    daemon = await start_daemon()
    account = await business.customer()
    phone = Channel(daemon.port, clock, accountcode=account.account_number)
    reached, committed = asyncio.Event(), asyncio.Event()

    async def when_the_hold_is_there(_: Connection, data: bytes) -> bool:
        reached.set()
        await committed.wait()
        return True

    async with business.pool.acquire() as operator, operator.transaction():
        await operator.execute("SELECT FROM account WHERE id = $1 FOR UPDATE", account.id)
        deciding = asyncio.create_task(phone.authorize())
        await until_waiting_for_a_lock(business.pool, deciding)
        postgres_proxy.at(rb"open sessions of all", when_the_hold_is_there)
        mending = asyncio.create_task(repair.mend_all(0))
        await reached.wait()
    assert (await deciding).allowed
    committed.set()
    await mending
    assert {phone.answer.call} == (await slots(business.redis_url))[f"{{{account.id}}}:slots"]
    await phone.settle()


async def test_a_daemon_mends_redis_by_itself(
    business: Business, start_daemon: StartDaemon, clock: Clock
) -> None:
    async with Redis.from_url(business.redis_url) as redis:
        await redis.zadd("{77}:slots", {GHOST: FAR_AWAY_MS})
    await start_daemon(fastagi={"deadline_ms": 100}, calls={"recover_every_s": 1})

    async def free() -> bool:
        return [] == await violations(business.pool, business.redis_url)

    await until(free)
