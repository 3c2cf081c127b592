"""A FastAGI peer that says what a daemon never would, to see what the dialplan makes of it."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

SETTLE_TIMEOUT_SECONDS = 15


@dataclass(slots=True)
class FastAgiPeer:
    """Listens on `port` and answers each `authorize` with these channel variables."""

    variables: dict[str, str]
    port: int = 0
    # What Asterisk sent: script name -> its arguments, one entry a request.
    requests: list[tuple[str, list[str]]] = field(default_factory=list)
    _settled: asyncio.Event = field(default_factory=asyncio.Event)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        environment: dict[str, str] = {}
        while line := (await reader.readline()).decode(errors="replace").strip():
            key, _, value = line.partition(": ")
            environment[key.removesuffix(":")] = value
        script = environment["agi_network_script"].partition("?")[0]
        arguments = [v for k, v in environment.items() if k.startswith("agi_arg_")]
        self.requests.append((script, arguments))
        if script == "authorize" and self.variables:
            pairs = ",".join(f"{name}={value}" for name, value in self.variables.items())
            writer.write(f'EXEC MSet "{pairs}"\n'.encode())
            await reader.readline()
        if script == "settle":
            self._settled.set()
        writer.close()

    async def settled(self) -> list[str]:
        """Wait for a settle; its arguments."""
        await asyncio.wait_for(self._settled.wait(), SETTLE_TIMEOUT_SECONDS)
        return next(arguments for script, arguments in self.requests if script == "settle")

    @property
    def scripts(self) -> list[str]:
        return [script for script, _ in self.requests]


@asynccontextmanager
async def fastagi_peer(
    port: int = 0, variables: dict[str, str] | None = None
) -> AsyncIterator[FastAgiPeer]:
    """Without variables it closes each connection without a word."""
    peer = FastAgiPeer(variables=variables or {})
    server = await asyncio.start_server(peer.serve, "127.0.0.1", port)
    peer.port = server.sockets[0].getsockname()[1]
    try:
        yield peer
    finally:
        server.close()
