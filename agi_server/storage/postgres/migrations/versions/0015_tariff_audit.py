"""Who changed what of a call plan or trunk."""

from agi_server.storage.postgres.migrations import run_sql_beside

revision = "0015"
down_revision = "0014"


def upgrade() -> None:
    run_sql_beside(__file__)
