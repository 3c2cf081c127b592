"""The lines of the contract (section 8) and of the installation, as they stand."""

import shlex
import socket
from collections.abc import Callable
from pathlib import Path

import psycopg
from command_line import Finished, Runner, daemon, run_program

LINES = r"""
agi-server db upgrade
agi-server trunk create gw --dial 'PJSIP/{number}@gw'
agi-server rates import rates.csv --card retail --currency USD --trunk gw --activate
agi-server plan create standard --card retail
agi-server customer create --account-number 1000000001 --plan standard --refill 10 \
  --simultaneous-access 2 --callerid 442079460000
"""
SHIPPED_RATES = Path(__file__).parents[2] / "config/rates.csv"


def test_the_contract_leads_from_an_empty_folder_to_a_daemon_that_answers(
    plain_env: dict[str, str], tmp_path: Path
) -> None:
    env = plain_env | {"AGI_SERVER_EMBEDDED": "./data"}
    (tmp_path / "rates.csv").write_bytes(SHIPPED_RATES.read_bytes())

    def command(line: str) -> Finished:
        return run_program(*shlex.split(line)[1:], env=env, folder=tmp_path)

    for line in LINES.replace("\\\n", "").strip().splitlines():
        done = command(line)
        assert 0 == done.exit_code, done.err
    assert "1000000001" in done.out

    customer = command("agi-server customer show 1000000001 --json").json
    assert {
        "account_number": "1000000001",
        "status": "active",
        "balance": "10.00",
        "held": "0.00",
        "available": "10.00",
        "currency": "USD",
        "in_use": 0,
    }.items() <= customer.items()
    assert isinstance(customer["id"], int)
    assert [] == command("agi-server calls list --json").json
    assert [] == command("agi-server calls live --json").json
    assert 0 == command("agi-server ledger verify").exit_code

    with (
        daemon(env, tmp_path) as port,
        socket.create_connection(("127.0.0.1", port), timeout=10) as asterisk,
    ):
        asterisk.sendall(b"agi_network: yes\nagi_network_script: ping\n\n")
        assert b"AUTH_PING" in asterisk.recv(1000)
        asterisk.sendall(b"200 result=1\n")
    assert (tmp_path / "data/postgres").is_dir()


def test_embedded_may_stand_anywhere_with_or_without_its_folder(
    runner: Runner, plain_env: dict[str, str], tmp_path: Path
) -> None:
    env = plain_env | {"HOME": str(tmp_path), "XDG_DATA_HOME": str(tmp_path / "share")}

    def answer(*arguments: str) -> str:
        done = runner.run(*arguments, env=env, folder=tmp_path)
        assert 0 == done.exit_code, done.err
        return done.out

    assert "upgraded" in answer("db", "upgrade", "--embedded")
    assert (tmp_path / "share/agi-server/postgres").is_dir()
    assert "up to date" in answer("--embedded", "db", "upgrade")
    assert "up to date" in answer("db", "--embedded", "upgrade")
    number = answer("customer", "create", "--embedded", "--account-number", "1000000001")
    assert "1000000001" in number
    assert "1000000001" in answer("customer", "show", "--embedded", "1000000001")
    assert not (tmp_path / "1000000001").exists()

    assert "upgraded" in answer("db", "upgrade", "--embedded", "other")
    assert (tmp_path / "other/postgres").is_dir()
    assert "up to date" in answer("--embedded=other", "db", "upgrade")
    assert (
        "no customers"
        in runner.run("customer", "list", "--embedded", "./other", env=env, folder=tmp_path).err
    )


def test_the_schema_is_asked_for_in_one_line(
    agi_server: Callable[..., Finished], env: dict[str, str]
) -> None:
    status = agi_server("db", "status", "--json").json
    assert (status["newest"], []) == (status["current"], status["pending"])
    with psycopg.connect(env["AGI_SERVER_POSTGRES__DSN"], autocommit=True) as connection:
        connection.execute("DROP SCHEMA public, asterisk CASCADE; CREATE SCHEMA public")
    done = agi_server("trunk", "list")
    assert 1 == done.exit_code
    assert (
        "agi-server: the database has not the schema of this release: run agi-server db upgrade\n"
        == done.err
    )
    status = agi_server("db", "status", "--json").json
    assert (None, [status["newest"]]) == (status["current"], status["pending"][-1:])
    assert "upgraded from nothing" in agi_server("db", "upgrade").out
    assert 0 == agi_server("trunk", "list").exit_code
