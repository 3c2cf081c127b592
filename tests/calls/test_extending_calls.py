"""Rolling holds in mid-call: what Asterisk is told over AMI, and when it cannot be told."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

import pytest

from agi_server.accounts.account import Account
from agi_server.calls.extend import Extender
from agi_server.calls.sessions import SessionMemory
from agi_server.settings import CallsSettings
from support.ami_peer import ScriptedAsterisk, listening
from support.business import MICROS, Business, nothing_reserved
from support.channel import Channel
from support.clock import Clock
from support.daemons import Daemon
from support.event_log import EventLog
from support.fixtures import StartDaemon
from support.supervision import Linked, linked

SLICE_S = 60
LEAD_S = 30
FIRST_S = 61
"""The first slice: an increment of a second, and the slice."""
SECOND = 1_000
"""Micros of a second to the default number."""


@pytest.fixture
async def daemon(start_daemon: StartDaemon, clock: Clock) -> Daemon:
    """It decides and settles, and leaves the extending to the test; time stands still."""
    clock.freeze()
    return await start_daemon(calls={"hold_mode": "rolling", "slice_s": SLICE_S})


class Call:
    """A call of an account, as its dialplan, its Asterisk and its books see it."""

    def __init__(self, business: Business, daemon: Daemon, account: Account, uniqueid: str) -> None:
        self._business = business
        self.uniqueid = uniqueid
        self.account = account
        self.phone = Channel(
            daemon.port, business.now, accountcode=account.account_number, uniqueid=uniqueid
        )

    async def talks(self, asterisk: ScriptedAsterisk, watch: Linked, server: int = 0) -> None:
        """It is authorized and answered now."""
        assert (await self.phone.authorize()).allowed
        asterisk.answered(self.uniqueid)
        await watch.talking(self.uniqueid, server)

    async def paid_s(self) -> int:
        """The talk that its hold pays for, in seconds."""
        session = await self._business.session(self.phone.answer.call)
        paid_s: int = session["limit_ms"] // 1000
        assert paid_s * SECOND == session["held_micros"]
        return paid_s

    def timeouts(self, seconds: int) -> list[tuple[str, str, str]]:
        """The orders that give it so many seconds from now: first to the called channel."""
        return [
            ("AbsoluteTimeout", f"PJSIP/{channel}", str(seconds))
            for channel in (f"{self.uniqueid}1", self.uniqueid)
        ]


@asynccontextmanager
async def extending(
    business: Business, clock: Clock, *asterisks: ScriptedAsterisk
) -> AsyncIterator[tuple[Extender, Linked]]:
    """An extender that looks when the test says so, linked to these."""
    async with AsyncExitStack() as stack:
        servers = [await stack.enter_async_context(listening(each)) for each in asterisks]
        watch = await stack.enter_async_context(linked(clock, *servers))
        calls = CallsSettings(hold_mode="rolling", slice_s=SLICE_S)
        extender = Extender(
            db=business.pool, links=watch.links, sessions=SessionMemory(), calls=calls, now=clock
        )
        yield extender, watch


async def test_the_next_slice_is_held_and_both_channels_told_before_the_first_ends(
    business: Business, daemon: Daemon, clock: Clock, events: EventLog
) -> None:
    asterisk = ScriptedAsterisk(clock)
    call = Call(business, daemon, await business.customer(), "pbx-1.1")
    async with extending(business, clock, asterisk) as (extender, watch):
        await call.talks(asterisk, watch)
        await extender.look()
        # Just answered: until now the channels reckoned with the ringing.
        assert call.timeouts(FIRST_S) == asterisk.orders
        assert FIRST_S == await call.paid_s()
        clock.advance(FIRST_S - LEAD_S - 1)
        await extender.look()
        assert FIRST_S == await call.paid_s()
        clock.advance(1)
        await extender.look()
    assert call.timeouts(LEAD_S + SLICE_S) == asterisk.orders[2:]
    assert FIRST_S + SLICE_S == await call.paid_s()
    (told,) = events.of("call.extended", call_id=call.phone.answer.call)
    assert (121_000, 121 * SECOND) == (told["limit_ms"], told["held_micros"])
    await call.phone.settle(SECOND)
    assert await nothing_reserved(business, call.account)


async def test_when_nothing_is_left_the_channels_end_with_what_is_paid_for(
    business: Business, daemon: Daemon, clock: Clock
) -> None:
    asterisk = ScriptedAsterisk(clock)
    account = await business.customer((FIRST_S + 5) * SECOND)
    call = Call(business, daemon, account, "pbx-1.1")
    async with extending(business, clock, asterisk) as (extender, watch):
        await call.talks(asterisk, watch)
        clock.advance(40)
        await extender.look()
        assert FIRST_S + 5 == await call.paid_s()
        assert call.timeouts(26) == asterisk.orders
        # Money that comes in time is used.
        await business.refill(account, 10 * SECOND, "refill:late")
        clock.advance(20)
        await extender.look()
        assert FIRST_S + 15 == await call.paid_s()
        assert call.timeouts(16) == asterisk.orders[2:]
    clock.advance(16)
    await call.phone.settle(76 * SECOND)
    assert 0 == (await business.account(account)).balance_micros


async def test_a_refusal_for_the_called_channel_keeps_the_callers_from_no_order(
    business: Business, daemon: Daemon, clock: Clock
) -> None:
    asterisk = ScriptedAsterisk(clock)
    call = Call(business, daemon, await business.customer(), "pbx-1.1")
    asterisk.refuse("AbsoluteTimeout", f"{call.uniqueid}1")
    async with extending(business, clock, asterisk) as (extender, watch):
        await call.talks(asterisk, watch)
        clock.advance(40)
        await extender.look()
    assert call.timeouts(81)[1:] == asterisk.orders
    await call.phone.settle(40_000)


async def test_of_a_call_that_has_just_ended_everything_is_released(
    business: Business, daemon: Daemon, clock: Clock
) -> None:
    asterisk = ScriptedAsterisk(clock)
    asterisk.refuse("AbsoluteTimeout")
    call = Call(business, daemon, await business.customer(), "pbx-1.1")
    async with extending(business, clock, asterisk) as (extender, watch):
        await call.talks(asterisk, watch)
        clock.advance(40)
        await extender.look()
        assert [] == asterisk.orders
        asterisk.ended(call.uniqueid)
        await watch.over(call.uniqueid)
        clock.advance(FIRST_S)
        await extender.look()
    # Held for a moment longer than it talks: its end releases that.
    await call.phone.settle(40_000)
    assert [("customer", 40 * SECOND)] == await business.charges(call.account)
    assert await nothing_reserved(business, call.account)


async def test_an_order_whose_answer_is_lost_is_given_anew_after_the_reconnect_as_time_then_asks(
    business: Business, daemon: Daemon, clock: Clock, events: EventLog
) -> None:
    asterisk = ScriptedAsterisk(clock)
    call = Call(business, daemon, await business.customer(), "pbx-1.1")
    async with extending(business, clock, asterisk) as (extender, watch):
        await call.talks(asterisk, watch)
        clock.advance(40)
        asterisk.lose("AbsoluteTimeout")
        await extender.look()
        await watch.lost()
        # The hold leads, and only one channel may have heard of it: the caller's ends in time.
        assert FIRST_S + SLICE_S == await call.paid_s()
        assert call.timeouts(81)[:1] == asterisk.orders
        await extender.look()
        assert call.timeouts(81)[:1] == asterisk.orders
        clock.advance(10)
        await watch.connected()
        await extender.look()
    assert call.timeouts(71) == asterisk.orders[1:]
    assert FIRST_S + SLICE_S == await call.paid_s()
    assert 1 == len(events.of("call.extended"))
    await call.phone.settle(50_000)
    assert [("customer", 50 * SECOND)] == await business.charges(call.account)


async def test_without_asterisk_nothing_more_is_held_and_the_call_ends_with_its_slice(
    business: Business, daemon: Daemon, clock: Clock
) -> None:
    asterisk = ScriptedAsterisk(clock)
    call = Call(business, daemon, await business.customer(), "pbx-1.1")
    async with extending(business, clock, asterisk) as (extender, watch):
        await call.talks(asterisk, watch)
        await extender.look()
        asterisk.reactions["Login"] = lambda talk: talk.cut()
        asterisk.cut()
        await watch.lost()
        clock.advance(FIRST_S - 1)
        await extender.look()
    assert FIRST_S == await call.paid_s()
    assert call.timeouts(FIRST_S) == asterisk.orders
    await call.phone.settle(FIRST_S * 1000)
    assert [("customer", FIRST_S * SECOND)] == await business.charges(call.account)


async def test_a_call_that_was_answered_while_ami_was_away_is_found_and_extended(
    business: Business, daemon: Daemon, clock: Clock
) -> None:
    asterisk = ScriptedAsterisk(clock)
    call = Call(business, daemon, await business.customer(), "pbx-1.1")
    assert (await call.phone.authorize()).allowed
    asterisk.answered(call.uniqueid)  # nobody hears it
    clock.advance(45)
    async with extending(business, clock, asterisk) as (extender, watch):
        await watch.talking(call.uniqueid)
        await extender.look()
    assert FIRST_S + SLICE_S == await call.paid_s()
    assert call.timeouts(FIRST_S + SLICE_S - 45) == asterisk.orders
    await call.phone.settle(45_000)


async def test_a_call_that_outlasts_what_is_paid_for_is_hung_up(
    business: Business, daemon: Daemon, clock: Clock
) -> None:
    asterisk = ScriptedAsterisk(clock)
    account = await business.customer(FIRST_S * SECOND)
    call = Call(business, daemon, account, "pbx-1.1")
    async with extending(business, clock, asterisk) as (extender, watch):
        await call.talks(asterisk, watch)
        clock.advance(FIRST_S + 2)  # as if its channels had not been told to end
        await extender.look()
    assert [("Hangup", "PJSIP/pbx-1.1", "16")] == asterisk.orders
    await call.phone.settle((FIRST_S + 2) * 1000)
    assert [("customer", 61 * SECOND), ("overrun", 2 * SECOND)] == await business.charges(account)


async def test_each_call_is_extended_by_its_own_asterisk_and_needs_no_other(
    business: Business, daemon: Daemon, clock: Clock
) -> None:
    here, there = ScriptedAsterisk(clock, "here"), ScriptedAsterisk(clock, "there")
    account = await business.customer(100 * MICROS)
    calls = [Call(business, daemon, account, f"{name}-1.1") for name in ("here", "there")]
    async with extending(business, clock, here, there) as (extender, watch):
        for number, asterisk in enumerate((here, there)):
            await calls[number].talks(asterisk, watch, number)
        clock.advance(40)
        there.reactions["Login"] = lambda talk: talk.cut()
        there.cut()
        await watch.lost(1)
        await extender.look()
        assert [FIRST_S + SLICE_S, FIRST_S] == [await call.paid_s() for call in calls]
        assert (calls[0].timeouts(81), []) == (here.orders, there.orders)
        del there.reactions["Login"]
        await watch.connected(1)
        await extender.look()
    assert (calls[0].timeouts(81), calls[1].timeouts(81)) == (here.orders, there.orders)
    for call in calls:
        await call.phone.settle(40_000)


async def test_a_thousand_calls_of_an_asterisk_that_is_away_keep_none_of_another_from_its_slice(
    business: Business, daemon: Daemon, clock: Clock
) -> None:
    asterisk = ScriptedAsterisk(clock, "here")
    call = Call(business, daemon, await business.customer(), "here-1.1")
    columns = "state, server, channel, callerid, dialled, authorized_at, limit_ms, cap_ms"
    async with extending(business, clock, asterisk) as (extender, watch):
        await call.talks(asterisk, watch)
        await business.tamper(
            f"INSERT INTO call_session (account_id, call_id, uniqueid, extend_at, {columns})"  # noqa: S608
            f" SELECT 77, n::text, 'away-' || n, authorized_at, {columns}"
            " FROM call_session, generate_series(1, 1000) n"
        )
        clock.advance(40)
        await extender.look()
        await business.tamper("DELETE FROM call_session WHERE account_id = 77")
    assert call.timeouts(81) == asterisk.orders
    await call.phone.settle(40_000)


async def test_two_servers_with_one_name_are_not_told_apart_and_get_no_order(
    business: Business, daemon: Daemon, clock: Clock
) -> None:
    asterisks = [ScriptedAsterisk(clock), ScriptedAsterisk(clock)]
    call = Call(business, daemon, await business.customer(), "pbx-1.1")
    async with extending(business, clock, *asterisks) as (extender, watch):
        await call.talks(asterisks[0], watch)
        clock.advance(40)
        await extender.look()
    assert [[], []] == [asterisk.orders for asterisk in asterisks]
    assert FIRST_S == await call.paid_s()
    await call.phone.settle(40_000)


async def test_a_call_that_nobody_has_answered_is_looked_after_when_it_may_be(
    business: Business, daemon: Daemon, clock: Clock
) -> None:
    asterisk = ScriptedAsterisk(clock)
    call = Call(business, daemon, await business.customer(), "pbx-1.1")
    async with extending(business, clock, asterisk) as (extender, watch):
        assert (await call.phone.authorize()).allowed
        clock.advance(40)
        await extender.look()
        assert ([], FIRST_S) == (asterisk.orders, await call.paid_s())
        asterisk.answered(call.uniqueid)
        await watch.talking(call.uniqueid)
        await extender.look()
    assert call.timeouts(FIRST_S) == asterisk.orders
    await call.phone.settle(SECOND)


@pytest.mark.parametrize("time", ["", "half past nine", "1e9", "-1.000", "99999999999999.000"])
async def test_an_asterisk_that_does_not_tell_its_time_gets_no_order_and_nothing_is_held(
    business: Business, daemon: Daemon, clock: Clock, time: str
) -> None:
    asterisk = ScriptedAsterisk(clock)
    asterisk.reactions["Getvar"] = lambda talk: talk.say(
        f"Response: Success\nActionID: %ID\nValue: {time}\n\n"
    )
    call = Call(business, daemon, await business.customer(), "pbx-1.1")
    async with extending(business, clock, asterisk) as (extender, watch):
        await call.talks(asterisk, watch)
        clock.advance(40)
        await extender.look()
    assert ([], FIRST_S) == (asterisk.orders, await call.paid_s())
    await call.phone.settle(40_000)


NOISE = (
    "Event: DialEnd\nUniqueid: pbx-9.9\nDestUniqueid: pbx-9.8\nDialStatus: ANSWER\n\n",
    "Event: Hangup\nUniqueid: pbx-7.7\n\n",
    "Event: Hangup\n\n",
    "Event: BridgeEnter\nUniqueid: pbx-6.6\nBridgeUniqueid: b\n\n",
    "Event: DialBegin\nUniqueid: pbx-5.5\nTimestamp: yesterday\n\n",
    "Event: Rename\nUniqueid: pbx-1.1\n\n",
    "Response: Success\nActionID: of nobody\nMessage: hello\n\n",
    "a line that is none\n\n",
    ": \n\n\n\n",
    "Event: \nUniqueid: pbx-1.1\n\n",
    "Event: Hangup\nUniqueid: pbx-1.1\nUniqueid: pbx-1.1\n\n",
)  # fmt: skip


async def test_events_about_strangers_and_lines_that_are_none_disturb_no_call(
    business: Business, daemon: Daemon, clock: Clock, events: EventLog
) -> None:
    asterisk = ScriptedAsterisk(clock)
    call = Call(business, daemon, await business.customer(), "pbx-1.1")
    async with extending(business, clock, asterisk) as (extender, watch):
        await call.talks(asterisk, watch)
        for noise in NOISE:
            asterisk.say(noise)
        clock.advance(40)
        await extender.look()  # its questions are answered after the noise
        assert watch.links.all[0].connected
    assert call.timeouts(81) == asterisk.orders
    assert FIRST_S + SLICE_S == await call.paid_s()
    assert [] == events.of("background.failed")
    await call.phone.settle(40_000)
