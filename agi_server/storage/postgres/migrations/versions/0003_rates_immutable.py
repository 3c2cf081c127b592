"""Stored rates and what versions are made of never change: the same call always prices the same."""

from agi_server.storage.postgres.migrations import run_sql_beside

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    run_sql_beside(__file__)
