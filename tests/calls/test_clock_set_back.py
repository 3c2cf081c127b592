"""Somebody sets the clock back while calls are in progress: nobody pays too much or calls for free,
and nobody is refused for what has not happened yet."""

import pytest

from support.business import MICROS, Business, nothing_reserved
from support.channel import Channel
from support.clock import Clock
from support.fixtures import NewChannel, StartDaemon

HOUR_S = 3600


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
