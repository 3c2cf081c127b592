"""Keys with which links in mails are signed."""

from agi_server.storage.postgres.migrations import run_sql_beside

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    run_sql_beside(__file__)
