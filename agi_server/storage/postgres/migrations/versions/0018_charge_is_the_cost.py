"""The charge of a call is its cost, in the database too."""

from agi_server.storage.postgres.migrations import run_sql_beside

revision = "0018"
down_revision = "0017"


def upgrade() -> None:
    run_sql_beside(__file__)
