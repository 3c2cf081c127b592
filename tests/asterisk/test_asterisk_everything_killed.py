"""30 calls are up when everything they rest on is killed: in the end each is debited once."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager

import pytest
from asterisk_tree import AsteriskTree
from mortal_world import CALLS_PER_PHONE, MortalWorld, mortal_world
from sip_scenarios import Answers, HangUp, WaitForGoOn
from sipp import Caller, SippProcess, callee, calling

from agi_server.calls.records import CallRecord, list_calls
from agi_server.storage.postgres.pool import open_pool

CALLS = 30
# The end of a talk is noted by Asterisk, that runs beside 20 SIPps on a busy machine.
TALK_TOLERANCE_MS = 1500
BACKENDS = ("daemon", "redis", "postgres")


@pytest.fixture
async def world(asterisk_tree: AsteriskTree) -> AsyncIterator[MortalWorld]:
    async with mortal_world(asterisk_tree) as world:
        yield world


@asynccontextmanager
async def thirty_calls(world: MortalWorld) -> AsyncIterator[tuple[SippProcess, list[Caller]]]:
    """All of them answered, three of each phone; half of the phones call in call mode."""
    async with AsyncExitStack() as stack:
        gw = await stack.enter_async_context(callee(world.asterisk, "gw", Answers()))
        callers = []
        for customer in world.customers:
            calls = calling(
                world.asterisk,
                customer.number,
                *(WaitForGoOn(), HangUp()),
                user=customer.user,
                calls=CALLS_PER_PHONE,
            )
            callers.append(await stack.enter_async_context(calls))
            await gw.answered(CALLS_PER_PHONE * len(callers))
        yield gw, callers


async def hang_up(callers: list[Caller]) -> None:
    for caller in callers:
        await caller.go_on()


async def records(world: MortalWorld) -> list[CallRecord]:
    async with open_pool(world.postgres.dsn) as pool:
        return await list_calls(pool, state="settled", limit=100)


def assert_talks(found: list[CallRecord], gw: SippProcess) -> None:
    """Each call was told by its handler, and took as long as the callee saw."""
    assert {("ANSWER", "handler", None)} == {(r.dialstatus, r.witness, r.review) for r in found}
    told = sorted((record.destination or "", record.talk_ms or 0) for record in found)
    seen = sorted((call.number, call.talk_ms or 0) for call in gw.calls)
    assert [number for number, _ in seen] == [number for number, _ in told]
    differences = [abs(a - b) for (_, a), (_, b) in zip(told, seen, strict=True)]
    assert max(differences) <= TALK_TOLERANCE_MS


async def test_daemon_redis_and_postgres_killed_one_after_the_other_during_30_calls(
    world: MortalWorld, tell: Callable[[str], None]
) -> None:
    async with thirty_calls(world) as (gw, callers):
        for part in BACKENDS:
            await world.kill(part)
            await world.start(part)
        await hang_up(callers)
        took_s = await world.all_ended(CALLS)
        assert_talks(await records(world), gw)
    tell(
        f"{CALLS} calls up; daemon, Redis and PostgreSQL killed one after the other: all settled,"
        f" books balanced, slots free {took_s:.1f} s after the last hang-up"
    )


async def test_daemon_redis_and_postgres_killed_at_once_while_30_calls_end(
    world: MortalWorld, tell: Callable[[str], None]
) -> None:
    async with thirty_calls(world) as (gw, callers):
        await asyncio.gather(*(world.kill(part) for part in BACKENDS))
        await hang_up(callers)
        for part in reversed(BACKENDS):
            await world.start(part)
        took_s = await world.all_ended(CALLS)
        assert_talks(await records(world), gw)
    tell(
        f"{CALLS} calls up; daemon, Redis and PostgreSQL killed at once, then all calls ended: all"
        f" settled, books balanced, slots free {took_s:.1f} s after the return"
    )


@pytest.mark.parametrize("others", ["one after the other", "at once"])
async def test_asterisk_killed_with_all_the_rest_while_30_calls_are_up(
    world: MortalWorld, tell: Callable[[str], None], others: str
) -> None:
    async with thirty_calls(world):
        if others == "at once":
            await asyncio.gather(*(world.kill(part) for part in ("asterisk", *BACKENDS)))
            for part in ("postgres", "redis", "asterisk", "daemon"):
                await world.start(part)
        else:
            for part in (*BACKENDS, "asterisk"):
                await world.kill(part)
                await world.start(part)
    # No handler has told of the ends: the Asterisk that came back has none of these calls.
    took_s = await world.all_ended(CALLS)
    found = await records(world)
    assert [] == [record for record in found if not record.cost_micros or not record.review]
    tell(
        f"{CALLS} calls up; daemon, Redis, PostgreSQL and Asterisk killed {others}: all settled and"
        f" flagged, books balanced, slots free {took_s:.1f} s after the return"
    )
