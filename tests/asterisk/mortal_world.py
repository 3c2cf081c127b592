"""All that a call needs, each part a process of its own that can be killed and started again."""

import asyncio
import shutil
import time
from collections.abc import AsyncIterator
from contextlib import ExitStack, asynccontextmanager, suppress
from pathlib import Path
from tempfile import mkdtemp

from asterisk_server import PHONES, AsteriskServer, MortalAsterisk, free_tcp_port, mortal_asterisk
from asterisk_tree import AsteriskTree
from exchange import CALL, DECISION, PER_SECOND, RATES, Customer

from agi_server.storage.postgres import migrations
from agi_server.storage.postgres.pool import open_pool
from agi_server.tariffs import plans
from support.business import MICROS, Business
from support.checker import until, violations
from support.clock import Clock
from support.daemons import DaemonProcess
from support.postgres_server import PostgresServer
from support.redis_server import RedisServer

CALLS_PER_PHONE = 3
# What the issue promises: after the return of what died all is settled and free.
WITHIN_S = 60


class MortalWorld:
    """PostgreSQL, Redis, Asterisk and the daemon, restarted as systemd would restart them."""

    def __init__(self, folder: Path, mortal: MortalAsterisk, *, some_rolling: bool) -> None:
        self.postgres = PostgresServer(folder / "pg")
        self.redis = RedisServer(folder / "redis")
        self._mortal = mortal
        self._some_rolling = some_rolling
        self._port = free_tcp_port()
        self._config = folder / "agi-server.toml"
        self.daemon: DaemonProcess
        self._reading: asyncio.Task[None]
        self.business: Business
        self.customers: list[Customer] = []

    @property
    def asterisk(self) -> AsteriskServer:
        return self._mortal.server

    async def open(self) -> None:
        """Everything up, with a customer for each phone, who may make three calls at a time.

        Where some are to have rolling holds, it is half of those of either mode.
        """
        await self.redis.start()
        await self.postgres.create()
        migrations.upgrade(self.postgres.dsn)
        async with open_pool(self.postgres.dsn) as pool:
            self.business = Business(pool, Clock(), self.postgres.dsn, self.redis.url)
            await self.business.open()
            await self.business.card("exchange", list(RATES), trunks=("gw",))
            await plans.create_plan(pool, "exchange", ["exchange"])
            await plans.create_plan(pool, "rolling", ["exchange"], hold_mode="rolling")
            for line, (phone, number) in enumerate(PHONES.items(), 1):
                account = await self.business.customer(
                    100 * MICROS,
                    account_number=number,
                    plan="rolling" if self._some_rolling and line % 4 < 2 else "exchange",
                    simultaneous_access=CALLS_PER_PHONE,
                )
                self.customers.append(
                    Customer(
                        account=account,
                        user=(DECISION if line % 2 else CALL) + phone,
                        number=f"{PER_SECOND}207946{line:04}",
                        balance_micros=100 * MICROS,
                    )
                )
        self._config.write_text(
            "[fastagi]\ndeadline_ms = 5000\n[calls]\nrecover_every_s = 10\nslice_s = 4\n"
            "[web]\nenabled = false\n"
            f'[[ami]]\nhost = "127.0.0.1"\nport = {self.asterisk.ami_port}\n'
            'user = "agi-server"\nsecret = "loopback"\n'
        )
        await self.start("daemon")
        self.asterisk.point_to(self._port)

    async def kill(self, part: str) -> None:
        """SIGKILL."""
        match part:
            case "daemon":
                self._reading.cancel()
                with suppress(asyncio.CancelledError):
                    await self._reading
                await self.daemon.kill()
            case "redis":
                self.redis.kill()
            case "postgres":
                self.postgres.kill()
            case "asterisk":
                self._mortal.kill()

    async def start(self, part: str) -> None:
        """As systemd does."""
        match part:
            case "daemon":
                self.daemon = DaemonProcess(
                    self.postgres.dsn,
                    self.redis.url,
                    config=self._config,
                    AGI_SERVER_FASTAGI__PORT=str(self._port),
                )
                await self.daemon.start()
                self._reading = asyncio.create_task(self._read_log())
            case "redis":
                await self.redis.start()
            case "postgres":
                await self.postgres.start()
            case "asterisk":
                self._mortal.start()
                self.asterisk.point_to(self._port)

    async def _read_log(self) -> None:
        """A daemon whose log nobody reads stops when the pipe is full."""
        with suppress(AssertionError):  # it was killed
            await self.daemon.wait("server.stopped")

    async def all_ended(self, calls: int | None = None) -> float:
        """Wait until so many calls are settled (any number) and nothing is wrong; returns the
        seconds it took."""
        began = time.monotonic()
        found: list[str] = []

        async def well() -> bool:
            async with open_pool(self.postgres.dsn) as pool:
                settled = await pool.fetchval(
                    "SELECT count(*) FROM call_session WHERE state = 'settled'"
                )
                found[:] = await violations(pool, self.redis.url)
            if calls is not None and settled != calls:
                found.append(f"{settled} calls are settled")
            return not found

        try:
            await until(well, WITHIN_S)
        except TimeoutError:
            raise AssertionError("\n".join(found)) from None
        return time.monotonic() - began

    async def close(self) -> None:
        if self.daemon.lives:
            await self.kill("daemon")
        for part in ("redis", "postgres"):
            await self.kill(part)


@asynccontextmanager
async def mortal_world(
    tree: AsteriskTree, *, some_rolling: bool = False
) -> AsyncIterator[MortalWorld]:
    folder = Path(mkdtemp(prefix="agi-server-mortal-"))
    with ExitStack() as stack:
        stack.callback(shutil.rmtree, folder, ignore_errors=True)
        mortal = stack.enter_context(mortal_asterisk(tree))
        world = MortalWorld(folder, mortal, some_rolling=some_rolling)
        await world.open()
        try:
            yield world
        finally:
            await world.close()
