"""What goes wrong is one line and the right exit code; a traceback never (`run` checks that)."""

import asyncio
import subprocess
from collections.abc import Callable
from pathlib import Path

import asyncpg
import pytest
from command_line import PROGRAM, Finished, Runner

from agi_server.cli.faults import explain
from support.business import until_waiting_for_a_lock

Command = Callable[..., Finished]


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("nothing", "No such command 'nothing'"),
        ("customer show", "Missing argument 'ACCOUNT'"),
        ("customer create --statu active", "No such option '--statu'"),
        ("customer create --status dead", "agi-server: status: must be one of cancelled, active"),
        ("customer create --account-number 123", "account_number: must be 6 to 15 digits"),
        ("customer create --credit-limit 5", "credit_limit: is for postpaid accounts only"),
        ("customer create --timezone Mars", "timezone: must be an IANA time zone"),
        ("customer create --refill 1e3", "'1e3' is not an amount"),
        ("customer create --restricted-number 44*", "restriction: must say blacklist or whitelist"),
        ("customer refill 1000000001 0", "must be greater than 0"),
        ("customer refill 1000000001 -- -5", "'-5' is negative: an amount is at least 0"),
        ("calls list --since yesterday", "'yesterday' is no time"),
        ("calls list --limit 0", "0 is not in the range"),
        ("replay x --to nowhere", "'nowhere' is no address"),
        ("replay x --define y", "must be NAME=VALUE"),
        ("trunk create gw", "Missing option '--dial'"),
        ("trunk create gw --dial PJSIP/gw", "must contain {number}"),
        ("plan create standard", "Missing option '--card'"),
    ],
)
def test_wrong_usage_is_one_line_and_exit_code_2(
    agi_server: Command, line: str, expected: str
) -> None:
    done = agi_server(*line.split())
    assert 2 == done.exit_code
    assert expected in done.err
    assert 1 == len(done.err.splitlines())
    assert "" == done.out


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("customer show 1000000009", "no customer has account number 100*****09"),
        ("customer show id:77", "no customer has id 77"),
        ("customer show id:x", "no customer has id x"),
        ("customer create --plan none", "plan: there is no call plan none"),
        ("customer create --group none", "group: there is no group none"),
        ("callerid remove 123456", "number: no customer has CallerID 123456"),
        ("trunk disable none", "there is no trunk none"),
        ("plan create standard --card none", "there is no rate card none"),
        ("restriction list --group none", "there is no group none"),
    ],
)
def test_what_is_refused_or_not_found_is_one_line_and_exit_code_1(
    agi_server: Command, line: str, expected: str
) -> None:
    done = agi_server(*line.split())
    assert (1, 1) == (done.exit_code, len(done.err.splitlines()))
    assert expected in done.err


def test_a_noun_alone_shows_its_help(agi_server: Command) -> None:
    done = agi_server("customer")
    assert 2 == done.exit_code
    assert "reset-in-use" in done.err


@pytest.mark.parametrize("line", ["serve", "customer list"])
def test_without_any_database_a_command_says_what_to_do(
    runner: Runner, plain_env: dict[str, str], tmp_path: Path, line: str
) -> None:
    done = runner.run(*line.split(), env=plain_env, folder=tmp_path)
    assert (2, 1) == (done.exit_code, len(done.err.splitlines()))
    assert "AGI_SERVER_POSTGRES__DSN" in done.err
    assert "--embedded DIR" in done.err


def test_serve_needs_redis_too(agi_server: Command, env: dict[str, str]) -> None:
    del env["AGI_SERVER_REDIS__URL"]
    done = agi_server("serve")
    assert 2 == done.exit_code
    assert "no Redis" in done.err


@pytest.mark.parametrize(
    ("dsn", "expected"),
    [
        ("postgresql://agi:geheim@127.0.0.1:1/agi", "PostgreSQL at postgresql://agi:********@127"),
        (
            "postgresql://agi@/agi?host=/nowhere",
            "PostgreSQL at postgresql://agi@/agi?host=/nowhere",
        ),
    ],
)
def test_a_database_that_is_away_is_one_line_without_its_password(
    runner: Runner, plain_env: dict[str, str], tmp_path: Path, dsn: str, expected: str
) -> None:
    env = plain_env | {"AGI_SERVER_POSTGRES__DSN": dsn, "AGI_SERVER_REDIS__URL": "redis://h"}
    for line in ("customer list", "db status", "db upgrade", "serve"):  # with asyncpg and psycopg
        done = runner.run(*line.split(), env=env, folder=tmp_path)
        assert 1 == done.exit_code, line
        assert 1 == len(done.err.splitlines()), done.err
        assert "geheim" not in done.err
        assert (expected if line in ("customer list", "serve") else "PostgreSQL: ") in done.err


LOST = (
    "agi-server: the connection to PostgreSQL was lost before the command was done; what it had not"
    " committed is undone: look what it did before you run it again"
)


async def test_an_import_whose_connection_is_lost_is_told_in_words_and_stores_nothing(
    shop: Command, postgres_dsn: str, tmp_path: Path
) -> None:
    (tmp_path / "more.csv").write_text("prefix,price_per_minute,initial,increment\n45,0.06,1,1\n")
    line = ("rates", "import", "more.csv", "--card", "retail", "--activate")
    owner = await asyncpg.connect(postgres_dsn)
    async with owner.transaction():
        await owner.execute("SELECT FROM rate_card FOR UPDATE")
        importing = asyncio.create_task(asyncio.to_thread(shop, *line))
        await until_waiting_for_a_lock(owner, importing)
        waiting = "FROM pg_stat_activity WHERE wait_event_type = 'Lock'"
        await owner.execute(f"SELECT pg_terminate_backend(pid) {waiting}")
    done = await importing
    assert (1, LOST) == (done.exit_code, done.err.partition(" (")[0])
    assert "terminating connection due to administrator command" in done.err
    assert 1 == await owner.fetchval("SELECT count(*) FROM rate_card_version")
    await owner.close()
    assert 0 == shop(*line).exit_code


async def test_a_connection_that_is_lost_between_two_statements_is_told_alike(
    postgres_dsn: str,
) -> None:
    async with asyncpg.create_pool(postgres_dsn, min_size=2, max_size=2) as pool:

        async def lose() -> None:
            async with pool.acquire() as db, db.transaction():
                ended = asyncio.Event()
                db.add_termination_listener(lambda _: ended.set())
                await pool.execute("SELECT pg_terminate_backend($1)", db.get_server_pid())
                await ended.wait()
                await db.execute("SELECT 1")

        with pytest.raises(asyncpg.InterfaceError) as fault:
            await lose()
    assert LOST == explain(fault.value).lines[0].partition(" (")[0]


def test_bad_settings_are_named_with_their_place(
    runner: Runner, plain_env: dict[str, str], tmp_path: Path
) -> None:
    (tmp_path / "agi-server.toml").write_text("[fastagi]\nprot = 1\n")
    env = plain_env | {"AGI_SERVER_LOG__LEVEL": "loud"}
    for line in ("config check", "serve", "customer list"):
        done = runner.run(*line.split(), env=env, folder=tmp_path)
        assert 2 == done.exit_code
        assert (
            "agi-server: agi-server.toml: fastagi.prot: unknown setting;"
            " did you mean fastagi.port?\n"
        ) in done.err
        assert "agi-server: AGI_SERVER_LOG__LEVEL: must be 'debug'" in done.err


def test_a_folder_for_embedded_servers_that_cannot_be_is_one_line(
    runner: Runner, plain_env: dict[str, str], tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("")
    done = runner.run("db", "status", "--embedded", "file/data", env=plain_env, folder=tmp_path)
    assert (1, 1) == (done.exit_code, len(done.err.splitlines()))


def test_settings_are_shown_with_origin_and_without_secrets(
    agi_server: Command, tmp_path: Path
) -> None:
    (tmp_path / "my.toml").write_text("[fastagi]\nport = 4999\n")
    arguments = ("config", "show", "--config", "my.toml")
    secret = {"AGI_SERVER_REDIS__URL": "redis://:geheim@h/0"}
    plain = agi_server(*arguments, **secret)
    with_origin = agi_server(*arguments, "--origin", **secret)
    rows = {row["name"]: row for row in agi_server(*arguments, "--json", **secret).json}
    assert ("4999", "my.toml") == (rows["fastagi.port"]["value"], rows["fastagi.port"]["origin"])
    assert "AGI_SERVER_REDIS__URL" == rows["redis.url"]["origin"]
    assert "4999" in plain.out
    assert "my.toml" in with_origin.out
    assert "redis://:********@h/0" in plain.out
    assert "geheim" not in plain.out + with_origin.out + str(rows)
    assert "settings are valid" in agi_server("config", "check", "--config", "my.toml").out
    global_option = agi_server("--config", "my.toml", "config", "show")
    assert "4999" in global_option.out


def test_debug_shows_where_and_nothing_else_does(plain_env: dict[str, str], tmp_path: Path) -> None:
    done = subprocess.run(
        [*PROGRAM, "serve"],
        env={**plain_env, "AGI_SERVER_DEBUG": "1"},
        cwd=tmp_path,
        capture_output=True,
        text=True,
    )
    assert "Traceback" in done.stderr


def test_a_settings_file_named_like_a_command_is_not_taken_for_one(
    runner: Runner, plain_env: dict[str, str], tmp_path: Path
) -> None:
    (tmp_path / "db").write_text("[fastagi]\nport = 4999\n")
    arguments = ("--config", "db", "--embedded", "config", "show")
    assert "4999" in runner.run(*arguments, env=plain_env, folder=tmp_path).out


def test_any_fault_is_one_line_without_account_numbers_and_passwords() -> None:
    for fault in (
        RuntimeError("Key (account_number)=(1000000001)\nalready exists"),
        OSError("at postgresql://agi:geheim@db"),
        asyncpg.UniqueViolationError("account_number)=(1000000001)"),
    ):
        explanation = explain(fault)
        assert (1, 1) == (explanation.exit_code, len(explanation.lines))
        assert "\n" not in explanation.lines[0]
        assert "1000000001" not in explanation.lines[0]
        assert "geheim" not in explanation.lines[0]
