"""A forged or senseless settle debits nothing, frees nothing, and is left to recovery."""

from collections.abc import Callable

import pytest

from agi_server.accounts.account import Account
from support.business import Business, nothing_reserved
from support.channel import Answer, Channel
from support.clock import Clock
from support.event_log import EventLog
from support.fixtures import NewChannel, StartDaemon

GUESSED = "0123456789abcdef" * 2


async def untouched(business: Business, account: Account, call: str) -> bool:
    now = await business.account(account)
    session = await business.session(call)
    return (
        [] == await business.charges(account)
        and 1 == now.in_use
        and session["held_micros"] == now.held_micros > 0
        and "open" == session["state"]
    )


async def test_another_channels_call_id_settles_nothing(
    business: Business, channel: NewChannel, events: EventLog
) -> None:
    account = await business.customer()
    victim = channel(accountcode=account.account_number)
    call = (await victim.authorize()).call
    thief = channel(accountcode=account.account_number)
    await thief.settle(1, call=call)
    assert await untouched(business, account, call)
    (told,) = events.of("agi.bad_peer")
    assert (thief.uniqueid, call) == (told["uniqueid"], told["call_id"])
    await victim.settle()
    assert await nothing_reserved(business, account)


async def test_a_daemon_that_has_to_read_the_session_refuses_another_channel_too(
    business: Business, start_daemon: StartDaemon, clock: Clock, events: EventLog
) -> None:
    first, second = await start_daemon(), await start_daemon()
    account = await business.customer()
    victim = Channel(first.port, clock, accountcode=account.account_number)
    call = (await victim.authorize()).call
    await Channel(second.port, clock).settle(1, call=call)
    assert await untouched(business, account, call)
    assert 1 == len(events.of("agi.bad_peer"))


@pytest.mark.parametrize(
    "guess",
    [
        lambda account, _: f"{account.id}-{GUESSED}",
        lambda account, _: f"{account.id + 1}-{GUESSED}",
        lambda _, call: call[:-1],
        lambda _, call: call.upper(),
        lambda _, call: f"{call}' OR '1'='1",
        lambda _, call: f"99{call}",
        lambda _, call: f"{2**70}-{GUESSED}",
        lambda *_: "-1",
        lambda *_: "%",
    ],
)
async def test_a_guessed_call_id_settles_nothing(
    business: Business,
    channel: NewChannel,
    events: EventLog,
    guess: Callable[[Account, str], str],
) -> None:
    account = await business.customer()
    phone = channel(accountcode=account.account_number)
    call = (await phone.authorize()).call
    await phone.settle(1, call=guess(account, call))
    assert await untouched(business, account, call)
    assert 1 == len(events.of("agi.bad_peer"))
    assert [] == events.of("backend.down") + events.of("agi.failed")


NOW, ANSWERED, FUTURE = "1772366460.000", "1772366450.000", "4102444800.000"


@pytest.mark.parametrize(
    ("end", "why"),
    [
        (("ANSWER", "", "16", "1", NOW, ANSWERED), "ENDED_AT is before ANSWERED_AT"),
        (("ANSWER", "", "16", "1", ANSWERED, FUTURE), "more than a day away from now"),
        (("ANSWER", "", "16", "1", "0.000", NOW), "longer than the time since authorize"),
        (("ANSWER", "1000", "16", "1", "1.000", "1.500"), "more than a day away from now"),
        (("ANSWER", "3600000", "16"), "longer than the time since authorize"),
        (("ANSWER", "999999999999", "16"), "longer than the time since authorize"),
        (("ANSWER", "9999999999999", "16"), "ANSWEREDTIME_MS is not a number"),
        (("ANSWER", "-1", "16"), "ANSWEREDTIME_MS is not a number"),
        (("ANSWER", "1e3", "16"), "ANSWEREDTIME_MS is not a number"),
        (("ANSWER", "٣٣", "16"), "ANSWEREDTIME_MS is not a number"),
        (("ANSWER", "NaN", "16"), "ANSWEREDTIME_MS is not a number"),
        (("ANSWER", "", "16", "1", "soon", NOW), "ANSWERED_AT is not epoch seconds"),
        (("ANSWER", "", "16", "1", ANSWERED, "-1.000"), "ENDED_AT is not epoch seconds"),
        (("ANSWER", "", "16", "1", "99999999999999.000", NOW), "ANSWERED_AT is not epoch"),
        (("ANSWER", "", "16"), "answered, but no time was given"),
        (("BUSY", "", "17", "1", ANSWERED, ""), "answered, but no time was given"),
        (("${SHELL(id)}", "", "16"), "DIALSTATUS is not a word"),
    ],
)
async def test_an_end_that_cannot_be_is_left_to_recovery(
    business: Business,
    channel: NewChannel,
    clock: Clock,
    events: EventLog,
    end: tuple[str, ...],
    why: str,
) -> None:
    clock.freeze(clock().replace(year=2026, month=3, day=1, hour=12, minute=0, second=0))
    account = await business.customer()
    phone = channel(accountcode=account.account_number)
    answer = await phone.authorize()
    clock.advance(60)
    await phone.run("settle", answer.call, *end)
    assert [] == events.of("agi.failed")
    (told,) = events.of("agi.bad_peer")
    assert why in told["error"]
    assert await untouched(business, account, answer.call)
    assert why in (await business.session(answer.call))["review"]

    assert 0 == await business.recover()
    clock.advance(answer.limit_ms / 1000 + 3600)
    assert 1 == await business.recover()
    session = await business.session(answer.call)
    assert ("settled", "orphan") == (session["state"], session["witness"])
    assert "nobody saw the end" in session["review"]
    assert [("customer", session["held_micros"])] == await business.charges(account)
    assert await nothing_reserved(business, account)
    assert 1 == len(events.of("call.orphan_settled", call_id=answer.call))


async def test_a_flag_is_noted_once_however_often_the_same_end_is_told(
    business: Business, channel: NewChannel
) -> None:
    account = await business.customer()
    phone = channel(accountcode=account.account_number)
    call = (await phone.authorize()).call
    for _ in range(3):
        await phone.settle(status="ANSWER")
    assert "answered, but no time was given" == (await business.session(call))["review"]


async def test_recovery_may_be_set_to_charge_nothing_for_an_end_nobody_saw(
    business: Business, channel: NewChannel, clock: Clock
) -> None:
    account = await business.customer()
    call = (await channel(accountcode=account.account_number).authorize()).call
    clock.advance(100_000)
    assert 1 == await business.recover(unseen_end="nothing")
    assert [] == await business.charges(account)
    assert await nothing_reserved(business, account)
    assert "charged nothing" in (await business.session(call))["review"]


async def test_a_settle_after_recovery_changes_nothing(
    business: Business, channel: NewChannel, clock: Clock, events: EventLog
) -> None:
    account = await business.customer()
    phone = channel(accountcode=account.account_number)
    await phone.authorize()
    clock.advance(100_000)
    await business.recover()
    charges = await business.charges(account)
    await phone.settle(5000)
    assert charges == await business.charges(account)
    assert 1 == len(events.of("call.settle_repeated"))


async def test_a_call_that_cannot_be_recovered_keeps_no_other_from_it(
    business: Business, channel: NewChannel, clock: Clock, events: EventLog
) -> None:
    broken, sound = await business.customer(), await business.customer()
    for account in (broken, sound):
        await channel(accountcode=account.account_number).authorize()
        clock.advance(1)
    await business.set(broken, open_calls=0)
    clock.advance(100_000)
    assert 1 == await business.recover()
    assert await nothing_reserved(business, sound)
    (failed,) = events.of("background.failed")
    assert broken.id == failed["account_id"]
    await business.set(broken, open_calls=1)
    assert 1 == await business.recover()


@pytest.mark.parametrize("number_of_arguments", [1, 3, 8])
async def test_too_few_or_too_many_arguments_settle_nothing(
    business: Business, channel: NewChannel, events: EventLog, number_of_arguments: int
) -> None:
    account = await business.customer()
    phone = channel(accountcode=account.account_number)
    answer: Answer = await phone.authorize()
    arguments = [answer.call, "BUSY", "", "17", "1", "", "", "more"]
    await phone.run("settle", *arguments[:number_of_arguments])
    assert await untouched(business, account, answer.call)
    assert "settle: takes 4 to 7 arguments" == events.of("agi.bad_peer")[0]["error"]
