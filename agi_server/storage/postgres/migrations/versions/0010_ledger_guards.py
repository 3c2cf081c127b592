"""The database refuses what must never be: two ends of a call, entries that do not fit."""

from agi_server.storage.postgres.migrations import run_sql_beside

revision = "0010"
down_revision = "0009"


def upgrade() -> None:
    run_sql_beside(__file__)
