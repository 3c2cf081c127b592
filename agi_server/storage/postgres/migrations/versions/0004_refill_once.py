"""A refill is credited once, in whatever month it is asked for again."""

from agi_server.storage.postgres.migrations import run_sql_beside

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    run_sql_beside(__file__)
