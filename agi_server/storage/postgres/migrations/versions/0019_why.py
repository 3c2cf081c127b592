"""Why an account was changed."""

from agi_server.storage.postgres.migrations import run_sql_beside

revision = "0019"
down_revision = "0018"


def upgrade() -> None:
    run_sql_beside(__file__)
