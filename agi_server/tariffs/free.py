"""The price of a call that costs nothing by no card: none of its own stands in the database."""

from fractions import Fraction

from agi_server.tariffs.tables import Plan, Quote
from rating.currency import Exchange
from rating.rate import Rate
from rating.rate_card import RateCard
from rating.routing import CardMatch, RouteOrder, Routing, SellPrice

_FREE_PLAN = Plan(
    id=0,
    name="",
    order=RouteOrder.PRIORITY,
    sell_price=SellPrice.FIRST_CARD,
    allow_loss=True,
    hold_mode="full",
    cards=(),
)


def free_rate(prefix: str) -> Rate:
    """Costs nothing, however long."""
    return Rate(prefix=prefix, price_micros_per_minute=0)


def free_quote(currency: str, number: str) -> Quote:
    """A call to this number is free; the routes are the caller's to give."""
    rate = free_rate(number)
    card = RateCard(name="", version=0, currency=currency)
    match = CardMatch(card, rate, rate)
    return Quote(
        plan=_FREE_PLAN,
        currency=currency,
        sell=match,
        routing=Routing(match, (), ()),
        exchanges={currency: Exchange(currency, currency, Fraction(1))},
        discount_basis_points=0,
    )
