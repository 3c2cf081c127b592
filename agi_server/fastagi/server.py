"""The listener: accepts Asterisk, starts one task a session, drains."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from ipaddress import IPv4Network, IPv6Network, ip_address

import structlog

from agi_server.fastagi.session import AgiSession, PeerGoneError
from agi_server.settings import FastagiSettings
from agi_server.wire.errors import WireError
from agi_server.wire.protocol import WireLimits

log = structlog.get_logger()

Handler = Callable[[AgiSession], Awaitable[None]]
_BACKLOG = 4096


class FastAgiServer:
    """Serves `handler(session)` for each connection whose environment is complete.

    Whatever happens in a session stays in it: a peer that breaks the protocol, is silent or
    endless, or a handler that fails, ends its own connection. Asterisk then goes on with a
    dialplan that was preset to deny.
    """

    def __init__(self, settings: FastagiSettings, handler: Handler) -> None:
        self._settings = settings
        self._handler = handler
        self._limits = WireLimits()
        self._sessions: set[AgiSession] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._ended = asyncio.Event()
        self._allow: tuple[IPv4Network | IPv6Network, ...] = settings.allow
        self._server: asyncio.Server

    @property
    def port(self) -> int:
        """The port it listens on, also when the setting was 0."""
        port: int = self._server.sockets[0].getsockname()[1]
        return port

    async def start(self) -> None:
        """Listen. Raises OSError when the address cannot be had."""
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(
            self._session, self._settings.host, self._settings.port, backlog=_BACKLOG
        )

    async def drain(self) -> None:
        """Stop accepting, let sessions end, close those that take too long.

        A connection whose environment is still on its way is a call too; the idle timeout ends it
        if it says nothing.
        """
        self._server.close()
        with suppress(TimeoutError):
            async with asyncio.timeout(self._settings.drain_timeout_s):
                while self._sessions or self._tasks:
                    self._ended.clear()
                    await self._ended.wait()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        for session in list(self._sessions):
            session.close()

    def _session(self) -> AgiSession:
        return AgiSession(
            limits=self._limits,
            idle_timeout_s=self._settings.idle_timeout_s,
            opened=self._opened,
            ready=self._ready,
            broke=self._broke,
            lost=self._lost,
        )

    def _opened(self, session: AgiSession) -> bool:
        if len(self._sessions) >= self._settings.max_connections:
            log.warning("agi.bad_peer", peer=session.peer_host, error="too many connections")
            return False
        try:
            address = ip_address(session.peer_host)
        except ValueError:
            return False  # it is gone already
        if not any(address in network for network in self._allow):
            log.warning("agi.bad_peer", peer=session.peer_host, error="not in fastagi.allow")
            return False
        self._sessions.add(session)
        return True

    def _lost(self, session: AgiSession) -> None:
        self._sessions.discard(session)
        self._ended.set()

    def _ready(self, session: AgiSession) -> None:
        task = asyncio.create_task(self._run(session))
        self._tasks.add(task)
        task.add_done_callback(self._done)

    def _done(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        self._ended.set()

    def _broke(self, session: AgiSession, error: Exception) -> None:
        log.warning("agi.bad_peer", peer=session.peer_host, error=str(error))

    async def _run(self, session: AgiSession) -> None:
        try:
            await self._handler(session)
        except PeerGoneError:
            pass  # its own business; what was reserved for it is released by the route
        except WireError as error:
            self._broke(session, error)
        except Exception as error:
            # The last line of defence for all other calls: this one ends, denied.
            log.error(
                "agi.failed",
                peer=session.peer_host,
                error=str(error),
                exc_type=type(error).__name__,
            )
        finally:
            session.close()
