"""What `agi-server rates quote` answers: each step from what was dialled to the price."""

from collections.abc import Collection
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, NoReturn

import click

from agi_server.accounts.account import Account
from agi_server.calls.call_end import CallEnd
from agi_server.calls.decision import EmergencyCall
from agi_server.calls.dial import NumberNotDialableError, dial_target
from agi_server.calls.dialled import normalise_dialled
from agi_server.calls.emergency import emergency_call
from agi_server.calls.packages import PackageLeft, best_package, packages_for, read_package_use
from agi_server.calls.pricing import CallTerms, CardTerms
from agi_server.calls.reasons import Reason
from agi_server.cli.backends import Session
from agi_server.cli.output import money, print_list, print_one, time
from agi_server.cli.quote_steps import (
    card_steps,
    cards_with,
    emergency_steps,
    kept_route_steps,
    number_steps,
    package_steps,
    print_steps,
    route_steps,
    sold_step,
    unpriced_steps,
    why_no_route,
    why_unpriced,
)
from agi_server.refused import NotFoundError, RefusedError
from agi_server.tariffs.plans import list_plans
from agi_server.tariffs.tables import Quote, Tariffs, tariffs_for_number
from rating.money import MAX_MONEY_MICROS
from rating.number import Normalised, NumberInvalid
from rating.price import Price
from rating.routing import CardMatch, RouteGrant, SellPrice, grant_routes

_OF_CARD = ("price_per_minute", "connection_fee", "minimum_charge")
_OF_ACCOUNT = ("cost", "buy_cost", "credit", "amount")


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
    """Print what a call costs and each step to it.

    A call that would be refused has its steps up to what refuses it, then RefusedError is raised.
    Raises NotFoundError for an unknown plan.
    """
    settings = session.settings
    emergency = emergency_call(dialled, settings.emergency, settings.calls.ring_timeout_s)
    if emergency is not None:
        _print_emergency(dialled, emergency, as_json)
        return
    answer = _Answer(dialled, as_json)
    plans = {each.name: each.dialling for each in await list_plans(session.db)}
    name = _plan_name(plans, plan or (customer.plan if customer else None))
    account_country = customer.country if customer else None
    number = normalise_dialled(dialled, account_country, settings.rating.country, plans[name])
    country = plans[name].country or account_country or settings.rating.country
    answer.steps += number_steps(dialled, number, country)
    if isinstance(number, NumberInvalid):
        answer.refuse(Reason.NUMBER_INVALID, number.problem)
    answer.number = number.number
    tariffs = await tariffs_for_number(session.db, number.number, at, settings.accounts.currency)
    quote = _quote(tariffs, name, number, at, customer)
    if quote is None:
        plan_sold = tariffs.plans[tariffs.plan_ids[name]]
        found = list(cards_with(plan_sold, number, at))
        answer.steps += unpriced_steps(plan_sold, found, at)
        answer.refuse(Reason.NO_RATE, why_unpriced(found))
    answer.steps += card_steps(quote, at)
    account_id = customer.id if customer else 0
    try:
        answer.steps += route_steps(quote, tariffs, number.number, account_id)
    except NumberNotDialableError:
        answer.refuse(Reason.NUMBER_INVALID, "a trunk cannot dial it")
    if not quote.routes:
        answer.refuse(Reason.NO_ROUTE, why_no_route(quote))
    available = MAX_MONEY_MICROS if credit_micros is None else credit_micros
    package, grant = await _package(session, quote, number, at, customer, available)
    limit_s = None if credit_micros is None else grant.limit_s
    answer.steps += kept_route_steps(quote, grant.routes, limit_s)
    if not grant.limit_s:
        answer.refuse(Reason.NO_CREDIT)
    call = _of_call(quote, grant)
    answer.steps += sold_step(quote, grant.routes)
    price = _price(tariffs, call, seconds, at, package)
    fields = _fields(tariffs, call, number.number, account_id, seconds, price)
    fields["package"] = package.named.name if package else None
    if credit_micros is not None:
        fields["credit"] = money(credit_micros)
        fields["limit_seconds"] = limit_s
    answer.steps += package_steps(quote, package)
    answer.steps.append(
        f"{seconds} s of talk bill {price.billed_seconds} s: {money(price.total_micros)}"
    )
    answer.give(fields, price, call.sell.card.currency)


class _Answer:
    """Collects the steps, and prints them with what they led to."""

    def __init__(self, dialled: str, as_json: bool) -> None:
        self.number: str | None = None
        self.steps: list[str] = []
        self._dialled = dialled
        self._as_json = as_json

    def give(self, fields: dict[str, Any], price: Price, price_currency: str) -> None:
        """The call goes through, at this price; its prices a minute are in the card's currency,
        its amounts in the account's."""
        currency = fields["currency"]
        lines = [
            {
                "line": line.kind.value,
                "seconds": line.seconds,
                "price_per_minute": money(line.price_micros_per_minute),
                "amount": money(line.amount_micros),
            }
            for line in price.lines
        ]
        if self._as_json:
            currencies = {"price_currency": price_currency, "currency": currency}
            lines = [line | currencies for line in lines]
            print_one({**fields, "lines": lines, "steps": self.steps}, as_json=True)
            return
        card_currency = fields.pop("card_currency")
        print_one(_with_currencies(fields, card_currency, currency), as_json=False)
        click.echo()
        lines = [_with_currencies(line, price_currency, currency) for line in lines]
        print_list(lines, as_json=False, nothing="the call costs nothing")
        click.echo()
        print_steps(self.steps)

    def refuse(self, reason: Reason, why: str = "") -> NoReturn:
        """The call would be refused; `why` says more than the reason's sentence."""
        why = why or reason.sentence
        self.steps.append(f"refused: {reason.value}")
        if self._as_json:
            refused = {"refused": reason.value, "why": why, "steps": self.steps}
            print_one({"dialled": self._dialled, "number": self.number, **refused}, as_json=True)
        else:
            print_steps(self.steps)
        raise RefusedError(f"{reason.value}: {why}")


def _print_emergency(dialled: str, call: EmergencyCall, as_json: bool) -> None:
    steps = emergency_steps(dialled, call)
    fields: dict[str, Any] = {
        "number": call.number,
        "emergency": True,
        "dial": [call.dial_target],
        "cost": money(0),
        "limit_seconds": call.limit_ms // 1000,
    }
    if as_json:
        print_one({**fields, "steps": steps}, as_json=True)
        return
    print_one(fields, as_json=False)
    click.echo()
    print_steps(steps)


def _with_currencies(
    fields: dict[str, Any], card_currency: str, account_currency: str
) -> dict[str, Any]:
    """Money under a name that has its currency, where card and account have two."""
    if card_currency == account_currency:
        return fields
    of_card = dict.fromkeys(_OF_CARD, card_currency)
    currency_of = of_card | dict.fromkeys(_OF_ACCOUNT, account_currency)
    return {
        f"{name} {currency_of[name]}" if name in currency_of else name: value
        for name, value in fields.items()
    }


def _plan_name(plans: Collection[str], plan: str | None) -> str:
    if plan is None and len(plans) == 1:
        return next(iter(plans))
    if plan is None:
        known = ", ".join(sorted(plans)) or "there is none yet"
        raise click.UsageError(f"say which call plan with --plan: {known}")
    if plan not in plans:
        raise NotFoundError(f"there is no call plan {plan}")
    return plan


def _quote(
    tariffs: Tariffs, plan: str, number: Normalised, at: datetime, customer: Account | None
) -> Quote | None:
    """In the customer's currency, else in that of the plan's first card with the number."""
    plan_id = tariffs.plan_ids[plan]
    discount = customer.discount_basis_points if customer else 0
    currencies = [card.currency for card, _ in tariffs.plans[plan_id].cards]
    for currency in [customer.currency] if customer else currencies:
        quote = tariffs.quote(plan_id, currency, number.number, at, discount, exact=number.exact)
        if quote is not None:
            return quote
    return None


async def _package(
    session: Session,
    quote: Quote,
    number: Normalised,
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
    packages = packages_for(quote.plan.packages, number.number, use, at, zone, exact=number.exact)
    return best_package(packages, granted)


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
        routes=tuple(card_terms(route.match) for route in quote.routes),
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


def _of_call(quote: Quote, grant: RouteGrant) -> Quote:
    """With the routes that a call is granted, sold by the card that sells the first of them."""
    routing = replace(quote.routing, routes=grant.routes)
    if quote.plan.sell_price is SellPrice.FIRST_CARD:
        return replace(quote, routing=routing)
    return replace(quote, routing=routing, sell=grant.routes[0].match)


def _fields(
    tariffs: Tariffs, quote: Quote, number: str, account_id: int, seconds: int, price: Price
) -> dict[str, Any]:
    rate = quote.sell.at_start
    return {
        "number": number,
        "card": quote.sell.card.name,
        "version": quote.sell.card.version,
        "card_currency": quote.sell.card.currency,
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
            dial_target(tariffs.trunks[route.trunk], number, route.match.rate.prefix, account_id)
            for route in quote.routes
        ],
        "seconds": seconds,
        "billed_seconds": price.billed_seconds,
        "cost": money(price.total_micros),
        "buy_cost": money(price.buy_total_micros),
    }
