"""The scripts as an operator plays and records them: `agi-server replay`, `agi-server record`."""

import asyncio
import os
import stat
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from sessions_effect import expected_effect
from sessions_stage import Stage

from agi_server.replay import load_script, play

FOLDER = Path(__file__).parent

pytestmark = pytest.mark.asyncio(loop_scope="module")


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """How a command ended."""

    exit_code: int | None
    out: str
    err: str


async def start(*arguments: str | Path, folder: Path) -> Process:
    """A command in a folder, with no setting from outside."""
    environment = {name: value for name, value in os.environ.items() if "AGI_SERVER" not in name}
    return await asyncio.create_subprocess_exec(
        sys.executable, "-m", "agi_server", *arguments,
        cwd=folder, stdout=PIPE, stderr=PIPE,
        env=environment | {"PYTHONPATH": str(FOLDER.parents[1])},
    )  # fmt: skip


async def run(*arguments: str | Path, folder: Path) -> Ended:
    process = await start(*arguments, folder=folder)
    out, err = await process.communicate()
    return Ended(exit_code=process.returncode, out=out.decode(), err=err.decode())


def defining(**values: str) -> list[str]:
    """As options."""
    return [word for name, value in values.items() for word in ("--define", f"{name}={value}")]


@asynccontextmanager
async def recorder(stage: Stage, folder: Path) -> AsyncIterator[tuple[int, asyncio.StreamReader]]:
    """`agi-server record` between Asterisk and the daemon: its port, and what it prints."""
    process = await start(
        "record", "--listen", "127.0.0.1:0", "--to", stage.address, "--into", folder, folder=folder
    )
    assert process.stdout is not None
    address = (await process.stdout.readline()).decode().split()[-1]
    try:
        yield int(address.rpartition(":")[2]), process.stdout
    finally:
        process.terminate()
        out, err = await process.communicate()
    assert (0, b"") == (process.returncode, err), out


async def log_of(stage: Stage, *names: str) -> None:
    """The daemon must have logged what these scripts announce."""
    wanted = [event for name in names for event in expected_effect(FOLDER / f"{name}.agi").log]
    assert tuple(wanted) == await stage.logged(tuple(wanted))


async def test_scripts_that_capture_the_same_name_are_played_in_one_go(
    stage: Stage, tmp_path: Path
) -> None:
    names = ("authorize-as-the-console-prints-it", "call-failover", "settle-again-and-again")
    files = [FOLDER / f"{name}.agi" for name in names]
    options = defining(prepaid=stage.defines["prepaid"])
    done = await run("replay", *files, "--to", stage.address, *options, folder=tmp_path)
    assert (0, "") == (done.exit_code, done.err)
    assert [
        f"{files[0]}: 2 sessions as scripted",
        f"{files[1]}: 1 sessions as scripted",
        f"{files[2]}: 4 sessions as scripted",
    ] == done.out.splitlines()
    await log_of(stage, *names)
    assert [] == await stage.reserved()


async def test_the_first_difference_is_shown_where_it_stands_with_the_account_masked(
    stage: Stage, tmp_path: Path
) -> None:
    script = (FOLDER / "reason-no-route.agi").read_text()
    at = script.splitlines().index("AGI Tx >>") + 2
    (tmp_path / "wrong.agi").write_text(
        script.replace("AUTH_REASON=no_route", "AUTH_REASON=no_rate")
    )
    account = stage.defines["prepaid"]
    done = await run(
        "replay", "wrong.agi", "--to", stage.address, *defining(prepaid=account), folder=tmp_path
    )
    assert 1 == done.exit_code
    mset = script.splitlines()[at - 1]
    assert [
        "--- wrong.agi",
        f"+++ {stage.address}",
        f"@@ line {at} @@",
        " AGI Tx >> agi_extension: 74951234567",
        " AGI Tx >> agi_accountcode: {{prepaid}}",
        " AGI Tx >> ",
        "-" + mset.replace("no_route", "no_rate"),
        "+" + mset,
        " AGI Tx >> 200 result=0",
    ] == done.out.splitlines()
    assert account not in done.out + done.err
    await log_of(stage, "reason-no-route")


async def test_a_name_that_is_not_defined_is_told_before_anything_is_sent(
    stage: Stage, tmp_path: Path
) -> None:
    done = await run("replay", FOLDER / "call-busy.agi", "--to", stage.address, folder=tmp_path)
    assert (1, "") == (done.exit_code, done.out)
    assert "{{prepaid}} is not defined: --define prepaid=" in done.err
    await log_of(stage, "ping")


async def test_recorded_sessions_hold_no_secret_and_replay(stage: Stage, tmp_path: Path) -> None:
    """Account numbers by accountcode, in the URL and typed; a call id; bytes that are not UTF-8."""
    names = (
        "authorize-as-the-console-prints-it",
        "identify-by-account-parameter",
        "call-pin",
        "hostile-names",
        "hostile-half-a-line-then-close",
        "ping",
    )
    calls: list[str] = []
    files: list[Path] = []
    async with recorder(stage, tmp_path) as (port, told):
        for name in names:
            script = load_script(FOLDER / f"{name}.agi")
            result = await play(script, "127.0.0.1", port, defines=stage.defines)
            assert result.difference is None, result.difference.text
            calls += result.captures.values()
            for _ in range(result.sessions):
                path, _, _ = (await told.readline()).decode().partition(": ")
                files.append(Path(path))
    await log_of(stage, *names)
    recorded = b"".join(file.read_bytes() for file in files)
    for secret in (*calls, *(stage.defines[name] for name in stage.names.values())):
        assert secret.encode() not in recorded
    assert {0o600} == {stat.S_IMODE(file.stat().st_mode) for file in files}
    assert b"Jos\xe9" in recorded

    accounts = {"account_1": "prepaid", "account_2": "other", "account_3": "spoken"}
    options = defining(**{name: stage.defines[account] for name, account in accounts.items()})
    done = await run("replay", *files, "--to", stage.address, *options, folder=tmp_path)
    assert (0, "") == (done.exit_code, done.err), done.out
    await log_of(stage, *names)
    assert [] == await stage.reserved()
    assert [] == await stage.business.mismatches()


async def test_a_recording_that_is_stopped_in_a_session_keeps_what_was_said(
    stage: Stage, tmp_path: Path
) -> None:
    async with recorder(stage, tmp_path) as (port, _):
        reader, asterisk = await asyncio.open_connection("127.0.0.1", port)
        asterisk.write(b"agi_network: yes\nagi_network_script: ping\n\n")
        assert b"SET VARIABLE AUTH_PING ok\n" == await reader.readline()
    asterisk.close()
    assert (tmp_path / "0001-ping.agi").read_text().splitlines()[1:] == [
        "AGI Tx >> agi_network: yes",
        "AGI Tx >> agi_network_script: ping",
        "AGI Tx >> ",
        "AGI Rx << SET VARIABLE AUTH_PING ok",
    ]
