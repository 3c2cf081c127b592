"""Daemons and commands that die where they are told to, each beside its own business."""

import asyncio
import json
import os
import signal
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from kill_points import KillSwitch

from support.business import Business
from support.channel import Channel
from support.checker import until, violations

# What a busy machine may need until a process has started or recovered.
PATIENCE_S = 60
QUICK: dict[str, Any] = {
    "fastagi": {"port": 0, "deadline_ms": 1000},
    "calls": {"recover_every_s": 1},
    "postgres": {"pool_size": 2},
    "web": {"enabled": False},
}
# Later than any call that a test makes can still be up, or its end be told.
ALL_OVER_S = 3 * 3600


class Doomed:
    """One process that the forge made."""

    def __init__(self, reader: asyncio.StreamReader, pid: int) -> None:
        self._reader = reader
        self._pid = pid

    def kill(self) -> None:
        """SIGKILL."""
        os.kill(self._pid, signal.SIGKILL)

    async def says(self) -> int | None:
        """The number it says next, the port of a daemon or the exit code; None when it is dead."""
        async with asyncio.timeout(PATIENCE_S):
            line = await self._reader.readline()
        return int(line) if line else None

    async def dead(self) -> None:
        """Wait for its end."""
        async with asyncio.timeout(PATIENCE_S):
            while await self._reader.readline():
                pass


class Forge:
    """Forks processes from one that has loaded the program."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._process: Process
        self._server: asyncio.Server
        self._born: dict[int, asyncio.Future[Doomed]] = {}

    async def open(self) -> None:
        self._server = await asyncio.start_unix_server(self._tell, self._folder / "tell")
        program = Path(__file__).with_name("doomed_program.py")
        self._process = await asyncio.create_subprocess_exec(
            sys.executable, str(program), stdin=PIPE
        )

    async def close(self) -> None:
        """All that still live die with the process that made them."""
        self._process.kill()
        await self._process.wait()
        self._server.close()

    async def make(self, **request: Any) -> Doomed:
        """A daemon (`settings`, `postgres_dsn`, `redis_url`) or a command (`arguments`, `env`)."""
        number = len(self._born)
        self._born[number] = asyncio.get_running_loop().create_future()
        request |= {"number": number, "tell": str(self._folder / "tell")}
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(request).encode() + b"\n")
        async with asyncio.timeout(PATIENCE_S):
            return await self._born[number]

    async def _tell(self, reader: asyncio.StreamReader, _: asyncio.StreamWriter) -> None:
        number, pid = map(int, (await reader.readline()).split())
        self._born[number].set_result(Doomed(reader, pid))


class Lane:
    """A business with one daemon at a time, whose clock the test moves."""

    def __init__(
        self,
        forge: Forge,
        business: Business,
        switch: KillSwitch,
        log: Path,
        roots: tuple[str, ...],
    ) -> None:
        self.business = business
        self.switch = switch
        self.clock = switch.clock()
        business.now = self.clock
        self.log = log
        self.port = 0
        self.other_port: int | None = None
        self._forge = forge
        self._roots = roots
        self.daemon: Doomed
        self.victim: Doomed | None = None
        """The command that is to die; without one it is the daemon."""

    async def start(self) -> None:
        """A daemon, in the place of the one that died."""
        self.daemon, self.port = await self._daemon(QUICK)

    async def start_another(self) -> int:
        """A daemon beside it, which recovers nothing; returns its port."""
        settings = {**QUICK, "calls": {"recover_every_s": 100_000}}
        return (await self._daemon(settings))[1]

    async def _daemon(self, settings: Mapping[str, Any]) -> tuple[Doomed, int]:
        daemon = await self._forge.make(
            settings=settings,
            postgres_dsn=self.business.postgres_dsn,
            redis_url=self.business.redis_url,
            switch=str(self.switch_file),
            roots=self._roots,
            log=str(self.log),
        )
        port = await daemon.says()
        assert port, self.log.read_text()
        return daemon, port

    async def start_again(self) -> None:
        """A daemon, once what was to die is dead and nothing it asked for is being done."""
        dead = self.victim or self.daemon
        await dead.dead()
        await self.statements_ended()
        if dead is self.daemon:
            await self.start()

    @property
    def switch_file(self) -> Path:
        return self.log.with_suffix(".switch")

    async def command(self, *arguments: str) -> int | None:
        """Run a command of an operator; its exit code, None when it died."""
        self.victim = await self._forge.make(
            arguments=arguments,
            env={
                "AGI_SERVER_POSTGRES__DSN": self.business.postgres_dsn,
                "AGI_SERVER_REDIS__URL": self.business.redis_url,
            },
            switch=str(self.switch_file),
            roots=self._roots,
            log=str(self.log),
        )
        return await self.victim.says()

    async def customer(self, **fields: Any) -> Channel:
        """The phone of a new customer, who may make one call at a time."""
        account = await self.business.customer(**{"simultaneous_access": 1, **fields})
        channel = Channel(self.port, self.clock, accountcode=account.account_number)
        channel.account = account  # type: ignore[attr-defined]
        return channel

    async def statements_ended(self) -> None:
        """Nothing that a dead daemon had asked of the database is still being done."""
        sql = (
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
            " AND pid <> pg_backend_pid() AND state = 'active' AND backend_type = 'client backend'"
        )

        async def ended() -> bool:
            return 0 == await self.business.pool.fetchval(sql)

        await until(ended)

    async def recovered(self, answered: Mapping[str, int]) -> None:
        """All is over by the clock; wait until the daemon has tidied up, and check everything."""
        self.clock.advance(ALL_OVER_S)
        found: list[str] = []

        async def nothing_wrong() -> bool:
            pool, redis_url = self.business.pool, self.business.redis_url
            found[:] = await violations(pool, redis_url, answered=answered)
            return not found

        try:
            await until(nothing_wrong, PATIENCE_S)
        except TimeoutError:
            log = self.log.read_text().splitlines()[-20:]
            raise AssertionError("\n".join([*found, *log])) from None


async def sweep(
    lanes: list[Lane],
    prepare: Callable[[Lane], Awaitable[Any]],
    act: Callable[[Lane, Any], Awaitable[None]],
    after: Callable[[Lane, Any], Awaitable[Mapping[str, int]]],
) -> int:
    """Let a process die at each point of `act`, start it again, and check; how many there are.

    It is the daemon, unless the act starts a command. `prepare` makes what the act needs; `after`
    does what the world does when the daemon is back, and returns the calls that were answered, with
    their cost. The last run of each lane is the one that nobody died of: it is checked as well.
    """

    async def run(lane: Lane, number: int) -> int:
        await lane.start()
        while True:
            prepared = await prepare(lane)
            lane.switch.arm(number)
            try:
                await act(lane, prepared)
            finally:
                passed = lane.switch.disarm()
            died = passed >= number
            if died:
                await lane.start_again()
            try:
                await lane.recovered(await after(lane, prepared))
            except BaseException as failure:
                failure.add_note(f"killed at point {number}" if died else "nobody was killed")
                raise
            if not died:
                return passed
            number += len(lanes)

    async with asyncio.TaskGroup() as running:
        tasks = [running.create_task(run(lane, number)) for number, lane in enumerate(lanes, 1)]
    return max(task.result() for task in tasks)


@asynccontextmanager
async def forge_in(folder: Path) -> AsyncIterator[Forge]:
    forge = Forge(folder)
    await forge.open()
    try:
        yield forge
    finally:
        await forge.close()
