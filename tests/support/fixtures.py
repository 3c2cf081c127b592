"""Fixtures for tests of the daemon on real PostgreSQL and Valkey; loaded by tests/conftest.py."""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from urllib.parse import urlsplit

import pytest

from agi_server.background import Background
from agi_server.calls.slot_repair import SlotRepair
from agi_server.storage.postgres.pool import open_pool
from agi_server.storage.redis.slots import open_slots
from support.business import Business
from support.channel import Channel
from support.clock import Clock
from support.daemons import Daemon, DaemonProcess, quick_settings
from support.event_log import EventLog
from support.wire_proxy import PostgresRounds, Proxy, Writes

StartDaemon = Callable[..., Awaitable[Daemon]]
StartProcess = Callable[..., Awaitable[DaemonProcess]]
NewChannel = Callable[..., Channel]


@pytest.fixture
def clock() -> Clock:
    """The time of daemons in the test's loop and of its channels: real, until a test moves it."""
    return Clock()


@pytest.fixture
def events(monkeypatch: pytest.MonkeyPatch) -> EventLog:
    """What daemons in the test's loop log."""
    log = EventLog()
    log.capture(monkeypatch)
    return log


@pytest.fixture
async def business(postgres_dsn: str, redis_url: str, clock: Clock) -> AsyncIterator[Business]:
    """A seeded business, whose books must balance when the test ends."""
    async with open_pool(postgres_dsn) as pool:
        business = Business(pool, clock, postgres_dsn, redis_url)
        await business.open()
        yield business
        assert [] == await business.mismatches()


@pytest.fixture
async def start_daemon(
    business: Business, events: EventLog, clock: Clock
) -> AsyncIterator[StartDaemon]:
    """Start daemons of the business; keyword arguments are sections of the settings."""
    daemons: list[Daemon] = []

    async def start(
        postgres_dsn: str = business.postgres_dsn,
        redis_url: str = business.redis_url,
        **sections: dict[str, Any],
    ) -> Daemon:
        daemon = Daemon()
        await daemon.start(quick_settings(**sections), postgres_dsn, redis_url, clock)
        daemons.append(daemon)
        return daemon

    yield start
    for daemon in daemons:
        await daemon.stop()


@pytest.fixture
async def daemon(start_daemon: StartDaemon) -> Daemon:
    """One daemon with the default settings."""
    return await start_daemon()


@pytest.fixture
def channel(daemon: Daemon, clock: Clock) -> NewChannel:
    """A new channel of an Asterisk that calls the daemon."""
    return lambda **about: Channel(daemon.port, clock, **about)


@pytest.fixture
async def start_process(business: Business) -> AsyncIterator[StartProcess]:
    """Start daemons as processes; keyword arguments are environment variables."""
    processes: list[DaemonProcess] = []

    async def start(
        postgres_dsn: str = business.postgres_dsn,
        redis_url: str = business.redis_url,
        **settings: str,
    ) -> DaemonProcess:
        process = DaemonProcess(postgres_dsn, redis_url, **settings)
        processes.append(process)
        await process.start()
        return process

    yield start
    for process in processes:
        if process.lives:
            await process.kill()


@pytest.fixture
def proxy_directory() -> Iterator[Path]:
    """Where the proxies listen: paths of sockets are short."""
    with TemporaryDirectory(prefix="proxy-") as directory:
        yield Path(directory)


@pytest.fixture
async def postgres_proxy(business: Business, proxy_directory: Path) -> AsyncIterator[Proxy]:
    """PostgreSQL behind a faulty wire; `address` is its DSN."""
    dsn, _, sockets = business.postgres_dsn.partition("host=")
    socket = ".s.PGSQL.5432"
    proxy = Proxy(
        proxy_directory / socket,
        f"{sockets}/{socket}",
        PostgresRounds,
        f"{dsn}host={proxy_directory}",
    )
    await proxy.start()
    yield proxy
    await proxy.stop()


@pytest.fixture
async def redis_proxy(business: Business, proxy_directory: Path) -> AsyncIterator[Proxy]:
    """Valkey behind a faulty wire; `address` is its URL."""
    socket = proxy_directory / "valkey.sock"
    proxy = Proxy(socket, urlsplit(business.redis_url).path, Writes, f"unix://{socket}")
    await proxy.start()
    yield proxy
    await proxy.stop()


@pytest.fixture
async def repair(
    business: Business, clock: Clock, postgres_proxy: Proxy
) -> AsyncIterator[SlotRepair]:
    """Makes Redis count what PostgreSQL has, when a test says so."""
    async with (
        open_slots(business.redis_url, timeout_ms=20_000) as counted,
        open_pool(postgres_proxy.address) as pool,
    ):
        yield SlotRepair(db=pool, slots=counted, background=Background(), now=clock)
