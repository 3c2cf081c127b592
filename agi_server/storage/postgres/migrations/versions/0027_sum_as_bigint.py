"""Reports add up bigint without numeric."""

from agi_server.storage.postgres.migrations import run_sql_beside

revision = "0027"
down_revision = "0026"


def upgrade() -> None:
    run_sql_beside(__file__)
