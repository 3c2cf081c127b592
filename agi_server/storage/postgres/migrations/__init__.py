"""Migrations: alembic runs the SQL files beside it, in order, each in a transaction."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from alembic import command, op
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, create_engine
from sqlalchemy.pool import NullPool

from agi_server.storage.postgres.hosts import connect_plainly

_HERE = Path(__file__).parent

UPGRADE_LOCK = 4573
"""Any number that nobody else uses: it only names the lock of who upgrades."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SchemaStatus:
    """Where the database stands: `current` is None on an empty one; `pending` oldest first."""

    current: str | None
    newest: str
    pending: tuple[str, ...]


def upgrade(dsn: str) -> SchemaStatus:
    """Bring the schema up to the newest migration; two at once wait for each other.

    Raises psycopg.Error when the database cannot be reached or refuses.
    """
    with _connection(dsn) as connection:
        config = _config()
        config.attributes["connection"] = connection
        command.upgrade(config, "head")
        _grant(connection)
    return status(dsn)


def status(dsn: str) -> SchemaStatus:
    """Compare the database with the migrations of this release. Changes nothing."""
    scripts = ScriptDirectory.from_config(_config())
    with _connection(dsn) as connection:
        current = MigrationContext.configure(connection).get_current_revision()
    known = [script.revision for script in reversed(list(scripts.walk_revisions()))]
    done = known.index(current) + 1 if current in known else 0
    return SchemaStatus(current=current, newest=known[-1], pending=tuple(known[done:]))


def run_sql_beside(python_file: str) -> None:
    """Run the SQL file of the same name, on the driver itself: its text has no parameters."""
    connection = op.get_bind().connection.driver_connection
    assert connection is not None
    connection.execute(Path(python_file).with_suffix(".sql").read_text(encoding="utf-8"))


def _grant(connection: Connection) -> None:
    driver = connection.connection.driver_connection
    assert driver is not None
    driver.execute(f"SELECT pg_advisory_xact_lock({UPGRADE_LOCK})")
    driver.execute((_HERE / "daemon_role.sql").read_text(encoding="utf-8"))
    driver.commit()


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(_HERE).replace("%", "%%"))
    return config


@contextmanager
def _connection(dsn: str) -> Iterator[Connection]:
    # Connected outside SQLAlchemy, which would wrap the driver's error in one of its own.
    connected = connect_plainly(dsn)
    engine = create_engine("postgresql+psycopg://", creator=lambda: connected, poolclass=NullPool)
    with engine.connect() as connection:
        yield connection
