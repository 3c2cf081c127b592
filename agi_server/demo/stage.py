"""Plays the scenes against a daemon of their own and compares the books with what must be there.

Nobody waits for the talks: the daemon's clock is the story's, and the scripted waits move it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import UTC, datetime, timedelta
from importlib.resources import files
from typing import Any

from agi_server.accounts import customers
from agi_server.accounts.account import Account
from agi_server.app import running
from agi_server.calls.records import CallRecord, list_calls
from agi_server.demo.business import CUSTOMERS, Customer, open_business
from agi_server.demo.story import SCENES, WRONG_NUMBERS_ALLOWED, Call, Scene, outcome_of
from agi_server.ledger.verify import verify
from agi_server.replay import play
from agi_server.settings import Settings
from agi_server.storage.postgres.pool import open_pool
from agi_server.storage.postgres.statements import statement
from agi_server.wire.script import Script, Wait, parse_script
from rating.money import format_money

_STORY_TAKES = timedelta(hours=1)
_BETWEEN_CALLS_S = 10
_UNIQUEIDS = ("uniqueid", "second_uniqueid")


class StoryClock:
    """Stands still, but for what is slept."""

    def __init__(self, at: datetime) -> None:
        self._at = at

    def __call__(self) -> datetime:
        return self._at

    async def sleep(self, seconds: float) -> None:
        """The time passes at once."""
        self._at += timedelta(seconds=seconds)


@dataclass(frozen=True, slots=True, kw_only=True)
class PlayedCall:
    """A call and what the books say of it; `problems` is empty when all is as it must be."""

    call: Call
    record: CallRecord | None
    problems: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Performance:
    """All that was played, and the books afterwards."""

    calls: tuple[PlayedCall, ...]
    accounts: tuple[tuple[Customer, Account], ...]
    entries: tuple[Mapping[str, Any], ...]
    problems: tuple[str, ...]
    """What is wrong with the books as a whole, and with each call."""


def demo_settings(port: int, web_port: int | None = None) -> Settings:
    """The default settings: the demo heeds no file and no variable. No console without a port."""
    return Settings.model_validate(
        {
            "fastagi": {"port": port},
            "web": {"enabled": False} if web_port is None else {"port": web_port},
            "accounts": {"failures_per_caller": WRONG_NUMBERS_ALLOWED},
        }
    )


async def perform(
    postgres_dsn: str, redis_url: str, *, ends_at: datetime, scenes: Sequence[Scene] = SCENES
) -> Performance:
    """Open the business in an empty, migrated database and play the scenes, the last one before
    `ends_at`."""
    clock = StoryClock((ends_at - _STORY_TAKES).replace(microsecond=0))
    async with open_pool(postgres_dsn, max_size=4) as pool:
        names = await open_business(pool, clock())
        troubles: dict[str, str] = {}
        async with running(demo_settings(0), postgres_dsn, redis_url, now=clock) as daemon:
            for number, scene in enumerate(scenes):
                await clock.sleep(_BETWEEN_CALLS_S)
                uniqueids = _uniqueids(number)
                trouble = await _play(scene, uniqueids, daemon.port, clock)
                troubles |= dict.fromkeys(uniqueids.values(), trouble)
        # The daemon has ended, so all its records are written.
        records = {each.uniqueid: each for each in await list_calls(pool, limit=1000)}
        played = [
            _compare(call, records.get(uniqueid), troubles[uniqueid])
            for number, scene in enumerate(scenes)
            for uniqueid, call in zip(_uniqueids(number).values(), scene.calls, strict=False)
        ]
        accounts = {each.id: each for each in await customers.list_accounts(pool)}
        entries = await pool.fetch(statement("ledger/entries"), None, 1000)
        async with pool.acquire() as db:
            mismatches = await verify(db)
    by_customer = [(each, accounts[names[each.name]]) for each in CUSTOMERS]
    problems = [f"{each.call.title}: {problem}" for each in played for problem in each.problems]
    problems += [problem for each in by_customer for problem in _funds_problems(*each, played)]
    problems += [
        f"{each.what} of account {each.account_id}: stored {each.stored}, by its entries"
        f" {each.recomputed}"
        for each in mismatches
    ]
    return Performance(
        calls=tuple(played),
        accounts=tuple(by_customer),
        entries=tuple(
            sorted(map(dict, entries), key=lambda each: (each["created_at"], each["account_id"]))
        ),
        problems=tuple(problems),
    )


def _uniqueids(scene_number: int) -> dict[str, str]:
    """The channels of a scene, by the names that scripts have for them."""
    return {name: f"demo-{scene_number + 1}.{at}" for at, name in enumerate(_UNIQUEIDS, 1)}


async def _play(scene: Scene, uniqueids: Mapping[str, str], port: int, clock: StoryClock) -> str:
    """The difference between the script and what the daemon said, empty when there is none."""
    script = read_script(scene.script)
    waits_s = [step.duration_ms / 1000 for step in script.steps if isinstance(step, Wait)]
    # The last wait of a script is its talk.
    ended_at = clock() + timedelta(seconds=sum(waits_s))
    answered_at = ended_at - timedelta(seconds=waits_s[-1] if waits_s else 0)
    result = await play(
        script,
        "127.0.0.1",
        port,
        defines={
            "channel": "PJSIP/phone-00000001",
            "answered_at": _epoch(answered_at),
            "ended_at": _epoch(ended_at),
            **scene.defines,
            **uniqueids,
        },
        sleep=clock.sleep,
    )
    return "" if result.difference is None else result.difference.text


def read_script(name: str) -> Script:
    """A script of the demo."""
    file = files(__package__).joinpath("scripts", f"{name}.agi")
    return parse_script(file.read_text("utf-8"), f"{name}.agi")


def _epoch(at: datetime) -> str:
    """As Asterisk's STRFTIME gives it to the hangup handler."""
    milliseconds = (at - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(milliseconds=1)
    return f"{milliseconds // 1000}.{milliseconds % 1000:03}"


def _compare(call: Call, record: CallRecord | None, trouble: str) -> PlayedCall:
    problems = [f"the daemon said something else\n{trouble}"] if trouble else []
    if record is None:
        problems.append("there is no record of it")
    else:
        outcome = outcome_of(record)
        problems += [
            f"{field.name} is {getattr(outcome, field.name)},"
            f" expected {getattr(call.outcome, field.name)}"
            for field in fields(outcome)
            if getattr(outcome, field.name) != getattr(call.outcome, field.name)
        ]
    return PlayedCall(call=call, record=record, problems=tuple(problems))


def _funds_problems(
    customer: Customer, account: Account, played: Sequence[PlayedCall]
) -> list[str]:
    """Only what calls cost may be missing from the funds, and nothing may stay reserved."""
    cost_micros = sum(
        each.call.outcome.cost_micros or 0 for each in played if each.call.customer is customer
    )
    problems = []
    if account.balance_micros != customer.refill_micros - cost_micros:
        problems.append(
            f"{customer.name}: the balance is {format_money(account.balance_micros)}, expected"
            f" {format_money(customer.refill_micros - cost_micros)}"
        )
    if account.held_micros or account.in_use:
        problems.append(
            f"{customer.name}: {format_money(account.held_micros)} still held,"
            f" {account.in_use} calls still in progress"
        )
    return problems
