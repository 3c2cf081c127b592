"""A relay, to cut or freeze a connection of the daemon, or to reach a socket from elsewhere."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress


class AmiRelay:
    """Listens on `port` and passes on what comes, both ways."""

    def __init__(self, target: int | str) -> None:
        self.port = 0
        self._target = target
        self._server: asyncio.Server | None = None
        self._ends: set[asyncio.StreamWriter] = set()
        self._flowing = asyncio.Event()
        self._flowing.set()

    async def connect(self) -> None:
        """Accept connections (again)."""
        self._flowing.set()
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", self.port)
        self.port = self._server.sockets[0].getsockname()[1]

    def cut(self) -> None:
        """All connections end, and nobody can connect."""
        if self._server is not None:
            self._server.close()
        for end in self._ends:
            end.transport.abort()

    def freeze(self) -> None:
        """Connections stay and new ones are made, but nothing passes any more."""
        self._flowing.clear()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError, asyncio.CancelledError):
            to_reader, to_writer = await self._connect()
            self._ends |= {writer, to_writer}
            try:
                async with asyncio.TaskGroup() as pumps:
                    pumps.create_task(self._pump(reader, to_writer))
                    pumps.create_task(self._pump(to_reader, writer))
            finally:
                self._ends -= {writer, to_writer}

    async def _connect(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        if isinstance(self._target, str):
            return await asyncio.open_unix_connection(self._target)
        return await asyncio.open_connection("127.0.0.1", self._target)

    async def _pump(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError):
            while data := await reader.read(65536):
                await self._flowing.wait()
                writer.write(data)
        writer.transport.abort()


@asynccontextmanager
async def ami_relay(target: int | str) -> AsyncIterator[AmiRelay]:
    """A relay to this port of loopback or to this unix socket, connected."""
    relay = AmiRelay(target)
    await relay.connect()
    try:
        yield relay
    finally:
        relay.cut()
