"""A rate sheet that was uploaded: compared, and stored as an inactive version of its card.

Reading a large sheet takes seconds of CPU, so it is done in a thread with an event loop and a
connection of its own: the daemon's loop goes on answering calls.
"""

import asyncio
import hashlib
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import datetime

from agi_server.storage.postgres.pool import open_pool
from agi_server.tariffs.rate_cards import (
    CardImport,
    CardVersion,
    Source,
    begin_import,
)
from agi_server.tariffs.sheet_import import (
    complete_sheet,
    rules_in_force,
    rules_of_import,
    stage_sheet,
)
from agi_server.web.sheet_form import SaidOfSheet
from rating.rate_diff import DiffSummary
from rating.rate_sheet import SheetReading
from rating.sheet_entries import SheetError

CHANGES_SHOWN = 100
# One at a time, so that uploads never fill the memory.
_reader = ThreadPoolExecutor(1, "sheet")


@dataclass(frozen=True, slots=True, kw_only=True)
class Sheet:
    """What was uploaded, for which card.

    `currency` is what it is said to be in; empty: the card's or, of a new card, `default_currency`.
    A new card gets the trunks. `changes_only`: all other rates of the card stay.
    """

    card: str
    name: str
    content: bytes
    currency: str
    default_currency: str
    said: SaidOfSheet
    changes_only: bool = False
    trunks: tuple[str, ...] = ()
    store: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class SheetOutcome:
    """Either the `errors`, by line, or the changes against the version `replaces` and what was
    stored, None when it was only to be compared; prices are in the card's `currency`."""

    errors: Sequence[SheetError]
    notes: Sequence[str]
    replaces: int | None = None
    currency: str = ""
    diff: DiffSummary | None = None
    stored: CardVersion | None = None


async def take_sheet(postgres_dsn: str, sheet: Sheet, at: datetime) -> SheetOutcome:
    """Read, compare and, without errors, store it. Raises InvalidFieldError, RefusedError."""
    loop = asyncio.get_running_loop()
    return await loop.run_in_executor(_reader, lambda: asyncio.run(_take(postgres_dsn, sheet, at)))


async def _take(postgres_dsn: str, sheet: Sheet, at: datetime) -> SheetOutcome:
    async with (
        open_pool(postgres_dsn, max_size=1) as pool,
        begin_import(
            pool,
            sheet.card,
            currency=sheet.currency,
            default_currency=sheet.default_currency,
            at=at,
        ) as importing,
    ):
        zone = sheet.said.zone or rules_in_force(importing).zone
        options = replace(sheet.said.options, currency=importing.currency, zone=zone)
        reading = await stage_sheet(importing, sheet.content, options)
        if reading.errors:
            return SheetOutcome(errors=reading.errors, notes=reading.notes)
        await complete_sheet(importing, reading, sheet.name, changes_only=sheet.changes_only)
        diff = await importing.compare(CHANGES_SHOWN)
        stored = await _store(importing, sheet, reading) if sheet.store else None
        return SheetOutcome(
            errors=(),
            notes=reading.notes,
            replaces=importing.replaces.version if importing.replaces else None,
            currency=importing.currency,
            diff=diff,
            stored=stored,
        )


async def _store(importing: CardImport, sheet: Sheet, reading: SheetReading) -> CardVersion:
    zone = sheet.said.zone
    return await importing.store(
        Source(name=sheet.name, sha256=hashlib.sha256(sheet.content).hexdigest()),
        trunks=sheet.trunks,
        rules=rules_of_import(importing, reading, {"zone": zone} if zone else {}),
    )
