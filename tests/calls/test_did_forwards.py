"""DIDs that go on to a number: one call of their owner, in two parts, each checked and held."""

import asyncio

import pytest

from support.business import MICROS, Business, nothing_reserved
from support.clock import Clock
from support.fixtures import NewChannel

DID = "442079460000"
MINUTE_DID = "491512345678"


async def test_a_did_that_goes_on_to_a_number_is_an_outgoing_call_of_the_owner_as_well(
    business: Business, channel: NewChannel, clock: Clock
) -> None:
    owner = await business.customer(refill_micros=4 * MICROS)
    await business.did(DID, owner, plan="standard", destinations=(MINUTE_DID,))
    carrier = channel(callerid="33698765432", extension=DID)
    inbound = await carrier.did()
    assert 2_000_000 == inbound.limit_ms  # half of the funds: the other call needs some, too
    local = channel(extension=MINUTE_DID, endpoint="Local/x@agi-server-forward")
    forwarded = await local.authorize(f"?forward={inbound.call}")
    assert (f"PJSIP/{MINUTE_DID}@gw", 120_000) == (forwarded.dial, forwarded.limit_ms)
    clock.advance(10)
    await local.settle(talk_ms=2500)
    await carrier.settle(talk_ms=2600)
    assert [("customer", MICROS), ("customer", 3000)] == sorted(
        await business.charges(owner), reverse=True
    )
    session = await business.session(forwarded.call)
    assert ("outbound", "forward") == (session["direction"], session["identified_by"])
    assert "account_not_found" == (await local.authorize(f"?forward={inbound.call}")).reason
    assert await nothing_reserved(business, owner)


async def test_a_forwarded_call_is_one_call_of_its_owner_and_both_parts_are_held(
    business: Business, channel: NewChannel, clock: Clock
) -> None:
    owner = await business.customer(4 * MICROS, simultaneous_access=1, calls_per_second=1)
    await business.did(DID, owner, plan="standard", destinations=(MINUTE_DID,))
    carrier, second = channel(extension=DID), channel(extension=DID)
    phone = channel(accountcode=owner.account_number)
    inbound = await carrier.did()
    local = channel(extension=MINUTE_DID, endpoint="Local/x@agi-server-forward")
    forwarded = await local.authorize(f"?forward={inbound.call}")
    assert forwarded.allowed
    now = await business.account(owner)
    held = [
        (await business.session(call))["held_micros"] for call in (inbound.call, forwarded.call)
    ]
    assert (1, sum(held), True) == (now.in_use, now.held_micros, min(held) > 0)
    clock.advance(5)
    assert "too_many_calls" == (await second.did()).reason
    assert "too_many_calls" == (await phone.authorize()).reason
    await local.settle(talk_ms=2500)
    assert "too_many_calls" == (await phone.authorize()).reason  # the first part is still open
    await carrier.settle(talk_ms=2600)
    assert (await phone.authorize()).allowed
    await phone.settle()
    assert 2 == len(await business.charges(owner))
    assert await nothing_reserved(business, owner)
    assert [] == await business.mismatches()


async def test_one_inbound_call_opens_no_more_parts_than_its_destinations_need(
    business: Business, channel: NewChannel
) -> None:
    owner = await business.customer(100 * MICROS, simultaneous_access=1)
    await business.did(DID, owner, destinations=(MINUTE_DID,))
    carrier = channel(extension=DID)
    inbound = await carrier.did()
    parts = [channel(extension=MINUTE_DID) for _ in range(3)]
    reasons = [(await part.authorize(f"?forward={inbound.call}")).reason for part in parts]
    assert ["", "", "too_many_calls"] == reasons
    for part in (*parts[:2], carrier):
        await part.settle()
    assert await nothing_reserved(business, owner)


async def test_parts_of_forwarded_calls_at_once_never_let_another_call_in(
    business: Business, channel: NewChannel
) -> None:
    owner = await business.customer(1000 * MICROS, simultaneous_access=3)
    await business.did(DID, owner, destinations=(MINUTE_DID,))
    carriers = [channel(extension=DID) for _ in range(8)]
    answers = await asyncio.gather(*(carrier.did() for carrier in carriers))
    calls = [answer.call for answer in answers if answer.allowed]
    assert 3 == len(calls)
    parts = [channel(extension=MINUTE_DID) for _ in calls]
    phones = [channel(accountcode=owner.account_number) for _ in range(8)]
    allowed = await asyncio.gather(
        *(part.authorize(f"?forward={call}") for part, call in zip(parts, calls, strict=True))
    )
    assert all(answer.allowed for answer in allowed)
    *_, asked = await asyncio.gather(
        *(part.settle() for part in parts),
        asyncio.gather(*(phone.authorize() for phone in phones)),
    )
    assert {"too_many_calls"} == {answer.reason for answer in asked}
    for carrier in carriers:
        await carrier.settle()
    assert await nothing_reserved(business, owner)
    assert [] == await business.mismatches()


@pytest.mark.parametrize("query", ["?forward=12", "?forward=1-0&account=1234567890", "?forward="])
async def test_a_forwarded_call_that_is_not_named_properly_is_refused(
    channel: NewChannel, query: str
) -> None:
    assert "unavailable" == (await channel().authorize(query)).reason
