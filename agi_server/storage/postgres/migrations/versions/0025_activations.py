"""When each version of a rate card was in force, also one that was activated again since."""

from agi_server.storage.postgres.migrations import run_sql_beside

revision = "0025"
down_revision = "0024"


def upgrade() -> None:
    run_sql_beside(__file__)
