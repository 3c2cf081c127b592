"""Numbers on which customers are called, and where these calls ring."""

from agi_server.storage.postgres.migrations import run_sql_beside

revision = "0013"
down_revision = "0012"


def upgrade() -> None:
    run_sql_beside(__file__)
