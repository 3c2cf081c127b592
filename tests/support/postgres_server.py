"""A PostgreSQL of its own for tests that kill it, stop it, fill its disk or have it fail over."""

import asyncio
import os
import signal
import subprocess
import time
from contextlib import suppress
from pathlib import Path

import asyncpg

from agi_server.storage import embedded, embedded_servers

_ENVIRONMENT = {"PATH": os.defpath, "LC_ALL": "C"}
_POLL_S = 0.02


class PostgresServer:
    """One server in a folder, with its socket there; runs as nobody when the tests run as root."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.data = directory / "data"
        self._words = embedded._leave_root()
        self._process: subprocess.Popen[bytes] | None = None
        directory.mkdir(exist_ok=True)

    @property
    def dsn(self) -> str:
        return f"postgresql://agi_server@/agi_server?host={self.directory}"

    async def create(self) -> None:
        """An empty cluster with the database `agi_server`, running."""
        await self._run("initdb", "-D", self.data, "--username=agi_server", "--auth=trust",
                        "--encoding=UTF8", "--locale=C", "--no-sync")  # fmt: skip
        await self.start()
        await self.execute("CREATE DATABASE agi_server", database="postgres")

    async def create_standby_of(self, primary: "PostgresServer", name: str) -> None:
        """A copy that follows `primary` under this name; not started."""
        await self._run("pg_basebackup", "-D", self.data, "--checkpoint=fast", "--no-sync",
                        "--write-recovery-conf", "-d",
                        f"host={primary.directory} user=agi_server application_name={name}",
                        )  # fmt: skip

    async def start(self, **settings: str) -> None:
        """Start it and wait until it takes connections; settings as in postgresql.conf."""
        (self.data / "postmaster.pid").unlink(missing_ok=True)  # of one that was killed
        settings = {
            "listen_addresses": "",
            "unix_socket_directories": str(self.directory),
            "max_connections": "60",
            "wal_retrieve_retry_interval": "100ms",
            # Shared memory that goes with the folder: who is killed for good removes no other.
            "dynamic_shared_memory_type": "mmap",
            **settings,
        }
        options = [f"--{name}={value}" for name, value in settings.items()]
        self._process = self._spawn(options)
        while not self._ready():
            assert self._process.poll() is None, (self.directory / "log").read_text()[-2000:]
            await asyncio.sleep(_POLL_S)

    def kill(self) -> None:
        """SIGKILL all of its processes, as when its machine loses power."""
        if self._process is None:
            return
        self._process.send_signal(signal.SIGSTOP)  # so that it starts no further one
        children = self._children()
        for pid in children:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        self._process.kill()
        self._process.wait()
        self._process = None
        # One that has not died yet still has the shared memory, beside which none can start.
        while any(map(_lives, children)):
            time.sleep(_POLL_S)

    def stop(self) -> None:
        """Stop it as an operator does who is in a hurry: ends the sessions, then shuts down."""
        assert self._process is not None
        self._process.send_signal(signal.SIGINT)
        self._process.wait()
        self._process = None

    async def start_again_if_dead(self) -> None:
        """As an operator does after a full disk: the server ends when it cannot recover."""
        while True:
            assert self._process is not None
            if self._process.poll() is not None:
                await self.start()
            with suppress(OSError, asyncpg.PostgresError):
                await self.execute("SELECT 1")
                return
            await asyncio.sleep(_POLL_S)

    async def promote(self) -> None:
        """The standby becomes the primary."""
        await self.execute("SELECT pg_promote()")

    async def execute(self, sql: str, database: str = "agi_server") -> None:
        """Run a statement as superuser."""
        connection = await asyncpg.connect(self.dsn.replace("/agi_server?", f"/{database}?"))
        try:
            await connection.execute(sql)
        finally:
            await connection.close()

    async def until(self, condition: str) -> None:
        """Wait until a condition in SQL is true."""
        connection = await asyncpg.connect(self.dsn)
        try:
            while not await connection.fetchval(f"SELECT {condition}"):
                await connection.execute("SELECT pg_sleep(0.02)")
        finally:
            await connection.close()

    def _spawn(self, options: list[str]) -> subprocess.Popen[bytes]:
        with open(self.directory / "log", "ab") as log:
            return subprocess.Popen(
                [*self._words, _program("postgres"), "-D", str(self.data), *options],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=_ENVIRONMENT,
            )

    def _ready(self) -> bool:
        with suppress(FileNotFoundError, IndexError):
            lines = (self.data / "postmaster.pid").read_text(encoding="utf-8").splitlines()
            return lines[7].strip() == "ready"
        return False

    def _children(self) -> list[int]:
        assert self._process is not None
        found = []
        for entry in Path("/proc").glob("[0-9]*/stat"):
            with suppress(OSError):
                after_name = entry.read_text().rpartition(")")[2].split()
                if int(after_name[1]) == self._process.pid:
                    found.append(int(entry.parent.name))
        return found

    async def _run(self, program: str, *arguments: object) -> None:
        process = await asyncio.create_subprocess_exec(
            *self._words, _program(program), *map(str, arguments),
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, env=_ENVIRONMENT,
        )  # fmt: skip
        output, _ = await process.communicate()
        assert process.returncode == 0, output.decode()


def _lives(pid: int) -> bool:
    with suppress(OSError):
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    return False


def _program(name: str) -> str:
    return embedded_servers._postgres_program(name)
