"""Real calls all the time, while daemon, Redis, PostgreSQL and Asterisk are killed at random."""

import asyncio
import random
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import suppress

import pytest
from asterisk_tree import AsteriskTree
from exchange import Customer
from mortal_world import MortalWorld, mortal_world
from sip_scenarios import Answers, HangUp, Wait
from sipp import SippProcess, callee, calling

from agi_server.storage.postgres.pool import open_pool
from support.seeds import SOAK_SECONDS, drawn_seed, told_seed

PARTS = {"daemon": 4, "redis": 3, "postgres": 3, "asterisk": 2}
"""What is killed, and how often in comparison."""
PHONES = 6
CALLS_AT_ONCE = 2
# A call that nobody carries any more is given up, as by somebody who puts the phone down.
PATIENCE_S = 12.0


@pytest.fixture
async def world(asterisk_tree: AsteriskTree) -> AsyncIterator[MortalWorld]:
    async with mortal_world(asterisk_tree, some_rolling=True) as world:
        yield world


class Soak:
    """Phones that call, a killer, and what the other end of the trunk has seen."""

    def __init__(self, world: MortalWorld, seed: int, seconds: float) -> None:
        self._world = world
        self._seed = seed
        self._ends = time.monotonic() + seconds
        self.killed: Counter[str] = Counter()

    async def run(self) -> None:
        """Until the time is over and all that was killed is back."""
        async with asyncio.TaskGroup() as tasks:
            for customer in self._world.customers[:PHONES]:
                tasks.create_task(self._phone(customer))
            tasks.create_task(self._killer())

    async def _phone(self, customer: Customer) -> None:
        dice = random.Random(f"{self._seed}/{customer.user}")
        while time.monotonic() < self._ends:
            calls = dice.randint(1, CALLS_AT_ONCE)
            steps = (Wait(dice.randint(200, 8000)), HangUp())
            async with calling(
                self._world.asterisk, customer.number, *steps, user=customer.user, calls=calls
            ) as caller:
                with suppress(TimeoutError):
                    async with asyncio.timeout(PATIENCE_S):
                        await caller.finished()

    async def _killer(self) -> None:
        dice = random.Random(self._seed)
        while time.monotonic() < self._ends:
            await asyncio.sleep(dice.uniform(0.5, 4))
            most = dice.choices((1, 2, 4), (6, 2, 1))[0]
            doomed = set(dice.choices(list(PARTS), list(PARTS.values()), k=most))
            for part in (each for each in PARTS if each in doomed):
                await self._world.kill(part)
                self.killed[part] += 1
            await asyncio.sleep(dice.uniform(0, 1.5))
            # A daemon that finds no database does not start: its supervisor would try again.
            for part in (each for each in reversed(PARTS) if each in doomed):
                await self._world.start(part)


_CALLS = """
SELECT destination, cost_micros > 0 OR review IS NOT NULL AS paid, review IS NOT NULL AS flagged,
       cap_ms IS NOT NULL AND held_micros > 5000 AS extended, EXISTS (
           SELECT FROM ledger_entry e WHERE e.account_id = s.account_id
           AND e.movement_id = 'call:' || s.call_id AND e.debit = 'overrun') AS overrun
FROM call_session s WHERE state = 'settled'
"""


async def assert_each_answer_was_paid(world: MortalWorld, gw: SippProcess) -> dict[str, int]:
    """Whoever was answered has a call that cost something, or that an operator is told to look at.

    Returns how many calls were answered, and what became of them.
    """
    answered = Counter(call.number for call in gw.calls if call.status == 200)
    async with open_pool(world.postgres.dsn) as pool:
        calls = await pool.fetch(_CALLS)
    paid = Counter(call["destination"] for call in calls if call["paid"])
    assert Counter() == answered - paid, "answered, and paid by nobody"
    kinds = ("flagged", "extended", "overrun")
    return {"answered": answered.total()} | {k: sum(call[k] for call in calls) for k in kinds}


async def soak(
    world: MortalWorld, seconds: float, capsys: pytest.CaptureFixture[str]
) -> tuple[dict[str, int], str]:
    """What became of the calls, and all that is to tell."""
    with told_seed(seed := drawn_seed(), capsys) as tell:
        run = Soak(world, seed, seconds)
        async with callee(world.asterisk, "gw", Answers(ring_ms=100)) as gw:
            await run.run()
            # Whom the other end has lost talks to nobody, until somebody hangs up.
            world.asterisk.cli("channel request hangup all")
            took_s = await world.all_ended()
            calls = await assert_each_answer_was_paid(world, gw)
        told = f"killed at random {dict(run.killed)}; calls {calls}; well after {took_s:.1f} s"
        tell(told)
        return calls, told


async def test_calls_go_on_while_what_they_rest_on_is_killed_at_random(
    world: MortalWorld, capsys: pytest.CaptureFixture[str], tell: Callable[[str], None]
) -> None:
    calls, told = await soak(world, 20, capsys)
    assert calls["answered"]
    tell(told)


@pytest.mark.soak
@pytest.mark.timeout(0)
async def test_soak_with_asterisk(
    world: MortalWorld, capsys: pytest.CaptureFixture[str], tell: Callable[[str], None]
) -> None:
    """For SOAK_SECONDS."""
    _, told = await soak(world, SOAK_SECONDS, capsys)
    tell(told)
