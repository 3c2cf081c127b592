"""Whether PostgreSQL answers, told once when it changes."""

import asyncpg
import structlog

log = structlog.get_logger()

CONNECTION_FAULTS = (
    TimeoutError,
    OSError,
    asyncpg.PostgresConnectionError,
    asyncpg.InterfaceError,
)
"""What a statement may raise when the database cannot be reached: the next one would fail too."""

BACKEND_FAULTS = (TimeoutError, OSError, asyncpg.PostgresError, asyncpg.InterfaceError)
"""What a statement may raise when the database, or the way to it, is in trouble."""


class PostgresHealth:
    """Remembers the last outcome, so that an outage is two lines in the log and not thousands."""

    def __init__(self) -> None:
        self._down = False

    def failed(self, error: Exception) -> None:
        """A statement failed or took too long."""
        if not self._down:
            self._down = True
            log.error(
                "backend.down",
                backend="postgres",
                error=str(error) or "no answer within the deadline",
                exc_type=type(error).__name__,
            )

    def worked(self) -> None:
        """A statement was answered."""
        if self._down:
            self._down = False
            log.info("backend.up", backend="postgres")
