"""The steps of a quote in words, from what was dialled to the price or to what refuses the call."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from decimal import Context, Decimal
from fractions import Fraction

import click

from agi_server.calls.decision import EmergencyCall
from agi_server.calls.dial import dial_target
from agi_server.calls.packages import PackageLeft
from agi_server.cli.output import money, percent, time, units
from agi_server.tariffs.tables import Plan, Quote, Tariffs, Trunk
from rating.number import Normalised, NumberInvalid
from rating.rate import Rate
from rating.rate_card import RateCard
from rating.routing import CardMatch, DroppedRoute, Route, SellPrice, match_cards

_WHY_DROPPED = {
    "blocked": "must not be used: its card blocks the prefix",
    "same_trunk": "is in a better route already",
    "buys_above_sell": "costs more than it brings",
}


def print_steps(steps: Sequence[str]) -> None:
    """A numbered list."""
    for position, step in enumerate(steps, start=1):
        click.echo(f"{position}. {step}")


def emergency_steps(dialled: str, call: EmergencyCall) -> list[str]:
    """How an emergency number is put through."""
    return [
        f"dialled {dialled}",
        f"{call.number} is in emergency.numbers: put through for everybody, for nothing",
        f"dials {call.dial_target}",
    ]


def number_steps(
    dialled: str, number: Normalised | NumberInvalid, country: str | None
) -> Iterator[str]:
    """From what was dialled to the number, or to why it is none."""
    yield f"dialled {dialled}, by the rules of {country or 'no country'}"
    yield from number.steps
    if isinstance(number, NumberInvalid):
        yield f"no number: {number.problem}"
    else:
        exact = ": only a rate of exactly this number prices it" if number.exact else ""
        yield f"the number is {number.number}{exact}"


def cards_with(
    plan: Plan, number: Normalised, at: datetime
) -> Iterator[tuple[RateCard, CardMatch | None]]:
    """Each card in force at a time, and what it has for a number."""
    for card, table in plan.cards:
        if card.valid_at(at):
            matches = match_cards([(card, table)], number.number, at, exact=number.exact)
            yield card, matches[0] if matches else None


def unpriced_steps(
    plan: Plan, found: Sequence[tuple[RateCard, CardMatch | None]], at: datetime
) -> Iterator[str]:
    """What each card of a plan has for a number that none of them prices."""
    if not found:
        yield f"plan {plan.name}: none of its cards has a version in force at {time(at)}"
    for card, match in found:
        if match is None:
            what = "no prefix in force is for this number"
        elif match.at_start.blocked:
            what = f"longest prefix {_prefix(match.rate)} is blocked"
        else:
            what = f"longest prefix {_prefix(match.rate)}, in {card.currency}, has no exchange rate"
        yield f"card {card.name} version {card.version}: {what}"
        if match is not None and match.at_start.blocked:
            return


def why_unpriced(found: Sequence[tuple[RateCard, CardMatch | None]]) -> str:
    """What the caller's reason does not tell apart: empty where no card knows the number."""
    first = next((match for _, match in found if match is not None), None)
    if first is None:
        return ""
    if first.at_start.blocked:
        return f"card {first.card.name} blocks the prefix {_prefix(first.rate)}"
    return f"card {first.card.name} is in {first.card.currency}, which has no exchange rate"


def card_steps(quote: Quote, at: datetime) -> Iterator[str]:
    """Which rate prices the call."""
    sell, plan = quote.sell, quote.plan
    rate, card = sell.rate, sell.card
    yield f"plan {plan.name}: sell price by {plan.sell_price.value}, routes by {plan.order.value}"
    dated = "" if rate.effective_from is None else f", from {time(rate.effective_from)}"
    yield f"card {card.name} version {card.version}: longest prefix {_prefix(rate)}{dated}"
    if rate.windows:
        which = "outside of its hours" if sell.at_start is rate else "in its hours"
        yield f"at {time(at)} ({card.rules.zone}) {which}"
    if quote.discount_basis_points:
        yield f"the account's discount is {percent(quote.discount_basis_points)} %"
    factor = quote.factor(sell)
    if factor != 1:
        yield f"one {card.currency} is {_decimal(factor)} {quote.currency}"


def route_steps(quote: Quote, tariffs: Tariffs, number: str, account_id: int) -> Iterator[str]:
    """Each route with what it dials, and each that is not used, with why.

    `account_id` is 0 where no customer was named. Raises NumberNotDialableError.
    """
    for position, route in enumerate(quote.routes, start=1):
        trunk = tariffs.trunks[route.trunk]
        dials = dial_target(trunk, number, route.match.rate.prefix, account_id)
        yield f"route {position}: {_bought(route)}{_sent(trunk, number)}, dials {dials}"
    for dropped in quote.routing.dropped:
        yield f"not {_bought(dropped.route)}: {_why(dropped, quote)}"
    if not quote.routes and not quote.routing.dropped:
        yield f"card {quote.sell.card.name} has no trunk in service"


def kept_route_steps(quote: Quote, kept: Sequence[Route], limit_s: int | None) -> Iterator[str]:
    """Which routes a call gets, where each has its own price; `limit_s` is how long a credit lasts,
    None where none was named."""
    if quote.plan.sell_price is not SellPrice.ROUTE or len(quote.routes) == 1:
        return
    if limit_s is None:
        yield "a call gets those of these routes that its funds pay for as long as the first"
    for position, route in enumerate(quote.routes, start=1):
        if limit_s is not None and route not in kept:
            long = f"for {limit_s} s" if limit_s else "for a second"
            yield f"route {position} is not given: the credit does not pay it {long}"


def sold_step(quote: Quote, kept: Sequence[Route]) -> Iterator[str]:
    """By which card a call is sold that the first of its routes carries, where routes sell."""
    if quote.plan.sell_price is SellPrice.ROUTE:
        match = kept[0].match
        card = match.card
        price = money(match.at_start.price_micros_per_minute)
        yield (
            f"{kept[0].trunk} is tried first: sold by card {card.name} version {card.version},"
            f" prefix {_prefix(match.rate)}, at {price} {card.currency} a minute"
        )


def why_no_route(quote: Quote) -> str:
    """Why each route was dropped; empty where there was none."""
    return "; ".join(
        f"{dropped.route.trunk} {_why(dropped, quote)}" for dropped in quote.routing.dropped
    )


def package_steps(quote: Quote, package: PackageLeft | None) -> Iterator[str]:
    """Which package pays."""
    if package is not None:
        unit = package.named.package.unit.value
        yield (
            f"package {package.named.name} pays first: it has {units(package.left, unit)} left"
            f" until {package.ends_on}"
        )
    elif quote.plan.packages:
        yield "no package pays: none is for this number and has something left"


def _prefix(rate: Rate) -> str:
    return f"{rate.prefix} {rate.destination}".rstrip()


def _bought(route: Route) -> str:
    rate = route.match.at_start
    buys = money(rate.buy_price_micros_per_minute)
    card = route.match.card
    return f"{route.trunk}, bought by {card.name} at {buys} {card.currency} a minute"


def _sent(trunk: Trunk, number: str) -> str:
    """What the trunk makes of the number; taking off and putting before are two steps."""
    steps = ""
    if trunk.strip:
        begins = number.startswith(trunk.strip) and number != trunk.strip
        steps += f", {trunk.strip} taken off" if begins else f", no {trunk.strip} to take off"
    return steps + (f", {trunk.add_prefix} put before" if trunk.add_prefix else "")


def _why(dropped: DroppedRoute, quote: Quote) -> str:
    sold = ""
    if dropped.why == "buys_above_sell":
        paid = quote.sell if quote.plan.sell_price is SellPrice.FIRST_CARD else dropped.route.match
        price = money(paid.at_start.price_micros_per_minute)
        sold = f", sold at {price} {paid.card.currency}"
    return f"{_WHY_DROPPED[dropped.why]}{sold} ({dropped.why})"


def _decimal(factor: Fraction) -> str:
    """To nine digits, which is for reading: prices are converted by the fraction itself."""
    digits = Context(prec=9)
    shown = digits.divide(Decimal(factor.numerator), Decimal(factor.denominator))
    return f"{shown.normalize(digits):f}"
