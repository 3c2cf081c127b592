"""What a call was bought for is corrected with its price."""

from agi_server.storage.postgres.migrations import run_sql_beside

revision = "0021"
down_revision = "0020"


def upgrade() -> None:
    run_sql_beside(__file__)
