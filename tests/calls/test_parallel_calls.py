"""Many calls at once: simultaneous access and funds hold, with Redis or without."""

import asyncio
from collections.abc import Iterable, Sequence
from typing import Any

import pytest
from redis.asyncio import Redis

from agi_server.accounts.account import Account, PaymentType
from support.business import (
    MICROS,
    PER_MINUTE,
    Business,
    nothing_reserved,
    until_waiting_for_a_lock,
)
from support.channel import Answer, Channel
from support.clock import Clock
from support.daemons import Daemon
from support.event_log import EventLog
from support.fixtures import StartDaemon

# These prove what is allowed, not how fast: a busy machine must not turn a refusal into another.
PATIENT: dict[str, Any] = {"fastagi": {"deadline_ms": 10_000}}


async def authorize_at_once(
    daemons: Sequence[Daemon],
    clock: Clock,
    account: Account,
    calls: int,
    extension: str = "4420",
    refused: str = "too_many_calls",
) -> list[Channel]:
    """The channels whose calls were allowed; all others must be refused for this reason."""
    channels = [
        Channel(
            daemons[number % len(daemons)].port,
            clock,
            accountcode=account.account_number,
            extension=extension,
        )
        for number in range(calls)
    ]
    answers: list[Answer] = await asyncio.gather(*(each.authorize() for each in channels))
    assert {"", refused} >= {answer.reason for answer in answers}
    return [each for each in channels if each.answer.allowed]


async def settle_all(channels: Iterable[Channel]) -> None:
    await asyncio.gather(*(each.settle() for each in channels))


async def slots_of(business: Business, account: Account) -> set[str]:
    async with Redis.from_url(business.redis_url, decode_responses=True) as redis:
        return set(await redis.zrange(f"{{{account.id}}}:slots", 0, -1))


@pytest.mark.parametrize("redis", ["there", "away", "flushed"])
async def test_of_50_calls_at_once_exactly_3_are_allowed_and_after_their_end_3_again(
    business: Business, start_daemon: StartDaemon, clock: Clock, redis: str
) -> None:
    away = {"redis_url": "unix:///nowhere/valkey.sock"} if redis == "away" else {}
    daemon = await start_daemon(**away, **PATIENT)
    account = await business.customer(100 * MICROS, simultaneous_access=3)
    allowed = await authorize_at_once([daemon], clock, account, 50)
    assert 3 == len(allowed)
    if redis == "flushed":
        async with Redis.from_url(business.redis_url) as connection:
            await connection.flushall()
        assert [] == await authorize_at_once([daemon], clock, account, 50)
    await settle_all(allowed)
    assert await nothing_reserved(business, account)
    assert 3 == len(await authorize_at_once([daemon], clock, account, 50))


async def test_several_daemons_together_allow_no_more_than_the_limit(
    business: Business, start_daemon: StartDaemon, clock: Clock
) -> None:
    daemons = [await start_daemon(**PATIENT) for _ in range(3)]
    account = await business.customer(100 * MICROS, simultaneous_access=3)
    allowed = await authorize_at_once(daemons, clock, account, 48)
    assert 3 == len(allowed)
    await settle_all(allowed)
    assert 3 == len(await authorize_at_once(daemons, clock, account, 48))


async def test_without_a_limit_all_are_allowed(
    business: Business, daemon: Daemon, clock: Clock
) -> None:
    account = await business.customer(1000 * MICROS, simultaneous_access=0)
    assert 30 == len(await authorize_at_once([daemon], clock, account, 30))


async def test_redis_that_kept_slots_of_calls_that_ended_refuses_nobody_and_is_mended(
    business: Business, daemon: Daemon, clock: Clock, events: EventLog
) -> None:
    account = await business.customer(100 * MICROS, simultaneous_access=2)
    async with Redis.from_url(business.redis_url) as redis:
        await redis.zadd(f"{{{account.id}}}:slots", {"ended-1": 9e15, "ended-2": 9e15})
    (allowed,) = await authorize_at_once([daemon], clock, account, 1)
    (mended,) = await events.wait("slot.reconciled", account_id=account.id)
    assert (2, 1) == (mended["in_use"], mended["open_calls"])
    assert {allowed.answer.call} == await slots_of(business, account)


async def test_redis_that_forgot_calls_in_progress_is_mended_with_the_next_call(
    business: Business, daemon: Daemon, clock: Clock, events: EventLog
) -> None:
    account = await business.customer(100 * MICROS, simultaneous_access=4)
    allowed = await authorize_at_once([daemon], clock, account, 2)
    async with Redis.from_url(business.redis_url) as redis:
        await redis.flushall()
    allowed += await authorize_at_once([daemon], clock, account, 1)
    await events.wait("slot.reconciled", account_id=account.id)
    assert {each.answer.call for each in allowed} == await slots_of(business, account)
    await settle_all(allowed)
    assert set() == await slots_of(business, account)


async def test_calls_at_once_are_no_reason_to_mend_redis(
    business: Business, start_daemon: StartDaemon, clock: Clock, events: EventLog
) -> None:
    # A Redis that a busy machine kept from answering would be one.
    daemon = await start_daemon(postgres={"pool_size": 10}, redis={"timeout_ms": 20_000})
    account = await business.customer(1000 * MICROS, simultaneous_access=0)
    allowed = await authorize_at_once([daemon], clock, account, 50)
    assert {each.answer.call for each in allowed} == await slots_of(business, account)
    await daemon.stop()
    assert [] == events.of("slot.reconciled")


async def test_of_20_calls_at_once_on_funds_for_one_exactly_one_is_allowed(
    business: Business, daemon: Daemon, clock: Clock
) -> None:
    account = await business.customer(MICROS * 3 // 2)
    allowed = await authorize_at_once(
        [daemon], clock, account, 20, PER_MINUTE + "30123456", "no_credit"
    )
    assert 1 == len(allowed)
    assert MICROS == (await business.account(account)).held_micros


async def test_postpaid_calls_at_once_hold_no_more_than_the_credit_limit(
    business: Business, start_daemon: StartDaemon, clock: Clock
) -> None:
    daemons = [await start_daemon(calls={"max_grant_s": 60}) for _ in range(2)]
    account = await business.customer(
        0, payment_type=PaymentType.POSTPAID, credit_limit_micros=MICROS * 5 // 2
    )
    allowed = await authorize_at_once(
        daemons, clock, account, 20, PER_MINUTE + "30123456", "no_credit"
    )
    assert 2 == len(allowed)
    clock.advance(61)
    await asyncio.gather(*(each.settle(talk_ms=60_000) for each in allowed))
    assert -2 * MICROS == (await business.account(account)).balance_micros
    assert await nothing_reserved(business, account)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ("status = 6", "account_suspended"),
        ("locked = true", "account_locked"),
        ("simultaneous_access = 1, open_calls = 1", "too_many_calls"),
        ("calls_per_second = 1, calls_in_second = 1, second_started_at = now()", "too_fast"),
        ("balance_micros = 0", "no_credit"),
    ],
)
async def test_what_changes_between_read_and_hold_refuses_the_call_and_gives_its_slot_back(
    business: Business, daemon: Daemon, clock: Clock, change: str, reason: str
) -> None:
    clock.freeze()
    account = await business.customer()
    phone = Channel(daemon.port, clock, accountcode=account.account_number)
    async with business.pool.acquire() as operator:
        async with operator.transaction():
            await operator.execute(f"UPDATE account SET {change} WHERE id = $1", account.id)  # noqa: S608
            deciding = asyncio.create_task(phone.authorize())
            await until_waiting_for_a_lock(operator, deciding)
        assert reason == (await deciding).reason
    assert set() == await slots_of(business, account)
    await business.set(account, open_calls=0, balance_micros=10 * MICROS)  # the books again
