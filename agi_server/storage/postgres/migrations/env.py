"""What alembic executes to run migrations: on the connection it is given, one at a time."""

from alembic import context
from sqlalchemy import text

from agi_server.storage.postgres.migrations import UPGRADE_LOCK

connection = context.config.attributes["connection"]
context.configure(connection=connection, transaction_per_migration=True)
connection.execute(text("SELECT pg_advisory_lock(:key)"), {"key": UPGRADE_LOCK})
connection.commit()
try:
    with context.begin_transaction():
        context.run_migrations()
finally:
    connection.rollback()
    connection.execute(text("SELECT pg_advisory_unlock(:key)"), {"key": UPGRADE_LOCK})
    connection.commit()
