"""Each link fails in each way at each round of authorize and settle: nothing is wrong then."""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.parse import urlsplit

import pytest

from support.business import Business
from support.channel import Channel
from support.checker import until, violations
from support.clock import Clock
from support.daemons import Daemon
from support.fixtures import StartDaemon
from support.wire_proxy import (
    Action,
    PostgresRounds,
    Proxy,
    Writes,
    cut_at_answer,
    cut_before,
    cut_client_after,
    delayed,
    half_open_after,
    reset,
)

DEADLINE_MS = 800
FAULTS: dict[str, Action] = {
    "cut before": cut_before,
    "cut at the answer": cut_at_answer,
    "cut after it left": cut_client_after,
    "half open": half_open_after,
    "reset": reset,
    "delayed": delayed(DEADLINE_MS / 1000 / 4),
    "delayed beyond the deadline": delayed(DEADLINE_MS / 1000 * 1.5),
}
TALK_MS = 1200
COST_MICROS = 2000


class Links:
    """A daemon of its own, and a proxy on each way to or from it."""

    def __init__(self, folder: Path, business: Business, clock: Clock) -> None:
        dsn, _, sockets = business.postgres_dsn.partition("host=")
        name = ".s.PGSQL.5432"
        self.business, self.clock = business, clock
        self.postgres = Proxy(
            folder / name, f"{sockets}/{name}", PostgresRounds, f"{dsn}host={folder}"
        )
        redis = folder / "valkey.sock"
        self.redis = Proxy(redis, urlsplit(business.redis_url).path, Writes, f"unix://{redis}")
        self.fastagi = Proxy(0, 0, Writes, "")
        self.port = 0
        self.daemon: Daemon

    async def open(self, start_daemon: StartDaemon) -> None:
        await self.postgres.start()
        await self.redis.start()
        self.daemon = await start_daemon(
            self.postgres.address,
            self.redis.address,
            fastagi={"deadline_ms": DEADLINE_MS, "idle_timeout_s": 1, "drain_timeout_s": 1},
            postgres={"pool_size": 1},
            redis={"timeout_ms": 100},
            calls={"recover_every_s": 1},
        )
        self.port = self.fastagi.target = self.daemon.port
        await self.fastagi.start()

    async def close(self) -> None:
        await self.daemon.stop()
        for proxy in (self.fastagi, self.redis, self.postgres):
            await proxy.stop()

    async def phone(self) -> Channel:
        account = await self.business.customer(simultaneous_access=1)
        return Channel(self.port, self.clock, accountcode=account.account_number)

    async def allowed(self) -> Channel:
        """A call that is let through, when all links work again."""
        while True:
            phone = await self.phone()
            if (await phone.authorize()).allowed:
                return phone


async def run(phone: Channel, links: Links, *script: str) -> None:
    """By way of the faulty link; Asterisk's own patience with a mute daemon ends some time."""
    phone.port = int(links.fastagi.socket)  # type: ignore[arg-type]
    with suppress(ConnectionError, TimeoutError):
        async with asyncio.timeout(10):
            await (phone.settle(TALK_MS) if script[0] == "settle" else phone.run(*script))
    phone.port = links.port


async def asked(links: Links) -> Channel:
    await (await links.allowed()).settle()  # connections are open, statements prepared
    return await links.phone()


async def answered(links: Links) -> Channel:
    phone = await links.allowed()
    links.clock.advance(5)
    return phone


async def settled(phone: Channel, links: Links) -> dict[str, int]:
    """What Asterisk does next: it dials when told to, and tells of the end until it is heard."""
    if not phone.answer.allowed:
        return {}
    links.clock.advance(5)
    phone.variables["AGISTATUS"] = "FAILURE"
    while phone.variables["AGISTATUS"] == "FAILURE":
        await phone.settle(TALK_MS)
    return {phone.answer.call: COST_MICROS}


@pytest.fixture
def folders() -> Iterator[Callable[[], Path]]:
    with ExitStack() as stack:
        yield lambda: Path(stack.enter_context(TemporaryDirectory(prefix="links-")))


@pytest.mark.parametrize("script", ["authorize", "settle"])
@pytest.mark.parametrize("link", ["postgres", "redis", "fastagi"])
async def test_a_link_fails_at_every_round(
    business: Business,
    start_daemon: StartDaemon,
    clock: Clock,
    folders: Callable[[], Path],
    swept: Callable[[str], None],
    link: str,
    script: str,
) -> None:
    costs: dict[str, int] = {}

    async def sweep(fault: Action) -> int:
        """Round after round, until the script is over before it comes to one."""
        links = Links(folders(), business, clock)
        await links.open(start_daemon)
        proxy: Proxy = getattr(links, link)
        for number in count(1):
            phone = await (asked(links) if script == "authorize" else answered(links))
            proxy.at(b"", fault, number)
            await run(phone, links, script)
            over = proxy.forget()
            if script == "authorize" or phone.variables["AGISTATUS"] == "FAILURE":
                costs.update(await settled(phone, links))
            else:
                costs[phone.answer.call] = COST_MICROS
            if over:
                await links.close()
                return number - 1
        raise AssertionError

    async with asyncio.TaskGroup() as lanes:
        sweeps = {name: lanes.create_task(sweep(fault)) for name, fault in FAULTS.items()}
    rounds = {name: task.result() for name, task in sweeps.items()}
    assert min(rounds.values()) > 0
    clock.advance(3 * 3600)
    await start_daemon(calls={"recover_every_s": 1}, fastagi={"deadline_ms": 200})
    found: list[str] = []

    async def well() -> bool:
        found[:] = await violations(business.pool, business.redis_url, answered=costs)
        return not found

    with suppress(TimeoutError):
        await until(well)
    assert [] == found
    swept(f"rounds {rounds}, 0 violations")
