"""A forwarded call is one call of its owner."""

from agi_server.storage.postgres.migrations import run_sql_beside

revision = "0016"
down_revision = "0015"


def upgrade() -> None:
    run_sql_beside(__file__)
