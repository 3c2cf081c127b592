"""How the customers of a call plan dial."""

from agi_server.storage.postgres.migrations import run_sql_beside

revision = "0014"
down_revision = "0013"


def upgrade() -> None:
    run_sql_beside(__file__)
