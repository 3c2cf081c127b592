"""The whole customer account: person, invoice, series, campaigns, notes, audit, caps."""

from agi_server.storage.postgres.migrations import run_sql_beside

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    run_sql_beside(__file__)
