"""From what was dialled to the number, by country; and emergency numbers, which nothing stops."""

from typing import Any

import pytest

from agi_server.tariffs import plans
from rating.rate import Rate
from support.business import Business
from support.channel import Channel, Dialled
from support.clock import Clock
from support.event_log import EventLog
from support.fixtures import StartDaemon

EMERGENCY = {"numbers": ("112", "999"), "dial": "PJSIP/{number}@police"}
TEN_HOURS = "L(36000000)"


@pytest.mark.parametrize(
    ("country", "setting", "dialled", "number"),
    [
        ("GB", None, "02079460000", "442079460000"),
        ("GB", "US", "02079460000", "442079460000"),
        (None, "GB", "02079460000", "442079460000"),
        ("US", None, "011442079460000", "442079460000"),
        (None, None, "00442079460000", "442079460000"),
        ("DE", None, "+442079460000", "442079460000"),
    ],
)
async def test_numbers_are_dialled_as_in_the_country_of_the_account(
    business: Business,
    start_daemon: StartDaemon,
    clock: Clock,
    country: str | None,
    setting: str | None,
    dialled: str,
    number: str,
) -> None:
    daemon = await start_daemon(rating={"country": setting})
    account = await business.customer(country=country)
    phone = Channel(daemon.port, clock, accountcode=account.account_number, extension=dialled)
    answer = await phone.authorize()
    assert f"PJSIP/{number}@gw" == answer.dial
    record = await business.session(answer.call)
    assert (dialled, number) == (record["dialled"], record["destination"])


@pytest.mark.parametrize("country", [None, "GB"])
async def test_a_short_code_is_no_number_of_north_america(
    business: Business, start_daemon: StartDaemon, clock: Clock, country: str | None
) -> None:
    world, helpline = Rate(prefix="1", price_micros_per_minute=1), Rate(prefix="116123")
    await business.card("retail", [world, helpline], trunks=("gw",))
    daemon = await start_daemon()
    account = await business.customer(country=country)
    phone = Channel(daemon.port, clock, accountcode=account.account_number, extension="116123")
    answer = await phone.authorize()
    assert "PJSIP/116123@gw" == answer.dial
    assert "116123" == (await business.session(answer.call))["prefix"]
    for dialled in ("100", "112", "911"):
        phone = Channel(daemon.port, clock, accountcode=account.account_number, extension=dialled)
        assert "no_rate" == (await phone.authorize()).reason


@pytest.mark.parametrize(
    ("dialling", "dialled", "number"),
    [
        ({"country": "GB"}, "02079460000", "442079460000"),
        ({"country": "GB", "area_code": "20", "local_lengths": (8,)}, "79460000", "442079460000"),
        ({"area_code": "20", "local_lengths": (8,)}, "0044712345678", "44712345678"),
    ],
)
async def test_a_call_plan_says_how_its_customers_dial(
    business: Business,
    start_daemon: StartDaemon,
    clock: Clock,
    dialling: dict[str, Any],
    dialled: str,
    number: str,
) -> None:
    await plans.change_plan(business.pool, "standard", dialling=dialling)
    daemon = await start_daemon(rating={"country": "DE"})
    account = await business.customer(country="FR")
    phone = Channel(daemon.port, clock, accountcode=account.account_number, extension=dialled)
    assert f"PJSIP/{number}@gw" == (await phone.authorize()).dial


@pytest.mark.parametrize("dialled", ["112", "999", "112#"])
async def test_anybody_may_call_an_emergency_number_and_pays_nothing(
    business: Business,
    start_daemon: StartDaemon,
    clock: Clock,
    events: EventLog,
    dialled: str,
) -> None:
    daemon = await start_daemon(emergency=EMERGENCY)
    suspended = await business.customer(0, status=6)
    for about in ({}, {"accountcode": suspended.account_number}, {"accountcode": "unknown"}):
        phone = Channel(daemon.port, clock, extension=dialled, **about)  # type: ignore[arg-type]
        answer = await phone.authorize()
        assert 1 == len(phone.commands)
        assert ("allow", "", "", TEN_HOURS, 36_000_000, 1) == (
            answer.decision, answer.reason, answer.call,
            answer.dial_options, answer.limit_ms, answer.routes,
        )  # fmt: skip
        assert f"PJSIP/{dialled.strip('#')}@police" == answer.dial
        clock.advance(60)
        await phone.settle(30_000)  # an empty call: nothing to settle
    logged = events.of("call.emergency")
    assert 3 == len(logged)
    assert {(dialled.strip("#"), 36_000_000)} == {
        (event["destination"], event["limit_ms"]) for event in logged
    }
    assert 0 == await business.pool.fetchval("SELECT count(*) FROM call_session")


async def test_an_emergency_call_needs_no_backend(
    business: Business, start_daemon: StartDaemon, clock: Clock, events: EventLog
) -> None:
    daemon = await start_daemon(emergency=EMERGENCY, redis_url="unix:///nowhere/valkey.sock")
    account = await business.customer()
    await business.as_owner("ALTER TABLE account RENAME TO away")
    caller = Channel(daemon.port, clock, accountcode=account.account_number)
    assert "unavailable" == (await caller.authorize()).reason
    caller.extension = "112"
    assert (await caller.authorize()).allowed
    caller.dials = [Dialled(talk_ms=60_000)]
    await caller.call()
    assert [["PJSIP/112@police", "60", f"{TEN_HOURS}i"]] == caller.dialled()
    assert [] == events.of("agi.failed")
    await business.as_owner("ALTER TABLE away RENAME TO account")


async def test_an_emergency_number_typed_at_the_prompt_is_dialled_too(
    business: Business, start_daemon: StartDaemon, clock: Clock
) -> None:
    daemon = await start_daemon(emergency=EMERGENCY)
    penniless = await business.customer(0)
    caller = Channel(
        daemon.port,
        clock,
        accountcode=penniless.account_number,
        digits=["999"],
        dials=[Dialled(talk_ms=1000)],
    )
    await caller.call("?destination=ask")
    assert ["PJSIP/999@police"] == [target for target, _, _ in caller.dialled()]


async def test_without_the_setting_no_number_is_an_emergency_number(
    business: Business, start_daemon: StartDaemon, clock: Clock
) -> None:
    daemon = await start_daemon()
    caller = Channel(daemon.port, clock, extension="112")
    assert "account_not_found" == (await caller.authorize()).reason
