"""However often and wherever settle is asked: one debit."""

import asyncio

from support.business import Business, nothing_reserved
from support.channel import Channel
from support.clock import Clock
from support.event_log import EventLog
from support.fixtures import NewChannel, StartDaemon


async def test_settle_asked_three_times_two_of_them_in_parallel_debits_once(
    business: Business, channel: NewChannel, clock: Clock, events: EventLog
) -> None:
    account = await business.customer()
    phone = channel(accountcode=account.account_number)
    call = (await phone.authorize()).call
    clock.advance(60)
    again = channel(accountcode=account.account_number, uniqueid=phone.uniqueid)
    await asyncio.gather(phone.settle(5000), again.settle(5000, call=call))
    await phone.settle(5000)
    assert [("customer", 5000)] == await business.charges(account)
    assert await nothing_reserved(business, account)
    assert 1 == len(events.of("call.settled", call_id=call))
    assert 2 == len(events.of("call.settle_repeated", call_id=call))
    assert [] == events.of("backend.down")


async def test_twenty_parallel_settles_on_two_daemons_debit_once(
    business: Business, start_daemon: StartDaemon, clock: Clock, events: EventLog
) -> None:
    daemons = [await start_daemon() for _ in range(2)]
    account = await business.customer()
    phone = Channel(daemons[0].port, clock, accountcode=account.account_number)
    call = (await phone.authorize()).call
    clock.advance(60)
    handlers = [
        Channel(daemons[number % 2].port, clock, uniqueid=phone.uniqueid) for number in range(20)
    ]
    await asyncio.gather(*(each.settle(7000, call=call) for each in handlers))
    assert [("customer", 7000)] == await business.charges(account)
    assert 1 == len(events.of("call.settled"))
    assert 19 == len(events.of("call.settle_repeated"))
    assert [] == events.of("backend.down")


async def test_another_daemon_settles_what_it_did_not_authorize(
    business: Business, start_daemon: StartDaemon, clock: Clock, events: EventLog
) -> None:
    first, second = await start_daemon(), await start_daemon()
    account = await business.customer()
    phone = Channel(first.port, clock, accountcode=account.account_number)
    call = (await phone.authorize()).call
    await first.stop()
    clock.advance(60)
    phone.port = second.port
    await phone.settle(5000)
    assert [("customer", 5000)] == await business.charges(account)
    assert await nothing_reserved(business, account)
    (settled,) = events.of("call.settled")
    assert (call, account.id, 5, 5000) == (
        settled["call_id"], settled["account_id"], settled["billed_seconds"], settled["cost_micros"]
    )  # fmt: skip


async def test_a_call_is_priced_as_it_was_promised_although_rates_changed_meanwhile(
    business: Business, start_daemon: StartDaemon, clock: Clock
) -> None:
    from rating.rate import Rate

    first = await start_daemon()
    account = await business.customer()
    phone = Channel(first.port, clock, accountcode=account.account_number)
    await phone.authorize()
    await business.card("retail", [Rate(prefix="44", price_micros_per_minute=600_000_000)])
    second = await start_daemon()
    clock.advance(60)
    phone.port = second.port
    await phone.settle(5000)
    assert [("customer", 5000)] == await business.charges(account)


async def test_an_empty_call_does_nothing(
    business: Business, channel: NewChannel, events: EventLog
) -> None:
    phone = channel()
    await phone.settle(5000, call="")
    assert [] == phone.commands
    assert "SUCCESS" == phone.variables["AGISTATUS"]
    assert [] == events.events


async def test_an_unanswered_call_costs_nothing_and_releases_all(
    business: Business, channel: NewChannel, events: EventLog
) -> None:
    account = await business.customer()
    phone = channel(accountcode=account.account_number)
    call = (await phone.authorize()).call
    await phone.settle(status="BUSY", cause="17")
    assert [] == await business.charges(account)
    assert await nothing_reserved(business, account)
    session = await business.session(call)
    assert ("settled", "BUSY", 0, 0) == tuple(
        session[name] for name in ("state", "dialstatus", "billed_seconds", "cost_micros")
    )
    (settled,) = events.of("call.settled")
    assert 0 == settled["cost_micros"]


async def test_a_second_authorize_of_a_channel_ends_its_first_call(
    business: Business, channel: NewChannel, events: EventLog
) -> None:
    account = await business.customer(simultaneous_access=1)
    phone = channel(accountcode=account.account_number)
    first = await phone.authorize()
    second = await phone.authorize()
    assert (True, True) == (first.allowed, second.allowed)
    assert "void" == (await business.session(first.call))["state"]
    assert "open" == (await business.session(second.call))["state"]
    assert [] == await business.charges(account)


async def test_a_refused_second_authorize_leaves_no_first_call_open(
    business: Business, channel: NewChannel
) -> None:
    account = await business.customer()
    phone = channel(accountcode=account.account_number)
    assert (await phone.authorize()).allowed
    phone.accountcode = "999999999"
    assert "account_not_found" == (await phone.authorize()).reason
    assert await nothing_reserved(business, account)


async def test_what_an_earlier_dial_of_the_channel_left_is_not_taken_for_this_call(
    business: Business, channel: NewChannel
) -> None:
    account = await business.customer()
    phone = channel(accountcode=account.account_number)
    phone.variables |= {"DIALSTATUS": "ANSWER", "ANSWEREDTIME_MS": "1500"}
    assert (await phone.authorize()).allowed
    # The caller hangs up before any Dial; the handler sends what the variables say.
    await phone.run(
        "settle",
        phone.answer.call,
        phone.variables["DIALSTATUS"],
        phone.variables["ANSWEREDTIME_MS"],
        "0",
    )
    assert [] == await business.charges(account)
    assert await nothing_reserved(business, account)
