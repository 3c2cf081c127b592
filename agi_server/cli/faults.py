"""Faults in the operator's words: one line each, naming what is wrong and what to do."""

from dataclasses import dataclass

import asyncpg
import click
from click.exceptions import NoArgsIsHelpError

from agi_server.ledger.booking import BookingRefusedError
from agi_server.observe.masking import mask_text
from agi_server.refused import InvalidFieldError, InvalidFieldsError, RefusedError
from agi_server.settings import SettingsError
from agi_server.storage.embedded import EmbeddedStartError

REFUSED = 1
WRONG_USAGE = 2

# By the drivers' names, so that a command which needs none of them need not load them.
_BACKENDS = {"asyncpg": "PostgreSQL", "psycopg": "PostgreSQL", "redis": "Redis"}
_LOST_CONNECTION = (
    "the connection to PostgreSQL was lost before the command was done; what it had not committed"
    " is undone: look what it did before you run it again"
)
# What the server says as it ends a connection, and how the driver calls one that has ended.
_CONNECTION_ENDS = (
    asyncpg.PostgresConnectionError,
    asyncpg.AdminShutdownError,
    asyncpg.CrashShutdownError,
    asyncpg.CannotConnectNowError,
)
_ENDED = ("connection is closed", "connection has been released back to the pool")
_NO_SCHEMA = "the database has not the schema of this release: run agi-server db upgrade"


class UnreachableError(Exception):
    """A backend that the command needs does not answer; the message says which and why."""


class NoDatabaseError(Exception):
    """Neither a database is set nor the embedded one asked for; the message says what to do."""


@dataclass(frozen=True, slots=True)
class Explanation:
    """What is printed to stderr, and the exit code."""

    lines: tuple[str, ...]
    exit_code: int


def explain(fault: BaseException) -> Explanation:
    """Word any exception; account numbers and passwords are masked."""
    from agi_server.wire.script import ScriptError  # most commands play none: they start sooner

    match fault:
        case NoArgsIsHelpError():
            return Explanation((fault.format_message(),), WRONG_USAGE)
        case click.UsageError():
            return Explanation((_usage(fault),), WRONG_USAGE)
        case click.ClickException():
            return _refused(fault.format_message())
        case click.Abort() | KeyboardInterrupt():
            return _refused("stopped")
        case SettingsError():
            return Explanation(tuple(map(_line, fault.problems)), WRONG_USAGE)
        case InvalidFieldsError():
            lines = tuple(_line(str(problem)) for problem in fault.problems)
            return Explanation(lines, WRONG_USAGE)
        case InvalidFieldError() | NoDatabaseError():
            return Explanation((_line(str(fault)),), WRONG_USAGE)
        case RefusedError() if fault.field is not None:
            return _refused(f"{fault.field}: {fault}")
        case RefusedError() | BookingRefusedError() | ScriptError():
            return _refused(str(fault))
        case UnreachableError() | EmbeddedStartError():
            return _refused(str(fault))
        case asyncpg.UndefinedTableError() | asyncpg.UndefinedColumnError():
            return _refused(_NO_SCHEMA)
        case asyncpg.PostgresError() | asyncpg.InterfaceError() if _is_lost_connection(fault):
            return _refused(_LOST_CONNECTION + _why_lost(fault))
        case Exception() if backend := _BACKENDS.get(type(fault).__module__.partition(".")[0]):
            return _refused(f"{backend}: {fault}")
        case OSError() if fault.filename is not None:
            return _refused(f"{fault.filename}: {fault.strerror}")
        case OSError():
            return _refused(str(fault) or type(fault).__name__)
        case _:
            return _refused(
                f"internal error: {type(fault).__name__}: {fault}"
                " (AGI_SERVER_DEBUG=1 shows where; please report it)"
            )


def _refused(message: str) -> Explanation:
    return Explanation((_line(message),), REFUSED)


def _line(message: str) -> str:
    return mask_text("agi-server: " + " ".join(message.split()))


def _usage(fault: click.UsageError) -> str:
    command = fault.ctx.command_path if fault.ctx else "agi-server"
    return f"{command}: {' '.join(fault.format_message().split())} (see {command} --help)"


def _is_lost_connection(fault: BaseException) -> bool:
    if isinstance(fault, asyncpg.InterfaceError):
        return any(words in str(fault) for words in _ENDED)
    return isinstance(fault, _CONNECTION_ENDS)


def _why_lost(fault: BaseException) -> str:
    """What the server said last, if anything: what came after hides it."""
    cause: BaseException | None = fault
    while cause is not None and not isinstance(cause, _CONNECTION_ENDS):
        cause = cause.__context__
    return f" ({cause})" if cause is not None else ""
