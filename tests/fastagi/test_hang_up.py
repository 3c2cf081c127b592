"""Callers that leave, and connections that break, while a call is being decided."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import pytest

from agi_server.accounts.account import Account
from support.business import Business, nothing_reserved, until_waiting_for_a_lock
from support.channel import Channel
from support.clock import Clock
from support.event_log import EventLog
from support.fixtures import NewChannel


@asynccontextmanager
async def hold_waits(business: Business, account: Account) -> AsyncIterator[None]:
    """The account's row is locked inside: a call waits for its hold."""
    async with business.pool.acquire() as operator, operator.transaction():
        await operator.execute("SELECT FROM account WHERE id = $1 FOR UPDATE", account.id)
        yield


async def test_a_caller_who_hung_up_before_the_decision_gets_nothing_held(
    business: Business, channel: NewChannel, events: EventLog
) -> None:
    account = await business.customer(simultaneous_access=1)
    phone = channel(accountcode=account.account_number)
    phone.hung_up = True
    answer = await phone.authorize()
    assert ("deny", "cancelled", "") == (answer.decision, answer.reason, answer.call)
    assert await nothing_reserved(business, account)
    assert ["cancelled"] == [event["reason"] for event in events.of("call.denied")]
    assert [] == events.of("call.authorized")


def hangs_up(phone: Channel) -> None:
    phone.hang_up()


def closes(phone: Channel) -> None:
    phone._writer.close()


def resets(phone: Channel) -> None:
    phone._writer.transport.abort()


@pytest.mark.parametrize("leave", [hangs_up, closes, resets])
async def test_a_caller_who_leaves_while_the_hold_is_taken_gets_nothing_held(
    business: Business,
    channel: NewChannel,
    events: EventLog,
    leave: Callable[[Channel], None],
) -> None:
    account = await business.customer(simultaneous_access=1)
    phone = channel(accountcode=account.account_number)
    async with hold_waits(business, account):
        deciding = asyncio.create_task(phone.authorize())
        await until_waiting_for_a_lock(business.pool, deciding)
        leave(phone)
    (denied,) = await events.wait("call.denied")
    assert "cancelled" == denied["reason"]
    assert "deny" == (await deciding).decision
    assert await nothing_reserved(business, account)
    assert "" == phone.variables.get("AUTH_CALL", "")


async def test_a_connection_that_breaks_with_the_answer_under_way_keeps_the_call_for_its_handler(
    business: Business, channel: NewChannel, clock: Clock, events: EventLog
) -> None:
    """Nobody knows whether Asterisk has read the answer, and dials."""
    account = await business.customer(simultaneous_access=1)
    phone = channel(accountcode=account.account_number)

    async def reads_the_answer_and_breaks(command: list[str]) -> None:
        phone.react(command)

    phone.on("EXEC MSet", reads_the_answer_and_breaks)
    assert (await phone.authorize()).allowed
    (authorized,) = await events.wait("call.authorized")
    assert 1 == (await business.account(account)).in_use
    clock.advance(30)
    phone.reactions.clear()
    await phone.settle(5000)
    assert [("customer", 5000)] == await business.charges(account)
    assert await nothing_reserved(business, account)
    assert authorized["call_id"] == events.of("call.settled")[0]["call_id"]


async def test_an_answer_that_asterisk_does_not_execute_is_taken_back(
    business: Business, channel: NewChannel, events: EventLog
) -> None:
    account = await business.customer(simultaneous_access=1)
    phone = channel(accountcode=account.account_number)

    async def no_such_application(command: list[str]) -> bytes:
        return b"200 result=-2\n"

    phone.on("EXEC MSet", no_such_application)
    assert "deny" == (await phone.authorize()).decision
    assert ["unavailable"] == [event["reason"] for event in await events.wait("call.denied")]
    assert await nothing_reserved(business, account)


async def test_a_peer_silent_at_the_answer_is_closed_and_its_call_is_left_to_its_handler(
    business: Business, start_daemon: Callable[..., object], clock: Clock, events: EventLog
) -> None:
    daemon = await start_daemon(fastagi={"idle_timeout_s": 1})  # type: ignore[misc]
    account = await business.customer()
    phone = Channel(daemon.port, clock, accountcode=account.account_number)
    closed = asyncio.Event()

    async def silent(command: list[str]) -> None:
        await closed.wait()

    phone.on("EXEC MSet", silent)
    waiting = asyncio.create_task(phone.authorize())
    await events.wait("agi.bad_peer")
    await events.wait("call.authorized")
    closed.set()
    await waiting
    assert 1 == (await business.account(account)).in_use
