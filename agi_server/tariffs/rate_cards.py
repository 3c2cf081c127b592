"""Rate cards: sheets become immutable versions, of which one at a time prices calls."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from agi_server.refused import InvalidFieldError, NotFoundError, RefusedError
from agi_server.storage.postgres.statements import statement
from agi_server.tariffs.stored_rates import (
    RATE_COLUMNS,
    rate_of_row,
    row_of_rate,
    rules_as_json,
    rules_of_json,
)
from agi_server.tariffs.trunks import check_name
from rating.rate import Rate
from rating.rate_card import OWN_RULES, PricingRules


@dataclass(frozen=True, slots=True, kw_only=True)
class CardVersion:
    """One stored version of a rate card; `source_*` say which file it came from.

    `active`: it prices calls now. `effective_at` is when it began or will begin to, unless a later
    one does; None while it was never activated.
    """

    card: str
    currency: str
    version: int
    active: bool
    rates: int
    trunks: tuple[str, ...]
    source_name: str
    source_sha256: str
    imported_at: datetime
    activated_at: datetime | None
    effective_at: datetime | None
    rules: PricingRules


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """The sheet a version is made of."""

    name: str
    sha256: str


async def active_rates(db: Any, card: str, at: datetime) -> list[Rate]:
    """The rates of the version in force at a time; empty when there is no such card or version."""
    rows = await db.fetch(statement("tariffs/active_rates"), card, at)
    return [rate_of_row(tuple(row)) for row in rows]


async def store_version(
    pool: Any,
    card: str,
    rates: Iterable[Rate],
    source: Source,
    *,
    currency: str | None,
    default_currency: str,
    trunks: Sequence[str] = (),
    rules: PricingRules = OWN_RULES,
    activate: bool = False,
    effective_at: datetime | None = None,
    at: datetime,
) -> CardVersion:
    """Store a sheet as the card's next version, all or nothing; the card is made when it is new.

    A card that has a version of the very same file and rules gets no second one. With `activate` it
    prices calls from `effective_at` on, or from now. `trunks`, when given,
    replace those that carry the card's calls, in this order. `currency` of a card never changes;
    None is the card's own or, for a new card, the default. Raises InvalidFieldError, NotFoundError
    for an unknown trunk, RefusedError for another currency.
    """
    check_name(card)
    if len(set(trunks)) != len(trunks):
        raise InvalidFieldError("trunk", "names a trunk twice")
    async with pool.acquire() as db, db.transaction():
        card_id = await _card_id(db, card, currency, default_currency)
        if trunks:
            await _set_trunks(db, card_id, trunks)
        rules_json = rules_as_json(rules)
        version = await db.fetchval(
            statement("tariffs/same_version"), card_id, source.sha256, rules_json
        )
        if version is None:
            row = await db.fetchrow(
                statement("tariffs/insert_version"),
                card_id,
                source.name,
                source.sha256,
                at,
                rules_json,
            )
            version = row["version"]
            await db.copy_records_to_table(
                "rate", records=_records(row["id"], rates), columns=("version_id", *RATE_COLUMNS)
            )
        if activate:
            await _activate(db, card_id, version, at, effective_at)
        return await _version(db, card, version, at)


async def activate_version(
    pool: Any,
    card: str,
    version: int | None,
    *,
    at: datetime,
    effective_at: datetime | None = None,
) -> CardVersion:
    """Have a version (None: the newest) price calls from `effective_at` on, or from now.

    Of several the one with the latest beginning counts, so an older version activated again is a
    step back. Raises NotFoundError.
    """
    async with pool.acquire() as db, db.transaction():
        row = await db.fetchrow(statement("tariffs/lock_card"), card)
        if row is None:
            raise NotFoundError(f"there is no rate card {card}")
        if version is None:
            version = await db.fetchval(statement("tariffs/newest_version"), row["id"])
        if version is None or not await _activate(db, row["id"], version, at, effective_at):
            raise NotFoundError(f"rate card {card} has no version {version}")
        return await _version(db, card, version, at)


async def list_versions(db: Any, card: str | None = None, *, at: datetime) -> list[CardVersion]:
    """The versions of a card or of all, newest first, as they are at a time."""
    rows = await db.fetch(statement("tariffs/list_versions"), card, None, at)
    return [_card_version(row) for row in rows]


async def _card_id(db: Any, card: str, currency: str | None, default_currency: str) -> int:
    await db.execute(statement("tariffs/insert_card"), card, currency or default_currency)
    row = await db.fetchrow(statement("tariffs/lock_card"), card)
    if currency not in (None, row["currency"]):
        raise RefusedError(f"rate card {card} is in {row['currency']}, not in {currency}")
    card_id: int = row["id"]
    return card_id


async def _set_trunks(db: Any, card_id: int, trunks: Sequence[str]) -> None:
    await db.execute(statement("tariffs/clear_card_trunks"), card_id)
    for position, trunk in enumerate(trunks):
        sql = statement("tariffs/insert_card_trunk")
        if await db.fetchval(sql, card_id, position, trunk) is None:
            raise NotFoundError(f"there is no trunk {trunk}")


async def _activate(
    db: Any, card_id: int, version: int, at: datetime, effective_at: datetime | None
) -> bool:
    if effective_at is None or effective_at <= at:
        # Two statements: the index that allows one active version is checked row by row.
        await db.execute(statement("tariffs/deactivate_versions"), card_id, version)
    sql = statement("tariffs/activate_version")
    return await db.fetchval(sql, card_id, version, at, effective_at) is not None


def _records(version_id: int, rates: Iterable[Rate]) -> Iterator[tuple[object, ...]]:
    for rate in rates:
        yield (version_id, *row_of_rate(rate))


async def _version(db: Any, card: str, version: int, at: datetime) -> CardVersion:
    (row,) = await db.fetch(statement("tariffs/list_versions"), card, version, at)
    return _card_version(row)


def _card_version(row: Any) -> CardVersion:
    return CardVersion(
        **{**row, "trunks": tuple(row["trunks"]), "rules": rules_of_json(row["rules"])}
    )
