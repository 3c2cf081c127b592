"""SIGKILL at every suspension and resumption of each use case, then a restart: nothing is wrong."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from contextlib import AsyncExitStack
from pathlib import Path

import psycopg
import pytest
from doomed import Forge, Lane, forge_in, sweep
from kill_points import KillSwitch

from agi_server.storage.embedded import EmbeddedBackends
from agi_server.storage.postgres.pool import open_pool
from support.business import Business
from support.channel import Channel
from support.clock import Clock

SESSION = "FastAgiServer._run"
RECOVERY = "_recover"
COMMAND = "with_database.<locals>.run.<locals>.in_session"
LANES = 4
Tell = Callable[[str], None]
MakeLanes = Callable[..., Awaitable[list[Lane]]]


@pytest.fixture
async def forge(tmp_path: Path) -> AsyncIterator[Forge]:
    async with forge_in(tmp_path) as forge:
        yield forge


@pytest.fixture(scope="module")
def databases(
    backends: EmbeddedBackends, administration: psycopg.Connection
) -> Iterator[list[tuple[str, str]]]:
    """A business for each lane, of which the tests of this file use new customers."""
    names = [f"lane_{number}" for number in range(LANES)]
    for name in names:
        administration.execute(f"CREATE DATABASE {name} TEMPLATE agi_server")
    addresses = [
        (
            backends.postgres_dsn.replace("/agi_server?", f"/{name}?"),
            f"{backends.redis_url}?db={number}",
        )
        for number, name in enumerate(names, 1)
    ]

    async def open_business(dsn: str, redis: str) -> None:
        async with open_pool(dsn) as pool:
            await Business(pool, Clock(), dsn, redis).open()

    for address in addresses:
        asyncio.run(open_business(*address))
    yield addresses
    for name in names:
        administration.execute(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture
async def make_lanes(
    databases: list[tuple[str, str]], redis_url: str, forge: Forge, tmp_path: Path
) -> AsyncIterator[MakeLanes]:
    async with AsyncExitStack() as stack:

        async def make(*roots: str) -> list[Lane]:
            lanes = []
            for number, (dsn, redis) in enumerate(databases):
                pool = await stack.enter_async_context(open_pool(dsn, max_size=4))
                log = tmp_path / f"{number}.log"
                switch = KillSwitch(log.with_suffix(".switch"))
                business = Business(pool, switch.clock(), dsn, redis)
                lanes.append(Lane(forge, business, switch, log, roots))
            return lanes

        yield make


async def a_phone(lane: Lane) -> Channel:
    return await lane.customer()


async def authorizes(lane: Lane, phone: Channel) -> None:
    await phone.authorize()


async def told(lane: Lane, phone: Channel) -> Mapping[str, int]:
    """What Asterisk does: it dials if it was told to, and its hangup handler tells of the end."""
    call = phone.variables.get("AUTH_CALL", "")
    if not (phone.answer.allowed and call):
        return {}
    phone.port = lane.port
    lane.clock.advance(30)
    await phone.settle(2000)
    return {call: 2000}


async def test_killed_at_every_point_of_authorize(make_lanes: MakeLanes, swept: Tell) -> None:
    points = await sweep(await make_lanes(SESSION), a_phone, authorizes, told)
    assert points > 20
    swept(f"{points} kill points, 0 violations")


async def talking(lane: Lane) -> Channel:
    """A call of this daemon, that was answered two seconds ago."""
    phone = await lane.customer()
    assert (await phone.authorize()).allowed
    lane.clock.advance(30)
    return phone


async def talking_since_another_daemon(lane: Lane) -> Channel:
    """A call that the daemon does not remember."""
    if lane.other_port is None:
        lane.other_port = await lane.start_another()
    phone = await lane.customer()
    phone.port = lane.other_port
    assert (await phone.authorize()).allowed
    lane.clock.advance(30)
    phone.port = lane.port
    return phone


async def settles(lane: Lane, phone: Channel) -> None:
    await phone.settle(2000)


async def settled_once(lane: Lane, phone: Channel) -> Mapping[str, int]:
    """To Asterisk a daemon that dies in a settle is one that is done: nobody asks again."""
    return {phone.variables["AUTH_CALL"]: 2000}


async def settled_again(lane: Lane, phone: Channel) -> Mapping[str, int]:
    """The handler could not connect at first, and asks again."""
    phone.port = lane.port
    await phone.settle(2000)
    return await settled_once(lane, phone)


@pytest.mark.parametrize("after", [settled_once, settled_again])
@pytest.mark.parametrize("prepare", [talking, talking_since_another_daemon])
async def test_killed_at_every_point_of_settle(
    make_lanes: MakeLanes,
    prepare: Callable[[Lane], Awaitable[Channel]],
    after: Callable[[Lane, Channel], Awaitable[Mapping[str, int]]],
    swept: Tell,
) -> None:
    points = await sweep(await make_lanes(SESSION), prepare, settles, after)
    assert points > 8
    swept(f"{points} kill points, 0 violations")
