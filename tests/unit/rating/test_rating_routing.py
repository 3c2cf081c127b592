from datetime import UTC, datetime, timedelta
from fractions import Fraction

import pytest

from rating.currency import Exchange
from rating.prefix_table import PrefixTable
from rating.rate import Rate, RateWindow
from rating.rate_card import RateCard
from rating.routing import (
    CardMatch,
    RouteOrder,
    Routing,
    SellPrice,
    choose_routes,
    grant_routes,
    match_cards,
)

MONDAY = datetime(2025, 6, 2, tzinfo=UTC)


def match(name: str, sell: int, buy: int, *trunks: str, **terms: object) -> CardMatch:
    card = RateCard(name=name, version=1, currency="EUR", trunks=trunks or (f"gw-{name}",))
    rate = Rate(  # type: ignore[arg-type]
        prefix="44",
        price_micros_per_minute=sell,
        buy_price_micros_per_minute=buy,
        **terms,
    )
    return CardMatch(card, rate, rate)


A, B, C = match("a", 300, 200), match("b", 200, 150), match("c", 400, 100)


def trunks(routing: Routing) -> list[str]:
    return [route.trunk for route in routing.routes]


def dropped(routing: Routing) -> list[tuple[str, str]]:
    return [(drop.route.trunk, drop.why) for drop in routing.dropped]


@pytest.mark.parametrize(
    ("order", "expected"),
    [
        (RouteOrder.LCR, ["gw-c", "gw-b", "gw-a"]),
        (RouteOrder.LCD, ["gw-b", "gw-a", "gw-c"]),
        (RouteOrder.PRIORITY, ["gw-a", "gw-b", "gw-c"]),
    ],
)
def test_routes_are_ordered_by_buy_price_sell_price_or_plan(
    order: RouteOrder, expected: list[str]
) -> None:
    routing = choose_routes([A, B, C], order=order)
    assert (expected, A) == (trunks(routing), routing.sell)


def test_equal_routes_keep_the_plans_order_and_a_connection_fee_breaks_the_tie() -> None:
    same = [match(name, 300, 100) for name in ("x", "y", "z")]
    assert ["gw-x", "gw-y", "gw-z"] == trunks(choose_routes(same))
    dearer = match("w", 300, 100, buy_connection_fee_micros=1)
    assert ["gw-x", "gw-w"] == trunks(choose_routes([dearer, same[0]]))


def test_what_the_customer_pays_does_not_depend_on_the_route() -> None:
    assert {A} == {choose_routes([A, B, C], order=order).sell for order in RouteOrder}


def test_a_route_that_buys_above_the_sell_price_is_dropped_unless_loss_is_allowed() -> None:
    loss = match("loss", 500, 301)
    routing = choose_routes([A, loss])
    assert (["gw-a"], [("gw-loss", "buys_above_sell")]) == (trunks(routing), dropped(routing))
    assert ["gw-a", "gw-loss"] == trunks(choose_routes([A, loss], allow_loss=True))
    assert ["gw-even"] == trunks(choose_routes([match("even", 300, 300)]))


def test_the_profit_guard_counts_the_discount() -> None:
    assert ["gw-a"] == trunks(choose_routes([A], discount_basis_points=3_333))
    assert [] == trunks(choose_routes([A], discount_basis_points=3_334))


def test_when_the_route_is_paid_the_profit_guard_compares_its_own_prices() -> None:
    routing = choose_routes([B, match("d", 500, 400)], sell_price=SellPrice.ROUTE)
    assert ["gw-b", "gw-d"] == trunks(routing)


def test_there_is_one_route_a_trunk_and_the_better_one_stays() -> None:
    dear, cheap = match("a", 300, 200, "gw", "gw-2"), match("b", 300, 100, "gw")
    routing = choose_routes([dear, cheap])
    assert (["gw", "gw-2"], [("gw", "same_trunk")]) == (trunks(routing), dropped(routing))
    assert cheap == routing.routes[0].match


def test_a_route_at_a_loss_does_not_keep_a_better_one_off_its_trunk() -> None:
    routing = choose_routes(
        [match("a", 300, 400, "gw"), match("b", 300, 200, "gw")], order=RouteOrder.PRIORITY
    )
    assert ["gw"] == trunks(routing)


def test_a_prefix_blocked_by_the_first_card_refuses_and_by_another_drops_its_route() -> None:
    blocked = match("x", 0, 0, blocked=True)
    assert None is choose_routes([blocked, A]).sell
    routing = choose_routes([A, blocked])
    assert (["gw-a"], [("gw-x", "blocked")]) == (trunks(routing), dropped(routing))


def test_nothing_matched_is_nothing_to_sell() -> None:
    assert Routing(None, (), ()) == choose_routes([])


def test_cards_in_other_currencies_are_compared_in_the_accounts() -> None:
    dollars = RateCard(name="usd", version=1, currency="USD", trunks=("gw-usd",))
    rate = Rate(prefix="44", price_micros_per_minute=300, buy_price_micros_per_minute=210)
    usd = CardMatch(dollars, rate, rate)
    with pytest.raises(ValueError, match="exchanges"):
        choose_routes([A, usd])
    exchanges = {
        "EUR": Exchange("EUR", "EUR", Fraction(1)),
        "USD": Exchange("USD", "EUR", Fraction(9, 10)),
    }
    assert ["gw-usd", "gw-a"] == trunks(choose_routes([A, usd], exchanges=exchanges))


def test_cards_are_matched_in_plan_order_when_valid_at_the_start_and_by_its_hours() -> None:
    night = Rate(prefix="44", price_micros_per_minute=1)
    windows = (RateWindow(start_minute=0, end_minute=60, rate=night),)
    rate = Rate(prefix="44", price_micros_per_minute=2, windows=windows)
    table = PrefixTable([rate])

    def card(name: str, begins: datetime | None, ends: datetime | None) -> RateCard:
        return RateCard(name=name, version=1, currency="EUR", valid_from=begins, valid_until=ends)

    later = MONDAY + timedelta(seconds=1)
    cards = [
        (card("now", MONDAY, later), table),
        (card("ended", None, MONDAY), table),
        (card("other", None, None), PrefixTable([Rate(prefix="33")])),
        (card("always", None, None), table),
    ]
    found = match_cards(cards, "4420", MONDAY)
    assert ["now", "always"] == [each.card.name for each in found]
    assert (rate, night) == (found[0].rate, found[0].at_start)


def test_the_limit_is_the_sell_prices_and_any_route_may_carry_it() -> None:
    routing = choose_routes([A, B])
    grant = grant_routes(routing, 600, 3_600, started_at=MONDAY)
    assert (120, 600, routing.routes) == (grant.limit_s, grant.held_micros, grant.routes)


def test_an_unaffordable_route_drops_out_and_refuses_nothing() -> None:
    dear = match("dear", 60_000, 1, initial_s=60)
    fair = match("fair", 600, 2)
    also = match("also", 660, 3)
    cheap = match("cheap", 60, 4)
    routing = choose_routes([dear, fair, also, cheap], sell_price=SellPrice.ROUTE)
    grant = grant_routes(routing, 1_000, 3_600, started_at=MONDAY, sell_price=SellPrice.ROUTE)
    assert (100, 1_000) == (grant.limit_s, grant.held_micros)
    assert ["gw-fair", "gw-cheap"] == [route.trunk for route in grant.routes]


def test_the_hold_covers_the_dearest_route_that_stays() -> None:
    routing = choose_routes([match("a", 60, 1), match("b", 120, 2)], sell_price=SellPrice.ROUTE)
    grant = grant_routes(routing, 1_000, 60, started_at=MONDAY, sell_price=SellPrice.ROUTE)
    assert (60, 120, 2) == (grant.limit_s, grant.held_micros, len(grant.routes))


def test_a_limit_in_the_accounts_currency() -> None:
    exchanges = {"EUR": Exchange("EUR", "USD", Fraction(11, 10))}
    routing = choose_routes([match("a", 60, 1)], exchanges=exchanges)
    grant = grant_routes(routing, 110, 3_600, started_at=MONDAY, exchanges=exchanges)
    assert (100, 110) == (grant.limit_s, grant.held_micros)


def test_no_route_or_no_money_grants_nothing() -> None:
    assert (0, 0, ()) == (lambda grant: (grant.limit_s, grant.held_micros, grant.routes))(
        grant_routes(choose_routes([]), 10, 60, started_at=MONDAY)
    )
    assert 0 == grant_routes(choose_routes([A]), 0, 60, started_at=MONDAY).limit_s


def test_a_short_code_is_priced_by_a_rate_of_exactly_it() -> None:
    world, helpline = Rate(prefix="1"), Rate(prefix="116123")
    card = RateCard(name="retail", version=1, currency="USD")
    cards = [(card, PrefixTable([world])), (card, PrefixTable([world, helpline]))]
    assert ["116123"] == [
        match.rate.prefix for match in match_cards(cards, "116123", MONDAY, exact=True)
    ]
    assert ["1", "116123"] == [match.rate.prefix for match in match_cards(cards, "116123", MONDAY)]
    assert [] == match_cards(cards, "100", MONDAY, exact=True)
