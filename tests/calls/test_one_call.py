"""One call by the book: authorized, dialled, settled."""

from support.business import MICROS, Business, nothing_reserved
from support.channel import Answer
from support.clock import Clock
from support.event_log import EventLog
from support.fixtures import NewChannel


async def test_an_allowed_call_gets_every_variable_in_one_command(
    business: Business, channel: NewChannel
) -> None:
    account = await business.customer(refill_micros=MICROS, language="fr-CA")
    phone = channel(accountcode=account.account_number)
    answer = await phone.authorize()
    assert 1 == len(phone.commands)
    assert answer == Answer(
        decision="allow",
        reason="",
        call=answer.call,
        dial="PJSIP/442079460000@gw",
        dial_options="L(1000000:61000:30000)",
        ring_timeout="60",
        limit_ms=1_000_000,
        routes=2,
        callerid="",
        prompt="",
        language="fr_CA",
    )
    assert "PJSIP/442079460000@backup" == phone.variables["AUTH_DIAL_2"]
    assert ["", "", ""] == [phone.variables[f"AUTH_DIAL_{route}"] for route in (3, 4, 5)]
    assert MICROS == (await business.account(account)).held_micros


async def test_a_settled_call_is_debited_by_its_price_and_releases_all(
    business: Business, channel: NewChannel, clock: Clock, events: EventLog
) -> None:
    account = await business.customer(refill_micros=MICROS)
    phone = channel(accountcode=account.account_number)
    answer = await phone.authorize()
    clock.advance(10)
    await phone.settle(talk_ms=2500)
    assert [("customer", 3000)] == await business.charges(account)
    assert await nothing_reserved(business, account)
    assert MICROS - 3000 == (await business.account(account)).balance_micros
    session = await business.session(answer.call)
    assert ("settled", 2500, 3, 3000, "ANSWER", 16, 1, "handler") == (
        session["state"], session["talk_ms"], session["billed_seconds"], session["cost_micros"],
        session["dialstatus"], session["hangupcause"], session["route"], session["witness"],
    )  # fmt: skip
    (authorized,) = events.of("call.authorized")
    (settled,) = events.of("call.settled")
    assert {answer.call} == {authorized["call_id"], settled["call_id"]}
    assert account.account_number not in str(events.events)
