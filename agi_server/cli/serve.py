"""`agi-server serve`: the daemon."""

import asyncio

import click
import uvloop

from agi_server.app import serve as run_daemon
from agi_server.cli.backends import Backends, Command, reach_database, with_backends
from agi_server.observe import logging


@click.command(cls=Command)
@with_backends
def serve(backends: Backends) -> None:
    """Run the daemon that Asterisk calls over FastAGI, until SIGTERM or SIGINT.

    It then accepts no further calls, finishes those it has and ends.

    \b
    Example:
      agi-server serve --embedded ./data
      agi-server serve --config /etc/agi-server/agi-server.toml
    """
    redis_url = backends.require_redis()
    logging.configure(backends.settings.log.format, backends.settings.log.level)

    async def run() -> None:
        await reach_database(backends.postgres_dsn)
        await run_daemon(backends.settings, backends.postgres_dsn, redis_url)

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(run())
