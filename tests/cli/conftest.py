"""A database, an environment and a small business for commands to work on."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from command_line import Finished, Runner, command_runner


@pytest.fixture(scope="session")
def runner() -> Iterator[Runner]:
    with command_runner() as runner:
        yield runner


@pytest.fixture
def plain_env() -> dict[str, str]:
    """The environment without any settings of ours."""
    env = {name: value for name, value in os.environ.items() if not name.startswith("AGI_SERVER")}
    # The tests' folder is not the clone's.
    env["PYTHONPATH"] = str(Path(__file__).parents[2])
    return env


@pytest.fixture
def env(plain_env: dict[str, str], postgres_dsn: str, redis_url: str) -> dict[str, str]:
    """The environment of an operator whose database is migrated and empty."""
    return plain_env | {
        "AGI_SERVER_POSTGRES__DSN": postgres_dsn,
        "AGI_SERVER_REDIS__URL": redis_url,
    }


@pytest.fixture
def agi_server(runner: Runner, env: dict[str, str], tmp_path: Path) -> Callable[..., Finished]:
    """Runs one command in a folder of its own."""

    def command(*arguments: str, answer: str | None = None, **more_env: str) -> Finished:
        return runner.run(*arguments, env={**env, **more_env}, folder=tmp_path, answer=answer)

    return command


CUSTOMER = ["--account-number", "1000000001", "--plan", "standard", "--refill", "10"]
CUSTOMER += ["--callerid", "442079460000"]
SHEET = """prefix,destination,price_per_minute,initial,increment
44,United Kingdom,0.06,1,1
4490,United Kingdom premium,1.50,60,60
"""


@pytest.fixture
def shop(agi_server: Callable[..., Finished], tmp_path: Path) -> Callable[..., Finished]:
    """A trunk, a card, a plan and a customer with 10.00; returns the command."""
    (tmp_path / "rates.csv").write_text(SHEET)
    lines = (
        ("trunk", "create", "gw", "--dial", "PJSIP/{number}@gw"),
        ("rates", "import", "rates.csv", "--card", "retail", "--trunk", "gw", "--activate"),
        ("plan", "create", "standard", "--card", "retail"),
        ("customer", "create", *CUSTOMER),
    )
    for line in lines:
        done = agi_server(*line)
        assert 0 == done.exit_code, done.err
    return agi_server


AUTHORIZE = """
AGI Tx >> agi_network: yes
AGI Tx >> agi_network_script: authorize
AGI Tx >> agi_channel: PJSIP/1001-00000001
AGI Tx >> agi_uniqueid: cli-1.1
AGI Tx >> agi_callerid: 442079460000
AGI Tx >> agi_accountcode:
AGI Tx >> agi_extension: {destination}
AGI Tx >>
AGI Rx << EXEC MSet {{{{*}}}}AUTH_DECISION={decision}{{{{*}}}}AUTH_CALL={call},{{{{*}}}}
AGI Tx >> 200 result=0
"""
SETTLE = """
AGI Tx >> agi_network: yes
AGI Tx >> agi_network_script: settle
AGI Tx >> agi_channel: PJSIP/1001-00000001
AGI Tx >> agi_uniqueid: cli-1.1
AGI Tx >> agi_arg_1: {{call_1}}
AGI Tx >> agi_arg_2: CANCEL
AGI Tx >> agi_arg_3:
AGI Tx >> agi_arg_4: 127
AGI Tx >>
"""


@pytest.fixture
def scripts(tmp_path: Path) -> Path:
    """Scripted sessions of one caller: an allowed call, its end, a call that is refused."""
    allowed = AUTHORIZE.format(destination="442071234567", decision="allow", call="{{call_1}}")
    denied = AUTHORIZE.format(destination="15551234567", decision="deny", call="")
    (tmp_path / "authorize.agi").write_text(allowed)
    (tmp_path / "settle.agi").write_text(SETTLE)
    (tmp_path / "denied.agi").write_text(denied)
    return tmp_path
