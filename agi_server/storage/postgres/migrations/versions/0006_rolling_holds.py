"""Rolling holds: a call is paid for slice by slice; and daemons hear whose calls must end."""

from agi_server.storage.postgres.migrations import run_sql_beside

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    run_sql_beside(__file__)
