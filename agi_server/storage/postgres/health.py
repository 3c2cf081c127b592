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
    """Remembers the last outcome, so that an outage is two lines in the log and not thousands.

    Of calls, or of a periodic job (`work`), whose connection may be another one.
    """

    def __init__(self, work: str | None = None) -> None:
        self._down = False
        self._about = {} if work is None else {"work": work}

    def failed(self, error: Exception) -> None:
        """A statement failed or took too long."""
        if not self._down:
            self._down = True
            log.error(
                "backend.down",
                backend="postgres",
                error=str(error) or "no answer within the deadline",
                exc_type=type(error).__name__,
                **self._about,
            )

    def worked(self) -> None:
        """A statement was answered."""
        if self._down:
            self._down = False
            log.info("backend.up", backend="postgres", **self._about)


class JobHealth:
    """How the rounds of a periodic job go. Whatever makes one fail, the job goes on."""

    def __init__(self, work: str) -> None:
        self._work = work
        self._postgres = PostgresHealth(work)

    def failed(self, error: Exception) -> None:
        """A round failed."""
        if isinstance(error, BACKEND_FAULTS):
            self._postgres.failed(error)
        else:
            log.error(
                "background.failed",
                work=self._work,
                error=str(error),
                exc_type=type(error).__name__,
            )

    def worked(self) -> None:
        """A round was done."""
        self._postgres.worked()
