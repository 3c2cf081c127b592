"""Every command of README.md is run as it stands, in a fresh clone. What needs an Asterisk is run
by tests/asterisk/test_asterisk_readme.py."""

import socket
import subprocess
from pathlib import Path

import pytest

from support.readme import (
    ROOT,
    commands,
    copy_of_the_clone,
    plain_environment,
    readme_blocks,
    terminal,
)

DEMO = "See it work"
DAEMON = "1. Rates, a customer, the daemon"
ASTERISK = "2. Asterisk"
LOOK = "3. Check, call, look"

CONTRACT = r"""
export AGI_SERVER_EMBEDDED=./data
agi-server db upgrade
agi-server trunk create gw --dial 'PJSIP/{number}@gw'
agi-server rates import rates.csv --card retail --currency USD --trunk gw --activate
agi-server plan create standard --card retail
agi-server customer create --account-number 1000000001 --plan standard --refill 10 --simultaneous-access 2 --callerid 442079460000
agi-server serve
"""  # noqa: E501 - a line is a line


def test_no_block_of_the_readme_is_left_out_by_the_tests() -> None:
    assert {
        (DEMO, "sh"),
        (DAEMON, "sh"),
        *((ASTERISK, language) for language in ("sh", "ini", "toml")),
        (LOOK, "sh"),
    } == {(block.section, block.language) for block in readme_blocks()}


def test_the_readme_has_the_lines_of_the_contract() -> None:
    (block,) = commands(DAEMON)
    assert block.endswith(CONTRACT)


@pytest.mark.timeout(600)
def test_a_fresh_clone_leads_to_the_demo_and_to_a_daemon_with_a_customer(tmp_path: Path) -> None:
    clone = copy_of_the_clone(tmp_path / "agi-server")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    # Where the tests run another daemon may have the usual port.
    environment = plain_environment(AGI_SERVER_FASTAGI__PORT=str(port))

    with terminal(clone, environment) as first, terminal(clone, environment) as third:
        for block in commands(DEMO):
            assert "all as expected" in first.run(block)
        (block,) = commands(DAEMON)
        first.run_until("server.started", block)

        doctor, look = commands(LOOK)
        found = third.run(doctor)
        assert "WRONG" not in found
        assert f"ok     daemon 127.0.0.1:{port}" in found
        seen = third.run(look)
        assert "1000000001" in seen
        assert "refill" in seen
        assert "the books balance" in seen
        assert 0 == first.interrupt()


def test_what_a_reader_makes_in_the_clone_is_no_change_of_it() -> None:
    made = ["data/postgres", "rates.csv", "agi-server.toml", ".venv/bin"]
    ignored = subprocess.run(
        ["git", "check-ignore", *made], cwd=ROOT, capture_output=True, text=True
    )
    assert made == ignored.stdout.split()
