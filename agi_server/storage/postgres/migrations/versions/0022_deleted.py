"""That a deleted account stays so."""

from agi_server.storage.postgres.migrations import run_sql_beside

revision = "0022"
down_revision = "0021"


def upgrade() -> None:
    run_sql_beside(__file__)
