"""SIGKILL at every suspension and resumption of each use case, then a restart: nothing is wrong."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from contextlib import AsyncExitStack
from pathlib import Path

import psycopg
import pytest
from doomed import ALL_OVER_S, Forge, Lane, forge_in, sweep
from kill_points import KillSwitch

from agi_server.storage.embedded import EmbeddedBackends
from agi_server.storage.postgres.pool import open_pool
from support.business import MICROS, Business, nothing_reserved
from support.channel import Channel, Dialled
from support.checker import until
from support.clock import Clock

SESSION = "FastAgiServer._run"
RECOVERY = "_recover"
COMMAND = "with_database.<locals>.run.<locals>.in_session"
LANES = 4
# Two cores that others use as well may take a while for some fifty deaths.
pytestmark = pytest.mark.timeout(400)
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


async def a_carrier(lane: Lane) -> Channel:
    """A call from outside to the DID of a new customer, whose plan prices it."""
    channel = await lane.customer()
    owner = channel.account  # type: ignore[attr-defined]
    channel.extension = f"4420{owner.account_number}"
    await lane.business.did(
        channel.extension, owner, plan="standard", destinations=("33123456789",)
    )
    return channel


async def asks_whose_did(lane: Lane, carrier: Channel) -> None:
    await carrier.did()


@pytest.mark.soak
async def test_killed_at_every_point_of_did(make_lanes: MakeLanes, swept: Tell) -> None:
    points = await sweep(await make_lanes(SESSION), a_carrier, asks_whose_did, told)
    assert points > 20
    swept(f"{points} kill points, 0 violations")


async def allowed(lane: Lane, port: int) -> Channel:
    """A call that a daemon let through; on a busy machine it may be too late for some."""
    while True:
        phone = await lane.customer()
        phone.port = port
        if (await phone.authorize()).allowed:
            return phone


async def talking(lane: Lane) -> Channel:
    """A call of this daemon, that was answered two seconds ago."""
    phone = await allowed(lane, lane.port)
    lane.clock.advance(30)
    return phone


async def without_funds(lane: Lane) -> Channel:
    return await lane.customer(refill_micros=0)


async def hanging_up(lane: Lane) -> Channel:
    """The caller is gone before there is an answer."""
    phone = await lane.customer()
    phone.hung_up = True
    return phone


async def calling_anew(lane: Lane) -> Channel:
    """The same channel asks again, before its first call was dialled."""
    phone = await allowed(lane, lane.port)
    phone.variables["AUTH_DECISION"] = "deny"  # as the samples preset it
    return phone


@pytest.mark.soak
@pytest.mark.parametrize("prepare", [without_funds, hanging_up, calling_anew])
async def test_killed_at_every_point_of_an_authorize_that_ends_otherwise(
    make_lanes: MakeLanes, prepare: Callable[[Lane], Awaitable[Channel]], swept: Tell
) -> None:
    points = await sweep(await make_lanes(SESSION), prepare, authorizes, told)
    assert points > 8
    swept(f"{points} kill points, 0 violations")


async def talking_since_another_daemon(lane: Lane) -> Channel:
    """A call that the daemon does not remember."""
    if lane.other_port is None:
        lane.other_port = await lane.start_another()
    phone = await allowed(lane, lane.other_port)
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


@pytest.mark.parametrize(
    ("prepare", "after"),
    [
        (talking, settled_once),
        (talking_since_another_daemon, settled_again),
        pytest.param(talking, settled_again, marks=pytest.mark.soak),
        pytest.param(talking_since_another_daemon, settled_once, marks=pytest.mark.soak),
    ],
)
async def test_killed_at_every_point_of_settle(
    make_lanes: MakeLanes,
    prepare: Callable[[Lane], Awaitable[Channel]],
    after: Callable[[Lane, Channel], Awaitable[Mapping[str, int]]],
    swept: Tell,
) -> None:
    points = await sweep(await make_lanes(SESSION), prepare, settles, after)
    assert points > 8
    swept(f"{points} kill points, 0 violations")


async def about_to_call(lane: Lane) -> Channel:
    phone = await lane.customer()
    phone.dials = [Dialled(talk_ms=1200)]  # two seconds are billed, however slow the machine is
    return phone


async def calls(lane: Lane, phone: Channel) -> None:
    await phone.call()


async def hung_up(lane: Lane, phone: Channel) -> Mapping[str, int]:
    """The hangup handler tells of the end, unless the daemon has said that it was settled."""
    phone.port = lane.port
    answered = bool(phone.dialled())
    if phone.variables.get("AUTH_CALL"):
        await phone.settle(1200 if answered else None, status=None if answered else "")
    rows = await lane.business.pool.fetch(
        "SELECT call_id FROM call_session WHERE uniqueid = $1", phone.uniqueid
    )
    return {row["call_id"]: 2000 for row in rows if answered}


async def test_killed_at_every_point_of_call(make_lanes: MakeLanes, swept: Tell) -> None:
    points = await sweep(await make_lanes(SESSION), about_to_call, calls, hung_up)
    assert points > 30
    swept(f"{points} kill points, 0 violations")


async def nobody_tells(lane: Lane, phone: Channel) -> None:
    """All is over by the clock, and the daemon ends the call by itself, if it lives so long."""
    lane.clock.advance(ALL_OVER_S)
    account = phone.account  # type: ignore[attr-defined]

    async def ended() -> bool:
        return await nothing_reserved(lane.business, account)

    works = [asyncio.create_task(work) for work in (until(ended), lane.daemon.dead())]
    await asyncio.wait(works, return_when=asyncio.FIRST_COMPLETED)
    for work in works:
        work.cancel()
    await asyncio.gather(*works, return_exceptions=True)


async def test_killed_at_every_point_of_recovery(make_lanes: MakeLanes, swept: Tell) -> None:
    lanes = await make_lanes(RECOVERY)
    points = await sweep(lanes, talking_since_another_daemon, nobody_tells, settled_once)
    assert points > 8
    swept(f"{points} kill points, 0 violations")


async def refills(lane: Lane, phone: Channel) -> None:
    await lane.command("customer", "refill", phone.accountcode, "5", "--reference", "receipt-1")


async def refilled_once(lane: Lane, phone: Channel) -> Mapping[str, int]:
    """The operator repeats the command that died, and perhaps one that did not."""
    await refills(lane, phone)
    now = await lane.business.account(phone.account)  # type: ignore[attr-defined]
    assert 15 * MICROS == now.balance_micros
    return {}


async def test_killed_at_every_point_of_refill(make_lanes: MakeLanes, swept: Tell) -> None:
    points = await sweep(await make_lanes(COMMAND), a_phone, refills, refilled_once)
    assert points > 8
    swept(f"{points} kill points, 0 violations")
