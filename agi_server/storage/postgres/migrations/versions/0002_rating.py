"""Rates with all their terms, dated versions, exchange rates, and what calls are priced by."""

from agi_server.storage.postgres.migrations import run_sql_beside

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    run_sql_beside(__file__)
