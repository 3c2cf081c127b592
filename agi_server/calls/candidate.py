"""A call that passed the checks: for how long, for how much and over which routes it would be."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial

from agi_server.calls.caps import Caps
from agi_server.calls.dial import dial_target
from agi_server.calls.did_calls import Direction
from agi_server.calls.identify import Account, Found, Method
from agi_server.calls.packages import PackageLeft, PackageUse, best_package, packages_for
from agi_server.calls.pricing import CallTerms, CardTerms
from agi_server.calls.reasons import Reason
from agi_server.calls.request import CallRequest
from agi_server.calls.slices import Slicing, first_share
from agi_server.settings import CallsSettings
from agi_server.tariffs.tables import Quote, Tariffs, Trunk
from rating.money import MAX_MONEY_MICROS
from rating.routing import CardMatch, Route, RouteGrant, grant_routes

# Time after the last possible end of a call in which its end may still be reported: the samples'
# hangup handler asks again for some minutes when no daemon listens.
SETTLE_GRACE_S = 600


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """A call that passed the checks and has a price: what is left is to reserve for it.

    `tariffs` are those of the quote, whatever is in force by now; `routes` are those left of its,
    and `ways` has their trunks by name. `did` is the one that is called, if any; `legs` as in
    `Placed`. `exact`: an emergency number or a short code, which no shorter prefix is about.
    """

    request: CallRequest
    found: Found
    account: Account
    number: str
    exact: bool
    quote: Quote
    tariffs: Tariffs
    routes: tuple[Route, ...]
    ways: Mapping[str, Trunk]
    direction: Direction
    did: str | None
    legs: int
    call_id: str
    now: datetime

    @property
    def most_slots(self) -> int:
        """How many the account may have with this call; 0 is without limit. A second part of a
        forwarded call has one beside those of the limit."""
        account = self.account
        if not account.simultaneous_access:
            return 0
        is_forward = self.found.method is Method.FORWARD
        return account.simultaneous_access + account.open_forwards + is_forward

    @property
    def trunks(self) -> tuple[Trunk, ...]:
        """Of the routes that are left."""
        return tuple(self.ways[route.trunk] for route in self.routes)

    @property
    def counted_trunk_ids(self) -> tuple[int, ...]:
        """Trunks of the quote whose capacity is counted."""
        trunks = (self.ways[route.trunk] for route in self.quote.routes)
        return tuple(trunk.id for trunk in trunks if trunk.capacity)


@dataclass(frozen=True, slots=True, kw_only=True)
class Funds:
    """What an account can pay with: money in micros, and what its packages have left; `caps` bound
    what calls may cost."""

    available_micros: int
    caps: Caps
    package_use: PackageUse

    @property
    def capped(self) -> bool:
        """The caps allow less than there is."""
        cap = self.caps.of_a_call_micros
        return cap is not None and cap < self.available_micros

    @property
    def spendable_micros(self) -> int:
        """What a call may take of the money."""
        cap = self.caps.of_a_call_micros
        return self.available_micros if cap is None else min(cap, self.available_micros)


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """What would be granted: how long, for how much, over which routes, answered until when, and
    `package_units` of a package.

    In rolling mode `grant_s` is the first slice, and `cap_s` how long the call may become at most;
    `affordable_s` is how long all that is available would last.
    """

    grant_s: int
    affordable_s: int
    cap_s: int | None
    ring_timeout_s: int
    held_micros: int
    routes: tuple[Route, ...]
    answer_by: datetime
    package: PackageLeft | None
    package_units: int

    @property
    def ringing_s(self) -> int:
        """The longest ringing: that of all routes."""
        return self.ring_timeout_s * len(self.routes)

    @property
    def hold_ms(self) -> int:
        """The longest that the hold can be needed unless it is extended: ringing, then the talk."""
        return (self.ringing_s + self.grant_s + SETTLE_GRACE_S) * 1000

    @property
    def lease_ms(self) -> int:
        """The longest that the slot can be needed: ringing, then the longest talk."""
        return (self.ringing_s + (self.cap_s or self.grant_s) + SETTLE_GRACE_S) * 1000


def grant_terms(call: Candidate, funds: Funds, settings: CallsSettings) -> Terms | Reason:
    """The exact inverse of the price, bounded by grant, free calls and expiry; in rolling mode that
    of the first slice, and of the call's share of the funds.

    The price's hours count from the answer, which may come until every route has rung.
    """
    if not call.routes:
        return Reason.NO_ROUTE
    at_most_s, ring_s = _bounds(call, settings)
    if at_most_s < 1:
        return Reason.ACCOUNT_EXPIRED
    quote, answer_by = call.quote, call.now + timedelta(seconds=ring_s * len(call.routes))

    def granted(up_to_micros: int, until_s: int, free_seconds: int) -> RouteGrant:
        return grant_routes(
            replace(quote.routing, routes=call.routes),
            up_to_micros,
            until_s,
            started_at=call.now,
            answered_by=answer_by,
            sell_price=quote.plan.sell_price,
            discount_basis_points=quote.discount_basis_points,
            max_free_s=settings.max_free_s,
            exchanges=quote.exchanges,
            free_seconds=free_seconds,
        )

    packages = packages_for(
        quote.plan.packages,
        call.number,
        funds.package_use,
        call.now,
        call.account.timezone,
        exact=call.exact,
    )
    package, grant = best_package(packages, partial(granted, funds.spendable_micros, at_most_s))
    if grant.limit_s == 0:
        return Reason.FRAUD_GUARD if funds.capped else Reason.NO_CREDIT
    units = package.named.package.unit.units(grant.package_seconds) if package else 0
    affordable_s, cap_s = grant.limit_s, None
    if (quote.plan.hold_mode or settings.hold_mode) == "rolling":
        # What a package pays is held at once; only money is held slice by slice.
        free_seconds = package.terms(units).free_seconds if package else 0
        most_micros = funds.caps.per_call_micros
        if most_micros is None:
            most_micros = MAX_MONEY_MICROS
        cap_s = granted(most_micros, at_most_s, free_seconds).limit_s
        grant = _first_slice(
            call,
            funds,
            cap_s,
            Slicing(settings.slice_s),
            partial(granted, free_seconds=free_seconds),
        )
    return Terms(
        grant_s=grant.limit_s,
        affordable_s=affordable_s,
        cap_s=cap_s,
        ring_timeout_s=ring_s,
        held_micros=grant.held_micros,
        routes=grant.routes,
        answer_by=answer_by,
        package=package,
        package_units=units,
    )


def _bounds(call: Candidate, settings: CallsSettings) -> tuple[int, int]:
    """For how many seconds the call may be talked at most, less than one for an account that has
    expired, and how long each route may ring."""
    at_most_s, ring_s, routes = settings.max_grant_s, settings.ring_timeout_s, len(call.routes)
    valid_until = call.account.valid_until
    if valid_until is None:
        return at_most_s, ring_s
    # The last route may answer after all of them rang: even then not past the instant.
    left_s = int((valid_until - call.now).total_seconds())
    ring_s = max(1, min(ring_s, left_s // 2 // routes))
    return min(at_most_s, left_s - ring_s * routes), ring_s


def _first_slice(
    call: Candidate,
    funds: Funds,
    cap_s: int,
    slicing: Slicing,
    granted: Callable[[int, int], RouteGrant],
) -> RouteGrant:
    """As far as the call's share pays for it; a short one from all that is available."""
    account, initial_s = call.account, call.quote.longest_initial_s()
    share = first_share(funds.spendable_micros, account.open_calls, account.simultaneous_access)
    grant = granted(share, min(initial_s + slicing.slice_s, cap_s))
    least_s = min(initial_s + slicing.least_first_s, cap_s)
    return grant if grant.limit_s >= least_s else granted(funds.spendable_micros, least_s)


def promised_terms(call: Candidate, terms: Terms) -> CallTerms:
    """What the call will be priced by when it has ended."""
    quote = call.quote

    def card_terms(match: CardMatch) -> CardTerms:
        return CardTerms(
            version_id=call.tariffs.version_id(match),
            rate=match.rate,
            rules=match.card.rules,
            factor=quote.factor(match),
        )

    sell = card_terms(quote.sell)
    return CallTerms(
        sell=sell,
        routes=tuple(
            sell if route.match is quote.sell else card_terms(route.match) for route in terms.routes
        ),
        sell_price=quote.plan.sell_price,
        discount_basis_points=quote.discount_basis_points,
        answer_by=terms.answer_by,
        package=terms.package.terms(terms.package_units) if terms.package else None,
    )


def dial_targets(call: Candidate) -> dict[str, str]:
    """What to dial by trunk; the prefix is that of the route's own card.

    Raises NumberNotDialableError.
    """
    return {
        route.trunk: dial_target(
            call.ways[route.trunk], call.number, route.match.rate.prefix, call.account.id
        )
        for route in call.routes
    }
