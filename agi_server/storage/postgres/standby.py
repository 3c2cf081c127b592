"""What was found done, and not done by us just now, before anybody is told of it."""

from typing import Any

from agi_server.storage.postgres.statements import statement


async def confirm_commits(db: Any) -> None:
    """Return when all that `db` sees would survive the loss of the primary, as far as set up.

    Whoever finds that something was done before may be looking at a commit whose wait for the
    synchronous standby was cancelled: it would be missing after a failover, and he must not say
    that it is done. Without a synchronous standby this writes nothing. Raises what asyncpg raises.
    """
    await db.execute(statement("storage/confirm_commits"))
