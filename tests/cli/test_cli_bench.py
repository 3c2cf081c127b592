"""`agi-server bench`: every call is one that the daemon granted and settled, or an error with a
name. (That nothing here is fast is no matter: figures are for docs/benchmarks.md.)"""

import json
import socket
import subprocess
from collections.abc import Callable
from pathlib import Path

from command_line import PROGRAM, Finished, daemon, processes_naming, run_program

Shop = Callable[..., Finished]
CALLER = ("--account", "1000000001")
PATIENCE = ("--patience", "60")


def test_calls_are_granted_and_settled_by_a_running_daemon(
    shop: Shop, env: dict[str, str], tmp_path: Path
) -> None:
    dialled = ("--destination", "442071234567")
    with daemon(env, tmp_path) as port:
        done = shop(
            "bench", "--to", f"127.0.0.1:{port}", *CALLER, *dialled, *PATIENCE,
            "--calls", "6", "--parallel", "1", "--parallel", "1", "--json",
        )  # fmt: skip
    loads = done.json["loads"]
    assert [(6, 1, {})] * 2 == [(each["calls"], each["parallel"], each["errors"]) for each in loads]
    for load in loads:
        assert 0 < load["calls_per_s"]
        assert 0 < load["decision_p50_ms"] <= load["decision_p99_ms"] <= load["decision_max_ms"]
        assert 0 < load["settle_p50_ms"] <= load["settle_max_ms"]
    calls = shop("calls", "list", "--json").json
    assert [("settled", "442071234567", 1)] * 12 == [
        (call["state"], call["destination"], call["billed_seconds"]) for call in calls
    ]
    customer = shop("customer", "show", "1000000001", "--json").json
    assert ("9.988", "0.00", 0) == (customer["balance"], customer["held"], customer["in_use"])


def test_a_denied_call_is_an_error_with_its_reason(
    shop: Shop, env: dict[str, str], tmp_path: Path
) -> None:
    with daemon(env, tmp_path) as port:
        done = shop(
            "bench", "--to", f"127.0.0.1:{port}", *CALLER, "--destination", "15551234567",
            *PATIENCE, "--calls", "3", "--parallel", "2",
        )  # fmt: skip
    assert (1, True) == (done.exit_code, "3 of 3 calls, 2 at a time: denied: no_rate" in done.out)


def test_where_nobody_listens_every_call_is_an_error(shop: Shop) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # taken, so nobody else listens there
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        done = shop("bench", "--to", address, *CALLER, "--calls", "2", "--parallel", "1", "--json")
    assert 1 == done.exit_code
    [load] = json.loads(done.out)["loads"]
    assert {"authorize: Connection refused": 2} == load["errors"]
    assert 0 == load["calls_per_s"]


def test_somebody_must_make_the_calls(shop: Shop) -> None:
    done = shop("bench", "--calls", "2")
    assert (2, True) == (done.exit_code, "--account NUMBER" in done.err)


def test_a_business_of_its_own_is_gone_afterwards(
    plain_env: dict[str, str], tmp_path: Path
) -> None:
    done = run_program(
        "bench", "--embedded", str(tmp_path / "here"), "--customers", "2", *PATIENCE,
        "--calls", "4", "--parallel", "2", "--json",
        env=plain_env, folder=tmp_path,
    )  # fmt: skip
    [load] = done.json["loads"]
    assert (4, {}, True) == (load["calls"], load["errors"], load["daemon_cpu_us"] >= 0)
    assert [] == done.json["problems"]
    assert [] == list((tmp_path / "here").iterdir())


def test_a_polite_kill_leaves_nothing(plain_env: dict[str, str], tmp_path: Path) -> None:
    here = tmp_path / "here"
    load = ("--calls", "1000000", "--parallel", "1", "--customers", "1")
    process = subprocess.Popen(
        [*PROGRAM, "bench", "--embedded", str(here), *load],
        env=plain_env,
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        while not any("call.settled" in log.read_text() for log in here.glob("*/*.log")):
            assert process.poll() is None
        process.terminate()
        out, err = process.communicate(timeout=60)
    finally:
        process.kill()
    assert (1, "", "agi-server: stopped") == (process.returncode, out, err.strip())
    assert [] == list(here.iterdir())
    assert [] == processes_naming(here)
