"""Deleted accounts are found at once."""

from agi_server.storage.postgres.migrations import run_sql_beside

revision = "0023"
down_revision = "0022"


def upgrade() -> None:
    run_sql_beside(__file__)
