"""Who changed what of a customer group, series, campaign or DID group."""

from agi_server.storage.postgres.migrations import run_sql_beside

revision = "0020"
down_revision = "0019"


def upgrade() -> None:
    run_sql_beside(__file__)
