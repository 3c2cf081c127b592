"""Calls to DIDs from outside: they ring at registered phones, go on to numbers; on-net calls."""

from collections.abc import AsyncIterator

import pytest
from asterisk_tree import AsteriskTree
from exchange import PER_SECOND, SECOND_MICROS, Exchange, soon
from realtime import phone_of, realtime_exchange
from sip_phone import call as call_from_phone
from sip_phone import ringing
from sip_scenarios import Answers, HangUp, Refuses, RingsForEver, Wait
from sipp import SipCall, call, callee

from agi_server.accounts.account import Account
from agi_server.calls.records import CallRecord, list_calls
from support.business import MICROS, Business, nothing_reserved
from support.fixtures import StartProcess

DID = f"{PER_SECOND}1442079"
OTHER = f"{PER_SECOND}2079460009"
FROM_CARRIER = """
[from-carrier]
exten => _X.,1,Goto(agi-server-did,${EXTEN},1)
"""
TALK_MS = 1500


@pytest.fixture
async def pbx(
    asterisk_tree: AsteriskTree, business: Business, start_process: StartProcess
) -> AsyncIterator[Exchange]:
    """Carriers' calls come to DIDs, customers' calls to DIDs stay on-net."""
    async with realtime_exchange(
        asterisk_tree,
        business,
        start_process,
        extensions=FROM_CARRIER,
        AGI_SERVER_CALLS__ON_NET="plan",
    ) as exchange:
        yield exchange


async def from_carrier(pbx: Exchange, *, talks: bool = True) -> SipCall:
    """A carrier calls the DID."""
    steps = (Wait(TALK_MS), HangUp()) if talks else ()
    return await call(pbx.asterisk, DID, *steps, user="carrier")


async def settled(pbx: Exchange, *accounts: Account, count: int) -> list[CallRecord]:
    """Their calls in the order in which they were authorized, when all have ended; each was debited
    once, by whole seconds, and nothing is reserved any more."""
    ids = {account.id for account in accounts}

    async def all_ended() -> list[CallRecord]:
        records = [each for each in await list_calls(pbx.business.pool) if each.account_id in ids]
        return records if [each.state for each in records] == ["settled"] * count else []

    records = (await soon(all_ended))[::-1]
    for record in records:
        assert record.billed_seconds == -(-(record.talk_ms or 0) // 1000)
        costs = record.billed_seconds * SECOND_MICROS if record.plan else 0
        assert costs == record.cost_micros
        await pbx.logged("call.settled", call_id=record.call_id)
        assert [] == pbx.events("call.settle_repeated", call_id=record.call_id)
    for account in accounts:
        own = [each.cost_micros for each in records if each.account_id == account.id]
        charges = await pbx.business.charges(account)
        assert sorted(cost for cost in own if cost) == sorted(amount for _, amount in charges)
        assert await nothing_reserved(pbx.business, account)
    assert [] == await pbx.business.mismatches()
    return records


async def test_a_call_from_outside_rings_at_the_registered_phone_and_is_debited_once(
    pbx: Exchange,
) -> None:
    owner = (await pbx.customer()).account
    phone = await phone_of(pbx, owner.id, owner.account_number)
    await pbx.business.did(DID, owner, plan="exchange", destinations=("sip",))
    async with ringing(pbx.asterisk, phone.user_name, phone.secret, Answers(ring_ms=300)) as rung:
        seen = await from_carrier(pbx)
        taken = await rung.ended()
    assert (200, "this end") == (seen.status, seen.hung_up_by)
    (record,) = await settled(pbx, owner, count=1)
    assert ("inbound", DID, "did", 1) == (
        record.direction, record.did, record.identified_by, record.route,
    )  # fmt: skip
    pbx.assert_talk(record, taken)


@pytest.mark.parametrize("first", [RingsForEver(), Refuses(status=486)], ids=["silent", "busy"])
async def test_when_the_phone_does_not_answer_the_call_goes_on_to_a_number(
    pbx: Exchange, first: RingsForEver | Refuses
) -> None:
    owner = (await pbx.customer(simultaneous_access=1)).account  # it is one call
    phone = await phone_of(pbx, owner.id, owner.account_number)
    await pbx.business.did(DID, owner, plan="exchange", destinations=("sip", OTHER))
    async with (
        ringing(pbx.asterisk, phone.user_name, phone.secret, first) as rung,
        callee(pbx.asterisk, "gw", Answers(ring_ms=300)) as gw,
    ):
        seen = await from_carrier(pbx)
        taken = await gw.ended(number=OTHER)
        assert 1 == await rung.calls_seen()
    assert 200 == seen.status
    inbound, outgoing = await settled(pbx, owner, count=2)
    assert ("inbound", "did", DID, 2) == (
        inbound.direction, inbound.identified_by, inbound.destination, inbound.route,
    )  # fmt: skip
    assert ("outbound", "forward", OTHER, "gw") == (
        outgoing.direction, outgoing.identified_by, outgoing.destination, outgoing.trunk,
    )  # fmt: skip
    pbx.assert_talk(inbound, taken)
    pbx.assert_talk(outgoing, taken)


async def test_nobody_answers_anywhere_and_nobody_pays(pbx: Exchange) -> None:
    owner = (await pbx.customer()).account
    phone = await phone_of(pbx, owner.id, owner.account_number)
    await pbx.business.did(DID, owner, plan="exchange", destinations=("sip",))
    refuses = Refuses(status=480)
    async with ringing(pbx.asterisk, phone.user_name, phone.secret, refuses):
        seen = await from_carrier(pbx, talks=False)
    assert seen.status is not None
    assert seen.status >= 400
    (record,) = await settled(pbx, owner, count=1)
    assert (0, 0) == (record.talk_ms, record.cost_micros)


async def test_a_customer_calls_anothers_did_on_net_and_each_pays_the_own_part(
    pbx: Exchange,
) -> None:
    owner = (await pbx.customer(1)).account
    caller = (await pbx.customer(2)).account
    rings = await phone_of(pbx, owner.id, owner.account_number)
    calls = await phone_of(pbx, caller.id, caller.account_number)
    await pbx.business.did(DID, owner, destinations=("sip",))
    async with (
        callee(pbx.asterisk, "gw", Answers()) as gw,
        ringing(pbx.asterisk, rings.user_name, rings.secret, Answers()) as rung,
    ):
        assert await call_from_phone(
            pbx.asterisk, calls.user_name, calls.secret, DID, talk_ms=TALK_MS
        )
        taken = await rung.ended()
        assert 0 == await gw.calls_seen()
    on_net, inbound = await settled(pbx, caller, owner, count=2)
    assert ("on_net", caller.id, DID) == (on_net.direction, on_net.account_id, on_net.did)
    assert ("inbound", owner.id, 0) == (inbound.direction, inbound.account_id, inbound.cost_micros)
    pbx.assert_talk(on_net, taken)
    pbx.assert_talk(inbound, taken)


async def test_rolling_holds_of_an_on_net_call_and_its_inbound_part_are_extended(
    asterisk_tree: AsteriskTree, business: Business, start_process: StartProcess
) -> None:
    settings = {
        "AGI_SERVER_CALLS__ON_NET": "plan",
        "AGI_SERVER_CALLS__HOLD_MODE": "rolling",
        "AGI_SERVER_CALLS__SLICE_S": "4",
    }
    async with realtime_exchange(asterisk_tree, business, start_process, **settings) as pbx:
        owner = (await pbx.customer(1)).account
        caller = (await pbx.customer(2)).account
        rings = await phone_of(pbx, owner.id, owner.account_number)
        calls = await phone_of(pbx, caller.id, caller.account_number)
        await pbx.business.did(DID, owner, plan="exchange", destinations=("sip",))
        async with ringing(pbx.asterisk, rings.user_name, rings.secret, Answers()) as rung:
            assert await call_from_phone(
                pbx.asterisk, calls.user_name, calls.secret, DID, talk_ms=9000
            )
            taken = await rung.ended()
        records = await settled(pbx, caller, owner, count=2)
        for record in records:
            assert len(pbx.events("call.extended", call_id=record.call_id)) >= 1
            pbx.assert_talk(record, taken)


async def test_dids_that_ring_at_each_other_end_their_round(pbx: Exchange) -> None:
    owner = (await pbx.customer(balance_micros=1_000 * MICROS)).account
    other = f"{PER_SECOND}1442080"
    await pbx.business.did(DID, owner, destinations=(other,))
    await pbx.business.did(other, owner, destinations=(DID,))
    seen = await from_carrier(pbx, talks=False)
    assert seen.status is not None
    assert seen.status >= 400
    records = await settled(pbx, owner, count=10)
    assert ["inbound", "on_net"] * 5 == [record.direction for record in records]
