"""What `agi-server rates quote` answers: each step from what was dialled to the price."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from decimal import Context, Decimal
from fractions import Fraction
from typing import Any

import click

from agi_server.accounts.account import Account
from agi_server.calls.call_end import CallEnd
from agi_server.calls.dial import dial_target
from agi_server.calls.packages import PackageLeft, best_package, packages_for, read_package_use
from agi_server.calls.pricing import CallTerms, CardTerms
from agi_server.calls.reasons import Reason
from agi_server.cli.backends import Session
from agi_server.cli.output import money, percent, print_list, print_one, time, units
from agi_server.refused import NotFoundError, RefusedError
from agi_server.tariffs.tables import Quote, Tariffs, tariffs_for_number
from rating.country_rules import rules_of_country
from rating.money import MAX_MONEY_MICROS
from rating.number import INTERNATIONAL_RULES, Normalised, NumberInvalid, normalise_by_steps
from rating.price import Price
from rating.routing import CardMatch, Route, RouteGrant, grant_routes


async def print_quote(
    session: Session,
    dialled: str,
    *,
    plan: str | None,
    customer: Account | None,
    seconds: int,
    at: datetime,
    credit_micros: int | None,
    as_json: bool,
) -> None:
    """Print what a call costs. Raises NotFoundError (plan) or RefusedError, as a call would be."""
    settings = session.settings
    country = (customer.country if customer else None) or settings.rating.country
    rules = rules_of_country(country or "") or INTERNATIONAL_RULES
    number = normalise_by_steps(dialled, rules)
    if isinstance(number, NumberInvalid):
        raise RefusedError(f"{Reason.NUMBER_INVALID.value}: {number.problem}")
    tariffs = await tariffs_for_number(session.db, number.number, at, settings.accounts.currency)
    name = _plan_name(tariffs, plan or (customer.plan if customer else None))
    quote = _quote(tariffs, name, number.number, at, customer)
    available = MAX_MONEY_MICROS if credit_micros is None else credit_micros
    package, grant = await _package(session, quote, number.number, at, customer, available)
    price = _price(tariffs, quote, seconds, at, package)
    fields = _fields(tariffs, quote, number.number, seconds, price)
    fields["package"] = package.named.name if package else None
    if credit_micros is not None:
        fields["credit"] = money(credit_micros)
        fields["limit_seconds"] = grant.limit_s
    steps = [
        *_number_steps(dialled, number, country),
        *_card_steps(quote, at),
        *_route_steps(quote),
        *_package_steps(quote, package),
        f"{seconds} s of talk bill {price.billed_seconds} s: {money(price.total_micros)}",
    ]
    lines = [
        {
            "line": line.kind.value,
            "seconds": line.seconds,
            "price_per_minute": money(line.price_micros_per_minute),
            "amount": money(line.amount_micros),
        }
        for line in price.lines
    ]
    if as_json:
        print_one({**fields, "lines": lines, "steps": steps}, as_json=True)
        return
    print_one(fields, as_json=False)
    click.echo()
    print_list(lines, as_json=False, nothing="the call costs nothing")
    click.echo()
    for position, step in enumerate(steps, start=1):
        click.echo(f"{position}. {step}")


def _plan_name(tariffs: Tariffs, plan: str | None) -> str:
    if plan is None and len(tariffs.plan_ids) == 1:
        return next(iter(tariffs.plan_ids))
    if plan is None:
        known = ", ".join(sorted(tariffs.plan_ids)) or "there is none yet"
        raise click.UsageError(f"say which call plan with --plan: {known}")
    if plan not in tariffs.plan_ids:
        raise NotFoundError(f"there is no call plan {plan}")
    return plan


def _quote(
    tariffs: Tariffs, plan: str, number: str, at: datetime, customer: Account | None
) -> Quote:
    """In the customer's currency, else in that of the plan's first card with the number."""
    plan_id = tariffs.plan_ids[plan]
    discount = customer.discount_basis_points if customer else 0
    currencies = [card.currency for card, _ in tariffs.plans[plan_id].cards]
    for currency in [customer.currency] if customer else currencies:
        quote = tariffs.quote(plan_id, currency, number, at, discount)
        if quote is not None:
            return quote
    raise RefusedError(f"{Reason.NO_RATE.value}: {Reason.NO_RATE.sentence}")


async def _package(
    session: Session,
    quote: Quote,
    number: str,
    at: datetime,
    customer: Account | None,
    available_micros: int,
) -> tuple[PackageLeft | None, RouteGrant]:
    """The package that would pay: with what the customer has left, or for nobody with all of it.

    With it what a call would be granted that is answered at once.
    """
    calls = session.settings.calls

    def granted(free_seconds: int) -> RouteGrant:
        return grant_routes(
            quote.routing,
            available_micros,
            calls.max_grant_s,
            started_at=at,
            sell_price=quote.plan.sell_price,
            discount_basis_points=quote.discount_basis_points,
            max_free_s=calls.max_free_s,
            exchanges=quote.exchanges,
            free_seconds=free_seconds,
        )

    use = await read_package_use(session.db, customer.id, at) if customer else {}
    zone = customer.timezone if customer else "UTC"
    return best_package(packages_for(quote.plan.packages, number, use, at, zone), granted)


def _price(
    tariffs: Tariffs, quote: Quote, seconds: int, at: datetime, package: PackageLeft | None
) -> Price:
    """Of a call answered at that time and carried by the first route."""

    def card_terms(match: CardMatch) -> CardTerms:
        return CardTerms(
            version_id=tariffs.version_id(match),
            rate=match.rate,
            rules=match.card.rules,
            factor=quote.factor(match),
        )

    terms = CallTerms(
        sell=card_terms(quote.sell),
        routes=tuple(card_terms(route.match) for route in quote.routes)
        or (card_terms(quote.sell),),
        sell_price=quote.plan.sell_price,
        discount_basis_points=quote.discount_basis_points,
        package=package.terms(package.left) if package else None,
    )
    end = CallEnd(
        dialstatus="ANSWER",
        talk_ms=seconds * 1000,
        hangupcause=None,
        route=1,
        answered_at=at,
        ended_at=at + timedelta(seconds=seconds),
    )
    price = terms.price(end, at, seconds * 1000, at)
    assert price is not None
    return price


def _fields(
    tariffs: Tariffs, quote: Quote, number: str, seconds: int, price: Price
) -> dict[str, Any]:
    rate = quote.sell.at_start
    return {
        "number": number,
        "card": quote.sell.card.name,
        "version": quote.sell.card.version,
        "currency": quote.currency,
        "prefix": rate.prefix,
        "destination": rate.destination,
        "price_per_minute": money(rate.price_micros_per_minute),
        "initial": rate.initial_s,
        "increment": rate.increment_s,
        "connection_fee": money(rate.connection_fee_micros),
        "minimum_charge": money(rate.minimum_charge_micros),
        "effective_from": time(rate.effective_from),
        "routes": [route.trunk for route in quote.routes],
        "dial": [
            dial_target(tariffs.trunks[route.trunk], number, route.match.rate.prefix, 0)
            for route in quote.routes
        ],
        "seconds": seconds,
        "billed_seconds": price.billed_seconds,
        "cost": money(price.total_micros),
        "buy_cost": money(price.buy_total_micros),
    }


def _number_steps(dialled: str, number: Normalised, country: str | None) -> Iterator[str]:
    yield f"dialled {dialled}, by the rules of {country or 'no country'}"
    yield from number.steps
    yield f"the number is {number.number}"


def _card_steps(quote: Quote, at: datetime) -> Iterator[str]:
    sell, plan = quote.sell, quote.plan
    rate, card = sell.rate, sell.card
    yield f"plan {plan.name}: sell price by {plan.sell_price.value}, routes by {plan.order.value}"
    dated = "" if rate.effective_from is None else f", from {time(rate.effective_from)}"
    yield (
        f"card {card.name} version {card.version}: longest prefix {rate.prefix}"
        f" {rate.destination}{dated}"
    )
    if rate.windows:
        which = "outside of its hours" if sell.at_start is rate else "in its hours"
        yield f"at {time(at)} ({card.rules.zone}) {which}"
    if quote.discount_basis_points:
        yield f"the account's discount is {percent(quote.discount_basis_points)} %"
    factor = quote.factor(sell)
    if factor != 1:
        yield f"one {card.currency} is {_decimal(factor)} {quote.currency}"


def _package_steps(quote: Quote, package: PackageLeft | None) -> Iterator[str]:
    if package is not None:
        unit = package.named.package.unit.value
        yield (
            f"package {package.named.name} pays first: it has {units(package.left, unit)} left"
            f" until {package.ends_on}"
        )
    elif quote.plan.packages:
        yield "no package pays: none is for this number and has something left"


def _decimal(factor: Fraction) -> str:
    """To nine digits, which is for reading: prices are converted by the fraction itself."""
    digits = Context(prec=9)
    shown = digits.divide(Decimal(factor.numerator), Decimal(factor.denominator))
    return f"{shown.normalize(digits):f}"


def _route_steps(quote: Quote) -> Iterator[str]:
    def shown(route: Route) -> str:
        rate = route.match.at_start
        buys = money(rate.buy_price_micros_per_minute)
        return f"{route.trunk}, bought by {route.match.card.name} at {buys}"

    for position, route in enumerate(quote.routes, start=1):
        yield f"route {position}: {shown(route)}"
    for dropped in quote.routing.dropped:
        yield f"not {shown(dropped.route)}: {dropped.why}"
    if not quote.routes:
        yield f"no route is left: {Reason.NO_ROUTE.value}"
