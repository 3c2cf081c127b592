"""Calls in progress of an account that may not call any more are hung up, and told of once."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from agi_server.accounts.account import Account, AccountStatus
from agi_server.calls.stop import Stopper
from support.ami_peer import ScriptedAsterisk, listening
from support.business import Business
from support.channel import Channel
from support.clock import Clock
from support.daemons import Daemon
from support.event_log import EventLog
from support.supervision import Linked, linked

UNIQUEID = "pbx-1.1"
HANG_UP = ("Hangup", f"PJSIP/{UNIQUEID}", "16")


@asynccontextmanager
async def stopping(
    business: Business, asterisk: ScriptedAsterisk
) -> AsyncIterator[tuple[Stopper, Linked]]:
    """A stopper that looks when the test says so."""
    async with listening(asterisk) as server, linked(business.now, server) as watch:
        yield Stopper(db=business.pool, links=watch.links), watch


@pytest.fixture
async def asterisk(clock: Clock) -> ScriptedAsterisk:
    return ScriptedAsterisk(clock)


@pytest.fixture
async def account(business: Business) -> Account:
    return await business.customer()


@pytest.fixture
async def phone(daemon: Daemon, clock: Clock, account: Account) -> Channel:
    """It has been allowed a call."""
    phone = Channel(daemon.port, clock, accountcode=account.account_number, uniqueid=UNIQUEID)
    assert (await phone.authorize()).allowed
    return phone


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"status": AccountStatus.SUSPENDED}, "account_suspended"),
        ({"status": AccountStatus.CANCELLED}, "account_cancelled"),
        ({"locked": True}, "account_locked"),
    ],
)
async def test_a_stopped_account_is_hung_up_and_its_call_settled_as_every_other(
    business: Business,
    account: Account,
    phone: Channel,
    asterisk: ScriptedAsterisk,
    events: EventLog,
    change: dict[str, object],
    reason: str,
) -> None:
    async with stopping(business, asterisk) as (stopper, watch):
        asterisk.answered(UNIQUEID)
        await watch.talking(UNIQUEID)
        await stopper.look()
        assert [] == asterisk.orders
        await business.set(account, **change)
        await stopper.look()
        assert [HANG_UP] == asterisk.orders
        asterisk.ended(UNIQUEID)
        await watch.over(UNIQUEID)
        await stopper.look()
    assert [HANG_UP] == asterisk.orders
    (told,) = events.of("call.hung_up")
    assert (phone.answer.call, reason) == (told["call_id"], told["reason"])
    business.now.advance(10)
    await phone.settle(4_000)
    assert [("customer", 4_000)] == await business.charges(account)
    session = await business.session(phone.answer.call)
    assert ("settled", reason) == (session["state"], session["reason"])


async def test_what_ends_by_itself_meanwhile_is_told_of_by_nobody(
    business: Business, account: Account, phone: Channel, asterisk: ScriptedAsterisk,
    events: EventLog,
) -> None:  # fmt: skip
    asterisk.refuse("Hangup")
    async with stopping(business, asterisk) as (stopper, watch):
        asterisk.answered(UNIQUEID)
        await watch.talking(UNIQUEID)
        await business.set(account, locked=True)
        await stopper.look()
    assert [] == events.of("call.hung_up")
    await phone.settle()


async def test_an_order_whose_answer_was_lost_is_given_again_and_told_of_once(
    business: Business, account: Account, phone: Channel, asterisk: ScriptedAsterisk,
    events: EventLog,
) -> None:  # fmt: skip
    async with stopping(business, asterisk) as (stopper, watch):
        asterisk.answered(UNIQUEID)
        await watch.talking(UNIQUEID)
        await business.set(account, locked=True)
        asterisk.lose("Hangup")
        await stopper.look()
        await watch.lost()
        assert [] == events.of("call.hung_up")
        await stopper.look()  # nobody to tell it to
        assert [HANG_UP] == asterisk.orders
        await watch.connected()
        await stopper.look()
        assert [HANG_UP, HANG_UP] == asterisk.orders
        await stopper.look()  # it is not gone yet
    assert 1 == len(events.of("call.hung_up"))
    await phone.settle()


async def test_of_two_daemons_one_hangs_up_and_the_other_if_that_one_dies_before(
    business: Business,
    account: Account,
    phone: Channel,
    asterisk: ScriptedAsterisk,
    events: EventLog,
) -> None:
    async with stopping(business, asterisk) as (stopper, watch):
        other = Stopper(db=business.pool, links=watch.links)
        asterisk.answered(UNIQUEID)
        await watch.talking(UNIQUEID)
        await business.set(account, locked=True)
        asterisk.refuse("Hangup")
        await stopper.look()  # it notes why, and then dies
        del asterisk.reactions["Hangup"]
        await other.look()
        assert [] == asterisk.orders
        await other.look()
        assert [HANG_UP] == asterisk.orders
    assert 1 == len(events.of("call.hung_up"))
    await phone.settle()


async def test_a_call_on_an_asterisk_that_does_not_have_it_is_left_alone(
    business: Business, account: Account, phone: Channel, asterisk: ScriptedAsterisk,
    events: EventLog,
) -> None:  # fmt: skip
    async with stopping(business, asterisk) as (stopper, watch):
        asterisk.answered("pbx-8.8")
        await watch.talking("pbx-8.8")
        await business.set(account, locked=True)
        await stopper.look()
    assert [] == asterisk.orders
    assert [] == events.of("call.hung_up")
    await phone.settle()
