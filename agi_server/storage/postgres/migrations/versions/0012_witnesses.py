"""What others than the hangup handler tell about a call."""

from agi_server.storage.postgres.migrations import run_sql_beside

revision = "0012"
down_revision = "0011"


def upgrade() -> None:
    run_sql_beside(__file__)
