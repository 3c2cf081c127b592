"""Scripts whose price depends on the time, played while a clock stands where they say.

A script begins at its `clock`, and its waits move it. What the call costs stands in its comments,
down to the lines of the price in the CDR, the entries of the ledger and what was taken of packages:

    # clock: 2026-03-02T07:59:20Z
    # expect: log call.authorized call.settled
    # expect: call account=peak state=settled cost_micros=120000
    # expect: line talk 10 0.60 0.10       (kind, seconds, price per minute, amount)
    # expect: entry customer revenue 0.12  (from, to, amount)
    # expect: taken hundred 100            (package, seconds or calls; period by period)
"""

from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from sessions_effect import described

from agi_server.accounts.account import Account
from agi_server.calls.records import CallRecord, list_calls
from agi_server.replay import load_script, play
from agi_server.tariffs import packages, plans
from agi_server.tariffs.exchange_rates import set_exchange_rate
from rating.money import format_money
from rating.package import PackageUnit
from rating.rate import Rate, RateWindow, Stage
from rating.rate_card import PricingRules
from support.business import Business, nothing_reserved
from support.clock import Clock
from support.event_log import EventLog
from support.fixtures import StartDaemon

SCRIPTS = sorted((Path(__file__).parent / "by_clock").glob("*.agi"))
PARIS = PricingRules(zone=ZoneInfo("Europe/Paris"))
MONDAY, SUNDAY = 0, 6 * 1440
CHEAP, DEAR = 60_000, 600_000


def two_prices(start: int, end: int, **terms: Any) -> Rate:
    """Dear in these minutes of the week, else cheap."""
    dear = Rate(prefix="44", price_micros_per_minute=DEAR, **terms)
    window = RateWindow(start_minute=start, end_minute=end, rate=dear)
    return Rate(prefix="44", price_micros_per_minute=CHEAP, windows=(window,), **terms)


CARDS: dict[str, tuple[Rate, PricingRules]] = {
    "plain": (Rate(prefix="44", price_micros_per_minute=CHEAP), PARIS),
    "peak": (two_prices(MONDAY, 540), PARIS),
    "by_20_seconds": (two_prices(MONDAY, 540, initial_s=20, increment_s=20), PARIS),
    "by_start": (
        two_prices(MONDAY, 540),
        PricingRules(zone=ZoneInfo("Europe/Paris"), price_by_start=True),
    ),
    "summer": (two_prices(SUNDAY + 150, SUNDAY + 240), PARIS),
    "winter": (two_prices(SUNDAY + 150, SUNDAY + 180), PARIS),
    "stages": (
        Rate(
            prefix="44",
            price_micros_per_minute=CHEAP,
            stages=(
                Stage(length_s=30, price_micros_per_minute=0),
                Stage(
                    length_s=60,
                    price_micros_per_minute=DEAR,
                    increment_s=60,
                    entry_fee_micros=20_000,
                ),
            ),
        ),
        PARIS,
    ),
    "in_euros": (
        Rate(prefix="44", price_micros_per_minute=CHEAP, connection_fee_micros=20_000),
        PARIS,
    ),
}
# What pays before money, and the accounts: each of the plan of its name, else as said here.
PACKAGES = {"hundred": (PackageUnit.SECONDS, 100), "hello": (PackageUnit.CALLS, 1)}
ACCOUNTS: dict[str, dict[str, Any]] = {
    "bundle": {"card": "plain", "package": "hundred", "refill_micros": 50_000},
    "penniless": {
        "card": "plain",
        "package": "hundred",
        "refill_micros": 0,
        "timezone": "Europe/Paris",
    },
    "hello": {"card": "plain", "package": "hello", "refill_micros": 50_000},
    "everything": {"card": "in_euros", "package": "hundred", "discount_basis_points": 1_000},
}


async def customer(business: Business, name: str) -> Account:
    """The account that a script calls from, and what it is sold."""
    fields = dict(ACCOUNTS.get(name, {}))
    card, package = fields.pop("card", name), fields.pop("package", None)
    rate, rules = CARDS[card]
    if card == "in_euros":
        await set_exchange_rate(business.pool, "USD", "EUR", "0.8", business.now())
    currency = "EUR" if card == "in_euros" else "USD"
    await business.card(card, [rate], ("gw",), rules=rules, currency=currency)
    if package is not None:
        await packages.create_package(business.pool, package, *PACKAGES[package])
    given = [] if package is None else [package]
    await plans.create_plan(business.pool, name, [card], packages=given)
    return await business.customer(plan=name, **fields)


def said(path: Path, mark: str) -> list[str]:
    """What the comments of a script say after a mark."""
    mark = f"# {mark}: "
    lines = path.read_text().splitlines()
    return [line.removeprefix(mark) for line in lines if line.startswith(mark)]


async def effect(business: Business, events: EventLog, wanted: list[str]) -> list[str]:
    """What has happened, in the words of the comments; of calls the fields that are wanted."""
    calls = [event["event"] for event in events.events if event["event"].startswith("call.")]
    told = [" ".join(["log", *calls])]
    records = (await list_calls(business.pool))[::-1]
    fields = [
        dict(pair.split("=") for pair in line.split()[1:])
        for line in wanted
        if line.startswith("call ")
    ]
    names = {record.account_id: fields[0]["account"] for record in records}
    for record, call in zip(records, described(records, tuple(fields), names), strict=True):
        told.append(" ".join(["call", *(f"{key}={value}" for key, value in call.items())]))
        told += price_lines(record)
    for debit, credit, amount in await business.pool.fetch(
        "SELECT debit, credit, amount_micros FROM ledger_entry WHERE kind = 'call'"
        " ORDER BY created_at, movement_id, part"
    ):
        told.append(f"entry {debit} {credit} {format_money(amount)}")
    for name, taken in await business.pool.fetch(
        "SELECT name, taken FROM package_use JOIN package ON id = package_id ORDER BY begins_on"
    ):
        told.append(f"taken {name} {taken}")
    return told


def price_lines(record: CallRecord) -> list[str]:
    """They add up to the cost, which the hold covers."""
    lines = record.price_lines or []
    assert (record.cost_micros or 0) == sum(line["amount_micros"] for line in lines)
    assert (record.cost_micros or 0) <= record.held_micros
    return [
        f"line {line['kind']} {line['seconds']} {format_money(line['price_micros_per_minute'])}"
        f" {format_money(line['amount_micros'])}"
        for line in lines
    ]


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: path.stem)
async def test_a_call_costs_what_its_time_says(
    path: Path, business: Business, start_daemon: StartDaemon, clock: Clock, events: EventLog
) -> None:
    (begin,) = said(path, "clock")
    wanted = said(path, "expect")
    began = clock.freeze(datetime.fromisoformat(begin))
    name = wanted[1].split()[1].removeprefix("account=")
    account = await customer(business, name)
    daemon = await start_daemon()

    async def let_pass(seconds: float) -> None:
        clock.advance(seconds)

    result = await play(
        load_script(path), "127.0.0.1", daemon.port,
        defines={name: account.account_number}, sleep=let_pass, now_s=began.timestamp,
    )  # fmt: skip
    assert result.difference is None, result.difference.text
    await daemon.stop()  # it keeps the records of refused calls after its answers
    assert wanted == await effect(business, events, wanted)
    assert await nothing_reserved(business, account)
