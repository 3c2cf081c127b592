"""Private PostgreSQL and Valkey for `--embedded`, the demo and the tests.

One *keeper* process a directory (`embedded_keeper.py`) starts both servers and stops them again.
Each command that uses them holds one connection to the keeper's socket; the kernel closes it
however the command ends, so the keeper always knows who is left and stops with the last one.

    DIR/start.lock      flock: one command at a time looks for the keeper or starts it
    DIR/run/            unix sockets (a link into the temporary folder when the path does not fit)
    DIR/postgres/       the cluster, 0700; DIR/valkey/ likewise
    DIR/*.log           what keeper, PostgreSQL and Valkey said last
    DIR/*.lock          flock held by a server's processes as long as one of them lives

The servers listen on unix sockets only, in folders that only their user may enter, so they trust
whoever reaches them. PostgreSQL is durable (fsync on). Valkey writes nothing to disk: it holds
slots, which are rebuilt from PostgreSQL.
"""

import fcntl
import os
import re
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

# sun_path is 108 bytes with its NUL; the longest name of ours is PostgreSQL's.
LONGEST_SOCKET_DIRECTORY_BYTES = 107 - len("/.s.PGSQL.5432")

# PostgreSQL refuses to run as root. As nobody, keeping the right to pass closed folders, it
# reaches a clone below 0700 parents without anything being opened or copied (initdb asks access(2),
# which heeds that right only with no_setuid_fixup). Where uids cannot be changed (a sandbox that
# maps root only), a user namespace in which root is nobody does the same.
_NOBODY = 65534
_LEAVE_ROOT = (
    [
        "setpriv",
        f"--reuid={_NOBODY}",
        f"--regid={_NOBODY}",
        "--clear-groups",
        "--inh-caps=+dac_override",
        "--ambient-caps=+dac_override",
        "--securebits=+no_setuid_fixup",
    ],
    ["unshare", "--user", f"--map-user={_NOBODY}", f"--map-group={_NOBODY}"],
)


class EmbeddedStartError(Exception):
    """The private PostgreSQL or Valkey cannot be started; the text says why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EmbeddedBackends:
    """Where the private servers listen.

    `postgres_dsn` suits asyncpg and psycopg and names the database `agi_server`, as a superuser of
    this private cluster. `redis_url` suits redis-py.
    """

    postgres_dsn: str
    redis_url: str


def default_directory() -> Path:
    """The user's data folder for agi-server (XDG Base Directory: a relative value is ignored).

    Raises EmbeddedStartError for a user without a home folder.
    """
    data_home = Path(os.environ.get("XDG_DATA_HOME", ""))
    if data_home.is_absolute():
        return data_home / "agi-server"
    try:
        return Path.home() / ".local/share/agi-server"
    except RuntimeError:
        raise EmbeddedStartError("this user has no home folder: name one, --embedded DIR") from None


@contextmanager
def embedded_backends(directory: Path) -> Iterator[EmbeddedBackends]:
    """Keep PostgreSQL and Valkey running in `directory` for the length of the block.

    Starts them unless another command has, and returns when they have stopped if this was the last
    command that used them. Blocks (about a second at first), so enter it before the event loop.
    Raises EmbeddedStartError, with the last lines of the log of the server that did not start.
    """
    with _system_errors_named(directory):
        directory = _prepare(directory)
    try:
        with _system_errors_named(directory):
            connection = _join(directory)
        try:
            sockets = (directory / "run").resolve()
            yield EmbeddedBackends(
                postgres_dsn=f"postgresql://agi_server@/agi_server?host={sockets}",
                redis_url=f"unix://{sockets}/valkey.sock",
            )
        finally:
            _leave(connection)
    finally:
        _remove_sockets_elsewhere(directory)


@contextmanager
def _system_errors_named(directory: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise EmbeddedStartError(f"embedded servers in {directory}: {error}") from None


def _prepare(directory: Path) -> Path:
    directory = directory.absolute()
    directory.parent.mkdir(parents=True, exist_ok=True)
    directory.mkdir(mode=0o700, exist_ok=True)
    directory = directory.resolve()
    status = directory.stat()
    # In somebody else's folder root could be led astray by links, and would lock its owner out.
    if status.st_uid != os.geteuid():
        raise EmbeddedStartError(
            f"{directory} belongs to user {status.st_uid} and you are user {os.geteuid()}:"
            " run this as its owner, or name another folder"
        )
    if status.st_mode & 0o002:
        raise EmbeddedStartError(f"anybody may write to {directory}: chmod o-w it first")
    return directory


@contextmanager
def _start_lock(directory: Path, *, wait: bool = True) -> Iterator[None]:
    lock = os.open(directory / "start.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
        yield
    finally:
        os.close(lock)


def _join(directory: Path) -> socket.socket:
    with _start_lock(directory):
        sockets = _socket_directory(directory)
        connection = _connect(sockets)
        if connection is not None and _ready(connection):
            return connection
        connection = _start_keeper(directory, sockets)
        try:
            if _ready(connection):
                return connection
        except KeyboardInterrupt:
            _leave(connection)
            raise
    raise EmbeddedStartError(
        f"the keeper of {directory} died: {(directory / 'keeper.log').read_text().strip()}"
    )


def _socket_directory(directory: Path) -> Path:
    """The folder for the sockets: `run`, or where an earlier start has linked it."""
    run = directory / "run"
    if run.is_dir():
        return run.resolve()
    run.unlink(missing_ok=True)  # a link into a temporary folder that was cleaned
    # Commas, spaces and the like mean something to PostgreSQL's settings and to drivers.
    plain = re.fullmatch(r"[A-Za-z0-9._/-]+", str(run))
    if plain and len(os.fsencode(run)) <= LONGEST_SOCKET_DIRECTORY_BYTES:
        run.mkdir(mode=0o700)
        return run
    elsewhere = Path(tempfile.mkdtemp(prefix="agi-server-", dir="/tmp"))
    run.symlink_to(elsewhere)
    return elsewhere


def _connect(sockets: Path) -> socket.socket | None:
    """A connection to the keeper, None when there is none."""
    connection = socket.socket(socket.AF_UNIX)
    try:
        connection.connect(str(sockets / "keeper.sock"))
    except (FileNotFoundError, ConnectionRefusedError):
        connection.close()
        return None
    return connection


def _start_keeper(directory: Path, sockets: Path) -> socket.socket:
    """Start the keeper; return a connection that it will answer when the servers are ready.

    The command makes the listening socket and hands it over as the keeper's standard input: so the
    next command finds it even if this one is killed before the keeper is up.
    """
    address = sockets / "keeper.sock"
    address.unlink(missing_ok=True)
    with (
        socket.socket(socket.AF_UNIX) as listener,
        open(directory / "keeper.log", "w", encoding="utf-8") as log,
    ):
        listener.bind(str(address))
        listener.listen(64)
        connection = _connect(sockets)
        assert connection is not None
        # -P: the folder the command runs in lends no modules; -B: nobody writes no .pyc files.
        python = [sys.executable, "-P", "-B", "-m", "agi_server.storage.embedded_keeper"]
        try:
            subprocess.run(
                [*_leave_root(), *python, str(directory), str(sockets)],
                stdin=listener.fileno(),
                stdout=log,
                stderr=log,
                start_new_session=True,  # Ctrl-C is for the command
                check=False,
            )
        except KeyboardInterrupt:
            # The keeper may be up already. Where it is not, nobody holds the listener but us.
            listener.close()
            _leave(connection)
            raise
    return connection


def _leave_root() -> list[str]:
    """The words before a command that keep it from being root; none for a plain user."""
    if os.geteuid() != 0:
        return []
    for words in _LEAVE_ROOT:
        with suppress(FileNotFoundError):
            probe = subprocess.run([*words, "true"], capture_output=True, check=False)
            if probe.returncode == 0:
                return words
    raise EmbeddedStartError(
        "PostgreSQL does not run as root, and neither setpriv nor unshare (util-linux) can change"
        " the user here: run this as a plain user"
    )


def _ready(connection: socket.socket) -> bool:
    """Wait for the keeper's word; False when it has gone or is about to go.

    Raises EmbeddedStartError with the keeper's reason.
    """
    word = b""
    with suppress(ConnectionError):
        while word != b"ready\n" and (received := connection.recv(65536)):
            word += received
    if word == b"ready\n":
        return True
    connection.close()
    if word:
        raise EmbeddedStartError(word.decode(errors="replace"))
    return False


def _leave(connection: socket.socket) -> None:
    """Tell the keeper; it closes the connection at once, or when all has stopped for the last."""
    with connection, suppress(ConnectionError):
        connection.shutdown(socket.SHUT_WR)
        while connection.recv(64):
            pass  # it was still about to say that all is ready


def _remove_sockets_elsewhere(directory: Path) -> None:
    """Leave nothing in the temporary folder, unless somebody else is at work or just starting."""
    run = directory / "run"
    if run.is_symlink():
        with suppress(OSError), _start_lock(directory, wait=False):
            if _connect(run.resolve()) is None:
                run.resolve().rmdir()
                run.unlink()
