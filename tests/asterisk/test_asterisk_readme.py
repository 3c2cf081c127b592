"""README.md with an Asterisk as Debian ships it: its steps lead to a call that is billed."""

import os
import re
import shlex
import shutil
import sys
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import pytest
from asterisk_server import AsteriskServer, running_asterisk, transport
from asterisk_tree import AsteriskTree
from sip_scenarios import Answers, HangUp, WaitForGoOn
from sipp import callee, calling

from support.readme import commands, copy_of_the_clone, plain_environment, readme_blocks
from support.readme import terminal as open_terminal

DAEMON = "1. Rates, a customer, the daemon"
ASTERISK = "2. Asterisk"
LOOK = "3. Check, call, look"
NUMBER = "33123456789"


def _as_debian_ships_it(server: AsteriskServer) -> None:
    """All of Debian's own files, and what is particular to a machine: ports."""
    etc = server.folder / "etc"
    shipped = server.tree.root / "etc/asterisk"
    for path in shipped.rglob("*"):
        target = etc / path.relative_to(shipped)
        if path.is_file() and not target.exists():
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(path, target)
    for name, own in (("manager", f"port = {server.ami_port}\n"), ("http", "enabled = no\n")):
        with (etc / f"{name}.conf").open("a") as file:
            file.write(f"\n[general](+)\n{own}")
    with (etc / "pjsip.conf").open("a") as file:
        file.write(transport(server))


@pytest.fixture
def pbx(asterisk_tree: AsteriskTree) -> Iterator[AsteriskServer]:
    with running_asterisk(asterisk_tree, _as_debian_ships_it) as server:
        yield server


def _follow_the_files(pbx: AsteriskServer, clone: Path) -> None:
    """Add to each file what the README says, but for what SIPp cannot do or does not know."""
    for block in readme_blocks():
        if block.language not in ("ini", "toml"):
            continue
        assert ASTERISK == block.section
        named = re.match(r"[;#] (?:/etc/asterisk/)?([a-z.-]+)", block.text)
        assert named is not None
        text = block.text
        if named[1] == "pjsip.conf":
            changes = {
                "auth=1001\n": "",  # SIPp gives no password
                "sip:carrier.example.net": f"sip:127.0.0.1:{pbx.trunk_ports['gw']}",
            }
        elif named[1] == "agi-server.toml":
            changes = {"[[ami]]\n": f"[[ami]]\nport = {pbx.ami_port}\n"}
        else:
            changes = {}
        for theirs, ours in changes.items():
            assert theirs in text
            text = text.replace(theirs, ours)
        folder = clone if block.language == "toml" else pbx.folder / "etc"
        with (folder / named[1]).open("a") as file:
            file.write(text)


def _asterisk_command(pbx: AsteriskServer, folder: Path) -> None:
    """`asterisk` for a terminal: that of the tests, which runs as another user."""
    command = folder / "asterisk"
    *words, _ = pbx.cli_command("its second argument")
    command.write_text(f'#!/bin/sh\nexec {shlex.join(words)} "$2"\n')
    command.chmod(0o755)


async def test_the_readme_leads_to_a_call_that_is_billed(
    pbx: AsteriskServer, tmp_path: Path
) -> None:
    clone = copy_of_the_clone(tmp_path / "agi-server")
    (clone / ".venv").symlink_to(Path(sys.executable).parent.parent)  # as `make demo` leaves one
    programs = tmp_path / "bin"
    programs.mkdir()
    _asterisk_command(pbx, programs)
    environment = plain_environment(AGI_SERVER_FASTAGI__PORT="0")
    environment["PATH"] = f"{programs}:{environment['PATH']}"

    with (
        open_terminal(clone, environment) as first,
        open_terminal(clone, environment) as second,
    ):
        (block,) = commands(DAEMON)
        started = first.run_until("server.started", block)
        found = re.search(r'"port":(\d+)', started)
        assert found is not None
        port = found[1]

        copy, reload = commands(ASTERISK)
        second.run(copy.replace("/etc/asterisk", str(pbx.folder / "etc")))
        os.chmod(pbx.folder / "etc/agi-server", 0o755)
        _follow_the_files(pbx, clone)
        second.run(reload)
        pbx.point_to(int(port))

        environment["AGI_SERVER_FASTAGI__PORT"] = port
        with open_terminal(clone, environment) as third:
            doctor, look = commands(LOOK)
            findings = third.run(doctor)
            assert "WRONG" not in findings
            assert (
                f"Asterisk 127.0.0.1:{pbx.ami_port}: dialplan agi-server-settle: there" in findings
            )

            async with (
                callee(pbx, "gw", Answers()) as gw,
                calling(pbx, NUMBER, WaitForGoOn(), HangUp()) as caller,
            ):
                await gw.answered()
                await caller.go_on()
                await gw.ended()
            pbx.wait_until_idle()

            seen = third.run(look)
        assert re.search(rf"{NUMBER}\s+ANSWER", seen), seen
        assert "the books balance" in seen
        balance = re.search(r"^balance\s+([0-9.]+)", seen, re.MULTILINE)
        assert balance is not None
        assert Decimal(10) > Decimal(balance[1])
        assert 0 == first.interrupt()
