"""What a command tells only once: it is on the disk before it becomes true."""

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import mkstemp

import asyncpg
import click

from agi_server.refused import RefusedError

# The database went away while it was asked to commit; any other of its errors is a "no".
_NO_ANSWER = (asyncpg.PostgresConnectionError, asyncpg.OperatorInterventionError)


@contextmanager
def open_result(path: Path | None, nothing: str) -> Iterator[Callable[[str], None]]:
    """A function that writes a text to a new file, for nobody else to read.

    The body calls it as the last thing before its commit: it raises RefusedError, with `nothing`
    (what was done then), where the text cannot be kept. The file is there from the beginning, so
    that a missing folder is told first; it is removed again when the body raises, save where the
    commit may have been done: that is said. Without `path` the text is printed after the body; a
    reader may be slow or away, so until it has all there is a temporary file. Raises BadParameter
    for a file that exists or cannot be.
    """
    if path is None and sys.stdout is None:  # closed before we were started
        raise click.UsageError("standard output is closed: name a file with --result")
    handle, place = _temporary() if path is None else (_new(path), path)
    written = False

    def write(text: str) -> None:
        nonlocal written
        left = memoryview(text.encode())
        try:
            while left:
                left = left[os.write(handle, left) :]
            os.fsync(handle)
        except OSError as error:
            raise RefusedError(f"{place}: {error.strerror}: {nothing}") from None
        written = True

    try:
        yield write
    except BaseException as fault:
        if written and not _says_no(fault):
            click.echo(
                f"agi-server: the database did not answer the commit: if it was done, {place} has"
                " what was not told; look up one of its lines",
                err=True,
            )
        else:
            place.unlink(missing_ok=True)
        raise
    finally:
        os.close(handle)
    if path is None:
        _print(place)


def _new(path: Path) -> int:
    try:
        return os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        raise click.BadParameter(f"{path} exists already", param_hint="--result") from None
    except OSError as error:
        raise click.BadParameter(f"{path}: {error.strerror}", param_hint="--result") from None


def _temporary() -> tuple[int, Path]:
    handle, name = mkstemp(prefix="agi-server-result-")
    return handle, Path(name)


def _says_no(fault: BaseException) -> bool:
    return isinstance(fault, asyncpg.PostgresError) and not isinstance(fault, _NO_ANSWER)


def _print(place: Path) -> None:
    """All of the file, which then goes; unbuffered, so that nothing can fail later."""
    left = memoryview(place.read_bytes())
    try:
        while left:
            left = left[os.write(sys.stdout.fileno(), left) :]
    except OSError as error:
        raise RefusedError(
            f"standard output: {error.strerror}: all was done, and what was to be printed is in"
            f" {place}"
        ) from None
    except KeyboardInterrupt:
        click.echo(f"agi-server: all was done; what was to be printed is in {place}", err=True)
        raise
    place.unlink()
