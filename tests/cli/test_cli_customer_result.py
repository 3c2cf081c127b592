"""What creating many customers tells only once: nobody is created whose numbers are lost."""

import csv
import os
import resource
import stat
import subprocess
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import psycopg
import pytest
from command_line import PROGRAM, Finished

Command = Callable[..., Finished]

CREATE = ("customer", "create", "--from", "new.csv", "--generate-password")
BREAKS_AT_COMMIT = """
CREATE FUNCTION at_commit() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS
$$ BEGIN {action} END $$;
CREATE CONSTRAINT TRIGGER at_commit AFTER INSERT ON account DEFERRABLE INITIALLY DEFERRED
FOR EACH ROW EXECUTE FUNCTION at_commit();
"""


@pytest.fixture(autouse=True)
def new_customers(tmp_path: Path) -> None:
    (tmp_path / "new.csv").write_text("last_name\nMoreau\nPetit\n")


def run(env: Mapping[str, str], folder: Path, *options: str, **more: Any) -> tuple[int, str]:
    """The exit code and what was said, of a program started with other files or limits."""
    more = {"stdout": subprocess.DEVNULL, **more}
    done = subprocess.run(
        [*PROGRAM, *CREATE, *options],
        env={**env, "TMPDIR": str(folder)},
        cwd=folder,
        stderr=subprocess.PIPE,
        text=True,
        timeout=60,
        **more,
    )
    assert "Traceback" not in done.stderr
    assert "Exception ignored" not in done.stderr
    return done.returncode, done.stderr


def customers(agi_server: Command) -> int:
    return len(agi_server("customer", "list", "--json").json)


def at_commit(env: Mapping[str, str], action: str) -> None:
    with psycopg.connect(env["AGI_SERVER_POSTGRES__DSN"], autocommit=True) as connection:
        connection.execute(BREAKS_AT_COMMIT.format(action=action).encode())


@pytest.mark.parametrize("result", ["missing/numbers.csv", "new.csv", "."])
def test_nobody_is_created_where_the_result_file_cannot_be_made(
    agi_server: Command, result: str
) -> None:
    done = agi_server(*CREATE, "--result", result)
    assert (2, True) == (done.exit_code, "--result" in done.err)
    assert 0 == customers(agi_server)


def test_nobody_is_created_where_the_disk_is_full_and_no_result_is_left(
    agi_server: Command, env: dict[str, str], tmp_path: Path
) -> None:
    def full() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (100, 100))

    code, said = run(env, tmp_path, "--result", "numbers.csv", preexec_fn=full)
    assert (1, "agi-server: numbers.csv: File too large: nobody was created\n") == (code, said)
    assert 0 == customers(agi_server)
    assert ["new.csv"] == os.listdir(tmp_path)


def test_no_result_is_left_of_a_file_with_mistakes(agi_server: Command, tmp_path: Path) -> None:
    (tmp_path / "new.csv").write_text("email\nnobody\n")
    assert 1 == agi_server(*CREATE, "--result", "numbers.csv").exit_code
    assert ["new.csv"] == os.listdir(tmp_path)


def test_what_cannot_be_printed_is_kept_in_a_file_for_nobody_else(
    agi_server: Command, env: dict[str, str], tmp_path: Path
) -> None:
    with Path("/dev/full").open("w") as full:
        code, said = run(env, tmp_path, stdout=full)
    (kept,) = tmp_path.glob("agi-server-result-*")
    assert (1, True) == (code, "No space left on device: all was done" in said)
    assert said.endswith(f" is in {kept}\n")
    assert 0o600 == stat.S_IMODE(kept.stat().st_mode)
    rows = list(csv.DictReader(kept.open()))
    assert [12, 12] == [len(row["web_password"]) for row in rows]
    for row in rows:
        assert 0 == agi_server("customer", "show", row["account_number"]).exit_code


def test_nobody_is_created_where_standard_output_is_closed(
    agi_server: Command, env: dict[str, str], tmp_path: Path
) -> None:
    code, said = run(env, tmp_path, preexec_fn=lambda: os.close(1))
    assert (2, True) == (code, "standard output is closed: name a file with --result" in said)
    assert 0 == customers(agi_server)


def test_what_was_printed_is_left_in_no_file(
    agi_server: Command, env: dict[str, str], tmp_path: Path
) -> None:
    assert 2 == len(agi_server(*CREATE, "--json", TMPDIR=str(tmp_path)).json)
    assert ["new.csv"] == os.listdir(tmp_path)


def test_no_result_is_left_of_a_commit_that_the_database_refuses(
    agi_server: Command, env: dict[str, str], tmp_path: Path
) -> None:
    at_commit(env, "RAISE 'not today';")
    done = agi_server(*CREATE, "--result", "numbers.csv")
    assert (1, "agi-server: PostgreSQL: not today\n") == (done.exit_code, done.err)
    assert ["new.csv"] == os.listdir(tmp_path)


def test_the_result_is_kept_where_the_commit_was_not_answered(
    agi_server: Command, env: dict[str, str], tmp_path: Path
) -> None:
    at_commit(env, "PERFORM pg_terminate_backend(pg_backend_pid()); RETURN NULL;")
    done = agi_server(*CREATE, "--result", "numbers.csv")
    assert (1, True) == (done.exit_code, "did not answer the commit" in done.err)
    assert 2 == len(list(csv.DictReader((tmp_path / "numbers.csv").open())))
