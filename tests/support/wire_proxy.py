"""A socket in front of a server's: counts round trips, and fails in every way asked for."""

import asyncio
import re
from collections.abc import Awaitable, Callable
from contextlib import suppress
from pathlib import Path
from socket import AF_UNIX, SO_LINGER, SOL_SOCKET
from struct import pack

Action = Callable[["Connection", bytes], Awaitable[bool]]
"""What befalls a message that matches; whether it is still forwarded."""

_SYNC, _QUERY = b"S", b"Q"


class PostgresRounds:
    """Counts the messages after which a client of PostgreSQL waits for the server."""

    def __init__(self) -> None:
        self._data = b""
        self._started = False

    def read(self, data: bytes) -> int:
        """How many such messages end in what came."""
        self._data += data
        found = 0
        while True:
            head = 1 if self._started else 0
            if len(self._data) < head + 4:
                return found
            size = head + int.from_bytes(self._data[head : head + 4], "big")
            if len(self._data) < size:
                return found
            found += self._started and self._data[:1] in (_SYNC, _QUERY)
            self._started = True
            self._data = self._data[size:]


class Writes:
    """Counts the writes of a client; a pipeline of Redis is one of them."""

    def read(self, data: bytes) -> int:
        return 1


class Connection:
    """One client's connection through the proxy."""

    def __init__(self, proxy: "Proxy", reader: asyncio.StreamReader, writer: asyncio.StreamWriter):
        self._proxy = proxy
        self._client = reader, writer
        self.deaf = False
        """A half-open connection: neither side hears the other any more."""
        self.ends_at_answer = False
        """The next answer of the server is lost, and the connection with it."""
        self._server_writer: asyncio.StreamWriter | None = None

    async def serve(self) -> None:
        reader, writer = self._client
        with suppress(OSError):
            server_reader, self._server_writer = await self._proxy.connect()
            rounds = self._proxy.rounds_reader()
            back = asyncio.create_task(self._pump_back(server_reader, writer))
            try:
                while data := await reader.read(65536):
                    self._proxy.rounds += rounds.read(data)
                    if await self._proxy.befalls(self, data):
                        await self._proxy.flowing.wait()
                        if not self.deaf:
                            self._server_writer.write(data)
                if not self.deaf:
                    await back  # the server ends when it is done
            finally:
                back.cancel()
                self.cut()

    async def _pump_back(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError):
            while data := await reader.read(65536):
                await self._proxy.flowing.wait()
                if self.ends_at_answer:
                    break
                if not self.deaf:
                    writer.write(data)
        self.cut()

    @property
    def writers(self) -> list[asyncio.StreamWriter]:
        """To the client and, if it was reached, to the server."""
        return [writer for writer in (self._client[1], self._server_writer) if writer is not None]

    def cut(self) -> None:
        """Both sides see the connection end."""
        for writer in self.writers:
            writer.transport.abort()

    def cut_client(self) -> None:
        """Only the client sees it: the server goes on with what it was told."""
        self._client[1].transport.abort()

    def forward(self, data: bytes) -> None:
        """To the server."""
        assert self._server_writer is not None
        self._server_writer.write(data)


class Proxy:
    """Between a client and a server. `rounds` counts round trips of all connections.

    Both ends are paths of unix sockets, or ports of TCP: a free one where `socket` is 0.
    """

    def __init__(
        self,
        socket: Path | int,
        target: str | int,
        rounds_reader: Callable[[], PostgresRounds | Writes],
        address: str,
    ) -> None:
        self.address = address
        """The DSN or URL of the server by way of this proxy."""
        self.socket = socket
        self.target = target
        self.rounds_reader = rounds_reader
        self.rounds = 0
        self.flowing = asyncio.Event()
        self.flowing.set()
        self.happened = asyncio.Event()
        """What was to happen at a message has happened."""
        self._connections: dict[Connection, asyncio.Task[None]] = {}
        self._trigger: tuple[re.Pattern[bytes], int, Action] | None = None
        self._server: asyncio.Server | None = None

    async def start(self) -> None:
        """Accept connections (again)."""
        if isinstance(self.socket, Path):
            self.socket.unlink(missing_ok=True)
            self._server = await asyncio.start_unix_server(self._accept, self.socket)
        else:
            self._server = await asyncio.start_server(self._accept, "127.0.0.1", self.socket)
            self.socket = self._server.sockets[0].getsockname()[1]

    async def connect(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        """To the server."""
        if isinstance(self.target, int):
            return await asyncio.open_connection("127.0.0.1", self.target)
        return await asyncio.open_unix_connection(self.target)

    async def stop(self) -> None:
        """As when the server's machine is switched off: all end, and nobody can connect."""
        if self._server is not None:
            self._server.close()
            self._server = None
        if isinstance(self.socket, Path):
            self.socket.unlink(missing_ok=True)
        tasks = list(self._connections.values())
        self.cut()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def stall(self) -> None:
        """Nothing passes any more, in either direction, until it flows again."""
        self.flowing.clear()

    def flow(self) -> None:
        """What was stalled arrives now."""
        self.flowing.set()

    def cut(self) -> None:
        """End all connections; new ones are accepted."""
        for connection in list(self._connections):
            connection.cut()

    def deafen(self) -> None:
        """The connections there are become half open for good; new ones work."""
        for connection in self._connections:
            connection.deaf = True

    def at(self, pattern: bytes, action: Action, nth: int = 1) -> None:
        """Do this at the next message of a client that matches, or the nth from now on."""
        self.happened.clear()
        self._trigger = re.compile(pattern, re.DOTALL), nth, action

    def forget(self) -> bool:
        """What was to happen and has not will not happen; whether there was such."""
        waited, self._trigger = self._trigger is not None, None
        return waited

    async def befalls(self, connection: Connection, data: bytes) -> bool:
        """Whether a message is still to be forwarded."""
        if self._trigger is None or not self._trigger[0].search(data):
            return True
        pattern, nth, action = self._trigger
        self._trigger = (pattern, nth - 1, action) if nth > 1 else None
        if nth > 1:
            return True
        forward = await action(connection, data)
        self.happened.set()
        return forward

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connection = Connection(self, reader, writer)
        task = asyncio.current_task()
        assert task is not None
        self._connections[connection] = task
        try:
            with suppress(asyncio.CancelledError):
                await connection.serve()
        finally:
            del self._connections[connection]


async def cut_before(connection: Connection, data: bytes) -> bool:
    """The statement never reaches the server."""
    connection.cut()
    return False


async def cut_at_answer(connection: Connection, data: bytes) -> bool:
    """The server does what the statement says, then its answer and the connection are lost."""
    connection.ends_at_answer = True
    return True


async def cut_client_after(connection: Connection, data: bytes) -> bool:
    """The statement reaches the server, which goes on with it; the client sees the end at once."""
    connection.forward(data)
    connection.cut_client()
    return False


async def half_open_after(connection: Connection, data: bytes) -> bool:
    """The statement reaches the server, its answer never comes, and nobody says why."""
    connection.forward(data)
    connection.deaf = True
    return False


async def reset(connection: Connection, data: bytes) -> bool:
    """The connection ends with a reset, in the middle of what was to be read."""
    for writer in connection.writers:
        if (socket := writer.get_extra_info("socket")) is not None and socket.family != AF_UNIX:
            socket.setsockopt(SOL_SOCKET, SO_LINGER, pack("ii", 1, 0))
    connection.forward(data[: len(data) // 2])
    connection.cut()
    return False


def delayed(by_s: float) -> Action:
    """The statement and all after it arrive, but so much later."""

    async def delay(connection: Connection, data: bytes) -> bool:
        await asyncio.sleep(by_s)
        return True

    return delay
