"""What `agi-server rates quote` answers."""

from datetime import datetime
from typing import Any

import click

from agi_server.calls.dial import dial_targets
from agi_server.calls.reasons import Reason
from agi_server.cli.backends import Session
from agi_server.cli.output import money, print_list, print_one, time
from agi_server.refused import NotFoundError, RefusedError
from agi_server.tariffs.tables import Quote, Tariffs, TariffStore
from rating.grant import grant_seconds
from rating.number import NumberInvalid, normalise
from rating.price import price_call


async def print_quote(
    session: Session,
    dialled: str,
    *,
    plan: str | None,
    seconds: int,
    at: datetime,
    credit_micros: int | None,
    as_json: bool,
) -> None:
    """Print what a call costs. Raises NotFoundError (plan) or RefusedError, as a call would be."""
    number = normalise(dialled)
    if isinstance(number, NumberInvalid):
        raise RefusedError(f"{Reason.NUMBER_INVALID.value}: {number.problem}")
    store = TariffStore()
    await store.reload(session.db)
    found = _quote(store.current, _plan_name(store.current, plan), number, at)
    price = price_call(found.rate, seconds, started_at=at)
    rate = found.rate
    fields: dict[str, Any] = {
        "number": number,
        "card": found.card_name,
        "currency": found.currency,
        "prefix": rate.prefix,
        "destination": rate.destination,
        "price_per_minute": money(rate.price_micros_per_minute),
        "initial": rate.initial_s,
        "increment": rate.increment_s,
        "connection_fee": money(rate.connection_fee_micros),
        "minimum_charge": money(rate.minimum_charge_micros),
        "effective_from": time(rate.effective_from),
        "routes": [trunk.name for trunk in found.trunks],
        "dial": list(dial_targets(found, number, account_id=0)),
        "seconds": seconds,
        "billed_seconds": price.billed_seconds,
        "cost": money(price.total_micros),
        "buy_cost": money(price.buy_total_micros),
    }
    if credit_micros is not None:
        calls = session.settings.calls
        fields["credit"] = money(credit_micros)
        fields["limit_seconds"] = grant_seconds(
            rate, credit_micros, calls.max_grant_s, max_free_s=calls.max_free_s, started_at=at
        )
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
        print_one({**fields, "lines": lines}, as_json=True)
        return
    print_one(fields, as_json=False)
    click.echo()
    print_list(lines, as_json=False, nothing="the call costs nothing")


def _plan_name(tariffs: Tariffs, plan: str | None) -> str:
    if plan is None and len(tariffs.plan_ids) == 1:
        return next(iter(tariffs.plan_ids))
    if plan is None:
        known = ", ".join(sorted(tariffs.plan_ids)) or "there is none yet"
        raise click.UsageError(f"say which call plan with --plan: {known}")
    if plan not in tariffs.plan_ids:
        raise NotFoundError(f"there is no call plan {plan}")
    return plan


def _quote(tariffs: Tariffs, plan: str, number: str, at: datetime) -> Quote:
    """The quote in the currency of the first card of the plan that has the number."""
    plan_id = tariffs.plan_ids[plan]
    for card in tariffs.plans[plan_id]:
        quote = tariffs.quote(plan_id, card.currency, number, at)
        if quote is not None:
            return quote
    raise RefusedError(f"{Reason.NO_RATE.value}: {Reason.NO_RATE.sentence}")
