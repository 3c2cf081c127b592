"""Calls to DIDs: from outside to their owners, on to numbers, and from customers on-net."""

from datetime import timedelta
from fractions import Fraction

import pytest

from agi_server.accounts import did_destinations, dids
from agi_server.accounts.audit import Editor
from agi_server.accounts.codes import AccountStatus
from agi_server.accounts.phones import Technology
from agi_server.calls.rerate import rerate
from agi_server.storage.postgres.statements import statement
from agi_server.tariffs import plans, rate_cards
from rating.rate import Rate
from support.business import MICROS, Business, nothing_reserved
from support.channel import Answer, Channel, Dialled
from support.clock import Clock
from support.fixtures import NewChannel, StartDaemon

DID = "442079460000"
MINUTE_DID = "491512345678"


def editor(business: Business) -> Editor:
    return Editor(changed_by="test", at=business.now())


async def test_a_did_rings_at_its_destinations_in_their_order_for_the_price_of_its_plan(
    business: Business, channel: NewChannel, clock: Clock
) -> None:
    owner = await business.customer(refill_micros=MICROS, language="fr-CA")
    sip = await business.phone(owner)
    iax = await business.phone(owner, Technology.IAX)
    await business.did(
        DID, owner, plan="standard", destinations=("sip", "33123456789", "iax", "sip")
    )
    await did_destinations.switch_destination(business.pool, DID, 4, False, editor(business))
    carrier = channel(callerid="33698765432", extension=f"+{DID}", endpoint="PJSIP/gw")
    answer = await carrier.did()
    assert 1 == len(carrier.commands)
    assert answer == Answer(
        decision="allow",
        reason="",
        call=answer.call,
        dial=f"PJSIP/{sip}",
        dial_options="L(500000:61000:30000)",
        ring_timeout="60",
        limit_ms=500_000,  # half of the funds: the number needs some, too
        routes=3,
        callerid="",
        prompt="",
        language="fr_CA",
    )
    assert ["Local/33123456789@agi-server-forward/n", f"IAX2/{iax}", ""] == [
        carrier.variables[f"AUTH_DIAL_{route}"] for route in (2, 3, 4)
    ]
    assert MICROS // 2 == (await business.account(owner)).held_micros
    clock.advance(10)
    await carrier.settle(talk_ms=2500, route="3")
    assert [("customer", 3000)] == await business.charges(owner)
    assert await nothing_reserved(business, owner)
    session = await business.session(answer.call)
    assert ("inbound", DID, "did", "44", 3, 3000, DID) == (
        session["direction"], session["did"], session["identified_by"], session["prefix"],
        session["route"], session["cost_micros"], session["destination"],
    )  # fmt: skip


@pytest.mark.parametrize("memory", ["the daemon that authorized", "another daemon"])
async def test_without_a_plan_the_owner_pays_nothing_and_the_call_is_bounded_all_the_same(
    business: Business, start_daemon: StartDaemon, clock: Clock, memory: str
) -> None:
    daemons = [await start_daemon() for _ in range(1 + (memory == "another daemon"))]
    owner = await business.customer(refill_micros=0)
    await business.phone(owner)
    await business.did(DID, owner, destinations=("sip",))
    carrier = Channel(daemons[0].port, clock, extension=DID)
    answer = await carrier.did()
    assert (True, 3_600_000) == (answer.allowed, answer.limit_ms)
    carrier.port = daemons[-1].port
    clock.advance(10)
    await carrier.settle(talk_ms=2500)
    session = await business.session(answer.call)
    assert ("settled", 3, 0, 0, None) == (
        session["state"], session["billed_seconds"], session["cost_micros"],
        session["buy_cost_micros"], session["version_id"],
    )  # fmt: skip
    assert [] == await business.charges(owner)
    assert await nothing_reserved(business, owner)


async def test_a_did_without_a_plan_of_its_own_is_priced_by_the_setting(
    business: Business, start_daemon: StartDaemon, clock: Clock
) -> None:
    owner = await business.customer(refill_micros=MICROS)
    await business.phone(owner)
    await business.did(DID, owner, destinations=("sip",))
    for plan, expected in (("standard", ("allow", "")), ("none", ("deny", "no_rate"))):
        daemon = await start_daemon(calls={"inbound_plan": plan})
        carrier = Channel(daemon.port, clock, extension=DID)
        answer = await carrier.did()
        assert expected == (answer.decision, answer.reason)
        if answer.allowed:
            await carrier.settle()


async def test_a_call_to_a_did_that_cannot_ring_is_refused_and_says_why(
    business: Business, channel: NewChannel, clock: Clock
) -> None:
    day = timedelta(days=1)
    owner = await business.customer()
    await business.phone(owner)
    gone = await business.customer(status=AccountStatus.SUSPENDED)
    phoneless = await business.customer()
    penniless = await business.customer(refill_micros=0)
    await business.phone(penniless)
    await business.did("4412341", destinations=())
    await business.did("4412342", owner, valid_from=clock() + day, destinations=("sip",))
    await business.did("4412343", owner, valid_until=clock() - day, destinations=("sip",))
    await business.did("4412344", owner, destinations=("sip",))
    await dids.update_did(business.pool, "4412344", {"active": False}, editor(business))
    await business.did("4412345", owner)
    await business.did("4412346", phoneless, destinations=("sip", "iax"))
    await business.did("4412347", gone, destinations=("33123456789",))
    await business.did("4412348", penniless, plan="standard", destinations=("sip",))
    await business.did("9912349", owner, plan="standard", destinations=("sip",))
    found = {}
    for number in ("4412340", *(f"441234{n}" for n in range(1, 9)), "9912349", "12"):
        carrier = channel(extension=number)
        answer = await carrier.did()
        assert ("deny", "", "") == (answer.decision, answer.call, answer.dial)
        found[number] = answer.reason
    assert {
        "4412340": "did_not_found",
        "4412341": "did_not_assigned",
        "4412342": "did_inactive",
        "4412343": "did_inactive",
        "4412344": "did_inactive",
        "4412345": "did_no_destination",
        "4412346": "did_no_destination",
        "4412347": "account_suspended",
        "4412348": "no_credit",
        "9912349": "no_rate",
        "12": "number_invalid",
    } == found
    while await business.pool.fetchval("SELECT count(*) FROM call_session") < len(found):
        pass  # each look waits for the database
    records = await business.pool.fetch(
        "SELECT DISTINCT direction, identified_by FROM call_session WHERE state = 'denied'"
    )
    assert [("inbound", "did")] == [tuple(record) for record in records]


async def test_the_own_lock_and_restrictions_are_of_outgoing_calls_and_keep_no_call_out(
    business: Business, channel: NewChannel
) -> None:
    owner = await business.customer(locked=True, restriction=1, restricted_numbers=("4420*",))
    await business.phone(owner)
    await business.did(DID, owner, plan="standard", destinations=("sip",))
    carrier = channel(extension=DID)
    assert (await carrier.did()).allowed
    phone = channel(accountcode=owner.account_number)
    assert "account_locked" == (await phone.authorize()).reason
    await carrier.settle()


async def test_a_channel_that_asks_again_has_its_first_call_ended(
    business: Business, channel: NewChannel
) -> None:
    owner = await business.customer(simultaneous_access=1)
    await business.phone(owner)
    await business.did(DID, owner, plan="standard", destinations=("sip",))
    carrier = channel(extension=DID)
    first = await carrier.did()
    second = await carrier.did()
    assert second.allowed
    ended = await business.session(first.call)
    assert ("void", "cancelled") == (ended["state"], ended["reason"])
    await carrier.settle()
    assert await nothing_reserved(business, owner)


async def test_an_inbound_call_takes_a_unit_of_simultaneous_access(
    business: Business, channel: NewChannel
) -> None:
    owner = await business.customer(simultaneous_access=1)
    await business.phone(owner)
    await business.did(DID, owner, destinations=("sip",))
    first, second, phone = channel(extension=DID), channel(extension=DID), None
    assert (await first.did()).allowed
    assert "too_many_calls" == (await second.did()).reason
    phone = channel(accountcode=owner.account_number)
    assert "too_many_calls" == (await phone.authorize()).reason
    await first.settle()
    assert (await second.did()).allowed
    await second.settle()


async def test_a_call_lasts_no_longer_than_its_did_is_valid(
    business: Business, channel: NewChannel, clock: Clock
) -> None:
    clock.freeze(clock())
    owner = await business.customer()
    await business.phone(owner)
    until = clock() + timedelta(seconds=300)
    await business.did(DID, owner, valid_until=until, destinations=("sip",))
    carrier = channel(extension=DID)
    assert 240_000 == (await carrier.did()).limit_ms  # after a minute of ringing
    await carrier.settle()


async def test_a_short_local_number_that_is_lengthened_to_a_did_stays_on_net(
    business: Business, start_daemon: StartDaemon, clock: Clock
) -> None:
    await plans.change_plan(
        business.pool,
        "standard",
        dialling={"country": "GB", "area_code": "2079", "local_lengths": (6,)},
    )
    daemon = await start_daemon(calls={"on_net": "free"})
    caller, owner = await business.customer(), await business.customer()
    await business.did(DID, owner, destinations=("33123456789",))
    for dialled, dial in (
        (DID[-6:], f"Local/{DID}@agi-server-did/n"),
        ("460001", "PJSIP/442079460001@gw"),
    ):
        phone = Channel(daemon.port, clock, accountcode=caller.account_number, extension=dialled)
        assert dial == (await phone.authorize()).dial
        await phone.settle()


@pytest.mark.parametrize(
    "query", ["?account=1234567890", "?ask=never", "?plan=x", "?identify=pin", "?forward=1-2"]
)
async def test_did_takes_no_parameter_that_names_a_caller(channel: NewChannel, query: str) -> None:
    assert "unavailable" == (await channel().did(query)).reason


@pytest.mark.parametrize(
    ("on_net", "dial", "direction", "cost"),
    [
        ("off", f"PJSIP/{DID}@gw", "outbound", 3000),
        ("free", f"Local/{DID}@agi-server-did/n", "on_net", 0),
        ("plan", f"Local/{DID}@agi-server-did/n", "on_net", 3000),
    ],
)
async def test_a_call_to_another_customers_did_stays_on_net_as_the_setting_says(
    business: Business,
    start_daemon: StartDaemon,
    clock: Clock,
    on_net: str,
    dial: str,
    direction: str,
    cost: int,
) -> None:
    buying = Rate(prefix="44", price_micros_per_minute=60_000, buy_price_micros_per_minute=6_000)
    await business.card("retail", [buying], trunks=("gw",))
    daemon = await start_daemon(calls={"on_net": on_net})
    settler = await start_daemon()
    caller, owner = await business.customer(country="GB"), await business.customer()
    await business.did(DID, owner, destinations=("33123456789",))
    for dialled in (DID, f"+{DID}", "02079460000"):
        phone = Channel(daemon.port, clock, accountcode=caller.account_number, extension=dialled)
        answer = await phone.authorize()
        assert (dial, 1, "") == (answer.dial, answer.routes, phone.variables["AUTH_DIAL_2"])
        clock.advance(10)
        phone.port = settler.port  # which did not authorize it
        await phone.settle(talk_ms=2500)
        session = await business.session(answer.call)
        assert (direction, None if on_net == "off" else DID, DID, cost) == (
            session["direction"], session["did"], session["destination"], session["cost_micros"],
        )  # fmt: skip
        assert (300 if on_net == "off" else 0) == session["buy_cost_micros"]
    since = clock() - timedelta(days=1)
    for in_force in (False, True):  # priced again they cost the same
        again = rerate(business.pool, since, clock() + timedelta(days=1), in_force=in_force)
        assert [] == [each async for each in again]
    phone = Channel(daemon.port, clock, accountcode=caller.account_number, extension=DID[:-1] + "1")
    assert f"PJSIP/{DID[:-1]}1@gw" == (await phone.authorize()).dial
    await phone.settle()
    assert await nothing_reserved(business, caller)


async def test_a_did_that_takes_no_calls_is_called_over_the_trunks(
    business: Business, start_daemon: StartDaemon, clock: Clock
) -> None:
    daemon = await start_daemon(calls={"on_net": "free"})
    caller, owner = await business.customer(), await business.customer()
    await business.did(DID, owner, valid_until=clock() - timedelta(days=1))
    await business.did("442079460001", owner)
    await dids.update_did(business.pool, "442079460001", {"active": False}, editor(business))
    await business.did("442079460002")
    for number in (DID, "442079460001", "442079460002"):
        phone = Channel(daemon.port, clock, accountcode=caller.account_number, extension=number)
        assert f"PJSIP/{number}@gw" == (await phone.authorize()).dial
        await phone.settle()


async def test_what_a_typed_number_is_decides_whether_the_call_stays_on_net(
    business: Business, start_daemon: StartDaemon, clock: Clock
) -> None:
    daemon = await start_daemon(calls={"on_net": "free"})
    caller, owner = await business.customer(), await business.customer()
    await business.did("2001", owner, destinations=("33123456789",))  # an internal number
    phone = Channel(
        daemon.port,
        clock,
        accountcode=caller.account_number,
        extension="s",
        digits=["2001", ""],
        dials=[Dialled(talk_ms=1000)],
    )
    await phone.call()
    assert ["Local/2001@agi-server-did/n"] == [target for target, *_ in phone.dialled()]


async def test_on_net_calls_of_an_account_in_another_currency_are_priced_by_its_plan(
    business: Business, start_daemon: StartDaemon, clock: Clock
) -> None:
    source = rate_cards.Source(name="euros.csv", sha256="euros")
    await rate_cards.store_version(
        business.pool, "euros", [Rate(prefix="44", price_micros_per_minute=60_000)], source,
        currency="EUR", default_currency="USD", activate=True, at=clock(),
    )  # fmt: skip
    await plans.create_plan(business.pool, "euros", ["euros"])
    await business.pool.execute(
        "INSERT INTO exchange_rate (base, currency, per_base, effective_from)"
        " VALUES ('USD', 'EUR', '0.5', '2020-01-01')"
    )
    daemon = await start_daemon(calls={"on_net": "plan"})
    caller, owner = await business.customer(plan="euros"), await business.customer()
    await business.did(DID, owner, destinations=("33123456789",))
    phone = Channel(daemon.port, clock, accountcode=caller.account_number, extension=DID)
    answer = await phone.authorize()
    clock.advance(10)
    await phone.settle(talk_ms=2500)
    session = await business.session(answer.call)
    assert (6000, Fraction(2)) == (session["cost_micros"], Fraction(session["exchange"]))


async def test_a_locked_owners_inbound_call_goes_on(
    business: Business, channel: NewChannel
) -> None:
    owner = await business.customer()
    await business.phone(owner)
    await business.did(DID, owner, destinations=("sip",))
    carrier, phone = channel(extension=DID), channel(accountcode=owner.account_number)
    await carrier.did()
    outgoing = await phone.authorize()
    await business.set(owner, locked=True)
    rows = await business.pool.fetch(statement("calls/stopped_sessions"))
    assert [outgoing.call] == [row["call_id"] for row in rows]
    await carrier.settle()
    await phone.settle()
