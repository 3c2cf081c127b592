"""The rating tables in memory: what a call is priced with, without asking the database.

A snapshot is immutable and swapped whole, so a call sees one consistent set of cards. Versions are
immutable too: a reload reads only those that are not in memory yet.
"""

import asyncio
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from agi_server.storage.postgres.statements import statement
from rating.prefix_table import PrefixTable
from rating.rate import Rate

MAX_ROUTES = 5
"""Routes handed to Asterisk for one call: AUTH_DIAL, AUTH_DIAL_2 … AUTH_DIAL_5."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Trunk:
    """A way out; `dial` is the template of what Asterisk dials."""

    id: int
    name: str
    dial: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Card:
    """A rate card with its active version; `trunks` carry its calls, in order."""

    id: int
    name: str
    currency: str
    version_id: int
    trunks: tuple[Trunk, ...]
    table: PrefixTable


@dataclass(frozen=True, slots=True, kw_only=True)
class Quote:
    """What a destination costs: the rate of the first matching card, and the ways there."""

    plan_id: int
    version_id: int
    card_name: str
    currency: str
    rate: Rate
    trunks: tuple[Trunk, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Tariffs:
    """One snapshot: call plans by id, each an ordered list of cards."""

    plans: dict[int, tuple[Card, ...]] = field(default_factory=dict)
    plan_ids: dict[str, int] = field(default_factory=dict)

    def quote(self, plan_id: int | None, currency: str, number: str, at: datetime) -> Quote | None:
        """The price and the routes for a normalised number; None when no card prices it.

        The sell price is that of the first card in plan order that has the number, so it does not
        depend on which carrier carries the call; routes are those of every card that has it. Cards
        in another currency than the account's do not count.
        """
        first: tuple[Card, Rate] | None = None
        trunks: dict[int, Trunk] = {}
        for card in self.plans.get(plan_id, ()) if plan_id is not None else ():
            if card.currency != currency:
                continue
            rate = card.table.lookup(number, at)
            if rate is None:
                continue
            if rate.blocked:
                break
            first = first or (card, rate)
            for trunk in card.trunks:
                trunks.setdefault(trunk.id, trunk)
        if first is None or plan_id is None:
            return None
        card, rate = first
        return Quote(
            plan_id=plan_id,
            version_id=card.version_id,
            card_name=card.name,
            currency=card.currency,
            rate=rate,
            trunks=tuple(trunks.values())[:MAX_ROUTES],
        )


class TariffStore:
    """Holds the snapshot in force and replaces it."""

    def __init__(self) -> None:
        self.current = Tariffs()
        self._tables: dict[int, PrefixTable] = {}

    async def reload(self, db: Any) -> None:
        """Read what changed and swap the snapshot; a failure leaves the old one in force."""
        rows = await db.fetch(statement("tariffs/load_cards"))
        wanted = {row["version_id"] for row in rows if row["version_id"] is not None}
        tables = {version: self._tables.get(version) for version in wanted}
        for version, table in tables.items():
            if table is None:
                tables[version] = await read_table(db, version)
        self._tables = {version: table for version, table in tables.items() if table is not None}
        self.current = _snapshot(rows, self._tables)


async def read_table(db: Any, version_id: int) -> PrefixTable:
    """The prefix table of one version, built beside the event loop."""
    rates = await db.fetch(statement("tariffs/load_rates"), version_id)
    return await asyncio.to_thread(lambda: PrefixTable(Rate(**row) for row in rates))


def _snapshot(rows: list[Any], tables: dict[int, PrefixTable]) -> Tariffs:
    plans: dict[int, list[Card]] = {}
    plan_ids: dict[str, int] = {}
    for row in rows:
        plan_ids[row["plan_name"]] = row["plan_id"]
        cards = plans.setdefault(row["plan_id"], [])
        if row["version_id"] is None:
            continue
        trunks = zip(row["trunk_ids"], row["trunk_names"], row["trunk_dials"], strict=True)
        cards.append(
            Card(
                id=row["card_id"],
                name=row["card_name"],
                currency=row["currency"],
                version_id=row["version_id"],
                trunks=tuple(Trunk(id=id_, name=name, dial=dial) for id_, name, dial in trunks),
                table=tables[row["version_id"]],
            )
        )
    return Tariffs(plans={id_: tuple(cards) for id_, cards in plans.items()}, plan_ids=plan_ids)
