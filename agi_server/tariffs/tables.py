"""The rating tables in memory: what a call is priced with, without asking the database.

A snapshot is immutable and swapped whole, so a call sees one consistent set of cards. Versions are
immutable too: a reload reads only those that are not in memory yet.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from fractions import Fraction
from typing import Any

from agi_server.settings import HoldMode
from agi_server.storage.postgres.statements import statement
from agi_server.tariffs.packages import NamedPackage, packages_of_plans
from agi_server.tariffs.stored_rates import rules_of_json
from agi_server.tariffs.table_builder import build_tables, read_rates
from rating.country_rules import Dialling
from rating.currency import Exchange, ExchangeRate, ExchangeTable
from rating.prefix_table import PrefixTable
from rating.rate_card import RateCard
from rating.routing import (
    CardMatch,
    Route,
    RouteOrder,
    Routing,
    SellPrice,
    choose_routes,
    match_cards,
)

MAX_ROUTES = 5
"""Routes handed to Asterisk for one call: AUTH_DIAL, AUTH_DIAL_2 … AUTH_DIAL_5."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Trunk:
    """A way out; `dial` is the template of what Asterisk dials. `id` 0: no trunk of the business's,
    but a way within it.

    The number begins without `strip`, if it begins so, and with `add_prefix`. `capacity` is how
    many calls it carries at a time; 0: nobody counts.
    """

    id: int
    name: str
    dial: str
    strip: str = ""
    add_prefix: str = ""
    capacity: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """A call plan: its cards in order, each version in force now or later, how it routes, how its
    calls are held (None: as the setting says), the packages that it gives, and how its customers
    dial."""

    id: int
    name: str
    order: RouteOrder
    sell_price: SellPrice
    allow_loss: bool
    hold_mode: HoldMode | None
    cards: tuple[tuple[RateCard, PrefixTable], ...]
    packages: tuple[NamedPackage, ...] = ()
    dialling: Dialling = field(default_factory=Dialling)


@dataclass(frozen=True, slots=True, kw_only=True)
class Quote:
    """What a destination costs and the ways there.

    `sell` is whose price the customer pays, unless the plan sells by route. `exchanges` convert the
    cards' currencies to `currency`, the account's; None: all are in it.
    """

    plan: Plan
    currency: str
    sell: CardMatch
    routing: Routing
    exchanges: Mapping[str, Exchange] | None
    discount_basis_points: int

    @property
    def routes(self) -> tuple[Route, ...]:
        """At most as many as Asterisk is told."""
        return self.routing.routes[:MAX_ROUTES]

    def factor(self, match: CardMatch) -> Fraction:
        """From the card's currency to the account's."""
        return Fraction(1) if self.exchanges is None else self.exchanges[match.card.currency].factor

    def longest_initial_s(self) -> int:
        """The longest initial increment that the customer may be asked for."""
        rates = [match.rate for match in self._payers()]
        rates += [window.rate for rate in rates for window in rate.windows]
        return max((rate.initial_s for rate in rates), default=0)

    def dearest_minute(self) -> Fraction:
        """The highest price of a minute that the customer may be asked when the call starts."""
        return max(
            (
                match.at_start.price_micros_per_minute * self.factor(match)
                for match in self._payers()
            ),
            default=Fraction(0),
        )

    def _payers(self) -> list[CardMatch]:
        """Whose price the customer may have to pay."""
        by_route = self.plan.sell_price is SellPrice.ROUTE
        return [route.match for route in self.routes] if by_route else [self.sell]


@dataclass(frozen=True, slots=True, kw_only=True)
class Tariffs:
    """One snapshot: call plans by id, their trunks by name, versions by card and number."""

    plans: dict[int, Plan] = field(default_factory=dict)
    plan_ids: dict[str, int] = field(default_factory=dict)
    trunks: dict[str, Trunk] = field(default_factory=dict)
    version_ids: dict[tuple[str, int], int] = field(default_factory=dict)
    exchange_table: ExchangeTable | None = None

    def quote(
        self,
        plan_id: int | None,
        currency: str,
        number: str,
        at: datetime,
        discount_basis_points: int = 0,
        *,
        exact: bool = False,
    ) -> Quote | None:
        """The price and the routes for a normalised number; None when no card prices it.

        `exact`: only rates of exactly this number count (emergency numbers and short codes). Cards
        in a currency that cannot be converted to the account's do not count.
        """
        plan = self.plans.get(plan_id) if plan_id is not None else None
        if plan is None:
            return None
        matches = match_cards(plan.cards, number, at, exact=exact)
        exchanges: dict[str, Exchange] | None = None
        if any(match.card.currency != currency for match in matches):
            exchanges = self._exchanges(matches, currency, at)
            matches = [match for match in matches if match.card.currency in exchanges]
        routing = choose_routes(
            matches,
            order=plan.order,
            sell_price=plan.sell_price,
            allow_loss=plan.allow_loss,
            discount_basis_points=discount_basis_points,
            exchanges=exchanges,
        )
        if routing.sell is None:
            return None
        return Quote(
            plan=plan,
            currency=currency,
            sell=routing.sell,
            routing=routing,
            exchanges=exchanges,
            discount_basis_points=discount_basis_points,
        )

    def dialling(self, plan_id: int | None) -> Dialling | None:
        """How the customers of a plan dial; None if there is no such plan."""
        plan = None if plan_id is None else self.plans.get(plan_id)
        return None if plan is None else plan.dialling

    def version_id(self, match: CardMatch) -> int | None:
        """The id of the version that a match is of; None: it is free of charge, by no card."""
        if not match.card.name:
            return None
        return self.version_ids[match.card.name, match.card.version]

    def _exchanges(
        self, matches: list[CardMatch], currency: str, at: datetime
    ) -> dict[str, Exchange]:
        exchanges: dict[str, Exchange] = {}
        for source in {match.card.currency for match in matches}:
            if source == currency:
                exchanges[source] = Exchange(source, currency, Fraction(1))
            elif self.exchange_table is not None:
                exchange = self.exchange_table.exchange(source, currency, at)
                if exchange is not None:
                    exchanges[source] = exchange
        return exchanges


class TariffStore:
    """Holds the snapshot in force and replaces it.

    `dsn` is for the process that builds large tables; without it they are built here.
    """

    def __init__(self, base_currency: str = "USD", dsn: str | None = None) -> None:
        self.current = Tariffs()
        self._base_currency = base_currency
        self._dsn = dsn
        self._tables: dict[int, PrefixTable] = {}

    async def reload(self, db: Any, at: datetime) -> None:
        """Read what changed and swap the snapshot; a failure leaves the old one in force.

        The versions in force at this time and later are kept.
        """
        rows = await db.fetch(statement("tariffs/load_cards"), at)
        trunks = await db.fetch(statement("tariffs/load_trunks"))
        packages = await packages_of_plans(db)
        exchange_table = await read_exchange_table(db, self._base_currency)
        wanted = {row["version_id"] for row in rows} - {None}
        tables = {id_: table for id_, table in self._tables.items() if id_ in wanted}
        tables |= await build_tables(db, wanted - tables.keys(), self._dsn)
        self.current = _snapshot(rows, tables, trunks, packages, exchange_table)
        self._tables = tables


async def tariffs_for_number(db: Any, number: str, at: datetime, base_currency: str) -> Tariffs:
    """A snapshot that knows the rates of one number only: quick, whatever the size of the cards."""
    rows = await db.fetch(statement("tariffs/load_cards"), at)
    trunks = await db.fetch(statement("tariffs/load_trunks"))
    packages = await packages_of_plans(db)
    exchange_table = await read_exchange_table(db, base_currency)
    versions = {row["version_id"] for row in rows} - {None}
    tables = {
        version_id: PrefixTable(await read_rates(db, version_id, number)) for version_id in versions
    }
    return _snapshot(rows, tables, trunks, packages, exchange_table)


async def read_exchange_table(db: Any, base_currency: str) -> ExchangeTable:
    """The exchange rates as they stand now, of all dates."""
    rows = await db.fetch(statement("tariffs/load_exchange_rates"), base_currency)
    return ExchangeTable(
        base_currency,
        [
            ExchangeRate(
                currency=row["currency"],
                per_base=Fraction(row["per_base"]),
                effective_from=row["effective_from"],
            )
            for row in rows
        ],
    )


def _snapshot(
    rows: list[Any],
    tables: Mapping[int, PrefixTable],
    trunk_rows: list[Any],
    packages: Mapping[int, tuple[NamedPackage, ...]],
    exchange_table: ExchangeTable,
) -> Tariffs:
    trunks = [Trunk(**row) for row in trunk_rows]
    names = {trunk.id: trunk.name for trunk in trunks}
    cards: dict[int, list[tuple[RateCard, PrefixTable]]] = {}
    plan_rows: dict[int, Any] = {}
    version_ids: dict[tuple[str, int], int] = {}
    for row in rows:
        plan_rows[row["plan_id"]] = row
        plan_cards = cards.setdefault(row["plan_id"], [])
        if row["version_id"] is not None:
            version_ids[row["card_name"], row["version"]] = row["version_id"]
            # A trunk made while we read is missing here; its own notification brings it.
            ways = tuple(names[id_] for id_ in row["trunk_ids"] if id_ in names)
            plan_cards.append((_rate_card(row, ways), tables[row["version_id"]]))
    plans = {
        id_: Plan(
            id=id_,
            name=row["plan_name"],
            order=RouteOrder(row["route_order"]),
            sell_price=SellPrice(row["sell_price"]),
            allow_loss=row["allow_loss"],
            hold_mode=row["hold_mode"],
            cards=tuple(cards[id_]),
            packages=packages.get(id_, ()),
            dialling=dialling_of_row(row),
        )
        for id_, row in plan_rows.items()
    }
    return Tariffs(
        plans=plans,
        plan_ids={plan.name: plan.id for plan in plans.values()},
        trunks={trunk.name: trunk for trunk in trunks},
        version_ids=version_ids,
        exchange_table=exchange_table,
    )


def dialling_of_row(row: Any) -> Dialling:
    """How the customers of a stored plan dial."""
    return Dialling(
        country=row["country"],
        area_code=row["area_code"],
        local_lengths=tuple(row["local_lengths"]),
        short_codes=tuple(row["short_codes"]),
    )


def _rate_card(row: Any, trunks: tuple[str, ...]) -> RateCard:
    return RateCard(
        name=row["card_name"],
        version=row["version"],
        currency=row["currency"],
        trunks=trunks,
        rules=rules_of_json(row["rules"]),
        valid_from=row["valid_from"],
        valid_until=row["valid_until"],
    )
