"""A real PostgreSQL that is stopped, killed, full of connections or out of disk: refused in time
meanwhile, nothing debited twice or lost, and all goes on by itself afterwards."""

import asyncio
import os
import subprocess
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from pathlib import Path
from tempfile import TemporaryDirectory

import asyncpg
import pytest

from agi_server.storage.postgres import migrations
from support.business import MICROS, Business, nothing_reserved
from support.channel import Channel, allowed, settled
from support.clock import Clock
from support.fixtures import StartDaemon
from support.postgres_server import PostgresServer

DEADLINE_MS = 400
# Generous: two cores may be busy with other tests.
SLACK_S = 5.0
DISK_MB = 160


@pytest.fixture
async def server() -> AsyncIterator[PostgresServer]:
    with TemporaryDirectory(prefix="postgres-") as directory:
        server = PostgresServer(Path(directory))
        try:
            await server.create()
            yield server
        finally:
            server.kill()


@pytest.fixture
async def postgres_dsn(server: PostgresServer) -> str:
    """The business of these tests is on a server of its own."""
    await asyncio.to_thread(migrations.upgrade, server.dsn)
    return server.dsn


@asynccontextmanager
async def stopped(server: PostgresServer) -> AsyncIterator[None]:
    server.stop()
    yield
    await server.start()


@asynccontextmanager
async def crashed(server: PostgresServer) -> AsyncIterator[None]:
    server.kill()
    yield
    await server.start()


@asynccontextmanager
async def full_of_connections(server: PostgresServer) -> AsyncIterator[None]:
    """Others have taken every connection, those that were the daemon's too."""
    others: list[asyncpg.Connection] = []

    async def fill() -> None:
        with suppress(asyncpg.TooManyConnectionsError):
            while True:
                others.append(await asyncpg.connect(server.dsn))

    try:
        # The daemon takes its connections anew; sooner or later the others were faster. One that it
        # is just making is not yet to be seen, but counts.
        await fill()
        there_are = int(await others[0].fetchval("SHOW max_connections"))
        while len(others) < there_are:
            await others[0].execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE backend_type = 'client backend' AND pid <> ALL ($1)",
                [other.get_server_pid() for other in others],
            )
            await fill()
        yield
    finally:
        for other in others:
            other.terminate()


async def answer_in_time(phone: Channel) -> str:
    """The reason, empty when it was let through; must come within the deadline."""
    loop = asyncio.get_running_loop()
    began = loop.time()
    reason = (await phone.authorize()).reason
    assert loop.time() - began < DEADLINE_MS / 1000 + SLACK_S
    return reason


@pytest.mark.parametrize("outage", [stopped, crashed, full_of_connections])
async def test_calls_are_refused_in_time_and_a_settle_waits_until_it_is_back(
    business: Business,
    server: PostgresServer,
    start_daemon: StartDaemon,
    clock: Clock,
    outage: Callable[[PostgresServer], AbstractAsyncContextManager[None]],
) -> None:
    daemon = await start_daemon(fastagi={"deadline_ms": DEADLINE_MS}, postgres={"pool_size": 2})
    account = await business.customer(1000 * MICROS)
    phone = await allowed(daemon.port, clock, account.account_number)
    clock.advance(30)
    async with outage(server):
        settling = asyncio.create_task(settled(phone))
        for _ in range(3):
            another = Channel(daemon.port, clock, accountcode=account.account_number)
            assert "unavailable" == await answer_in_time(another)
        assert not settling.done()
    await settling
    assert [("customer", 5000)] == await business.charges(account)
    await (await allowed(daemon.port, clock, account.account_number)).settle()
    await daemon.stop()
    assert await nothing_reserved(business, account)


def fill(file: Path) -> None:
    """Until the disk is full."""
    with suppress(OSError), open(file, "wb", buffering=0) as ballast:
        while True:
            ballast.write(bytes(1 << 16))


async def write_until_it_fails(server: PostgresServer) -> None:
    """Use up the room that is left in the server's own files."""
    with suppress(OSError, asyncpg.PostgresError, asyncpg.InterfaceError):
        connection = await asyncpg.connect(server.dsn)
        while True:
            await connection.execute(
                "SELECT pg_logical_emit_message(true, '', repeat('x', 999999))"
            )


_KEEP_MOUNTED = f"""
set -e
disk=$(mktemp -d --tmpdir disk-XXXXXXXX)
mount -t tmpfs -o size={DISK_MB}m tmpfs "$disk" || {{ rmdir "$disk"; exit 0; }}
echo "$disk"
read -r line || true
umount --lazy "$disk"
rmdir "$disk"
"""


@pytest.fixture
def small_disk() -> Iterator[Path]:
    """A file system of its own that is soon full."""
    if os.geteuid() != 0:
        pytest.skip("only root mounts a file system that can be filled")
    # The shell that mounts it ends with us, however we end, and unmounts it.
    keeper = subprocess.Popen(
        ["sh", "-c", _KEEP_MOUNTED],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        start_new_session=True,
        text=True,
    )
    assert keeper.stdin is not None
    assert keeper.stdout is not None
    try:
        if not (said := keeper.stdout.readline()).startswith("/"):
            pytest.skip(f"no file system can be mounted here: {said.strip()}")
        yield Path(said.strip())
    finally:
        keeper.stdin.close()
        assert 0 == keeper.wait(), keeper.stdout.read()


class TestFullDisk:
    @pytest.fixture
    async def server(self, small_disk: Path) -> AsyncIterator[PostgresServer]:
        server = PostgresServer(small_disk / "postgres")
        try:
            await server.create()
            yield server
        finally:
            server.kill()

    async def test_a_full_disk_refuses_calls_and_loses_and_doubles_nothing(
        self,
        business: Business,
        server: PostgresServer,
        start_daemon: StartDaemon,
        clock: Clock,
        small_disk: Path,
    ) -> None:
        daemon = await start_daemon(fastagi={"deadline_ms": DEADLINE_MS}, postgres={"pool_size": 2})
        account = await business.customer(1000 * MICROS)
        phone = await allowed(daemon.port, clock, account.account_number)
        clock.advance(30)
        ballast = small_disk / "ballast"
        fill(ballast)
        # Until the room in the files there are is used up, too.
        writer = asyncio.create_task(write_until_it_fails(server))
        reasons = {""}
        settling = [asyncio.create_task(settled(phone))]
        while "unavailable" not in reasons:
            another = Channel(daemon.port, clock, accountcode=account.account_number)
            reasons.add(await answer_in_time(another))
            if another.answer.allowed:
                # Beside the next call: should the disk be full by now, it waits for room.
                settling.append(asyncio.create_task(settled(another, talk_ms=None)))
        await writer
        ballast.unlink()
        await server.start_again_if_dead()
        await asyncio.gather(*settling)
        assert {"", "unavailable"} == reasons
        assert [("customer", 5000)] == await business.charges(account)
        await (await allowed(daemon.port, clock, account.account_number)).settle()
        await daemon.stop()
        clock.advance(100_000)
        await business.recover(account, unseen_end="nothing")
        assert await nothing_reserved(business, account)
