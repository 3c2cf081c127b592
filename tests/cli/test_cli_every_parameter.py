"""Each parameter of a price: given by a sheet or a command, used by a call, seen in the CDR."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from command_line import Finished

from support.business import Business, nothing_reserved
from support.channel import Channel
from support.clock import Clock
from support.fixtures import StartDaemon

Command = Callable[..., Finished]
Lines = list[tuple[str, int, int]]
NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
"""A Monday."""

# What is not said of a prefix: a second costs 1,000 micros, billed by the second.
ROWS: dict[str, list[dict[str, str]]] = {
    "increments": [{"initial": "30", "increment": "20"}],
    "connection fee": [{"connection_fee": "0.02"}],
    "disconnection fee": [{"disconnection_fee": "0.03", "disconnection_fee_after": "20"}],
    "minimum charge": [{"minimum_charge": "0.05"}],
    "stages": [{"stages": "60@0.60/30+0.05 30@0.30"}],
    "short call": [{"short_call_threshold": "5", "short_call_time": "60"}],
    "block surcharge": [{"block_surcharge": "0.01", "block": "30"}],
    "grace": [{"grace": "5"}],
    "buying": [
        {
            "buy_price_per_minute": "0.03",
            "buy_initial": "60",
            "buy_increment": "6",
            "buy_connection_fee": "0.01",
        }
    ],
    "hours": [{}, {"price_per_minute": "0.60", "hours": "Mon 00:00-12:00"}],
    "midnight": [{}, {"price_per_minute": "0.60", "hours": "Sun 22:00-06:00"}],
    "dates": [{}, {"price_per_minute": "0.12", "effective_from": "2026-03-02T12:00:00Z"}],
    "until": [{"price_per_minute": "0.12", "effective_until": "2026-03-02T12:00:00Z"}],
    "blocked": [{"action": "blocked"}],
}
PREFIX = {name: f"44{number}" for number, name in enumerate(ROWS, 10)}
DEFAULTS = {"price_per_minute": "0.06", "initial": "1", "increment": "1"}
# The same sheet, imported with other rules for the whole card.
RULES: dict[str, tuple[str, ...]] = {
    "own": (),
    "from-zero": ("--increments-from-zero",),
    "rounded": ("--rounding-decimals", "2", "--rounding-mode", "up"),
    "by-start": ("--price-by-start",),
    "of-Paris": ("--timezone", "Europe/Paris"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Talk:
    """A talk of so many seconds to a prefix, and the lines of its price; None: refused."""

    to: str
    seconds: int
    lines: Lines | None
    rules: str = "own"
    answered: datetime = NOON
    buy_cost_micros: int | None = None


def talk(seconds: int, price: int = 1_000) -> tuple[str, int, int]:
    return "talk", seconds, seconds * price


TALKS = [
    Talk(to="increments", seconds=31, lines=[talk(50)]),
    Talk(to="increments", seconds=31, rules="from-zero", lines=[talk(40)]),
    Talk(to="increments", seconds=1, lines=[talk(30)]),
    Talk(to="connection fee", seconds=10, lines=[("connection_fee", 0, 20_000), talk(10)]),
    Talk(to="disconnection fee", seconds=19, lines=[talk(19)]),
    Talk(to="disconnection fee", seconds=20, lines=[("disconnection_fee", 0, 30_000), talk(20)]),
    Talk(to="minimum charge", seconds=10, lines=[talk(10), ("minimum_charge", 0, 40_000)]),
    Talk(to="minimum charge", seconds=60, lines=[talk(60)]),
    Talk(
        to="stages",
        seconds=95,
        lines=[
            ("stage_entry_fee", 0, 50_000),
            ("stage", 60, 600_000),
            ("stage", 30, 150_000),
            talk(5),
        ],
    ),
    Talk(to="stages", seconds=31, lines=[("stage_entry_fee", 0, 50_000), ("stage", 60, 600_000)]),
    Talk(to="short call", seconds=5, lines=[talk(5)]),
    Talk(to="short call", seconds=6, lines=[talk(60)]),
    Talk(to="block surcharge", seconds=65, lines=[("block_surcharge", 0, 20_000), talk(65)]),
    Talk(to="grace", seconds=10, lines=[talk(15)]),
    Talk(to="buying", seconds=61, lines=[talk(61)], buy_cost_micros=10_000 + 66 * 500),
    Talk(
        to="hours",
        seconds=20,
        answered=NOON - timedelta(seconds=10),
        lines=[talk(10, 10_000), talk(10)],
    ),
    Talk(
        to="hours",
        seconds=20,
        rules="by-start",
        answered=NOON - timedelta(seconds=10),
        lines=[talk(20, 10_000)],
    ),
    Talk(to="hours", seconds=20, rules="of-Paris", answered=NOON, lines=[talk(20)]),
    Talk(
        to="hours",
        seconds=20,
        rules="of-Paris",
        answered=NOON - timedelta(hours=1, seconds=10),
        lines=[talk(10, 10_000), talk(10)],
    ),
    Talk(  # Sunday 22:00 to Monday 06:00: over midnight and the end of the week
        to="midnight",
        seconds=20,
        answered=NOON.replace(hour=5, minute=59, second=50),
        lines=[talk(10, 10_000), talk(10)],
    ),
    Talk(
        to="midnight",
        seconds=20,
        answered=NOON.replace(hour=0) - timedelta(seconds=10),
        lines=[talk(20, 10_000)],
    ),
    Talk(to="dates", seconds=10, answered=NOON - timedelta(seconds=1), lines=[talk(10)]),
    Talk(to="dates", seconds=10, lines=[talk(10, 2_000)]),
    Talk(to="until", seconds=10, answered=NOON - timedelta(seconds=1), lines=[talk(10, 2_000)]),
    Talk(to="until", seconds=10, lines=[talk(10)]),  # by the shorter prefix
    Talk(to="blocked", seconds=10, lines=None),
    Talk(to="grace", seconds=13, rules="rounded", lines=[talk(18), ("rounding", 0, 2_000)]),
]


@pytest.fixture
def cards(agi_server: Command, business: Business, tmp_path: Path) -> Mapping[str, str]:
    """The call plan of each set of rules: its card has all rows."""
    given = {name for rows in ROWS.values() for row in rows for name in row}
    columns = ["prefix", *DEFAULTS, *sorted(given - DEFAULTS.keys())]
    rows: list[dict[str, str]] = [{"prefix": "44"}]
    rows += [{"prefix": PREFIX[name], **row} for name, some in ROWS.items() for row in some]
    sheet = [columns, *([(DEFAULTS | row).get(name, "") for name in columns] for row in rows)]
    (tmp_path / "sheet.csv").write_text("\n".join(map(",".join, sheet)))
    for name, options in RULES.items():
        imported = agi_server(
            *("rates", "import", "sheet.csv", "--card", name, "--trunk", "gw"),
            *("--activate", "--at", "2026-01-01T00:00:00Z", *options),
        )
        assert 0 == imported.exit_code, imported.err
        created = agi_server("plan", "create", name, "--card", name)
        assert 0 == created.exit_code, created.err
    return {name: name for name in RULES}


async def test_every_parameter_is_charged_as_the_sheet_says(
    business: Business, cards: Mapping[str, str], start_daemon: StartDaemon, clock: Clock
) -> None:
    clock.freeze(NOON - timedelta(days=2))
    accounts = {name: await business.customer(plan=plan) for name, plan in cards.items()}
    daemon = await start_daemon()
    found, wanted = [], []
    for each in TALKS:
        clock.freeze(each.answered)
        account = accounts[each.rules]
        caller = Channel(
            daemon.port,
            clock,
            accountcode=account.account_number,
            extension=f"{PREFIX[each.to]}1234567",
        )
        answer = await caller.authorize()
        wanted.append((each.to, each.rules, each.lines, each.buy_cost_micros))
        if not answer.allowed:
            assert "no_rate" == answer.reason
            found.append((each.to, each.rules, None, None))
            continue
        clock.advance(each.seconds)
        await caller.settle(each.seconds * 1_000)
        record = await business.session(answer.call)
        lines = [
            (one["kind"], one["seconds"], one["amount_micros"]) for one in record["price_lines"]
        ]
        assert record["cost_micros"] == sum(amount for _, _, amount in lines)
        buys = record["buy_cost_micros"] if each.buy_cost_micros is not None else None
        found.append((each.to, each.rules, lines, buys))
    assert wanted == found
    for name, account in accounts.items():
        charged = sum(amount for _, amount in await business.charges(account))
        costs = [sum(one[2] for one in each.lines or ()) for each in TALKS if each.rules == name]
        assert sum(costs) == charged
        assert await nothing_reserved(business, account)


async def test_discount_and_currency_given_by_commands_are_charged(
    agi_server: Command, business: Business, tmp_path: Path, start_daemon: StartDaemon, clock: Clock
) -> None:
    (tmp_path / "sheet.csv").write_text("prefix,price_per_minute,initial,increment\n44,0.06,1,1\n")
    for words in (
        "rates import sheet.csv --card euros --currency EUR --trunk gw --activate",
        "plan create euros --card euros",
        "currency set EUR 0.5 --from 2020-01-01",
        "currency set EUR 0.8 --from 2026-01-01",
        "currency set EUR 0.4 --from 2999-01-01",
        "customer create --account-number 1234567890 --plan euros --refill 10 --discount 7.5",
    ):
        done = agi_server(*words.split())
        assert 0 == done.exit_code, done.err
    daemon = await start_daemon()
    caller = Channel(daemon.port, clock, accountcode="1234567890")
    answer = await caller.authorize()
    clock.advance(60)
    await caller.settle(20_000)
    shown = agi_server("calls", "show", answer.call, "--json").json
    # 20 s are 0.02 EUR, less 7.5 %, and 0.8 EUR are one USD.
    assert ("5/4", "7.5", "0.023125", "USD") == tuple(
        shown[name] for name in ("exchange", "discount", "cost", "currency")
    )
    assert [("talk", "0.025"), ("discount", "-0.001875")] == [
        (line["kind"], line["amount"]) for line in shown["price_lines"]
    ]
