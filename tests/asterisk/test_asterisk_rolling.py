"""Rolling holds on a real Asterisk: slices extended over AMI, what happens without, and calls that
are hung up because their account may not call any more."""

import json
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

import pytest
from ami_relay import AmiRelay, ami_relay
from asterisk_server import AsteriskServer
from exchange import CALL, DECISION, PER_SECOND, SECOND_MICROS, Customer, Exchange
from sip_scenarios import Answers
from sipp import SippProcess, call, callee, calling

from agi_server.accounts.account import AccountStatus
from agi_server.calls.records import CallRecord
from support.business import MICROS

SLICE_S = 6
FIRST_S = 1 + SLICE_S
"""The first slice: the initial increment of PER_SECOND is a second."""
CALLS = 5


@pytest.fixture
async def relay(asterisk: AsteriskServer) -> AsyncIterator[AmiRelay]:
    """Between the daemons and the AMI."""
    async with ami_relay(asterisk.ami_port) as relay:
        yield relay


async def supervise(
    exchange: Exchange, relay: AmiRelay | None, hold_mode: str = "rolling", **settings: str
) -> None:
    """The daemon again, as one that supervises over the relay, if there is one."""
    assert 0 == await exchange.daemon.terminate()
    exchange.events_before += exchange.daemon.events
    exchange.settings = {
        "AGI_SERVER_CALLS__HOLD_MODE": hold_mode,
        "AGI_SERVER_CALLS__SLICE_S": str(SLICE_S),
        "AGI_SERVER_AMI": "[]",
        **settings,
    }
    if relay is not None:
        ami = {"host": "127.0.0.1", "port": relay.port, "user": "agi-server", "secret": "loopback"}
        exchange.settings["AGI_SERVER_AMI"] = json.dumps([ami])
    await exchange.start_daemon()


@asynccontextmanager
async def talking(exchange: Exchange, customer: Customer, gw: SippProcess) -> AsyncIterator[None]:
    """Five calls that were just answered; the block is left when Asterisk has ended them all."""
    async with calling(
        exchange.asterisk, customer.number, user=customer.user, calls=CALLS
    ) as callers:
        await gw.answered(CALLS, number=customer.number)
        yield
        seen = await callers.finished()
        assert [(200, "the other end")] * CALLS == [(s.status, s.hung_up_by) for s in seen]


def ended_at(record: CallRecord) -> float:
    assert record.ended_at is not None
    return record.ended_at.timestamp()


def assert_within_holds(records: list[CallRecord]) -> None:
    """No call lasted longer than was paid for, or cost more than was held."""
    for record in records:
        assert record.limit_ms is not None
        assert (record.billed_seconds or 0) * 1000 <= record.limit_ms
        assert (record.cost_micros or 0) <= record.held_micros


async def test_calls_at_once_end_when_their_common_money_ends(
    relay: AmiRelay, exchange: Exchange
) -> None:
    await supervise(exchange, relay)
    funds = 60 * SECOND_MICROS
    customers = [
        await exchange.customer(
            line, mode, prefix=PER_SECOND, balance_micros=funds, simultaneous_access=CALLS
        )
        for line, mode in ((1, DECISION), (2, CALL))
    ]
    async with callee(exchange.asterisk, "gw", Answers()) as gw, AsyncExitStack() as all_calls:
        for customer in customers:
            await all_calls.enter_async_context(talking(exchange, customer, gw))
    for customer in customers:
        records = await exchange.settled(customer, CALLS)
        assert_within_holds(records)
        # All is used up but for one increment, by all of them at about the same time.
        assert 0 <= funds - sum(record.cost_micros or 0 for record in records) <= SECOND_MICROS
        ends = [ended_at(record) for record in records]
        assert max(ends) - min(ends) <= SLICE_S
        assert exchange.events("call.extended", account_id=customer.account.id)


async def test_when_ami_is_cut_each_call_ends_with_the_slice_that_it_has(
    relay: AmiRelay, exchange: Exchange
) -> None:
    await supervise(exchange, relay)
    exchange.expected_faults = {"backend.down"}
    customer = await exchange.customer(prefix=PER_SECOND, simultaneous_access=CALLS)
    async with callee(exchange.asterisk, "gw", Answers()) as gw, talking(exchange, customer, gw):
        await exchange.logged("call.extended")
        relay.cut()
    records = await exchange.settled(customer, CALLS)
    assert_within_holds(records)
    for record in records:
        # Asterisk may have been cut off from a slice that is held already.
        assert FIRST_S <= (record.billed_seconds or 0) <= FIRST_S + SLICE_S


async def test_of_two_daemons_that_supervise_one_may_die(
    relay: AmiRelay, exchange: Exchange
) -> None:
    await supervise(exchange, relay)
    other = await exchange.start_process(**exchange.settings)
    customer = await exchange.customer(prefix=PER_SECOND, balance_micros=20 * SECOND_MICROS)
    async with (
        callee(exchange.asterisk, "gw", Answers()) as gw,
        calling(exchange.asterisk, customer.number, user=customer.user) as caller,
    ):
        await gw.answered()
        await exchange.kill_daemon()
        await other.logged("call.extended", 2)
        await gw.ended()
        await exchange.start_daemon()
        await caller.finished()
    (record,) = await exchange.settled(customer)
    assert_within_holds([record])
    assert 20 == record.billed_seconds
    limits = [event["limit_ms"] for event in other.of("call.extended")]
    assert sorted(set(limits)) == limits  # each slice was held once


async def test_without_ami_a_call_ends_with_its_first_slice_however_late_it_was_answered(
    exchange: Exchange,
) -> None:
    await supervise(exchange, None)
    async with callee(exchange.asterisk, "gw", Answers(ring_ms=2_000)) as gw:

        async def scene(customer: Customer) -> None:
            seen = await call(exchange.asterisk, customer.number, user=customer.user)
            assert (200, "the other end") == (seen.status, seen.hung_up_by)
            (record,) = await exchange.settled(customer)
            assert_within_holds([record])
            assert FIRST_S == record.billed_seconds
            exchange.assert_talk(record, await gw.ended(number=customer.number))

        await exchange.in_both_modes(scene, prefix=PER_SECOND)


async def test_where_the_dialplan_does_not_time_the_answer_supervision_does(
    relay: AmiRelay, exchange: Exchange
) -> None:
    exchange.asterisk.cli("dialplan add extension s,1,Return into untimed")
    await supervise(exchange, relay, AGI_SERVER_CALLS__ANSWERED_SUBROUTINE="untimed")
    customer = await exchange.customer(
        mode=CALL, prefix=PER_SECOND, balance_micros=FIRST_S * SECOND_MICROS
    )
    # The caller's timeout reckons with the ringing of both routes, and the first answers at once.
    async with callee(exchange.asterisk, "gw", Answers()):
        seen = await call(exchange.asterisk, customer.number, user=customer.user)
    assert (200, "the other end") == (seen.status, seen.hung_up_by)
    (record,) = await exchange.settled(customer)
    assert_within_holds([record])
    assert FIRST_S == record.billed_seconds


@pytest.mark.parametrize("hold_mode", ["full", "rolling"])
async def test_an_account_that_is_stopped_in_mid_call_is_hung_up_and_settled_once(
    relay: AmiRelay, exchange: Exchange, hold_mode: str
) -> None:
    await supervise(exchange, relay, hold_mode)
    async with callee(exchange.asterisk, "gw", Answers()) as gw:

        async def scene(customer: Customer) -> None:
            stopped = {
                DECISION: ("account_suspended", {"status": AccountStatus.SUSPENDED}),
                CALL: ("account_locked", {"locked": True}),
            }
            reason, change = stopped[customer.user.removesuffix(customer.user[-4:])]
            async with calling(exchange.asterisk, customer.number, user=customer.user) as caller:
                await gw.answered(number=customer.number)
                await exchange.business.set(customer.account, **change)
                (seen,) = await caller.finished()
            assert "the other end" == seen.hung_up_by
            (record,) = await exchange.settled(customer)
            assert (reason, "ANSWER") == (record.reason, record.dialstatus)
            assert (record.billed_seconds or 0) < FIRST_S
            await exchange.logged("call.hung_up", call_id=record.call_id, reason=reason)

        await exchange.in_both_modes(scene, prefix=PER_SECOND, balance_micros=MICROS)
