"""Accounts, rates, call sessions, holds and the ledger."""

from agi_server.storage.postgres.migrations import run_sql_beside

revision = "0001"
down_revision = None


def upgrade() -> None:
    run_sql_beside(__file__)
