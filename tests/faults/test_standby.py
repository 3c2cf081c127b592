"""A synchronous standby: what was acknowledged is there when the primary dies, and work goes on."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from agi_server.accounts.account import Account
from agi_server.routes import settle as settle_route
from agi_server.storage.postgres import migrations
from support.business import MICROS, Business, nothing_reserved
from support.channel import allowed, settled
from support.clock import Clock
from support.fixtures import StartDaemon, StartProcess
from support.postgres_server import PostgresServer


class Pair:
    """A primary and its synchronous standby; `dsn` names both."""

    def __init__(self, directory: Path) -> None:
        self.primary = PostgresServer(directory / "a")
        self.standby = PostgresServer(directory / "b")
        self.dsn = (
            "postgresql://agi_server@/agi_server"
            f"?host={self.primary.directory},{self.standby.directory}&target_session_attrs=primary"
        )

    async def start(self) -> None:
        await self.primary.create()
        await self.standby.create_standby_of(self.primary, "standby")
        await self.standby.start()
        await self.primary.execute("ALTER SYSTEM SET synchronous_standby_names = 'standby'")
        await self.primary.execute("SELECT pg_reload_conf()")
        await self.primary.until(
            "EXISTS (SELECT FROM pg_stat_replication WHERE sync_state = 'sync')"
        )

    async def fail_over(self) -> None:
        """The primary's machine loses power, and the standby takes its place."""
        self.primary.kill()
        await self.standby.promote()

    def kill(self) -> None:
        self.primary.kill()
        self.standby.kill()


@pytest.fixture
async def pair() -> AsyncIterator[Pair]:
    with TemporaryDirectory(prefix="pair-") as directory:
        pair = Pair(Path(directory))
        try:
            await pair.start()
            yield pair
        finally:
            pair.kill()


@pytest.fixture
async def postgres_dsn(pair: Pair) -> str:
    """The business of these tests is on the pair."""
    await asyncio.to_thread(migrations.upgrade, pair.dsn)
    return pair.dsn


async def test_a_settlement_that_the_standby_has_not_is_not_acknowledged_and_not_lost(
    pair: Pair,
    business: Business,
    start_daemon: StartDaemon,
    clock: Clock,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(settle_route, "_PAUSES_S", (0.01, 0.01))
    daemon = await start_daemon(fastagi={"deadline_ms": 500})
    account = await business.customer()
    phone = await allowed(daemon.port, clock, account.account_number)
    clock.advance(30)
    pair.standby.kill()
    # Its commit waits for the standby; given up at the deadline, it stands on the primary alone.
    await phone.settle(5000)
    assert "FAILURE" == phone.variables["AGISTATUS"]
    pair.primary.kill()
    await pair.standby.start()
    await pair.standby.promote()
    await settled(phone)
    assert [("customer", 5000)] == await business.charges(account)
    assert await nothing_reserved(business, account)


class Load:
    """Callers that start one call after the other. `settled` are the calls told as settled."""

    def __init__(self, port: int, clock: Clock, accounts: list[Account]) -> None:
        self.port, self.clock, self.accounts = port, clock, accounts
        self.settled: list[str] = []
        self.stopping = False
        self._progress = asyncio.Event()

    async def run(self, caller: int) -> None:
        account = self.accounts[caller % len(self.accounts)]
        while not self.stopping:
            phone = await allowed(self.port, self.clock, account.account_number)
            call = phone.variables["AUTH_CALL"]
            await settled(phone, 1000)
            self.settled.append(call)
            self._progress.set()

    async def until_settled(self, more: int) -> None:
        """Until so many further calls have been settled."""
        wanted = len(self.settled) + more
        while len(self.settled) < wanted:
            self._progress.clear()
            await self._progress.wait()


async def test_every_acknowledged_settlement_is_there_after_the_primary_died_in_a_burst(
    pair: Pair, business: Business, start_process: StartProcess, clock: Clock
) -> None:
    accounts = [await business.customer(1000 * MICROS) for _ in range(4)]
    daemon = await start_process()
    load = Load(daemon.port, clock, accounts)
    async with asyncio.TaskGroup() as callers:
        for number in range(12):
            callers.create_task(load.run(number))
        await load.until_settled(50)
        await pair.fail_over()
        await load.until_settled(50)
        load.stopping = True
    charged = [
        row["call_id"]
        for row in await business.pool.fetch(
            "SELECT substr(movement_id, 6) AS call_id FROM ledger_entry WHERE kind = 'call'"
        )
    ]
    assert set() == set(load.settled) - set(charged)
    assert len(charged) == len(set(charged))
    assert [] == await business.mismatches()
    clock.advance(100_000)
    for account in accounts:
        await business.recover(account, unseen_end="nothing")
        assert await nothing_reserved(business, account)
    assert 0 == await daemon.terminate()
    # On a busy machine an answer of before may come late, and tell of the old primary once more; or
    # all calls wait so long that the standby is there when they ask again, and nothing is told.
    told = [e["event"] for e in daemon.events if e.get("backend") == "postgres" and "work" not in e]
    assert ["backend.down", "backend.up"] * (len(told) // 2) == told
