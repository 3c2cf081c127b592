"""Calls of every kind, corrected to another version and back: the books and records agree."""

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from agi_server.calls.rerate import Correction, Rerated, correct, rerate
from agi_server.tariffs import plans
from agi_server.tariffs.exchange_rates import set_exchange_rate
from agi_server.tariffs.packages import create_package
from rating.package import PackageUnit
from rating.rate import Rate, RateWindow, Stage
from rating.rate_card import PricingRules
from rating.routing import SellPrice
from support.business import MICROS, Business
from support.channel import Answer, Channel
from support.clock import Clock
from support.fixtures import StartDaemon

DID, ON_NET_DID = "442079460000", "442079460001"
CHEAP, DEAR = 60_000, 120_000
"""Prices per minute: 1,000 and 2,000 micros a second; at the peak ten times as much."""
DAY = timedelta(days=1)
AUTUMN = datetime(2026, 10, 25, 0, 59, 30, tzinfo=UTC)
"""02:59:30 in Paris; half a minute later it is 02:00 there once more."""
PEAK = 6 * 1440 + 150
"""From 02:30 to 04:00 on Sundays."""


@dataclass(kw_only=True)
class Call:
    """A call, how it goes on, and what it costs at the cheap price."""

    phone: Channel
    answer: Answer
    cost: int
    talk_ms: int | None = 40_000
    route: str = "1"


async def sell(business: Business, price: int, effective_at: datetime) -> None:
    """A version of each card; `euro` is in euros, and `spare` has a stage and buys nothing."""
    rate = Rate(
        prefix="44",
        price_micros_per_minute=price,
        connection_fee_micros=price // 10,
        buy_price_micros_per_minute=price // 4,
    )
    peak = replace(rate, price_micros_per_minute=10 * price)
    window = RateWindow(start_minute=PEAK, end_minute=PEAK + 90, rate=peak)
    rate = replace(rate, windows=(window,))
    rules = PricingRules(zone=ZoneInfo("Europe/Paris"))
    at: dict[str, Any] = {"effective_at": effective_at}
    await business.card("sold", [rate], ("gw",), rules=rules, **at)
    await business.card("euro", [rate], ("gw",), rules=rules, currency="EUR", **at)
    stage = Stage(length_s=5, price_micros_per_minute=2 * price)
    spare = Rate(prefix="44", price_micros_per_minute=price, stages=(stage,))
    await business.card("spare", [spare], ("backup",), **at)


async def create_plans(business: Business) -> None:
    """Each named after what is particular about it."""
    await create_package(business.pool, "seconds", PackageUnit.SECONDS, 15)
    await create_package(business.pool, "calls", PackageUnit.CALLS, 1)
    cards = ["sold", "spare"]
    await plans.create_plan(business.pool, "sold", cards)
    await plans.create_plan(business.pool, "route", cards, sell_price=SellPrice.ROUTE)
    await plans.create_plan(business.pool, "euro", ["euro"])
    await plans.create_plan(business.pool, "rolling", cards, hold_mode="rolling")
    for package in ("seconds", "calls"):
        await plans.create_plan(business.pool, package, cards, packages=[package])


async def begin_calls(
    business: Business, start_daemon: StartDaemon, clock: Clock
) -> dict[str, Call]:
    """One of each kind."""
    daemon = await start_daemon()
    begun: dict[str, Call] = {}

    def keep(kind: str, phone: Channel, answer: Answer, **about: Any) -> None:
        assert answer.allowed, (kind, answer)
        begun[kind] = Call(phone=phone, answer=answer, **about)

    async def call(kind: str, plan: str, funds: int = 20 * MICROS, **about: Any) -> None:
        account = await business.customer(
            funds, plan=plan, discount_basis_points=about.pop("discount", 0)
        )
        on_net = about.pop("on_net", None)
        port = daemon.port
        if on_net:
            port = (await start_daemon(calls={"on_net": on_net})).port
        number = ON_NET_DID if on_net else DID
        phone = Channel(port, clock, accountcode=account.account_number, extension=number)
        keep(kind, phone, await phone.authorize(), **about)

    # Ten seconds at the peak, then thirty of the hour that comes twice: 100 + 30 and the fee.
    await business.did(ON_NET_DID, await business.customer(), destinations=(DID,))
    await call("plain", "sold", cost=136_000)
    await call("discount", "sold", discount=1_234, cost=119_218)
    await call("euro, with a discount", "euro", discount=333, cost=262_942)
    await call("rolling", "rolling", cost=136_000)
    await call("seconds of a package", "seconds", cost=31_000)  # fee and the last 25
    await call("free call of a package", "calls", cost=0)
    await call("second route", "sold", route="2", cost=136_000)
    await call("priced by the second route", "route", route="2", cost=45_000)
    await call("on-net for a price", "sold", on_net="plan", cost=136_000)
    await call("on-net for nothing", "sold", on_net="free", cost=0)
    await call("nobody answered", "sold", talk_ms=None, cost=0)
    # For 26,000 they get two seconds of what might be the peak; they are answered after it.
    await call("at its limit", "sold", 26_000, talk_ms=2_900, cost=8_000)
    await call("over its limit", "sold", 26_000, talk_ms=3_001, cost=10_000)
    await call("witnessed", "sold", cost=136_000)
    await call("unseen", "sold", 26_000, cost=8_000)
    owner = await business.customer(20 * MICROS, plan="sold")
    await business.did(DID, owner, plan="sold", destinations=("442079460009",))
    carrier = Channel(daemon.port, clock, extension=DID)
    keep("inbound", carrier, await carrier.did(), cost=136_000)
    local = Channel(daemon.port, clock, extension="442079460009", endpoint="Local/x@forward")
    forwarded = await local.authorize(f"?forward={carrier.answer.call}")
    keep("forwarded", local, forwarded, cost=136_000)
    return begun


async def end_calls(business: Business, clock: Clock, begun: dict[str, Call]) -> None:
    """All are over at the same instant; two are left to recovery, one of them with a witness."""
    unreported = [begun["witnessed"], begun["unseen"]]
    for call in begun.values():
        if call not in unreported:
            await call.phone.settle(call.talk_ms, route=call.route)
    ended = clock().timestamp()
    await business.pool.execute(
        'INSERT INTO asterisk_cdr (uniqueid, dstchannel, disposition, answer, "end")'
        " VALUES ($1, 'PJSIP/backup-0000002a', 'ANSWERED', $2, $3)",
        unreported[0].phone.uniqueid,
        ended - 40,
        ended,
    )
    clock.advance(86_400)
    assert 2 == await business.recover()


async def stored(business: Business) -> list[Any]:
    """All that a correction may write."""
    return [
        await business.pool.fetch(f"SELECT * FROM {table} ORDER BY 1, 2, 3, 4")  # noqa: S608
        for table in ("ledger_entry", "call_session", "account", "package_use")
    ]


async def differing(business: Business, *, in_force: bool) -> list[Rerated]:
    """What comes out differently; to ask writes nothing."""
    before = await stored(business)
    again = rerate(business.pool, AUTUMN - DAY, AUTUMN + DAY, in_force=in_force)
    found = [each async for each in again]
    assert before == await stored(business)
    return found


async def costs(business: Business, begun: dict[str, Call]) -> dict[str, int]:
    """What each call costs by now; its lines add up to that."""
    found = {}
    for kind, call in begun.items():
        record = await business.session(call.answer.call)
        cost = record["corrected_cost_micros"]
        found[kind] = record["cost_micros"] if cost is None else cost
        assert found[kind] == sum(line["amount_micros"] for line in record["price_lines"]), kind
    return found


async def test_calls_of_every_kind_are_corrected_and_back_and_corrected_again(
    business: Business, start_daemon: StartDaemon, clock: Clock
) -> None:
    clock.freeze(AUTUMN)
    await sell(business, CHEAP, AUTUMN - 9 * DAY)
    await create_plans(business)
    # The factor of a call is that of its start: of before and after it there are others.
    for days, per_dollar in ((-9, "0.8"), (-1, "0.5"), (1, "0.3")):
        await set_exchange_rate(business.pool, "USD", "EUR", per_dollar, AUTUMN + days * DAY)
    begun = await begin_calls(business, start_daemon, clock)
    clock.advance(60)
    await end_calls(business, clock, begun)
    cheap = {kind: call.cost for kind, call in begun.items()}
    dear = {kind: 2 * cost for kind, cost in cheap.items()}
    assert cheap == await costs(business, begun)
    for in_force in (False, True):
        assert [] == await differing(business, in_force=in_force)

    for version, (price, expected) in enumerate(((DEAR, dear), (CHEAP, cheap), (DEAR, dear))):
        await sell(business, price, AUTUMN - (8 - version) * DAY)
        found = await differing(business, in_force=True)
        assert len(begun) - 2 == len(found)  # all but those that nobody answered or nothing prices
        for call in found:
            assert Correction.BOOKED is await correct(
                business.pool, call, created_by="test", reason="wrong", at=clock()
            )
        assert expected == pytest.approx(await costs(business, begun), abs=1)
        for in_force in (False, True):
            assert [] == await differing(business, in_force=in_force)
        assert [] == await business.mismatches()
