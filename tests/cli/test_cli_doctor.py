import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psycopg
from command_line import Finished, Runner, daemon

Command = Callable[..., Finished]


def findings(done: Finished) -> dict[str, dict[str, Any]]:
    """By the first word of what was looked at."""
    return {each["what"].split()[0]: each for each in json.loads(done.out)}


def test_a_healthy_installation_is_found_healthy(
    shop: Command, env: dict[str, str], scripts: Path
) -> None:
    with daemon(env, scripts) as port:
        done = shop("doctor", "--json", AGI_SERVER_FASTAGI__PORT=str(port))
        plain = shop("doctor", AGI_SERVER_FASTAGI__PORT=str(port))
    found = findings(done)
    good = {"settings", "PostgreSQL", "durability", "schema", "ledger", "rates", "Redis", "daemon"}
    assert good == {what for what, each in found.items() if each["good"]}
    assert found["Asterisk"]["good"] is None
    assert "[[ami]]" in found["Asterisk"]["mend"]
    assert (0, 0) == (done.exit_code, plain.exit_code)
    assert "ok     daemon" in plain.out


def test_what_is_missing_is_found_with_how_to_mend_it(
    agi_server: Command, env: dict[str, str]
) -> None:
    done = agi_server("doctor", "--json", AGI_SERVER_FASTAGI__PORT="1")
    found = findings(done)
    assert 1 == done.exit_code
    assert (False, True) == (found["rates"]["good"], "rates import" in found["rates"]["mend"])
    assert (None, "agi-server serve") == (found["daemon"]["good"], found["daemon"]["mend"])

    with psycopg.connect(env["AGI_SERVER_POSTGRES__DSN"], autocommit=True) as connection:
        connection.execute("DROP SCHEMA public CASCADE; CREATE SCHEMA public")
    found = findings(agi_server("doctor", "--json"))
    assert (False, "agi-server db upgrade") == (found["schema"]["good"], found["schema"]["mend"])


def test_an_inbound_plan_that_is_none_is_found(shop: Command) -> None:
    for plan, there in (("standard", True), ("none", False)):
        found = findings(shop("doctor", "--json", AGI_SERVER_CALLS__INBOUND_PLAN=plan))["inbound"]
        assert (there, True) == (found["good"], plan in found["found"])
    assert "calls.inbound_plan" in found["mend"]


def test_backends_that_are_away_are_found(
    runner: Runner, plain_env: dict[str, str], tmp_path: Path
) -> None:
    env = plain_env | {
        "AGI_SERVER_POSTGRES__DSN": "postgresql://agi:geheim@127.0.0.1:1/agi",
        "AGI_SERVER_REDIS__URL": "redis://:geheim@127.0.0.1:1/0",
    }
    done = runner.run("doctor", "--json", env=env, folder=tmp_path)
    found = findings(done)
    assert 1 == done.exit_code
    assert (False, False) == (found["PostgreSQL"]["good"], found["Redis"]["good"])
    assert "geheim" not in done.out


def test_settings_that_cannot_be_used_are_found(
    runner: Runner, plain_env: dict[str, str], tmp_path: Path
) -> None:
    nothing = runner.run("doctor", "--json", env=plain_env, folder=tmp_path)
    assert (1, False) == (nothing.exit_code, findings(nothing)["settings"]["good"])
    (tmp_path / "agi-server.toml").write_text("[log]\nlevel = 1\n[x]\n")
    done = runner.run("doctor", env=plain_env, folder=tmp_path)
    assert 1 == done.exit_code
    assert 2 == done.out.count("WRONG")
    assert "agi-server.toml: log.level" in done.out


def test_an_ami_that_is_away_is_found(shop: Command) -> None:
    ami = '[{"host": "127.0.0.1", "port": 1, "user": "agi-server", "secret": "geheim"}]'
    done = shop("doctor", "--json", AGI_SERVER_AMI=ami)
    found = findings(done)
    assert (1, False) == (done.exit_code, found["Asterisk"]["good"])
    assert "manager.conf" in found["Asterisk"]["mend"]
    assert "geheim" not in done.out


def test_rolling_holds_that_nobody_extends_are_found(shop: Command) -> None:
    assert "rolling" not in findings(shop("doctor", "--json"))
    ami = '[{"host": "127.0.0.1", "port": 1, "user": "agi-server", "secret": "geheim"}]'
    supervised = shop("doctor", "--json", AGI_SERVER_CALLS__HOLD_MODE="rolling", AGI_SERVER_AMI=ami)
    assert findings(supervised)["rolling"]["good"]
    assert 0 == shop("plan", "update", "standard", "--hold-mode", "rolling").exit_code
    done = shop("doctor", "--json")
    found = findings(done)["rolling"]
    assert (1, False) == (done.exit_code, found["good"])
    assert "plan standard ends after its first slice" in found["found"]
    assert "[[ami]]" in found["mend"]


def test_a_database_that_forgets_what_it_committed_is_found(
    shop: Command, env: dict[str, str]
) -> None:
    with psycopg.connect(env["AGI_SERVER_POSTGRES__DSN"], autocommit=True) as connection:
        connection.execute("ALTER DATABASE test SET synchronous_commit = off")
    done = shop("doctor", "--json")
    found = findings(done)["durability"]
    assert (1, False, "off: synchronous_commit") == (done.exit_code, found["good"], found["found"])
    assert "synchronous_commit = on" in found["mend"]
