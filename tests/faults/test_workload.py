"""Random work under random kills: every answer was legal, and in the end nothing is wrong."""

import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from doomed import forge_in
from kill_points import KillSwitch
from workload import Workload

from agi_server.storage.postgres import migrations
from agi_server.storage.postgres.pool import open_pool
from support.business import Business
from support.clock import Clock
from support.postgres_server import PostgresServer
from support.redis_server import RedisServer
from support.seeds import SOAK_SECONDS, drawn_seed, told_seed

NewWorkload = Callable[[int], Awaitable[Workload]]


@pytest.fixture
async def new_workload() -> AsyncIterator[NewWorkload]:
    """Servers of its own, since they are killed, and a business without customers."""
    async with AsyncExitStack() as stack:
        folder = Path(stack.enter_context(TemporaryDirectory(prefix="agi-server-workload-")))
        postgres, redis = PostgresServer(folder / "pg"), RedisServer(folder / "redis")
        stack.callback(redis.kill)
        stack.callback(postgres.kill)
        await redis.start()
        await postgres.create()
        migrations.upgrade(postgres.dsn)
        forge = await stack.enter_async_context(forge_in(folder))
        pool = await stack.enter_async_context(open_pool(postgres.dsn))
        business = Business(pool, Clock(), postgres.dsn, redis.url)
        await business.open()

        async def make(seed: int) -> Workload:
            switch = KillSwitch(folder / "workload.switch")
            return Workload(seed, forge, business, postgres, redis, switch, folder)

        yield make


async def test_every_answer_is_legal_while_daemons_redis_and_postgres_are_killed(
    new_workload: NewWorkload, swept: Callable[[str], None], capsys: pytest.CaptureFixture[str]
) -> None:
    workload = await new_workload(drawn_seed())
    with told_seed(workload.seed, capsys):
        await workload.run(callers=6, steps=40, kills=6)
    answers = {reason or "allowed": n for reason, n in workload.auditor.answers.items()}
    assert answers["allowed"] > 20
    swept(f"{workload.steps_done} steps, {workload.kills} kills, answers {answers}, 0 violations")


@pytest.mark.soak
@pytest.mark.timeout(0)
async def test_soak(
    new_workload: NewWorkload, swept: Callable[[str], None], capsys: pytest.CaptureFixture[str]
) -> None:
    """Round after round for SOAK_SECONDS; the first one has the seed SOAK_SEED."""
    ends = time.monotonic() + SOAK_SECONDS
    first = drawn_seed()
    steps = kills = 0
    for number in count(first):
        workload = await new_workload(number)
        with told_seed(number, capsys):
            await workload.run(callers=10, steps=100, kills=12)
        steps, kills = steps + workload.steps_done, kills + workload.kills
        swept(f"seeds {first} to {number}: {steps} steps, {kills} kills, 0 violations")
        if time.monotonic() > ends:
            break
