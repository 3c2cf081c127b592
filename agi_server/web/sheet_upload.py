"""A rate sheet that was uploaded: compared, and stored as an inactive version of its card.

Reading a large sheet takes seconds of CPU, so it is done in a thread with an event loop and a
connection of its own: the daemon's loop goes on answering calls.
"""

import asyncio
import hashlib
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, fields, replace
from datetime import datetime

from agi_server.storage.postgres.pool import open_pool
from agi_server.tariffs.rate_cards import CardImport, CardVersion, Source, begin_import
from rating.rate import Rate
from rating.rate_card import OWN_RULES, PricingRules
from rating.rate_diff import DiffSummary
from rating.rate_sheet import SheetOptions, SheetReading, open_rate_sheet
from rating.sheet_entries import SheetError

CHANGES_SHOWN = 100
# One at a time, so that uploads never fill the memory.
_reader = ThreadPoolExecutor(1, "sheet")


@dataclass(frozen=True, slots=True, kw_only=True)
class Sheet:
    """What was uploaded, for which card; a new card gets the currency and trunks."""

    card: str
    name: str
    content: bytes
    currency: str
    trunks: tuple[str, ...] = ()
    store: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class SheetOutcome:
    """Either the `errors`, by line, or the changes against the version `replaces` and what was
    stored, None when it was only to be compared."""

    errors: Sequence[SheetError]
    notes: Sequence[str]
    replaces: int | None = None
    diff: DiffSummary | None = None
    stored: CardVersion | None = None


async def take_sheet(postgres_dsn: str, sheet: Sheet, at: datetime) -> SheetOutcome:
    """Read, compare and, without errors, store it. Raises InvalidFieldError, RefusedError."""
    loop = asyncio.get_running_loop()
    return await loop.run_in_executor(_reader, lambda: asyncio.run(_take(postgres_dsn, sheet, at)))


async def _take(postgres_dsn: str, sheet: Sheet, at: datetime) -> SheetOutcome:
    async with (
        open_pool(postgres_dsn, max_size=1) as pool,
        begin_import(pool, sheet.card, at=at) as importing,
    ):
        in_force = importing.replaces.rules if importing.replaces else OWN_RULES
        currency = importing.currency or sheet.currency
        options = SheetOptions(currency=currency, zone=in_force.zone)
        reading = open_rate_sheet(sheet.content, options)
        await importing.stage(_faultless(reading))
        if reading.errors:
            return SheetOutcome(errors=reading.errors, notes=reading.notes)
        await importing.complete()
        diff = await importing.compare(CHANGES_SHOWN)
        stored = await _store(importing, sheet, reading, in_force) if sheet.store else None
        return SheetOutcome(
            errors=(),
            notes=reading.notes,
            replaces=importing.replaces.version if importing.replaces else None,
            diff=diff,
            stored=stored,
        )


async def _store(
    importing: CardImport, sheet: Sheet, reading: SheetReading, in_force: PricingRules
) -> CardVersion:
    return await importing.store(
        Source(name=sheet.name, sha256=hashlib.sha256(sheet.content).hexdigest()),
        currency=None if importing.currency else sheet.currency,
        default_currency=sheet.currency,
        trunks=sheet.trunks,
        rules=_rules(in_force, reading.rules),
    )


def _faultless(reading: SheetReading) -> Iterator[Rate]:
    """The rates up to the first error; the rest is read for its errors only."""
    for rate in reading.rates:
        if not reading.errors:
            yield rate


def _rules(in_force: PricingRules, of_format: PricingRules) -> PricingRules:
    """Those that the format brings, else those in force."""
    brought = {
        field.name: getattr(of_format, field.name)
        for field in fields(PricingRules)
        if getattr(of_format, field.name) != getattr(OWN_RULES, field.name)
    }
    return replace(in_force, **brought)
