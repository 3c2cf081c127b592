"""The end of one call, told and found in nine ways at once: it is debited once, whoever wins."""

import asyncio
import random
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import suppress
from datetime import timedelta
from functools import partial
from typing import Any

import pytest

from agi_server.asterisk.link import AsteriskLinks
from agi_server.asterisk.live_calls import LiveChannel
from agi_server.calls.recover import Recovery
from agi_server.calls.sessions import SessionMemory
from agi_server.calls.settle import Settler
from agi_server.calls.slot_repair import SlotRepair
from agi_server.storage.postgres.statements import statement
from agi_server.storage.redis.slots import open_slots
from support.business import MICROS, Business, nothing_reserved
from support.channel import Channel
from support.checker import violations
from support.clock import Clock
from support.event_log import EventLog
from support.fixtures import StartDaemon
from support.seeds import drawn_seed, told_seed

ROUNDS = 25
FUNDS_MICROS = 10 * MICROS
SECOND_MICROS = 1_000
HANDLER_S, AMI_S, SEEN_S = 20, 24, 28
"""The talk that each witness saw: they differ, so that the debit tells who was believed."""
ENDS = ("call.settled", "call.recovered", "call.orphan_settled")


@pytest.fixture
async def recovery(business: Business, clock: Clock) -> AsyncIterator[Recovery]:
    """Of a third daemon, which looks when the test says so."""
    async with open_slots(business.redis_url, timeout_ms=20_000) as counted:
        links = AsteriskLinks([], now=clock)
        settler = Settler(
            db=business.pool, slots=counted, sessions=SessionMemory(), links=links, now=clock
        )
        yield Recovery(
            db=business.pool, settler=settler, links=links, unseen_end="last_seen", now=clock
        )


async def test_a_call_whose_end_is_told_and_found_in_nine_ways_at_once_is_debited_once(
    business: Business,
    start_daemon: StartDaemon,
    recovery: Recovery,
    repair: SlotRepair,
    clock: Clock,
    events: EventLog,
    capsys: pytest.CaptureFixture[str],
) -> None:
    clock.freeze()
    calls = {"hold_mode": "rolling", "slice_s": 60}
    ports = [(await start_daemon(calls=calls)).port for _ in range(2)]
    dice = random.Random(seed := drawn_seed())
    costs: dict[str, int] = {}
    with told_seed(seed, capsys):
        for _ in range(ROUNDS):
            account = await business.customer(FUNDS_MICROS)
            phone = Channel(ports[0], clock, accountcode=account.account_number)
            call = (await phone.authorize()).call
            clock.advance(30)
            await _saw(business, call, clock)
            row = await business.session(call)
            ways: list[Callable[[], Awaitable[Any]]] = [
                *(_handler(phone, call, port) for port in (*ports, ports[0])),
                partial(recovery.settle, [(row, _ended(phone, clock))]),
                partial(recovery.settle, [(row, None)]),
                partial(_cut_short, recovery, row, dice.random() * 0.01),
                partial(_extend, business, row, clock),
                partial(business.refill, account, MICROS, f"refill:{call}"),
                partial(repair.mend_all, 0),
            ]
            dice.shuffle(ways)
            await asyncio.gather(*(_after(dice.random() * 0.01, way) for way in ways))
            told = [each for name in ENDS for each in events.of(name, call_id=call)]
            costs[call] = (await business.session(call))["cost_micros"]
            assert 1 >= len(told)  # whose answer was cut short tells nothing
            assert costs[call] in [each * SECOND_MICROS for each in (HANDLER_S, AMI_S, SEEN_S)]
            assert [("customer", costs[call])] == await business.charges(account)
            balance_micros = (await business.account(account)).balance_micros
            assert FUNDS_MICROS + MICROS - costs[call] == balance_micros
            assert await nothing_reserved(business, account)
        assert 1 < len(set(costs.values())), "the same way won each time: nothing raced"
        await repair.mend_all(0)
        assert [] == await violations(business.pool, business.redis_url)
    assert [] == events.of("background.failed") + events.of("agi.failed")


def _handler(phone: Channel, call: str, port: int) -> Callable[[], Awaitable[None]]:
    """Its hangup handler, which tells a daemon."""
    handler = Channel(port, phone.clock, uniqueid=phone.uniqueid)
    return lambda: handler.settle(HANDLER_S * 1000, call=call)


async def _saw(business: Business, call: str, clock: Clock) -> None:
    """What supervision has kept of it, for whoever finds nothing better."""
    await business.pool.execute(
        "UPDATE call_session SET seen_answered_at = $2, seen_at = $3 WHERE call_id = $1",
        call,
        clock() - timedelta(seconds=SEEN_S),
        clock(),
    )


def _ended(phone: Channel, clock: Clock) -> LiveChannel:
    """What AMI told."""
    return LiveChannel(
        uniqueid=phone.uniqueid,
        channel=phone.name,
        linkedid=phone.uniqueid,
        accountcode=phone.accountcode,
        seen_at=clock(),
        answered_at=clock() - timedelta(seconds=AMI_S),
        ended_at=clock(),
    )


async def _extend(business: Business, row: Any, clock: Clock) -> None:
    """A daemon that supervises holds the next slice."""
    await business.pool.fetchval(
        statement("calls/extend_hold"),
        row["account_id"],
        row["call_id"],
        row["limit_ms"],
        row["limit_ms"] + 60_000,
        row["held_micros"] + 60 * SECOND_MICROS,
        clock(),
        clock(),
    )


async def _cut_short(recovery: Recovery, row: Any, after_s: float) -> None:
    """Of a daemon that gives up waiting for the answer."""
    with suppress(TimeoutError):
        async with asyncio.timeout(after_s):
            await recovery.settle([(row, None)])


async def _after(pause_s: float, way: Callable[[], Awaitable[Any]]) -> None:
    await asyncio.sleep(pause_s)
    await way()
