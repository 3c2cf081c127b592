"""Reports add up what calls were, cost and brought in."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from agi_server.accounts.campaigns import create_campaign
from agi_server.calls.report_texts import as_csv
from agi_server.calls.reports import Measure, ReportBy, ReportRow, report_calls
from agi_server.tariffs import plans
from rating.rate import Rate
from support.business import MICROS, NO_RATE, Business
from support.channel import Channel
from support.clock import Clock
from support.fixtures import StartDaemon

EVENING = datetime(2026, 3, 2, 23, 30, tzinfo=UTC)
LONDON = "442079460000"
HOUR = timedelta(hours=1)


def row(key: str | None, **fields: object) -> ReportRow:
    unused = dict.fromkeys(
        ("dialled", "answered", "refused", "talk_ms", "billed_seconds", "revenue_micros"), 0
    )
    return ReportRow(
        key=key,
        **{"destination": None, "currency": "USD", "buy_cost_micros": 0, **unused, **fields},
    )


ANSWERED = {
    "dialled": 1,
    "answered": 1,
    "talk_ms": 60_000,
    "billed_seconds": 60,
    "revenue_micros": 600_000,
    "buy_cost_micros": 200_000,
}
UNANSWERED = {"dialled": 1}

_ENDED = """
INSERT INTO call_session (account_id, call_id, state, server, uniqueid, channel, callerid, dialled,
    authorized_at, talk_ms, cost_micros, currency, billed_seconds, buy_cost_micros)
SELECT {account}, '{account}-x', 'settled', '', '', '', '', '', '{at}', 0, 0, c.*
FROM (VALUES {call}) c
"""


@pytest.fixture
async def account_id(business: Business, start_daemon: StartDaemon, clock: Clock) -> int:
    """Of a customer with an answered call on one evening, on the next a busy and a refused one."""
    rate = Rate(prefix="44", price_micros_per_minute=600_000, buy_price_micros_per_minute=200_000)
    clock.freeze(EVENING)
    await business.card("sold", [rate], ("gw",))
    await plans.create_plan(business.pool, "sold", ["sold"])
    account = await business.customer(100 * MICROS, plan="sold")
    daemon = await start_daemon()

    def channel(extension: str) -> Channel:
        return Channel(daemon.port, clock, accountcode=account.account_number, extension=extension)

    answered = channel(LONDON)
    await answered.authorize()
    clock.advance(60)
    await answered.settle(60_000)
    clock.advance(HOUR.total_seconds())
    busy, refused = channel(LONDON), channel(NO_RATE + "1234567")
    await busy.authorize()
    await busy.settle(status="BUSY")
    await refused.authorize()
    while "denied" not in await business.states(account):
        pass
    return account.id


async def reported(business: Business, by: ReportBy, zone: str = "UTC") -> list[ReportRow]:
    return await report_calls(business.pool, EVENING, EVENING + 24 * HOUR, by, zone=ZoneInfo(zone))


async def test_days_begin_in_the_zone_asked_for(business: Business, account_id: int) -> None:
    assert [
        row("2026-03-02", **ANSWERED),
        row("2026-03-03", **UNANSWERED, refused=1),
    ] == await reported(business, "day")
    assert [row("2026-03-03", **ANSWERED | {"dialled": 2}, refused=1)] == await reported(
        business, "day", "Europe/Paris"
    )


async def test_what_has_no_destination_trunk_or_group_is_a_row_of_its_own(
    business: Business, account_id: int
) -> None:
    both = ANSWERED | {"dialled": 2}
    assert [row("44", **both, destination=""), row(None, refused=1)] == await reported(
        business, "destination"
    )
    assert [row("gw", **both), row(None, refused=1)] == await reported(business, "trunk")
    assert [row(str(account_id), **both, refused=1)] == await reported(business, "account")
    assert [row(None, **both, refused=1)] == await reported(business, "group")
    assert [row(None, **both, refused=1)] == await reported(business, "campaign")


async def test_calls_of_a_campaign_are_those_of_the_customers_that_are_in_it(
    business: Business, account_id: int
) -> None:
    await create_campaign(business.pool, "spring")
    others = [await business.customer(campaign="spring") for _ in range(2)]
    call = ("USD", 60, 300)
    await business.tamper(
        *(_ENDED.format(account=other.id, at=EVENING, call=call) for other in others)
    )
    of_spring, of_none = await reported(business, "campaign")
    assert ("spring", 2, 120, 600) == (
        of_spring.key,
        of_spring.dialled,
        of_spring.billed_seconds,
        of_spring.buy_cost_micros,
    )
    assert row(None, **ANSWERED | {"dialled": 2}, refused=1) == of_none


async def test_calls_outside_the_time_are_left_out(business: Business, account_id: int) -> None:
    end = EVENING + timedelta(minutes=10)
    found = await report_calls(business.pool, EVENING, end, "account", zone=ZoneInfo("UTC"))
    assert [row(str(account_id), **ANSWERED)] == found


async def test_most_of_a_measure_comes_first_and_so_many_of_each_currency_are_told(
    business: Business, account_id: int
) -> None:
    ended = (("USD", 60, 300), ("USD", 10, 900), ("USD", 20, 100), ("EUR", 5, 200))
    accounts = [await business.customer(currency=currency) for currency, _, _ in ended]
    await business.tamper(
        *(
            _ENDED.format(account=account.id, at=EVENING + 48 * HOUR, call=call)
            for account, call in zip(accounts, ended, strict=True)
        )
    )
    long, dear, _, other = (str(account.id) for account in accounts)

    async def first_of_each(measure: Measure) -> list[str | None]:
        found = await report_calls(
            business.pool, EVENING + 47 * HOUR, EVENING + 49 * HOUR, "account",
            zone=ZoneInfo("UTC"), measure=measure, most=1,
        )  # fmt: skip
        return [each.key for each in found]

    assert [long, other] == await first_of_each("minutes")
    assert [dear, other] == await first_of_each("cost")


async def test_calls_refused_by_a_release_that_noted_no_currency_have_their_accounts(
    business: Business, account_id: int
) -> None:
    (before,) = await reported(business, "account")
    await business.tamper("UPDATE call_session SET currency = NULL WHERE state = 'denied'")
    assert [before] == await reported(business, "account")


def test_ratios_of_a_row() -> None:
    many = row("44", **ANSWERED | {"dialled": 3, "answered": 2})
    assert (6667, 30_000, 400_000, 6667) == (
        many.asr_basis_points,
        many.acd_ms,
        many.margin_micros,
        many.margin_basis_points,
    )
    nothing = row("44")
    assert (None, None, None) == (
        nothing.asr_basis_points,
        nothing.acd_ms,
        nothing.margin_basis_points,
    )


@pytest.mark.parametrize("named", ["=HYPERLINK(1)", "+1+1", "-2-3", "@SUM(1)", "\tx", "\rx"])
def test_no_cell_of_a_report_is_a_formula(named: str) -> None:
    shown = as_csv([row("44", destination=named)], "destination", ("margin",))
    assert f"prefix,destination,margin\n44,'{named},0.00\n" == shown.replace('"', "")
    loss = as_csv([row("44", **UNANSWERED | {"buy_cost_micros": 5_000_000})], "trunk", ("margin",))
    assert "trunk,margin\n44,-5.00\n" == loss
