import time
from collections.abc import Callable
from pathlib import Path

import psycopg
from command_line import Finished, daemon

Command = Callable[..., Finished]


def test_calls_are_seen_live_listed_and_shown(
    shop: Command, env: dict[str, str], scripts: Path
) -> None:
    with daemon(env, scripts) as port:
        to = ("--to", f"127.0.0.1:{port}")
        played = shop("replay", "denied.agi", "authorize.agi", *to)
        assert 0 == played.exit_code, played.out + played.err
        (live,) = shop("calls", "live", "--json").json
        assert {
            "uniqueid": "cli-1.1",
            "destination": "442071234567",
            "decision": "allow",
            "state": "open",
            "identified_by": "callerid",
            "trunk": "gw",
            "limit_ms": 3_600_000,
            "held": "3.60",
            "cost": None,
        }.items() <= live.items()
        account = shop("customer", "show", "1000000001", "--json").json
        assert (1, "3.60", "6.40") == (account["in_use"], account["held"], account["available"])
        assert live["call_id"] in shop("calls", "live").out

        settled = shop("replay", "settle.agi", *to, "--define", f"call_1={live['call_id']}")
        assert 0 == settled.exit_code, settled.out + settled.err
    assert [] == shop("calls", "live", "--json").json
    call = shop("calls", "show", live["call_id"], "--json").json
    assert {
        "state": "settled",
        "dialstatus": "CANCEL",
        "billed_seconds": 0,
        "cost": "0.00",
        "witness": "handler",
        "account_id": account["id"],
    }.items() <= call.items()
    assert live["call_id"] in shop("calls", "show", live["call_id"]).out
    ended, refused = shop("calls", "list").out.splitlines()[1:]
    assert ["442071234567", "CANCEL", "0:00", "0.00", "USD", live["call_id"]] == ended.split()[-6:]
    assert ["15551234567", "no_rate"] == refused.split()[-3:-1]

    listed = shop("calls", "list", "--json").json
    assert [("allow", None), ("deny", "no_rate")] == [
        (each["decision"], each["reason"]) for each in listed
    ]
    for filters, count in (
        (("--state", "denied"), 1),
        (("--reason", "no_rate"), 1),
        (("--reason", "no_credit"), 0),
        (("--customer", "1000000001"), 2),
        (("--since", "2999-01-01"), 0),
        (("--limit", "1"), 1),
    ):
        assert count == len(shop("calls", "list", "--json", *filters).json), filters
    missing = shop("calls", "show", "1-none")
    assert (1, "agi-server: there is no call 1-none\n") == (missing.exit_code, missing.err)


def test_a_price_is_shown_line_by_line(shop: Command, env: dict[str, str], scripts: Path) -> None:
    with daemon(env, scripts) as port:
        to = ("--to", f"127.0.0.1:{port}")
        shop("replay", "authorize.agi", *to)
        answered_at = time.time()
        (live,) = shop("calls", "live", "--json").json
        times = f"{answered_at:.3f}", f"{time.time():.3f}"
        arguments = ("16", "1", *times)
        lines = [f"AGI Tx >> agi_arg_{n}: {text}" for n, text in enumerate(arguments, 4)]
        script = (scripts / "settle.agi").read_text().replace("CANCEL", "ANSWER")
        script = script.replace("AGI Tx >> agi_arg_4: 127", "\n".join(lines))
        (scripts / "answered.agi").write_text(script)
        played = shop("replay", "answered.agi", *to, "--define", f"call_1={live['call_id']}")
        assert 0 == played.exit_code, played.out + played.err
    call = shop("calls", "show", live["call_id"], "--json").json
    assert ("settled", "ANSWER", "0.001", 1) == (
        call["state"],
        call["dialstatus"],
        call["cost"],
        call["billed_seconds"],
    )
    assert [{"kind": "talk", "seconds": 1, "price_per_minute": "0.06", "amount": "0.001"}] == call[
        "price_lines"
    ]
    assert "talk" in shop("calls", "show", live["call_id"]).out
    entry = shop("ledger", "show", "1000000001", "--json").json[0]
    assert ("call", "0.001", "9.999") == (entry["kind"], entry["amount"], entry["balance"])


def test_replay_shows_the_first_difference_and_fails(
    shop: Command, env: dict[str, str], scripts: Path
) -> None:
    wrong = (scripts / "denied.agi").read_text().replace("AUTH_DECISION=deny", "AUTH_DECISION=no")
    (scripts / "wrong.agi").write_text(wrong)
    with daemon(env, scripts) as port:
        played = shop("replay", "wrong.agi", "--to", f"127.0.0.1:{port}")
        as_json = shop("replay", "wrong.agi", "--to", f"127.0.0.1:{port}", "--json")
    assert 1 == played.exit_code
    assert "--- wrong.agi" in played.out
    assert "AUTH_DECISION=deny" in played.out
    assert 1 == as_json.exit_code
    assert '"line": ' in as_json.out


def test_what_one_script_captures_the_next_may_use(
    shop: Command, env: dict[str, str], scripts: Path
) -> None:
    with daemon(env, scripts) as port:
        to = ("--to", f"127.0.0.1:{port}")
        played = shop("replay", "authorize.agi", "settle.agi", *to)
    assert 0 == played.exit_code, played.out + played.err
    assert ["settled"] == [call["state"] for call in shop("calls", "list", "--json").json]


def test_a_daemon_that_is_not_there_or_a_script_that_is_none_is_one_line(
    shop: Command, scripts: Path
) -> None:
    (scripts / "none.agi").write_text("hello\n")
    for arguments in (
        ("authorize.agi", "--to", "127.0.0.1:1"),
        ("none.agi", "--to", "127.0.0.1:1"),
        ("settle.agi", "--to", "127.0.0.1:1"),
        ("missing.agi",),
    ):
        done = shop("replay", *arguments)
        assert 1 == done.exit_code, arguments
        assert 1 == len(done.err.splitlines()), done.err


def test_a_broken_book_is_named(shop: Command, env: dict[str, str]) -> None:
    assert "the books balance\n" == shop("ledger", "verify").out
    with psycopg.connect(env["AGI_SERVER_POSTGRES__DSN"], autocommit=True) as connection:
        connection.execute("UPDATE account SET balance_micros = balance_micros + 1")
    broken = shop("ledger", "verify")
    assert 1 == broken.exit_code
    assert "balance" in broken.out
    assert "10.000001" in broken.out
    as_json = shop("ledger", "verify", "--json")
    assert 1 == as_json.exit_code
    assert '"recomputed": "10.00"' in as_json.out
