"""Packages as an operator gives, sees and corrects them."""

import asyncio
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

from command_line import Finished

from agi_server.calls.rerate import correct, correct_all
from agi_server.calls.rerate import rerate as rerate_calls
from support.business import Business, until_waiting_for_a_lock
from support.channel import Channel
from support.clock import Clock
from support.fixtures import StartDaemon

Command = Callable[..., Finished]


def test_a_package_is_created_changed_listed_and_shown(shop: Command) -> None:
    created = shop("package", "create", "bundle", "--minutes", "300", "--prefix", "44")
    assert (0, "package bundle created\n") == (created.exit_code, created.out)
    hello = ("--calls", "2", "--period", "week", "--first-day", "7", "--json")
    assert {
        "name": "hello",
        "unit": "calls",
        "amount": 2,
        "period": "week",
        "first_day": 7,
        "prefixes": [],
        "plans": [],
    } == shop("package", "create", "hello", *hello).json
    assert (
        0
        == shop("plan", "update", "standard", "--package", "hello", "--package", "bundle").exit_code
    )
    (plan,) = shop("plan", "list", "--json").json
    assert ["hello", "bundle"] == plan["packages"]
    changed = shop(
        "package", "update", "bundle", "--seconds", "90", "--all-prefixes", "--json"
    ).json
    assert (90, [], ["standard"]) == (changed["amount"], changed["prefixes"], changed["plans"])
    assert changed == shop("package", "show", "bundle", "--json").json
    assert ["bundle", "hello"] == [each["name"] for each in shop("package", "list", "--json").json]
    assert "hello" in shop("package", "list").out
    assert ["hello: 2 calls left of 2 calls", "bundle: 1:30 min left of 1:30 min"] == [
        each.rpartition(" until ")[0]
        for each in shop("customer", "show", "1000000001").out.split("packages")[1].split(", ")
        for each in [each.strip()]
    ]
    assert 0 == shop("plan", "update", "standard", "--no-packages").exit_code
    assert [] == shop("customer", "show", "1000000001", "--json").json["packages"]


BAD = (
    ("package create bundle", 2, "say how much it gives: --minutes, --seconds or --calls"),
    ("package create bundle --calls 1 --minutes 1", 2, "exclude each other"),
    ("package create bundle --calls -1", 2, "--calls"),
    ("package create bundle --minutes 99999999", 2, "amount: "),
    ("package create bundle --calls 1 --period week --first-day 8", 2, "first_day: 8"),
    ("package create bundle --calls 1 --first-day 29", 2, "--first-day"),
    ("package create bundle --calls 1 --prefix 44x", 2, "prefix: '44x' is not 1 to 15 digits"),
    ("package create b! --calls 1", 2, "name: "),
    ("package create there --calls 1", 1, "a package there exists already"),
    ("package update none --calls 1", 1, "there is no package none"),
    ("package update there --minutes 1", 2, "package there counts calls"),
    ("package show none", 1, "there is no package none"),
    ("plan update standard --package none", 1, "there is no package none"),
    ("plan update standard --package there --package there", 2, "names a package twice"),
    ("plan update standard --package there --no-packages", 2, "exclude each other"),
    ("plan create other --card retail --package none", 1, "there is no package none"),
)


def test_what_cannot_be_is_told_and_changes_nothing(shop: Command) -> None:
    assert 0 == shop("package", "create", "there", "--calls", "1").exit_code
    assert 0 == shop("plan", "update", "standard", "--package", "there").exit_code
    for words, exit_code, told in BAD:
        done = shop(*words.split())
        assert (exit_code, "") == (done.exit_code, done.out), words
        assert told in done.err, words
    (plan,) = shop("plan", "list", "--json").json
    assert ["there"] == plan["packages"]
    assert [1] == [each["amount"] for each in shop("package", "list", "--json").json]


async def test_what_is_left_is_quoted_and_what_a_call_took_is_shown_and_rerated(
    agi_server: Command, business: Business, tmp_path: Path, start_daemon: StartDaemon, clock: Clock
) -> None:
    sheet = "prefix,price_per_minute,initial,increment\n44,0.06,60,60\n"
    (tmp_path / "minutes.csv").write_text(sheet)
    (tmp_path / "seconds.csv").write_text(sheet.replace("60,60", "1,1"))
    for words in (
        "rates import minutes.csv --card sold --trunk gw --activate --at 2026-01-01T00:00:00Z",
        "package create bundle --seconds 100",
        "plan create sold --card sold --package bundle",
        "customer create --account-number 1234567890 --plan sold --refill 10",
    ):
        done = agi_server(*words.split())
        assert 0 == done.exit_code, done.err
    quote = ("rates", "quote", "442079460000", "--customer", "1234567890", "--seconds", "61")
    quoted = agi_server(*quote, "--credit", "0.02", "--json").json
    assert ("bundle", "0.02", 120) == tuple(
        quoted[name] for name in ("package", "cost", "limit_seconds")
    )
    assert ["talk", "package"] == [line["line"] for line in quoted["lines"]]
    (step,) = [step for step in quoted["steps"] if step.startswith("package ")]
    assert step.startswith("package bundle pays first: it has 1:40 min left until 2")

    daemon = await start_daemon()
    caller = Channel(daemon.port, clock, accountcode="1234567890")
    answer = await caller.authorize()
    (live,) = agi_server("calls", "live", "--json").json
    assert (100, None) == (live["package_held"], live["package_used"])
    clock.advance(60)
    await caller.settle(10_000)
    shown = agi_server("calls", "show", answer.call, "--json").json
    assert ("bundle", "seconds", 100, 60, "0.00") == tuple(
        shown[name] for name in ("package", "package_unit", "package_held", "package_used", "cost")
    )
    assert "package used" in (text := agi_server("calls", "show", answer.call).out)
    assert "1:00 min" in text
    assert 40 == agi_server("customer", "show", "1234567890", "--json").json["packages"][0]["left"]
    later = agi_server(*quote, "--json").json
    assert ("bundle", "0.08") == (later["package"], later["cost"])

    again = ("rates", "import", "seconds.csv", "--card", "sold", "--activate")
    assert 0 == agi_server(*again, "--at", "2026-01-02T00:00:00Z").exit_code
    rerate = ("calls", "rerate", "--from", "2026-01-01", "--to", "2999-01-01", "--in-force")
    backwards = agi_server("calls", "rerate", "--from", "2026-02-01", "--to", "2026-01-01")
    assert (2, True) == (backwards.exit_code, "--from must be before --to" in backwards.err)
    told = agi_server(*rerate, "--json")
    assert "1 calls differ; nothing changed" in told.err
    (differs,) = told.json
    assert ("0.00", "0.00", 60, 10, False) == tuple(
        differs[name]
        for name in ("cost", "rerated", "package_used", "package_rerated", "corrected")
    )
    assert 40 == agi_server("customer", "show", "1234567890", "--json").json["packages"][0]["left"]
    (corrected,) = agi_server(*rerate, "--apply", "--reason", "by the second", "--json").json
    assert corrected["corrected"]
    assert 90 == agi_server("customer", "show", "1234567890", "--json").json["packages"][0]["left"]
    assert [] == agi_server(*rerate, "--json").json
    # Back to minutes, by two operators at once: the second finds nothing left to do.
    again = ("rates", "import", "minutes.csv", "--card", "sold", "--activate")
    assert 0 == agi_server(*again, "--at", "2026-01-02T12:00:00Z").exit_code
    apply = (*rerate, "--apply", "--reason", "by the minute", "--json")
    async with business.pool.acquire() as first, first.transaction():
        year = (clock() - timedelta(days=365), clock() + timedelta(days=365))
        (call,) = [each async for each in rerate_calls(first, *year, in_force=True)]
        await correct(first, call, created_by="test", reason="by the minute", at=clock())
        second = asyncio.create_task(asyncio.to_thread(agi_server, *apply))
        await until_waiting_for_a_lock(business.pool, second)
    done = await second
    assert [True] == [each["corrected"] for each in done.json]
    assert "1 of them were corrected so by somebody else meanwhile" in done.err
    assert 40 == agi_server("customer", "show", "1234567890", "--json").json["packages"][0]["left"]
    (tmp_path / "none.csv").write_text(sheet.replace("44,", "33,"))
    again = ("rates", "import", "none.csv", "--card", "sold", "--activate")
    assert 0 == agi_server(*again, "--at", "2026-01-03T00:00:00Z").exit_code
    assert "of which 1 have no rate in force; nothing" in agi_server(*rerate).err
    left = agi_server(*rerate, "--apply", "--reason", "none")
    assert (1, True) == (left.exit_code, "not all calls were corrected: 1 have no rate" in left.err)
    assert 0 == agi_server("ledger", "verify").exit_code


async def test_one_run_gives_what_a_correction_frees_of_a_package_to_the_calls_that_need_more(
    agi_server: Command, business: Business, tmp_path: Path, start_daemon: StartDaemon, clock: Clock
) -> None:
    sheet = "prefix,price_per_minute,initial,increment\n441,0.60,{}\n442,0.60,{}\n"
    (tmp_path / "wrong.csv").write_text(sheet.format("1,1", "60,60"))
    (tmp_path / "right.csv").write_text(sheet.format("60,60", "1,1"))
    for words in (
        "rates import wrong.csv --card sold --trunk gw --activate --at 2026-01-01T00:00:00Z",
        "package create bundle --seconds 100",
        "plan create sold --card sold --package bundle",
        "customer create --account-number 1234567890 --plan sold --refill 10",
    ):
        assert 0 == agi_server(*words.split()).exit_code
    daemon = await start_daemon()

    async def begin(number: str) -> Channel:
        phone = Channel(daemon.port, clock, accountcode="1234567890", extension=number)
        assert (await phone.authorize()).allowed
        clock.advance(40)
        return phone

    def costs(*about: str) -> list[tuple[str, str, int, int]]:
        """What comes out differently: before and after, and of the package."""
        told = agi_server(*rerate, *about, "--json")
        assert 0 == told.exit_code, told.err
        return [
            (each["cost"], each["rerated"], each["package_used"], each["package_rerated"])
            for each in told.json
        ]

    await (await begin("441234567890")).settle(6_500)
    await (await begin("442234567890")).settle(29_500)
    live = await begin("442234567890")  # it holds the 33 seconds that 7 and 60 have left
    again = ("rates", "import", "right.csv", "--card", "sold", "--activate")
    assert 0 == agi_server(*again, "--at", "2026-01-02T00:00:00Z").exit_code
    rerate = ("calls", "rerate", "--from", "2026-01-01", "--to", "2999-01-01")
    apply = ("--in-force", "--apply", "--reason", "increments were swapped")
    # The first call is of 60 s by now: it gets the 30 that the second one frees, and pays for 23.
    assert [("0.00", "0.23", 7, 37), ("0.00", "0.00", 60, 30)] == costs(*apply)
    booked = "SELECT count(DISTINCT movement_id) FROM ledger_entry WHERE kind = 'correction'"
    assert 1 == await business.pool.fetchval(booked)  # not more at first, and some of it back
    assert 0 == agi_server("customer", "show", "1234567890", "--json").json["packages"][0]["left"]
    assert [] == costs()
    assert [] == costs(*apply)
    await live.settle(None)
    # What it held is free: a call that was corrected has got its part, and more only by a new run.
    assert [] == costs()
    year = (clock() - timedelta(days=365), clock() + timedelta(days=365))
    by: dict[str, Any] = {"created_by": "test", "reason": "more is free", "at": clock()}
    ended_early = await correct_all(business.pool, *year, in_force=True, **by, most_passes=2)
    assert (1, False) == (len(ended_early.calls), ended_early.settled)
    assert [] == costs(*apply)
    customer = agi_server("customer", "show", "1234567890", "--json").json
    assert ("10.00", 10) == (customer["balance"], customer["packages"][0]["left"])
    assert 0 == agi_server("ledger", "verify").exit_code
