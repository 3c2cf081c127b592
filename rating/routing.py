"""Routes of a call: which trunks, in which order, at which price. Pure: cards and rates come in."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from fractions import Fraction
from typing import NamedTuple

from rating.charges import rate_in_force
from rating.currency import Exchange
from rating.grant import MAX_FREE_S, grant_seconds
from rating.prefix_table import PrefixTable
from rating.price import FULL_PRICE_BASIS_POINTS, package_seconds, price_micros
from rating.rate import Rate
from rating.rate_card import RateCard


class RouteOrder(StrEnum):
    """How the routes of a plan are ordered; equal ones keep the plan's order of cards."""

    LCR = "lcr"
    """Cheapest for us first."""
    LCD = "lcd"
    """Cheapest for the customer first."""
    PRIORITY = "priority"
    """As the plan orders its cards."""


class SellPrice(StrEnum):
    """Whose price the customer pays."""

    FIRST_CARD = "first_card"
    """The first matching card's, whichever carrier carries the call."""
    ROUTE = "route"
    """The card's of the route that carries the call, as A2Billing does."""


@dataclass(frozen=True, slots=True)
class CardMatch:
    """What a card has for a number: `rate`, time windows and all; `at_start` is that of the hours
    in which the call starts."""

    card: RateCard
    rate: Rate
    at_start: Rate


@dataclass(frozen=True, slots=True)
class Route:
    """A trunk that may carry the call, and the card by which its carrier bills."""

    trunk: str
    match: CardMatch


@dataclass(frozen=True, slots=True)
class DroppedRoute:
    """A route that is not used, and why: `blocked`, `same_trunk` or `buys_above_sell`."""

    route: Route
    why: str


@dataclass(frozen=True, slots=True)
class Routing:
    """What a plan makes of a number.

    `sell` is whose price the customer pays (with SellPrice.ROUTE: each route's own instead). It is
    None if no card has the number or the first one that has it blocks it. A `sell` without `routes`
    means that all were dropped.
    """

    sell: CardMatch | None
    routes: tuple[Route, ...]
    dropped: tuple[DroppedRoute, ...]


@dataclass(frozen=True, slots=True)
class RouteGrant:
    """For how long a call may last and what is held for it, in the account's currency.

    A limit of 0 is `no_credit`. `routes` are those that may carry the call for so long.
    `package_seconds` is what the call may take of a package's free seconds within the limit.
    """

    limit_s: int
    held_micros: int
    routes: tuple[Route, ...]
    package_seconds: int = 0


def match_cards(
    cards: Iterable[tuple[RateCard, PrefixTable]],
    number: str,
    at: datetime,
    *,
    exact: bool = False,
) -> list[CardMatch]:
    """What each card valid at the call's start has for the number, in the plan's order.

    `exact`: the number is no international one, so that only a rate of all its digits counts.
    """
    matches: list[CardMatch] = []
    for card, table in cards:
        rate = table.lookup(number, at) if card.valid_at(at) else None
        if rate is not None and (rate.prefix == number or not exact):
            matches.append(CardMatch(card, rate, rate_in_force(rate, at, card.rules)))
    return matches


def choose_routes(
    matches: Sequence[CardMatch],
    *,
    order: RouteOrder = RouteOrder.LCR,
    sell_price: SellPrice = SellPrice.FIRST_CARD,
    allow_loss: bool = False,
    discount_basis_points: int = 0,
    exchanges: Mapping[str, Exchange] | None = None,
) -> Routing:
    """Order the matches of a number (see `match_cards`), one a trunk, without those at a loss.

    Routes whose buy price per minute exceeds the sell price less the account's discount are dropped
    unless `allow_loss`. Of several routes over one trunk the first in order stays. `exchanges` tell
    how each card's currency converts to the account's; without them all cards must be in one.
    """
    routes = [Route(trunk, match) for match in matches for trunk in match.card.trunks]
    if not matches or matches[0].at_start.blocked:
        return Routing(None, (), tuple(DroppedRoute(route, "blocked") for route in routes))
    sell = matches[0]
    paid = _compared_prices(sell, sell, exchanges).sell[0]
    share = FULL_PRICE_BASIS_POINTS - discount_basis_points
    candidates = [(_compared_prices(route.match, sell, exchanges), route) for route in routes]
    if order is RouteOrder.LCR:
        candidates.sort(key=lambda candidate: candidate[0].buy)
    elif order is RouteOrder.LCD:
        candidates.sort(key=lambda candidate: candidate[0].sell)
    kept: dict[str, Route] = {}
    dropped: list[DroppedRoute] = []
    for prices, route in candidates:
        if sell_price is SellPrice.ROUTE:
            paid = prices.sell[0]
        if route.match.at_start.blocked:
            dropped.append(DroppedRoute(route, "blocked"))
        elif not allow_loss and prices.buy[0] * FULL_PRICE_BASIS_POINTS > paid * share:
            dropped.append(DroppedRoute(route, "buys_above_sell"))
        elif route.trunk in kept:
            dropped.append(DroppedRoute(route, "same_trunk"))
        else:
            kept[route.trunk] = route
    return Routing(sell, tuple(kept.values()), tuple(dropped))


class _Compared(NamedTuple):
    """Price per minute and connection fee, comparable among the routes of a call."""

    buy: tuple[Fraction | int, Fraction | int]
    sell: tuple[Fraction | int, Fraction | int]


def _compared_prices(
    match: CardMatch, sell: CardMatch, exchanges: Mapping[str, Exchange] | None
) -> _Compared:
    rate = match.at_start
    factor: Fraction | int = 1
    if exchanges is not None:
        factor = exchanges[match.card.currency].factor
    elif match.card.currency != sell.card.currency:
        raise ValueError("exchanges: needed, the cards are in several currencies")
    return _Compared(
        (rate.buy_price_micros_per_minute * factor, rate.buy_connection_fee_micros * factor),
        (rate.price_micros_per_minute * factor, rate.connection_fee_micros * factor),
    )


def grant_routes(
    routing: Routing,
    available_micros: int,
    at_most_s: int,
    *,
    started_at: datetime,
    answered_by: datetime | None = None,
    sell_price: SellPrice = SellPrice.FIRST_CARD,
    discount_basis_points: int = 0,
    free_seconds: int = 0,
    max_free_s: int = MAX_FREE_S,
    exchanges: Mapping[str, Exchange] | None = None,
) -> RouteGrant:
    """The limit of a call over the routes chosen, and the hold that covers it on any of them.

    With SellPrice.ROUTE the first route of which at least a second is affordable sets the limit, so
    that an unaffordable one drops out and refuses nothing; later ones stay if they are affordable
    for as long. The other arguments are those of `grant_seconds`.
    """
    limit = held = covered = 0
    kept: list[Route] = []
    for route in routing.routes:
        payer = route.match if sell_price is SellPrice.ROUTE else routing.sell
        if payer is None:
            break
        currency = payer.card.currency
        exchange = exchanges[currency] if exchanges else Exchange(currency, currency, Fraction(1))
        affordable = grant_seconds(
            payer.rate,
            exchange.greatest_within(available_micros),
            limit or at_most_s,
            rules=payer.card.rules,
            discount_basis_points=discount_basis_points,
            max_free_s=max_free_s,
            started_at=started_at,
            answered_by=answered_by,
            free_seconds=free_seconds,
        )
        if not affordable or affordable < limit:
            continue
        limit = affordable
        price = price_micros(
            payer.rate,
            limit,
            rules=payer.card.rules,
            discount_basis_points=discount_basis_points,
            started_at=started_at,
            answered_by=answered_by,
            free_seconds=free_seconds,
        )
        held = max(held, exchange.convert(price))
        if free_seconds:
            seconds = package_seconds(
                payer.rate,
                limit,
                free_seconds,
                rules=payer.card.rules,
                started_at=started_at,
                answered_by=answered_by,
            )
            covered = max(covered, seconds)
        kept.append(route)
        if sell_price is SellPrice.FIRST_CARD:
            return RouteGrant(limit, held, routing.routes, covered)
    return RouteGrant(limit, held, tuple(kept), covered)
