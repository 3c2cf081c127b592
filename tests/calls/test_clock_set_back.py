"""Somebody sets the clock back while calls are in progress: nobody pays too much or calls for free,
and nobody is refused for a second that has not come yet. Caps and lock-outs hold on."""

import pytest

from agi_server.web.auth import sign_in
from support.business import MICROS, PER_MINUTE, Business, nothing_reserved
from support.channel import Channel
from support.clock import Clock
from support.fixtures import NewChannel, StartDaemon

HOUR_S = 3600
DAY_S = 24 * HOUR_S
DEAR = PER_MINUTE + "20794600"


async def test_the_calls_of_a_second_that_is_yet_to_come_are_not_counted(
    business: Business, channel: NewChannel, clock: Clock
) -> None:
    clock.freeze()
    account = await business.customer(100 * MICROS, calls_per_second=1)

    async def reason() -> str:
        return (await channel(accountcode=account.account_number).authorize()).reason

    assert ["", "too_fast"] == [await reason() for _ in range(2)]
    clock.advance(-HOUR_S)
    assert ["", "too_fast"] == [await reason() for _ in range(2)]


@pytest.mark.parametrize("times", ["both", "answeredtime"])
async def test_a_call_costs_its_talk(
    business: Business,
    channel: NewChannel,
    clock: Clock,
    monkeypatch: pytest.MonkeyPatch,
    times: str,
) -> None:
    """Its times are Asterisk's: the daemon only knows for how long it was open."""
    account = await business.customer()
    phone = channel(accountcode=account.account_number)
    assert (await phone.authorize()).allowed
    clock.advance(-HOUR_S)
    # No call lasts that long here.
    monkeypatch.setattr("agi_server.calls.sessions.monotonic", lambda: 1e12)
    if times == "both":
        await phone.settle(10_000)
    else:
        await phone.settle(status="ANSWER", answeredtime_ms="10000")
    assert [("customer", 10_000)] == await business.charges(account)
    assert await nothing_reserved(business, account)


async def test_one_that_only_another_daemon_knows_is_left_to_recovery(
    business: Business, start_daemon: StartDaemon, clock: Clock
) -> None:
    here, there = await start_daemon(), await start_daemon()
    account = await business.customer()
    phone = Channel(here.port, clock, accountcode=account.account_number)
    call = (await phone.authorize()).call
    clock.advance(-HOUR_S)
    phone.port = there.port
    await phone.settle(10_000)
    assert [] == await business.charges(account)
    clock.advance(3 * HOUR_S)
    await business.recover(account)
    session = await business.session(call)
    assert ("settled", 3_600_000) == (session["state"], session["cost_micros"])
    assert "longer than the time since authorize" in session["review"]
    assert await nothing_reserved(business, account)


@pytest.mark.parametrize(("window", "length_s"), [("hour", HOUR_S), ("day", DAY_S)])
async def test_what_calls_have_cost_counts_until_the_clock_has_come_again_to_where_it_was(
    business: Business, channel: NewChannel, clock: Clock, window: str, length_s: int
) -> None:
    clock.freeze()
    account = await business.customer(**{f"max_cost_micros_per_{window}": 5 * MICROS})

    async def talk(minutes: int) -> int:
        """A call of so many minutes; returns how many it might have lasted, 0 if it was refused."""
        phone = channel(accountcode=account.account_number, extension=DEAR)
        answer = await phone.authorize()
        assert answer.reason == ("" if answer.allowed else "fraud_guard")
        if answer.allowed:
            clock.advance(minutes * 60)
            await phone.settle(minutes * 60_000)
        return answer.limit_ms // 60_000

    assert 5 == await talk(2)
    clock.advance(-DAY_S)
    assert [3, 2, 0] == [await talk(minutes) for minutes in (1, 2, 0)]
    clock.advance(DAY_S - 3 * 60 + length_s - 1)
    assert 0 == await talk(0)
    clock.advance(1)
    assert 5 == await talk(0)


async def test_a_lock_out_holds_until_the_clock_has_come_again_to_where_it_was(
    business: Business, channel: NewChannel, clock: Clock
) -> None:
    clock.freeze()
    account = await business.customer()

    async def reason(number: str) -> str:
        return (await channel(callerid="33123456789").authorize(f"?account={number}")).reason

    assert ["account_not_found"] * 10 == [await reason("999999999") for _ in range(10)]
    clock.advance(-DAY_S)
    assert "too_many_attempts" == await reason(account.account_number)
    clock.advance(DAY_S + 899)
    assert "too_many_attempts" == await reason(account.account_number)
    clock.advance(1)
    assert "" == await reason(account.account_number)


async def test_a_lock_out_of_the_console_holds_until_then_too(
    business: Business, clock: Clock
) -> None:
    clock.freeze()

    async def locked() -> bool:
        with pytest.raises(sign_in.SignInRefusedError) as refused:
            await sign_in.sign_in(
                business.pool, name="root", password="x", code="", source="::1", at=clock()
            )
        return refused.value.locked

    assert [False] * 10 == [await locked() for _ in range(10)]
    clock.advance(-DAY_S)
    assert await locked()
    clock.advance(DAY_S + 899)
    assert await locked()
    clock.advance(1)
    assert not await locked()
