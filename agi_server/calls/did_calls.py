"""Calls to DIDs: from outside, which ring at the owner's, and from customers, which stay on-net.

An on-net call is two calls, of its caller and of the DID's owner: the caller's dials the dialplan's
context of DIDs (a Local channel), where the owner's begins as one that comes from outside does. In
the same way a DID that rings at a number is the owner's inbound call, and an outgoing one of the
owner over the trunks. So each is checked, held and settled by itself, as every other.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Literal

from agi_server.calls.identify import Account, FoundDid
from agi_server.calls.reasons import Reason
from agi_server.tariffs.free import free_quote
from agi_server.tariffs.tables import Quote, Tariffs, Trunk
from rating.number import Normalised, normalise_by_steps
from rating.routing import CardMatch, Route, Routing, SellPrice

Direction = Literal["outbound", "inbound", "on_net"]
OnNet = Literal["off", "free", "plan"]

# Contexts of the samples' dialplan: n keeps the Local channel, whose hangup handler settles.
_DID_CONTEXT = "agi-server-did"
_FORWARD_CONTEXT = "agi-server-forward"
_TECHNOLOGIES = {"sip": "PJSIP", "iax": "IAX2"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Placed:
    """Which way a call goes and what it costs; `ways` has what its routes dial, by their name.

    `legs` is how many calls of the account it may become: each may take its part of the funds.
    """

    quote: Quote
    exact: bool
    tariffs: Tariffs
    ways: Mapping[str, Trunk]
    direction: Direction
    did: str | None = None
    legs: int = 1


def over_trunks(
    number: Normalised, account: Account, plan_id: int | None, tariffs: Tariffs, now: datetime
) -> Placed | None:
    """An outgoing call, by the trunks and for the price of a call plan; None: no card prices it."""
    quote = _quote(number, account, plan_id, tariffs, now)
    if quote is None:
        return None
    return Placed(
        quote=quote,
        exact=number.exact,
        tariffs=tariffs,
        ways=tariffs.trunks,
        direction="outbound",
    )


def ring_did(
    did: FoundDid, account: Account, tariffs: Tariffs, inbound_plan: str, now: datetime
) -> Placed | Reason:
    """A call to a DID goes to its destinations in their order, for the price of the DID's plan.

    Without one it is that of `inbound_plan`, and where that names none the owner pays nothing.
    """
    targets = [_target(kind, name) for kind, name in did.destinations if name is not None]
    if not targets:
        return Reason.DID_NO_DESTINATION
    quote: Quote | None
    if did.plan_id is None and not inbound_plan:
        quote = free_quote(account.currency, did.number)
    else:
        plan_id = did.plan_id or tariffs.plan_ids.get(inbound_plan)
        number = normalise_by_steps(did.number)
        assert isinstance(number, Normalised)  # as every DID
        quote = _quote(number, account, plan_id, tariffs, now)
    if quote is None:
        return Reason.NO_RATE
    placed = _placed(quote, tariffs, targets, quote.sell, "inbound", did.number)
    forwards = any(kind == "number" for kind, _ in did.destinations)
    return replace(placed, legs=2) if forwards else placed


def stay_on_net(
    number: Normalised,
    account: Account,
    plan_id: int | None,
    tariffs: Tariffs,
    price: OnNet,
    now: datetime,
) -> Placed | None:
    """A call to a DID of the business's own, which no carrier carries; None: no card prices it.

    The caller pays nothing, or (price `plan`) what the own plan asks for the number.
    """
    own = free_quote(account.currency, number.number)
    quote: Quote | None = own
    if price == "plan":
        quote = _quote(number, account, plan_id, tariffs, now)
    if quote is None:
        return None
    if quote.exchanges is not None:
        quote = replace(quote, exchanges={**(own.exchanges or {}), **quote.exchanges})
    target = f"Local/{number.number}@{_DID_CONTEXT}/n"
    return _placed(quote, tariffs, [target], own.sell, "on_net", number.number)


def of_the_owner(account: Account, did: FoundDid) -> Account:
    """The owner as an inbound call sees it: valid as long as the DID is, too, and the called party
    sees who calls."""
    ends = [each for each in (account.valid_until, did.valid_until) if each is not None]
    return replace(account, valid_until=min(ends, default=None), presented_callerid="")


def _quote(
    number: Normalised, account: Account, plan_id: int | None, tariffs: Tariffs, now: datetime
) -> Quote | None:
    return tariffs.quote(
        plan_id,
        account.currency,
        number.number,
        now,
        account.discount_basis_points,
        exact=number.exact,
    )


def _placed(
    quote: Quote,
    tariffs: Tariffs,
    targets: list[str],
    carrier: CardMatch,
    direction: Direction,
    did: str,
) -> Placed:
    """Over these targets, whatever the cards' trunks are; `carrier` is what the way costs us."""
    ways = {target: Trunk(id=0, name=target, dial=target) for target in targets}
    routes = tuple(Route(target, carrier) for target in targets)
    quote = replace(
        quote,
        plan=replace(quote.plan, sell_price=SellPrice.FIRST_CARD),
        routing=Routing(quote.sell, routes, ()),
    )
    return Placed(
        quote=quote, exact=False, tariffs=tariffs, ways=ways, direction=direction, did=did
    )


def _target(kind: str, name: str) -> str:
    if kind == "number":
        return f"Local/{name}@{_FORWARD_CONTEXT}/n"
    return f"{_TECHNOLOGIES[kind]}/{name}"
