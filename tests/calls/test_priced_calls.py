"""What rates can say, down to the CDR and the ledger."""

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from agi_server.calls.records import list_calls
from agi_server.storage.postgres.statements import statement
from agi_server.tariffs import plans, trunks
from agi_server.tariffs.exchange_rates import set_exchange_rate
from rating.money import RoundingMode
from rating.rate import Rate, RateWindow, Stage
from rating.rate_card import PricingRules
from rating.routing import RouteOrder, SellPrice
from support.business import Business, nothing_reserved
from support.channel import Channel
from support.clock import Clock
from support.fixtures import StartDaemon

MONDAY = datetime(2026, 3, 2, tzinfo=UTC)
SUNDAY_OF_SUMMER_TIME = datetime(2026, 3, 29, tzinfo=UTC)
PARIS = ZoneInfo("Europe/Paris")
PEAK = Rate(prefix="44", price_micros_per_minute=600_000)
CHEAP = 60_000

Phone = Callable[..., Awaitable[Channel]]


@pytest.fixture
def phone(start_daemon: StartDaemon, clock: Clock) -> Phone:
    """A phone of an account, on a daemon that knows all cards made so far."""

    async def new(account: Any, extension: str = "442079460000") -> Channel:
        daemon = await start_daemon()
        return Channel(daemon.port, clock, accountcode=account.account_number, extension=extension)

    return new


def with_peak(start: int, end: int) -> Rate:
    window = RateWindow(start_minute=start, end_minute=end, rate=PEAK)
    return Rate(prefix="44", price_micros_per_minute=CHEAP, windows=(window,))


async def sold(business: Business, *rates: Rate, **options: Any) -> None:
    """A plan `sold` of one card with these rates."""
    await business.card("sold", list(rates), ("gw",), **options)
    await plans.create_plan(business.pool, "sold", ["sold"])


async def test_a_call_that_crosses_a_price_boundary_is_priced_piecewise(
    business: Business, phone: Phone, clock: Clock
) -> None:
    await sold(business, with_peak(0, 540), rules=PricingRules(zone=PARIS))  # Monday to 09:00
    account = await business.customer(plan="sold")
    clock.freeze(MONDAY + timedelta(hours=7, minutes=59))  # 08:59 in Paris
    caller = await phone(account)
    call = (await caller.authorize()).call
    clock.advance(50 + 30)  # answered at 08:59:50
    await caller.settle(30_000)
    assert [("talk", 10, 100_000), ("talk", 20, 20_000)] == await business.price_lines(call)
    assert [("customer", 120_000)] == await business.charges(account)
    assert await nothing_reserved(business, account)


@pytest.mark.parametrize("rings_s", [20, 50])  # answered before the blocked hours and in them
async def test_a_call_that_runs_into_blocked_hours_is_no_free_call(
    business: Business, phone: Phone, clock: Clock, rings_s: int
) -> None:
    shut = RateWindow(start_minute=540, end_minute=660, rate=Rate(prefix="44", blocked=True))
    await sold(business, Rate(prefix="44", price_micros_per_minute=CHEAP, windows=(shut,)))
    account = await business.customer(1_000_000, plan="sold")
    clock.freeze(MONDAY + timedelta(hours=8, minutes=59, seconds=30))
    caller = await phone(account)
    answer = await caller.authorize()
    assert 1_000_000 == answer.limit_ms  # 0.001 a second
    clock.advance(rings_s + 900)
    await caller.settle(900_000)
    assert [("talk", 900, 900_000)] == await business.price_lines(answer.call)
    clock.freeze(MONDAY + timedelta(hours=9))
    assert "no_rate" == (await caller.authorize()).reason


async def test_a_call_over_the_change_to_summer_time_is_priced_by_the_wall_clock(
    business: Business, phone: Phone, clock: Clock
) -> None:
    """Peak begins at 02:30 on a Sunday on which 02:00 is followed by 03:00."""
    sunday = 6 * 1440
    await sold(business, with_peak(sunday + 150, sunday + 240), rules=PricingRules(zone=PARIS))
    account = await business.customer(plan="sold")
    clock.freeze(SUNDAY_OF_SUMMER_TIME + timedelta(minutes=59))  # 01:59 in Paris
    caller = await phone(account)
    call = (await caller.authorize()).call
    clock.advance(40 + 60)  # answered at 01:59:40, and 20 s later it is 03:00
    await caller.settle(60_000)
    assert [("talk", 20, 20_000), ("talk", 40, 400_000)] == await business.price_lines(call)
    assert [("customer", 420_000)] == await business.charges(account)


@pytest.mark.parametrize("peak_first", [True, False])
@pytest.mark.parametrize("ring_s", [0, 29, 30, 60])
async def test_limit_and_hold_cover_every_second_of_the_ring_time(
    business: Business, phone: Phone, clock: Clock, peak_first: bool, ring_s: int
) -> None:
    await sold(business, with_peak(0, 540) if peak_first else with_peak(540, 1440))
    account = await business.customer(30_000 + 300_000, plan="sold")
    clock.freeze(MONDAY + timedelta(hours=8, minutes=59, seconds=30))
    caller = await phone(account)
    answer = await caller.authorize()
    clock.advance(ring_s + answer.limit_ms / 1000)
    await caller.settle(answer.limit_ms)
    await business.price_lines(answer.call)
    assert [] == [debit for debit, _ in await business.charges(account) if debit != "customer"]


async def test_an_answer_that_cannot_be_by_our_clock_costs_no_more_than_the_hold(
    business: Business, phone: Phone, clock: Clock
) -> None:
    await sold(business, with_peak(540, 1440))
    account = await business.customer(plan="sold")
    clock.freeze(MONDAY + timedelta(hours=8))
    caller = await phone(account)
    answer = await caller.authorize()
    clock.advance(2 * 3600)  # Asterisk's clock says that it was answered in the peak
    await caller.settle(60_000)
    assert [("talk", 60, 60_000)] == await business.price_lines(answer.call)


async def test_stages_fees_and_rounding_are_lines_of_the_cdr(
    business: Business, phone: Phone, clock: Clock
) -> None:
    rate = Rate(
        prefix="44",
        price_micros_per_minute=CHEAP,
        connection_fee_micros=50_000,
        stages=(Stage(length_s=60, price_micros_per_minute=600_000, increment_s=60),),
    )
    rules = PricingRules(rounding_decimals=1, rounding_mode=RoundingMode.UP)
    await sold(business, rate, rules=rules)
    account = await business.customer(plan="sold", discount_basis_points=1_000)
    caller = await phone(account)
    call = (await caller.authorize()).call
    clock.advance(100)
    await caller.settle(75_000)
    assert [
        ("connection_fee", 0, 50_000),
        ("stage", 60, 600_000),
        ("talk", 15, 15_000),
        ("discount", 0, -66_500),
        ("rounding", 0, 1_500),
    ] == await business.price_lines(call)
    assert [("customer", 600_000)] == await business.charges(account)


@pytest.mark.parametrize(
    ("charged", "talk_ms", "cost"), [(True, 0, 1_000), (False, 0, 0), (False, 1, 1_000)]
)
async def test_an_answer_of_no_millisecond_costs_a_second_unless_the_setting_says_otherwise(
    business: Business,
    start_daemon: StartDaemon,
    clock: Clock,
    charged: bool,
    talk_ms: int,
    cost: int,
) -> None:
    daemon = await start_daemon(rating={"charge_zero_talk": charged})
    account = await business.customer()
    caller = Channel(daemon.port, clock, accountcode=account.account_number)
    call = (await caller.authorize()).call
    clock.advance(5)
    await caller.settle(talk_ms)
    record = await business.session(call)
    assert ("ANSWER", cost) == (record["dialstatus"], record["cost_micros"])
    assert cost == sum(amount for _, amount in await business.charges(account))
    assert await nothing_reserved(business, account)


async def test_the_limit_counts_the_discount(business: Business, phone: Phone) -> None:
    await sold(business, Rate(prefix="44", price_micros_per_minute=CHEAP))
    account = await business.customer(90_000, plan="sold", discount_basis_points=1_000)
    answer = await (await phone(account)).authorize()
    assert 100_000 == answer.limit_ms
    assert 90_000 == (await business.account(account)).held_micros


async def test_a_card_in_another_currency_is_converted_by_the_rate_of_the_calls_start(
    business: Business, phone: Phone, clock: Clock
) -> None:
    now = clock()
    await set_exchange_rate(business.pool, "USD", "EUR", "0.8", now - timedelta(days=2))
    await set_exchange_rate(business.pool, "USD", "EUR", "0.5", now + timedelta(days=1))
    rate = Rate(prefix="44", price_micros_per_minute=CHEAP, buy_price_micros_per_minute=12_000)
    await sold(business, rate, currency="EUR")
    account = await business.customer(125_000, plan="sold")
    caller = await phone(account)
    answer = await caller.authorize()
    assert 100_000 == answer.limit_ms  # 125,000 USD micros are 100,000 EUR micros
    clock.advance(2 * 86_400)
    await caller.settle(10_000)
    assert [("talk", 10, 12_500)] == await business.price_lines(answer.call)
    record = await business.session(answer.call)
    assert ("USD", "5/4", 2_500) == (
        record["currency"], record["exchange"], record["buy_cost_micros"],
    )  # fmt: skip
    assert [("customer", 12_500)] == await business.charges(account)


async def test_a_currency_without_a_rate_does_not_count(business: Business, phone: Phone) -> None:
    await sold(business, Rate(prefix="44", price_micros_per_minute=CHEAP), currency="CHF")
    account = await business.customer(plan="sold")
    assert "no_rate" == (await (await phone(account)).authorize()).reason


async def two_carriers(business: Business, **plan: Any) -> None:
    """`dear` sells first; `cheap` buys for less."""
    dear = Rate(prefix="44", price_micros_per_minute=CHEAP, buy_price_micros_per_minute=30_000)
    cheap = Rate(
        prefix="4420", price_micros_per_minute=2 * CHEAP, buy_price_micros_per_minute=6_000
    )
    await business.card("dear", [dear], ("gw",))
    await business.card("cheap", [cheap], ("backup",))
    await plans.create_plan(business.pool, "sold", ["dear", "cheap"], **plan)


@pytest.mark.parametrize(
    ("order", "trunks_in_order"),
    [
        (RouteOrder.LCR, ["backup", "gw"]),
        (RouteOrder.LCD, ["gw", "backup"]),
        (RouteOrder.PRIORITY, ["gw", "backup"]),
    ],
)
async def test_routes_are_tried_in_the_plans_order(
    business: Business, phone: Phone, order: RouteOrder, trunks_in_order: list[str]
) -> None:
    await two_carriers(business, route_order=order)
    account = await business.customer(plan="sold")
    caller = await phone(account)
    answer = await caller.authorize()
    dials = [answer.dial, caller.variables["AUTH_DIAL_2"]]
    assert trunks_in_order == [dial.rpartition("@")[2] for dial in dials]


@pytest.mark.parametrize(
    ("sell_price", "route", "cost", "buy_cost"),
    [
        (SellPrice.FIRST_CARD, "1", 10_000, 5_000),
        (SellPrice.FIRST_CARD, "2", 10_000, 1_000),
        (SellPrice.ROUTE, "1", 10_000, 5_000),
        (SellPrice.ROUTE, "2", 20_000, 1_000),
    ],
)
@pytest.mark.parametrize("elsewhere", [False, True])
async def test_the_carrier_of_the_route_that_carried_the_call_is_paid(
    business: Business,
    phone: Phone,
    start_daemon: StartDaemon,
    clock: Clock,
    sell_price: SellPrice,
    route: str,
    cost: int,
    buy_cost: int,
    elsewhere: bool,
) -> None:
    """Also when a daemon settles that has to read the session."""
    await two_carriers(business, sell_price=sell_price)
    account = await business.customer(plan="sold")
    caller = await phone(account)
    answer = await caller.authorize()
    if elsewhere:
        caller.port = (await start_daemon()).port
    clock.advance(30)
    await caller.settle(10_000, route=route)
    record = await business.session(answer.call)
    assert (cost, buy_cost) == (record["cost_micros"], record["buy_cost_micros"])
    assert [("customer", cost)] == await business.charges(account)
    assert await nothing_reserved(business, account)
    priced_by = ("cheap", 1, "4420") if cost == 20_000 else ("dear", 1, "44")
    (told,) = await list_calls(business.pool, account_id=account.id, call_id=answer.call)
    assert priced_by == (told.card, told.card_version, told.prefix)
    page = await business.pool.fetchrow(statement("web/call"), account.id, answer.call)
    assert priced_by == (page["card"], page["card_version"], page["sold_prefix"])


@pytest.mark.parametrize(
    ("sell_price", "dstchannel", "route", "cost", "buy_cost", "flagged"),
    [
        (SellPrice.FIRST_CARD, "PJSIP/backup-0000002a", 2, 10_000, 1_000, False),
        (SellPrice.FIRST_CARD, "PJSIP/other-0000002a", None, 10_000, 5_000, False),
        (SellPrice.ROUTE, "PJSIP/gw-0000002a", 1, 10_000, 5_000, False),
        (SellPrice.ROUTE, "PJSIP/backup-0000002a", 2, 20_000, 1_000, False),
        (SellPrice.ROUTE, "PJSIP/backup-b-0000002a", None, 10_000, 5_000, True),
    ],
)
async def test_a_recovered_call_is_priced_by_the_trunk_whose_channel_answered(
    business: Business,
    phone: Phone,
    clock: Clock,
    sell_price: SellPrice,
    dstchannel: str,
    route: int | None,
    cost: int,
    buy_cost: int,
    flagged: bool,
) -> None:
    """By Asterisk's own record; as of the first route where no trunk has such a channel."""
    await two_carriers(business, sell_price=sell_price)
    account = await business.customer(plan="sold")
    caller = await phone(account)
    answer = await caller.authorize()
    clock.advance(30)
    ended = clock().timestamp()
    await business.pool.execute(
        'INSERT INTO asterisk_cdr (uniqueid, dstchannel, disposition, answer, "end")'
        " VALUES ($1, $2, 'ANSWERED', $3, $4)",
        caller.uniqueid,
        dstchannel,
        ended - 10,
        ended,
    )
    clock.advance(100_000)
    await business.recover(account)
    record = await business.session(answer.call)
    assert ("cdr", route, cost, buy_cost) == (
        record["witness"],
        record["route"],
        record["cost_micros"],
        record["buy_cost_micros"],
    )
    assert flagged is ("first route" in (record["review"] or ""))
    assert [("customer", cost)] == await business.charges(account)


@pytest.mark.parametrize(("discount", "routes"), [(0, 1), (1_000, 0)])
async def test_routes_at_a_loss_are_not_used_unless_the_plan_allows_them(
    business: Business, phone: Phone, discount: int, routes: int
) -> None:
    rate = Rate(prefix="44", price_micros_per_minute=CHEAP, buy_price_micros_per_minute=CHEAP)
    await sold(business, rate)
    account = await business.customer(plan="sold", discount_basis_points=discount)
    answer = await (await phone(account)).authorize()
    assert (routes, "" if routes else "no_route") == (answer.routes, answer.reason)
    await plans.change_plan(business.pool, "sold", allow_loss=True)
    assert 1 == (await (await phone(account)).authorize()).routes


async def test_a_blocked_prefix_is_refused_whatever_a_shorter_one_allows(
    business: Business, phone: Phone
) -> None:
    blocked = Rate(prefix="4470", blocked=True)
    await sold(business, Rate(prefix="44", price_micros_per_minute=CHEAP), blocked)
    account = await business.customer(plan="sold")
    assert "no_rate" == (await (await phone(account, "447012345678")).authorize()).reason
    assert (await (await phone(account, "447112345678")).authorize()).allowed


async def test_a_version_prices_calls_from_its_date_on_and_an_older_one_may_come_back(
    business: Business, phone: Phone, clock: Clock
) -> None:
    now = clock.freeze()
    await sold(business, Rate(prefix="44", price_micros_per_minute=CHEAP))
    later = [Rate(prefix="44", price_micros_per_minute=2 * CHEAP)]
    await business.card("sold", later, effective_at=now + timedelta(hours=1))
    account = await business.customer(plan="sold")
    caller = await phone(account)  # one daemon, which is told nothing when the date comes

    async def cost_of_ten_seconds() -> int:
        call = (await caller.authorize()).call
        clock.advance(20)
        await caller.settle(10_000)
        record = await business.session(call)
        return int(record["cost_micros"])

    assert 10_000 == await cost_of_ten_seconds()
    clock.freeze(now + timedelta(minutes=59, seconds=59))
    running = Channel(caller.port, clock, accountcode=account.account_number)
    promised = await running.authorize()
    clock.freeze(now + timedelta(hours=1))
    assert 20_000 == await cost_of_ten_seconds()
    await running.settle(1_000)
    assert [("talk", 1, 1_000)] == await business.price_lines(promised.call)


async def test_a_trunk_gets_the_number_as_its_carrier_wants_it(
    business: Business, phone: Phone
) -> None:
    await trunks.create_trunk(
        business.pool, "uk", "PJSIP/{prefix}-{number}@uk", strip="44", add_prefix="0"
    )
    await trunks.create_trunk(business.pool, "plus", "PJSIP/{number}@plus", add_prefix="+")
    rates = [Rate(prefix=prefix, price_micros_per_minute=CHEAP) for prefix in ("44", "33")]
    await business.card("sold", rates, ("uk", "plus"))
    await plans.create_plan(business.pool, "sold", ["sold"])
    account = await business.customer(plan="sold")
    british = await phone(account)
    assert "PJSIP/44-02079460000@uk" == (await british.authorize()).dial
    assert "PJSIP/+442079460000@plus" == british.variables["AUTH_DIAL_2"]
    french = await phone(account, "33123456789")
    assert "PJSIP/33-033123456789@uk" == (await french.authorize()).dial
