"""One daemon as operators run it, and one business, for all scripts of this folder."""

from collections.abc import AsyncIterator, Iterator

import psycopg
import pytest
import pytest_asyncio
import redis
from sessions_stage import IDLE_TIMEOUT_S, Stage

from agi_server.storage.embedded import EmbeddedBackends
from agi_server.storage.postgres.pool import open_pool
from support.business import Business
from support.clock import Clock
from support.daemons import DaemonProcess


@pytest.fixture(scope="module")
def sessions_dsn(backends: EmbeddedBackends, administration: psycopg.Connection) -> Iterator[str]:
    """A migrated database for all scripts."""
    administration.execute("CREATE DATABASE sessions TEMPLATE agi_server")
    yield backends.postgres_dsn.replace("/agi_server?", "/sessions?")
    administration.execute("DROP DATABASE sessions WITH (FORCE)")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def stage(backends: EmbeddedBackends, sessions_dsn: str) -> AsyncIterator[Stage]:
    """The seeded business, and `agi-server serve` on real PostgreSQL and Valkey."""
    with redis.Redis.from_url(backends.redis_url) as slots:
        slots.flushall()
    daemon = DaemonProcess(
        sessions_dsn,
        backends.redis_url,
        AGI_SERVER_FASTAGI__IDLE_TIMEOUT_S=str(IDLE_TIMEOUT_S),
        # A busy machine must not decide how a session ends.
        AGI_SERVER_FASTAGI__DEADLINE_MS="20000",
        AGI_SERVER_REDIS__TIMEOUT_MS="5000",
        AGI_SERVER_EMERGENCY__NUMBERS="112,999",
        AGI_SERVER_EMERGENCY__DIAL="PJSIP/{number}@emergency",
        AGI_SERVER_CALLS__ON_NET="plan",
    )
    async with open_pool(sessions_dsn) as pool:
        stage = Stage(Business(pool, Clock(), sessions_dsn, backends.redis_url), daemon)
        await stage.seed()
        await daemon.start()
        try:
            yield stage
        finally:
            at = len(daemon.events)
            assert 0 == await daemon.terminate()
        assert ["server.draining", "server.stopped"] == [e["event"] for e in daemon.events[at:]]
