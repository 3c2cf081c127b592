"""A call that Asterisk ended late: the excess is shown, and no balance falls below its limit."""

import asyncio

import pytest

from agi_server.accounts.account import PaymentType
from agi_server.storage.postgres.statements import statement
from support.business import Business, nothing_reserved, until_waiting_for_a_lock
from support.clock import Clock
from support.event_log import EventLog
from support.fixtures import NewChannel

TEN_SECONDS = 10_000
"""Micros, at 1,000 a second."""


@pytest.mark.parametrize(
    ("talk_ms", "charges"),
    [
        (9_000, [("customer", 9_000)]),
        (10_000, [("customer", 10_000)]),
        (10_001, [("customer", 10_000)]),
        (11_000, [("customer", 10_000)]),
        (11_001, [("customer", 10_000), ("overrun", 2_000)]),
        (3_600_000, [("customer", 10_000), ("overrun", 3_590_000)]),
    ],
)
async def test_up_to_a_second_late_is_the_limit_and_more_goes_to_the_overrun_account(
    business: Business,
    channel: NewChannel,
    clock: Clock,
    events: EventLog,
    talk_ms: int,
    charges: list[tuple[str, int]],
) -> None:
    account = await business.customer(TEN_SECONDS)
    phone = channel(accountcode=account.account_number)
    assert 10_000 == (await phone.authorize()).limit_ms
    clock.advance(3600)
    await phone.settle(talk_ms)
    assert charges == await business.charges(account)
    assert await nothing_reserved(business, account)
    paid = charges[0][1]
    assert TEN_SECONDS - paid == (await business.account(account)).balance_micros
    (settled,) = events.of("call.settled")
    cost = sum(amount for _, amount in charges)
    assert (cost, cost - paid) == (settled["cost_micros"], settled["overrun_micros"])


async def test_an_overrun_never_takes_what_another_call_holds(
    business: Business, channel: NewChannel, clock: Clock
) -> None:
    account = await business.customer(TEN_SECONDS)
    late = channel(accountcode=account.account_number)
    await late.authorize()
    await business.refill(account, 5_000, "refill:1")
    other = channel(accountcode=account.account_number)
    assert 5_000 == (await other.authorize()).limit_ms
    clock.advance(60)
    await late.settle(14_000)
    assert [("customer", 10_000), ("overrun", 4_000)] == await business.charges(account)
    await other.settle(5_000)
    assert 0 == (await business.account(account)).balance_micros


async def test_an_overrun_takes_free_funds_first(
    business: Business, channel: NewChannel, clock: Clock
) -> None:
    account = await business.customer(TEN_SECONDS)
    late = channel(accountcode=account.account_number)
    await late.authorize()
    await business.refill(account, 3_000, "refill:1")
    clock.advance(60)
    await late.settle(14_000)
    assert [("customer", 13_000), ("overrun", 1_000)] == await business.charges(account)


async def test_an_overrun_at_the_moment_when_another_call_frees_its_hold_takes_those_funds(
    business: Business, channel: NewChannel, clock: Clock, events: EventLog
) -> None:
    account = await business.customer(2_000)
    late = channel(accountcode=account.account_number)
    await late.authorize()
    await business.refill(account, 10_000, "refill:1")
    other = channel(accountcode=account.account_number)
    call = (await other.authorize()).call
    clock.advance(60)
    async with business.pool.acquire() as operator:
        async with operator.transaction():
            await operator.execute(
                statement("calls/void_session"), account.id, call, "cancelled", clock()
            )
            settling = asyncio.create_task(late.settle(3_500))
            await until_waiting_for_a_lock(operator, settling)
        await settling
    assert [("customer", 4_000)] == await business.charges(account)
    assert [] == events.of("backend.down")
    assert await nothing_reserved(business, account)


async def test_a_postpaid_overrun_ends_at_the_credit_limit(
    business: Business, channel: NewChannel, clock: Clock
) -> None:
    account = await business.customer(
        0, payment_type=PaymentType.POSTPAID, credit_limit_micros=TEN_SECONDS
    )
    late = channel(accountcode=account.account_number)
    assert 10_000 == (await late.authorize()).limit_ms
    clock.advance(60)
    await late.settle(20_000)
    assert [("customer", 10_000), ("overrun", 10_000)] == await business.charges(account)
    assert -TEN_SECONDS == (await business.account(account)).balance_micros
