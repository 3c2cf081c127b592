"""One FastAGI connection as the routes see it: ask, and get the reply or a fault."""

import asyncio
from collections.abc import Callable
from typing import Any, cast

from agi_server.wire.commands import Command
from agi_server.wire.errors import RemoteProtocolError
from agi_server.wire.protocol import (
    AgiConnection,
    Closed,
    EnvironmentReceived,
    Event,
    HungUp,
    Reply,
    WireLimits,
)


class PeerGoneError(Exception):
    """Asterisk closed the connection, or it broke."""


class PeerSilentError(Exception):
    """Asterisk owes a line for too long."""


class AgiSession(asyncio.Protocol):
    """A sans-IO connection on a transport.

    `opened(session)` is called when the peer connects and says whether it may stay,
    `ready(session)` when its environment is complete, `broke(session, error)` when it breaks the
    protocol or stays silent, `lost(session)` when the connection is gone.
    """

    def __init__(
        self,
        *,
        limits: WireLimits,
        idle_timeout_s: float,
        opened: Callable[["AgiSession"], bool],
        ready: Callable[["AgiSession"], None],
        broke: Callable[["AgiSession", Exception], None],
        lost: Callable[["AgiSession"], None],
    ) -> None:
        self._wire = AgiConnection(limits)
        self._idle_timeout_s = idle_timeout_s
        self._opened, self._ready, self._broke, self._lost = opened, ready, broke, lost
        self._loop = asyncio.get_running_loop()
        self._transport: asyncio.Transport
        self._waiter: asyncio.Future[Reply] | None = None
        self._silence: asyncio.TimerHandle | None = None
        self._closed = False
        self.environment: EnvironmentReceived
        self.peer_host = ""
        self.ready_at = 0.0
        self.hung_up = False

    # What the routes use.

    @property
    def values(self) -> Any:
        """The environment: agi_channel, agi_uniqueid, …"""
        return self.environment.values

    @property
    def closed(self) -> bool:
        """Whether the connection is gone, or we closed it."""
        return self._closed

    def elapsed_ms(self) -> int:
        """Time since the environment was complete, in ms of a monotonic clock."""
        return round((self._loop.time() - self.ready_at) * 1000)

    async def ask(self, command: Command, *, patience_s: float | None = 0) -> Reply:
        """Send a command and wait for its reply.

        `patience_s` is how long Asterisk may work on it beyond the idle timeout (a prompt, a
        Dial); None waits as long as the connection lives. Raises PeerGoneError, also when the reply
        does not come, or LocalProtocolError for a command out of turn.
        """
        if self._closed:
            raise PeerGoneError
        data = self._wire.send(command)
        self._waiter = self._loop.create_future()
        self._transport.write(data)
        timeout_s = None if patience_s is None else self._idle_timeout_s + patience_s
        try:
            async with asyncio.timeout(timeout_s):
                return await self._waiter
        except TimeoutError:
            self._fault(PeerSilentError(f"no reply within {timeout_s:g} s"))
            raise PeerGoneError from None
        finally:
            self._waiter = None

    def fail(self) -> None:
        """Tell Asterisk that we failed (AGISTATUS=FAILURE), and close."""
        if not self._closed:
            self._transport.write(b"failure\n")
        self.close()

    def close(self) -> None:
        """Give the channel back to the dialplan; again is harmless."""
        if not self._closed:
            self._closed = True
            self._transport.close()
            self._stop_waiting(PeerGoneError())

    # What asyncio calls.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        peer = transport.get_extra_info("peername")
        self.peer_host = str(peer[0]) if peer else ""
        self._silence = self._loop.call_later(self._idle_timeout_s, self._silent)
        if not self._opened(self):
            self._closed = True
            self._transport.abort()

    def data_received(self, data: bytes) -> None:
        if self._closed:
            return
        try:
            events: tuple[Event, ...] = tuple(self._wire.receive(data))
        except RemoteProtocolError as error:
            # What came before it in this segment is not used: a caller's name that forges the end
            # of the environment is followed by the rest of the real one.
            self._fault(error)
        else:
            self._handle(events)

    def eof_received(self) -> bool:
        if not self._closed:
            self._handle(tuple(self._wire.receive(b"")))
        return False

    def connection_lost(self, exc: Exception | None) -> None:
        self.hung_up = self.hung_up or not self._closed
        self._closed = True
        self._stop_silence()
        self._stop_waiting(PeerGoneError())
        self._lost(self)

    def _handle(self, events: tuple[Event, ...]) -> None:
        for event in events:
            if isinstance(event, Reply):
                if self._waiter is not None and not self._waiter.done():
                    self._waiter.set_result(event)
            elif isinstance(event, EnvironmentReceived):
                self._stop_silence()
                self.environment = event
                self.ready_at = self._loop.time()
                self._ready(self)
            elif isinstance(event, HungUp):
                self.hung_up = True
            elif isinstance(event, Closed):
                self.hung_up = True
                self.close()

    def _silent(self) -> None:
        self._fault(PeerSilentError(f"no environment within {self._idle_timeout_s:g} s"))

    def _fault(self, error: Exception) -> None:
        if not self._closed:
            self._closed = self.hung_up = True
            self._transport.abort()
            self._broke(self, error)
            self._stop_waiting(PeerGoneError())

    def _stop_silence(self) -> None:
        if self._silence is not None:
            self._silence.cancel()
            self._silence = None

    def _stop_waiting(self, error: Exception) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_exception(error)
