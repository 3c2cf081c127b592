"""Redis stalled, half open, gone or forgetful: decisions stay right and in time."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from redis.asyncio import Redis

from agi_server.accounts.account import Account
from agi_server.storage.redis import slots as redis_slots
from support.business import MICROS, Business, nothing_reserved, until_waiting_for_a_lock
from support.channel import Answer, Channel
from support.checker import slots, until
from support.clock import Clock
from support.daemons import Daemon
from support.event_log import EventLog
from support.fixtures import StartDaemon
from support.redis_server import RedisServer, free_port
from support.wire_proxy import Proxy, cut_at_answer, cut_before, half_open_after

# Generous: two cores may be busy with other tests.
DEADLINE_MS = 2500
SLACK_S = 1.0


async def stall(proxy: Proxy) -> None:
    proxy.stall()


async def gone(proxy: Proxy) -> None:
    await proxy.stop()


async def half_open(proxy: Proxy) -> None:
    proxy.deafen()


@pytest.fixture
async def daemon(start_daemon: StartDaemon, redis_proxy: Proxy) -> Daemon:
    return await start_daemon(
        redis_url=redis_proxy.address,
        fastagi={"deadline_ms": DEADLINE_MS},
        redis={"timeout_ms": 100},
    )


@pytest.fixture
def asked_again_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """After a failure Redis is not left in peace for a while."""
    monkeypatch.setattr(redis_slots, "_AWAY_S", 0)


async def in_time(decision: Awaitable[Answer]) -> Answer:
    """The answer, which must come within the deadline."""
    loop = asyncio.get_running_loop()
    began = loop.time()
    answer = await decision
    assert loop.time() - began < DEADLINE_MS / 1000 + SLACK_S
    return answer


async def slots_of(business: Business, account: Account) -> set[str]:
    async with Redis.from_url(business.redis_url, decode_responses=True) as redis:
        return set(await redis.zrange(f"{{{account.id}}}:slots", 0, -1))


@pytest.mark.parametrize("fault", [stall, gone, half_open])
async def test_the_limit_holds_and_nobody_is_refused_for_redis(
    business: Business,
    daemon: Daemon,
    clock: Clock,
    redis_proxy: Proxy,
    events: EventLog,
    fault: Callable[[Proxy], Awaitable[None]],
) -> None:
    account = await business.customer(100 * MICROS, simultaneous_access=3)
    first = Channel(daemon.port, clock, accountcode=account.account_number)
    assert (await first.authorize()).allowed
    await fault(redis_proxy)
    phones = [Channel(daemon.port, clock, accountcode=account.account_number) for _ in range(12)]
    answers = await asyncio.gather(*(in_time(phone.authorize()) for phone in phones))
    assert 2 == sum(answer.allowed for answer in answers)
    assert {"", "too_many_calls"} == {answer.reason for answer in answers}
    for phone in [first, *phones]:
        await phone.settle()
    assert await nothing_reserved(business, account)
    assert 1 == len(events.of("backend.down", backend="redis"))
    assert [] == events.of("backend.down", backend="postgres") + events.of("agi.failed")


async def test_redis_back_again_is_asked_again_without_a_restart(
    business: Business,
    daemon: Daemon,
    clock: Clock,
    redis_proxy: Proxy,
    events: EventLog,
    asked_again_at_once: None,
) -> None:
    account = await business.customer(100 * MICROS, simultaneous_access=3)
    await redis_proxy.stop()
    phones = [Channel(daemon.port, clock, accountcode=account.account_number) for _ in range(3)]
    assert (await phones[0].authorize()).allowed
    await redis_proxy.start()
    assert (await phones[1].authorize()).allowed
    assert 1 == len(events.of("backend.up", backend="redis"))
    await events.wait("slot.reconciled")
    assert {phone.answer.call for phone in phones[:2]} == await slots_of(business, account)


async def test_an_answer_that_comes_too_late_is_not_taken_for_the_next_one(
    business: Business,
    daemon: Daemon,
    clock: Clock,
    redis_proxy: Proxy,
    asked_again_at_once: None,
) -> None:
    account = await business.customer(100 * MICROS, simultaneous_access=2)
    phones = [Channel(daemon.port, clock, accountcode=account.account_number) for _ in range(3)]
    redis_proxy.stall()
    assert (await phones[0].authorize()).allowed
    redis_proxy.flow()
    assert (await phones[1].authorize()).allowed
    assert "too_many_calls" == (await phones[2].authorize()).reason
    for phone in phones:
        await phone.settle()
    assert await nothing_reserved(business, account)


async def test_a_slot_whose_answer_was_lost_refuses_no_later_call(
    business: Business,
    daemon: Daemon,
    start_daemon: StartDaemon,
    clock: Clock,
    redis_proxy: Proxy,
    events: EventLog,
) -> None:
    account = await business.customer(simultaneous_access=1)
    redis_proxy.at(rb"EVAL", cut_at_answer)
    first = Channel(daemon.port, clock, accountcode=account.account_number)
    assert (await first.authorize()).allowed
    await first.settle()  # Redis is left in peace for a second: the slot stays taken
    assert {first.answer.call} == await slots_of(business, account)
    another = await start_daemon()
    later = Channel(another.port, clock, accountcode=account.account_number)
    assert (await later.authorize()).allowed
    await events.wait("slot.reconciled")
    assert {later.answer.call} == await slots_of(business, account)


@pytest.mark.parametrize("fault", [cut_before, cut_at_answer, half_open_after])
async def test_a_release_that_fails_harms_no_settlement(
    business: Business, daemon: Daemon, clock: Clock, redis_proxy: Proxy, fault: object
) -> None:
    account = await business.customer(simultaneous_access=1)
    phone = Channel(daemon.port, clock, accountcode=account.account_number)
    assert (await phone.authorize()).allowed
    clock.advance(30)
    redis_proxy.at(rb"ZREM", fault)
    await phone.settle(5000)
    assert "SUCCESS" == phone.variables["AGISTATUS"]
    assert [("customer", 5000)] == await business.charges(account)
    assert await nothing_reserved(business, account)
    assert (await phone.authorize()).allowed


async def test_a_redis_slower_than_the_deadline_is_a_denial_that_leaves_nothing(
    business: Business, start_daemon: StartDaemon, clock: Clock, redis_proxy: Proxy
) -> None:
    daemon = await start_daemon(
        redis_url=redis_proxy.address,
        fastagi={"deadline_ms": 300},
        redis={"timeout_ms": 5000},
    )
    account = await business.customer(simultaneous_access=1)
    phone = Channel(daemon.port, clock, accountcode=account.account_number)
    assert (await phone.authorize()).allowed
    await phone.settle()
    redis_proxy.stall()
    assert "unavailable" == (await in_time(phone.authorize())).reason
    redis_proxy.flow()
    assert (await phone.authorize()).allowed
    await phone.settle()
    await daemon.stop()
    assert await nothing_reserved(business, account)
    assert set() == await slots_of(business, account)


async def test_a_slot_is_given_back_when_the_database_fails_behind_it(
    business: Business,
    start_daemon: StartDaemon,
    clock: Clock,
    postgres_proxy: Proxy,
) -> None:
    daemon = await start_daemon(postgres_proxy.address, fastagi={"deadline_ms": 1500})
    account = await business.customer(simultaneous_access=1)
    phone = Channel(daemon.port, clock, accountcode=account.account_number)
    postgres_proxy.at(rb"SELECT status, locked", cut_before)  # why the hold was refused
    async with business.pool.acquire() as operator, operator.transaction():
        await operator.execute("UPDATE account SET status = 6 WHERE id = $1", account.id)
        deciding = asyncio.create_task(phone.authorize())
        await until_waiting_for_a_lock(business.pool, deciding)
    assert "unavailable" == (await deciding).reason
    assert postgres_proxy.happened.is_set()
    await daemon.stop()
    assert set() == await slots_of(business, account)


async def test_a_replica_takes_the_place_of_redis_and_the_limit_holds(
    business: Business,
    start_daemon: StartDaemon,
    clock: Clock,
    redis_proxy: Proxy,
    proxy_directory: Path,
    asked_again_at_once: None,
) -> None:
    primary, replica = RedisServer(proxy_directory / "a"), RedisServer(proxy_directory / "b")
    account = await business.customer(100 * MICROS, simultaneous_access=3)
    try:
        await primary.start(port=(port := free_port()))
        await replica.start(replica_of=port)
        redis_proxy.target = str(primary.socket)
        daemon = await start_daemon(redis_url=redis_proxy.address)
        phones = [Channel(daemon.port, clock, accountcode=account.account_number) for _ in range(4)]
        calls = {(await phone.authorize()).call for phone in phones[:2]}

        async def replicated() -> bool:
            return calls == (await slots(replica.url)).get(f"{{{account.id}}}:slots")

        await until(replicated)
        primary.kill()
        assert (await phones[2].authorize()).allowed
        await replica.promote()
        redis_proxy.target = str(replica.socket)
        assert "too_many_calls" == (await phones[3].authorize()).reason
        for phone in phones[:3]:
            await phone.settle()
        assert await nothing_reserved(business, account)
        assert {} == await slots(replica.url)
        assert (await phones[3].authorize()).allowed
        assert {phones[3].answer.call} == (await slots(replica.url))[f"{{{account.id}}}:slots"]
        await phones[3].settle()
    finally:
        primary.kill()
        replica.kill()


async def test_all_keys_of_an_account_lie_together_in_a_cluster(
    business: Business, start_daemon: StartDaemon, clock: Clock
) -> None:
    await business.pool.execute("UPDATE trunk SET capacity = 10")
    daemon = await start_daemon()
    account = await business.customer(simultaneous_access=3)
    phone = Channel(daemon.port, clock, accountcode=account.account_number)
    assert (await phone.authorize()).allowed
    async with Redis.from_url(business.redis_url, decode_responses=True) as redis:
        keys = [key async for key in redis.scan_iter("*")]
    tags = [key.partition("{")[2].partition("}")[0] for key in keys]
    assert {str(account.id), "trunks"} == set(tags)
    await phone.settle()
