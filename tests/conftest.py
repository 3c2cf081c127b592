"""Real PostgreSQL and Valkey for all tests: one pair a run, a database of its own for each test."""

import os
import shutil
import signal
import tempfile
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import psycopg
import pytest
import redis
from hypothesis import HealthCheck, settings

from agi_server.storage.embedded import EmbeddedBackends, embedded_backends
from agi_server.storage.postgres import migrations

pytest_plugins = ["support.fixtures"]

# A busy machine decides no test: neither how long an example takes nor how long making it.
settings.register_profile("busy", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("busy")

# A shell ignores SIGINT for what it starts in the background, and so would all that we start, which
# must end by it.
signal.signal(signal.SIGINT, signal.default_int_handler)

# A database is made and dropped for every test: in memory that takes half as long. What a killed
# server has written is still there, as it would be on a disk.
_MEMORY = Path("/dev/shm")
_ENOUGH_BYTES = 4 << 30
if (
    "TMPDIR" not in os.environ
    and os.access(_MEMORY, os.W_OK)
    and shutil.disk_usage(_MEMORY).free >= _ENOUGH_BYTES
):
    os.environ["TMPDIR"] = str(_MEMORY)
    tempfile.tempdir = None


@pytest.fixture(scope="session")
def backends() -> Iterator[EmbeddedBackends]:
    """The private servers of this test run; its database `agi_server` is the migrated template."""
    with (
        TemporaryDirectory(prefix="agi-server-tests-") as directory,
        embedded_backends(Path(directory)) as backends,
    ):
        yield backends


@pytest.fixture(scope="session")
def administration(backends: EmbeddedBackends) -> Iterator[psycopg.Connection]:
    """Creates and drops the tests' databases."""
    migrations.upgrade(backends.postgres_dsn)
    # Not connected to the template: that would forbid to copy it.
    dsn = backends.postgres_dsn.replace("/agi_server?", "/postgres?")
    with psycopg.connect(dsn, autocommit=True) as connection:
        yield connection


@pytest.fixture
def postgres_dsn(backends: EmbeddedBackends, administration: psycopg.Connection) -> Iterator[str]:
    """A migrated database that holds no customer yet, for this test alone."""
    administration.execute("CREATE DATABASE test TEMPLATE agi_server")
    yield backends.postgres_dsn.replace("/agi_server?", "/test?")
    administration.execute("DROP DATABASE test WITH (FORCE)")


@pytest.fixture
def redis_url(backends: EmbeddedBackends) -> str:
    """An empty Valkey."""
    with redis.Redis.from_url(backends.redis_url) as connection:
        connection.flushall()
    return backends.redis_url
