"""Rates are checked for their version once a statement, not once a row."""

from agi_server.storage.postgres.migrations import run_sql_beside

revision = "0026"
down_revision = "0025"


def upgrade() -> None:
    run_sql_beside(__file__)
