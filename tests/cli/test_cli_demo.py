"""The demo as a newcomer runs it: all as expected, nothing left behind, and it would tell."""

import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from command_line import PROGRAM, Finished, Runner, processes_naming, run_program

from agi_server.demo.stage import perform
from agi_server.demo.story import SCENES, Scene


@contextmanager
def running_demo(
    env: dict[str, str], folder: Path, *arguments: str
) -> Iterator[subprocess.Popen[str]]:
    """A demo under way; it is ended by Ctrl-C if the test has not done so."""
    process = subprocess.Popen(
        [*PROGRAM, "demo", *arguments],
        env=env,
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        yield process
    finally:
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=60)


def changed(scene: Scene, **outcome: object) -> Scene:
    """The scene with another expectation of its first call."""
    first, *others = scene.calls
    altered = replace(first, outcome=replace(first.outcome, **outcome))  # type: ignore[arg-type]
    return replace(scene, calls=(altered, *others))


def test_a_newcomer_sees_every_kind_of_call_and_books_that_balance(
    plain_env: dict[str, str], tmp_path: Path
) -> None:
    # An operator's settings do not concern the demo.
    (tmp_path / "agi-server.toml").write_text("[calls]\nring_timeout_s = 1\nnonsense = 1\n")
    (tmp_path / "tmp").mkdir()
    env = plain_env | {"TMPDIR": str(tmp_path / "tmp"), "AGI_SERVER_EMBEDDED": "elsewhere"}
    demo = run_program("demo", "--json", env=env, folder=tmp_path).json
    assert (True, []) == (demo["as_expected"], demo["problems"])
    calls = demo["calls"]
    assert len(calls) >= 12
    allowed = [call for call in calls if call["decision"] == "allow"]
    assert {"accountcode", "callerid", "account", "pin", "did"} <= {
        c["identified_by"] for c in allowed
    }
    assert {
        *("account_not_found", "account_suspended", "account_expired", "account_locked"),
        *("number_invalid", "number_restricted", "no_rate", "no_credit", "too_many_calls"),
        "too_many_attempts",
        "did_not_found",
    } <= {call["reason"] for call in calls}
    assert {"BUSY", "CANCEL", "ANSWER"} <= {call["dialstatus"] for call in calls}
    assert "carrier-b" in {call["trunk"] for call in calls}
    balances = {each["customer"]: each["balance"] for each in demo["customers"]}
    assert ("9.575", "0.00", "9.939") == (balances["Alice"], balances["Dan"], balances["Judy"])
    assert {"refill", "call"} == {entry["kind"] for entry in demo["ledger"]}
    assert [] == list((tmp_path / "tmp").iterdir())
    assert not (tmp_path / "elsewhere").exists()


def test_piped_output_is_plain_and_has_a_line_for_each_call(
    runner: Runner, plain_env: dict[str, str], tmp_path: Path
) -> None:
    done = runner.run("demo", env=plain_env, folder=tmp_path)
    assert (0, "") == (done.exit_code, done.err)
    assert "\x1b" not in done.out
    for scene in SCENES:
        for call in scene.calls:
            (line,) = (line for line in done.out.splitlines() if call.title in line)
            assert f"refused: {call.outcome.reason}" in line or "allowed, at most" in line
    assert "The books balance" in done.out
    assert re.search(r"23 calls, all as expected, in [0-9.]+ s\.$", done.out.strip())


async def test_what_differs_is_told_call_by_call(postgres_dsn: str, redis_url: str) -> None:
    dearer = changed(SCENES[0], cost_micros=1)
    mistaken = replace(SCENES[-2], defines={**SCENES[-2].defines, "reason": "no_route"})
    scenes = (dearer, *SCENES[1:-2], mistaken, SCENES[-1])
    performance = await perform(postgres_dsn, redis_url, ends_at=datetime.now(UTC), scenes=scenes)
    title, dialled = dearer.calls[0].title, mistaken.calls[0].title
    first, second, third = performance.problems
    assert f"{title}: cost_micros is 95000, expected 1" == first
    assert second.startswith(f"{dialled}: the daemon said something else\n--- refused.agi")
    assert "AUTH_REASON=number_invalid" in second
    assert "Alice: the balance is 9.575, expected 9.669999" == third


def test_exit_code_tells_that_not_all_went_as_expected(
    plain_env: dict[str, str], tmp_path: Path
) -> None:
    break_it = """
from dataclasses import replace
from agi_server.demo import business
business.CUSTOMERS = business.CUSTOMERS[1:]
from agi_server.demo import story
story.SCENES = story.SCENES[1:2]
call = story.SCENES[0].calls[0]
call = replace(call, outcome=replace(call.outcome, billed_seconds=95))
story.SCENES = (replace(story.SCENES[0], calls=(call,)),)
from agi_server.__main__ import main
main()
"""
    done = subprocess.run(
        [sys.executable, "-c", break_it, "demo"],
        env=plain_env,
        cwd=tmp_path,
        capture_output=True,
        text=True,
    )
    assert (1, "") == (done.returncode, done.stderr)
    assert "NOT AS EXPECTED  Bob (CallerID) calls Germany: billed_seconds is 96, expected 95" in (
        done.stdout
    )
    assert "all as expected" not in done.stdout


def test_ctrl_c_in_the_middle_leaves_nothing(plain_env: dict[str, str], tmp_path: Path) -> None:
    env = plain_env | {"TMPDIR": str(tmp_path)}
    with running_demo(env, tmp_path) as process:
        while not list(tmp_path.glob("*/postgres.lock")):
            assert process.poll() is None
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=60)
    assert (1, "", "agi-server: stopped") == (process.returncode, out, err.strip())
    assert [] == list(tmp_path.iterdir())
    assert [] == processes_naming(tmp_path)


@pytest.mark.parametrize("how", [signal.SIGHUP, signal.SIGTERM])
def test_a_closed_terminal_and_a_polite_kill_end_it_in_the_background_too(
    plain_env: dict[str, str], tmp_path: Path, how: signal.Signals
) -> None:
    env = plain_env | {"TMPDIR": str(tmp_path)}
    # A shell has its background jobs ignore Ctrl-C.
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        with running_demo(env, tmp_path, "--keep") as process:
            signal.signal(signal.SIGINT, before)
            _first_line_with(process, "stays up")
            process.send_signal(how)
            process.communicate(timeout=60)
    finally:
        signal.signal(signal.SIGINT, before)
    assert 0 == process.returncode
    assert [] == list(tmp_path.iterdir())


def test_kept_demo_answers_asterisk_and_other_commands_until_ctrl_c(
    runner: Runner, plain_env: dict[str, str], tmp_path: Path
) -> None:
    def agi_server(*arguments: str) -> Finished:
        return runner.run(*arguments, "--embedded=./kept", env=plain_env, folder=tmp_path)

    with running_demo(plain_env, tmp_path, "--keep", "kept") as process:
        port = int(re.findall(r"127\.0\.0\.1:(\d+)", _first_line_with(process, "stays up"))[0])
        while not _answers_ok(port):  # a busy machine may take longer than Redis is given
            pass
        for command in _suggested(process):
            done = agi_server(*command)
            assert 0 == done.exit_code, (command, done.err)
        assert 23 == len(agi_server("calls", "list", "--json").json)
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=60)
        assert 0 == process.returncode
    assert [] == processes_naming(tmp_path)

    assert 0 == agi_server("ledger", "verify").exit_code
    again = runner.run("demo", "--keep", "kept", env=plain_env, folder=tmp_path)
    assert (1, "") == (again.exit_code, again.out)
    assert f"serve --embedded {tmp_path}/kept" in again.err


def _answers_ok(port: int) -> bool:
    with socket.create_connection(("127.0.0.1", port), timeout=10) as asterisk:
        asterisk.sendall(b"agi_network: yes\nagi_network_script: ping\n\n")
        answer = asterisk.recv(1000)
        asterisk.sendall(b"200 result=1\n")
    assert answer.startswith(b"SET VARIABLE AUTH_PING")
    return b"ok" in answer


def _first_line_with(process: subprocess.Popen[str], text: str) -> str:
    assert process.stdout is not None
    for line in process.stdout:
        if text in line:
            return line
    raise AssertionError(f"it ended without a line with {text!r}")


def _suggested(process: subprocess.Popen[str]) -> list[list[str]]:
    """The commands that the demo tells to look around with, up to the last one."""
    commands = []
    while not commands or commands[-1] != ["ledger", "verify"]:
        program, *words = _first_line_with(process, "agi-server ").split()
        if os.path.basename(program) == "agi-server":
            commands.append(words)
    return commands
