"""The HTTP server of the console and the API, in the daemon's event loop."""

import asyncio
import logging
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime

import structlog
import uvicorn

from agi_server.asterisk.link import AsteriskLinks
from agi_server.calls.recover import Recovery
from agi_server.settings import Settings
from agi_server.storage.postgres.pool import open_pool
from agi_server.web.application import application
from agi_server.web.services import WebServices

log = structlog.get_logger()

_RETRY_S = 5.0
_CONNECTIONS = 4
_STATEMENT_TIMEOUT_MS = 15_000
_DRAIN_S = 3


class _Server(uvicorn.Server):
    """Leaves the signals to the daemon."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


async def serve_web(
    settings: Settings,
    postgres_dsn: str,
    links: AsteriskLinks,
    recovery: Recovery,
    now: Callable[[], datetime],
) -> None:
    """Serve until cancelled. What keeps it from serving is logged and tried again: whatever
    happens here, calls go on."""
    told = False
    while True:
        try:
            await _serve(settings, postgres_dsn, links, recovery, now)
        except Exception as error:
            if not told:
                log.error(
                    "web.unavailable",
                    host=settings.web.host,
                    port=settings.web.port,
                    error=str(error),
                    exc_type=type(error).__name__,
                )
            told = True
        await asyncio.sleep(_RETRY_S)


async def _serve(
    settings: Settings,
    postgres_dsn: str,
    links: AsteriskLinks,
    recovery: Recovery,
    now: Callable[[], datetime],
) -> None:
    with _listening(settings.web.host, settings.web.port) as listener:
        async with open_pool(
            postgres_dsn,
            max_size=_CONNECTIONS,
            statement_timeout_ms=_STATEMENT_TIMEOUT_MS,
            plan="each",
        ) as pool:
            services = WebServices(
                settings=settings,
                db=pool,
                postgres_dsn=postgres_dsn,
                links=links,
                recovery=recovery,
                now=now,
            )
            config = uvicorn.Config(
                application(services),
                log_config=None,
                access_log=False,
                lifespan="off",
                server_header=False,
                timeout_graceful_shutdown=_DRAIN_S,
            )
            # It would tell once more what is told as web.failed.
            logging.getLogger("uvicorn.error").setLevel(logging.CRITICAL)
            server = _Server(config)
            host, port = listener.getsockname()[:2]
            serving = asyncio.create_task(server.serve(sockets=[listener]))
            try:
                log.info("web.started", host=host, port=port)
                await asyncio.shield(serving)
            finally:
                server.should_exit = True
                await asyncio.gather(serving, return_exceptions=True)


@contextmanager
def _listening(host: str, port: int) -> Iterator[socket.socket]:
    """Raises OSError, e.g. when the port is taken."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
        listener.listen(128)
        listener.setblocking(False)
        yield listener
