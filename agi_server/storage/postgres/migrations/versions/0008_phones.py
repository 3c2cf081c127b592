"""Phones of customers, and the tables from which Asterisk reads them."""

from agi_server.storage.postgres.migrations import run_sql_beside

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    run_sql_beside(__file__)
