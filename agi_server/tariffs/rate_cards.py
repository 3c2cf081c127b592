"""Rate cards: sheets become immutable versions, of which one at a time prices calls."""

import re
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from agi_server.refused import InvalidFieldError, NotFoundError, RefusedError
from agi_server.storage.postgres.statements import statement
from agi_server.tariffs.staged_rates import (
    compare_staged,
    keep_until_begun,
    put_changes_onto,
    stage_rates,
    staged_are_stored,
    store_staged,
)
from agi_server.tariffs.stored_rates import rate_of_row, rules_as_json, rules_of_json
from agi_server.tariffs.trunks import check_name
from rating.rate import Rate
from rating.rate_card import OWN_RULES, PricingRules
from rating.rate_diff import DiffSummary
from rating.rate_timeline import in_force_from


@dataclass(frozen=True, slots=True, kw_only=True)
class CardVersion:
    """One stored version of a rate card; `source_*` say which file it came from.

    `active`: it prices calls now. `effective_at` is when it began or will begin to, None while it
    was never activated; `superseded_at` is when another one takes over, None while none is to.
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
    superseded_at: datetime | None
    rules: PricingRules


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """The sheet a version is made of."""

    name: str
    sha256: str


@dataclass(frozen=True, slots=True, kw_only=True)
class VersionInForce:
    """What a card's next version is compared with, and whose rules it keeps."""

    id: int
    version: int
    rules: PricingRules
    begins: datetime


class CardImport:
    """A sheet on its way to a card, in one transaction: nothing is written before `store`.

    `currency` is the card's own or, of a new card, what it will be in. `replaces` is the version
    that is in force at the time for which the import is meant. `is_known`: `store` found that the
    card has a version of this file already, so it made none.
    """

    def __init__(
        self,
        db: Any,
        card: str,
        currency: str,
        replaces: VersionInForce | None,
        *,
        at: datetime,
        effective_at: datetime | None,
    ) -> None:
        self.card = card
        self.currency = currency
        self.replaces = replaces
        self.is_known = False
        self._db = db
        self._at = at
        self._effective_at = effective_at
        self._in_force_at = effective_at or at
        self._are_changes = False
        self._changes_nothing = False

    async def stage(self, rates: Iterable[Rate]) -> None:
        """Take in the rates of the sheet, as they come."""
        await stage_rates(self._db, rates)

    async def not_on_card(self, prefixes: Iterable[str]) -> set[str]:
        """Those of which the version in force has nothing then or later, nor the sheet a price.

        To be asked before `complete`.
        """
        replaced = self.replaces.id if self.replaces else None
        rates: dict[str, list[Rate]] = {prefix: [] for prefix in prefixes}
        for row in await self._db.fetch(
            statement("tariffs/rates_of_prefixes"), replaced, list(rates)
        ):
            rate = rate_of_row(tuple(row))
            rates[rate.prefix].append(rate)
        at = self._in_force_at
        return {
            prefix for prefix, known in rates.items() if not any(in_force_from(known, at).values())
        }

    async def complete(self, *, changes_only: bool = False) -> None:
        """Add what stays of the version in force, when all rates of the sheet are staged.

        With `changes_only` that is all that the sheet does not change. Else a prefix whose rates
        all lie ahead keeps what it has until the first of them begins.
        """
        self._are_changes = changes_only
        replaced = self.replaces.id if self.replaces else None
        if changes_only:
            await put_changes_onto(self._db, replaced)
        elif replaced is not None:
            await keep_until_begun(self._db, replaced, self._in_force_at)

    async def compare(self, most: int) -> DiffSummary:
        """What the completed rates change, and `most` of the changes."""
        replaced = self.replaces.id if self.replaces else None
        diff = await compare_staged(self._db, replaced, most, self._in_force_at)
        self._changes_nothing = replaced is not None and not diff.changed
        return diff

    async def store(
        self,
        source: Source,
        *,
        trunks: Sequence[str] = (),
        rules: PricingRules = OWN_RULES,
        activate: bool = False,
    ) -> CardVersion:
        """Store what is staged; see `store_version`. It is committed when the import is left.

        Raises InvalidFieldError, NotFoundError, RefusedError as `store_version` does, and
        RefusedError if changes were put onto a version that is in force no more.
        """
        if len(set(trunks)) != len(trunks):
            raise InvalidFieldError("trunk", "names a trunk twice")
        db = self._db
        card_id = await _card_id(db, self.card, self.currency)
        _, replaces = await _in_force(db, self.card, self._in_force_at)
        if replaces != self.replaces:
            self._changes_nothing = False
            if self._are_changes:
                raise RefusedError(
                    f"another version of {self.card} came into force meanwhile: import again"
                )
        if trunks:
            await _set_trunks(db, card_id, trunks)
        version = await self._stored_version(card_id, source, rules)
        now = replaces if replaces and replaces.begins <= self._at else None
        if activate and (now is None or now.version != version):
            await _activate(db, self.card, card_id, version, self._at, self._effective_at)
        return await _version(db, self.card, version, self._at)

    async def _stored_version(self, card_id: int, source: Source, rules: PricingRules) -> int:
        db, rules_json = self._db, rules_as_json(rules)
        same_source = await db.fetch(
            statement("tariffs/same_source_versions"), card_id, source.sha256, rules_json
        )
        # A file whose dates have passed leaves out what they ended, and still changes nothing.
        replaced = self.replaces if self._changes_nothing else None
        if same_source and replaced is not None and replaced.rules == rules:
            self.is_known = True
            return replaced.version
        version: int
        for known in same_source:
            if await staged_are_stored(db, known["id"]):
                self.is_known = True
                version = known["version"]
                return version
        sql = statement("tariffs/insert_version")
        row = await db.fetchrow(sql, card_id, source.name, source.sha256, self._at, rules_json)
        await store_staged(db, row["id"])
        version = row["version"]
        return version


def check_currency(code: str) -> None:
    """Raises InvalidFieldError."""
    if not re.fullmatch("[A-Z]{3}", code):
        raise InvalidFieldError("currency", "must be a currency code of three letters such as EUR")


@asynccontextmanager
async def begin_import(
    pool: Any,
    card: str,
    *,
    currency: str | None,
    default_currency: str,
    at: datetime,
    effective_at: datetime | None = None,
) -> AsyncIterator[CardImport]:
    """Begin to import a sheet; what is stored is committed when the block ends without an error.

    `currency` is what the sheet is said to be in; None or empty: the card's own or, of a new card,
    the default. `effective_at` is when the version is to come into force; None: now. Raises
    InvalidFieldError, also for a currency that is not the card's, and where `effective_at` is
    before the beginning of the version in force now.
    """
    check_name(card)
    check_currency(currency or default_currency)
    async with pool.acquire() as db, db.transaction():
        if effective_at is not None:
            _, now = await _in_force(db, card, at)
            if now is not None and effective_at < now.begins:
                raise _overtaken(card, now)
        own_currency, replaces = await _in_force(db, card, effective_at or at)
        if own_currency is not None:
            _check_own_currency(card, own_currency, currency)
        its_currency = own_currency or currency or default_currency
        yield CardImport(db, card, its_currency, replaces, at=at, effective_at=effective_at)


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
    """Store rates as the card's next version, all or nothing; the card is made when it is new.

    A card that has a version of the very same file, rates and rules gets no second one, and neither
    does one of whose version in force such a file changes nothing. With
    `activate` it prices calls from `effective_at` on, or from now. `trunks`, when given, replace
    those that carry the card's calls, in this order. `currency` of a card never changes; None is
    the card's own or, for a new card, the default. Raises InvalidFieldError, also for another
    currency, and NotFoundError for an unknown trunk.
    """
    async with begin_import(
        pool,
        card,
        currency=currency,
        default_currency=default_currency,
        at=at,
        effective_at=effective_at,
    ) as importing:
        await importing.stage(rates)
        await importing.complete()
        return await importing.store(source, trunks=trunks, rules=rules, activate=activate)


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
    step back. A beginning in the past changes no call that was priced: `calls rerate --in-force`
    tells which would come out differently. Raises NotFoundError, InvalidFieldError for a beginning
    before that of the version in force now, and RefusedError for a later beginning of the version
    in force, which would leave none until then.
    """
    async with pool.acquire() as db, db.transaction():
        row = await db.fetchrow(statement("tariffs/lock_card"), card)
        if row is None:
            raise NotFoundError(f"there is no rate card {card}")
        if version is None:
            version = await db.fetchval(statement("tariffs/newest_version"), row["id"])
        if version is None:
            raise NotFoundError(f"rate card {card} has no version")
        await _activate(db, card, row["id"], version, at, effective_at)
        return await _version(db, card, version, at)


async def cancel_activation(pool: Any, card: str, version: int, *, at: datetime) -> CardVersion:
    """Take back an activation that has not begun yet. Raises NotFoundError."""
    async with pool.acquire() as db, db.transaction():
        sql = statement("tariffs/cancel_activation")
        if await db.fetchval(sql, card, version, at) is None:
            raise NotFoundError(f"rate card {card} version {version} is not to come into force")
        return await _version(db, card, version, at)


async def list_versions(db: Any, card: str | None = None, *, at: datetime) -> list[CardVersion]:
    """The versions of a card or of all, newest first, as they are at a time."""
    rows = await db.fetch(statement("tariffs/list_versions"), card, None, at)
    return [_card_version(row) for row in rows]


async def _card_id(db: Any, card: str, currency: str) -> int:
    await db.execute(statement("tariffs/insert_card"), card, currency)
    row = await db.fetchrow(statement("tariffs/lock_card"), card)
    # Somebody may have made the card meanwhile.
    _check_own_currency(card, row["currency"], currency)
    card_id: int = row["id"]
    return card_id


def _check_own_currency(card: str, own: str, said: str | None) -> None:
    """Raises InvalidFieldError for a sheet in another currency: its numbers would be sold as the
    card's."""
    if said and said != own:
        raise InvalidFieldError("currency", f"rate card {card} is in {own}, not in {said}")


async def _set_trunks(db: Any, card_id: int, trunks: Sequence[str]) -> None:
    await db.execute(statement("tariffs/clear_card_trunks"), card_id)
    for position, trunk in enumerate(trunks):
        sql = statement("tariffs/insert_card_trunk")
        if await db.fetchval(sql, card_id, position, trunk) is None:
            raise NotFoundError(f"there is no trunk {trunk}", field="trunk")


async def _in_force(db: Any, card: str, at: datetime) -> tuple[str | None, VersionInForce | None]:
    """The card's currency and its version in force at a time; None where there is none."""
    row = await db.fetchrow(statement("tariffs/version_in_force"), card, at)
    if row is None:
        return None, None
    if row["version_id"] is None:
        return row["currency"], None
    rules = rules_of_json(row["rules"])
    return row["currency"], VersionInForce(
        id=row["version_id"], version=row["version"], rules=rules, begins=row["begins"]
    )


async def _activate(
    db: Any, card: str, card_id: int, version: int, at: datetime, effective_at: datetime | None
) -> None:
    if effective_at is None or effective_at <= at:
        # Two statements: the index that allows one active version is checked row by row.
        await db.execute(statement("tariffs/deactivate_versions"), card_id, version)
    else:
        _, now = await _in_force(db, card, at)
        if now is not None and now.version == version:
            raise RefusedError(f"rate card {card} version {version} is in force already")
    sql = statement("tariffs/activate_version")
    if await db.fetchval(sql, card_id, version, at, effective_at) is None:
        raise NotFoundError(f"rate card {card} has no version {version}")
    if effective_at is not None and effective_at < at:
        _, now = await _in_force(db, card, at)
        assert now is not None
        if now.version != version:
            raise _overtaken(card, now)


def _overtaken(card: str, now: VersionInForce) -> InvalidFieldError:
    begins = now.begins.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return InvalidFieldError(
        "at", f"has no effect before {begins}, when {card} version {now.version} came into force"
    )


async def _version(db: Any, card: str, version: int, at: datetime) -> CardVersion:
    (row,) = await db.fetch(statement("tariffs/list_versions"), card, version, at)
    return _card_version(row)


def _card_version(row: Any) -> CardVersion:
    return CardVersion(
        **{**row, "trunks": tuple(row["trunks"]), "rules": rules_of_json(row["rules"])}
    )
