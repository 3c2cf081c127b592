"""The rates of a sheet on their way to a card: staged in the database, compared, then stored.

All is done there in one transaction, part by part, so that neither a sheet nor the version that it
replaces is ever whole in our memory. Nobody else sees the staged rates, and they vanish by
themselves.
"""

from collections.abc import AsyncIterator, Iterable
from typing import Any

from agi_server.storage.postgres.statements import statement
from agi_server.tariffs.stored_rates import RATE_COLUMNS, rate_of_row, row_of_rate
from rating.rate import Rate
from rating.rate_diff import DiffSummary, diff_rates
from rating.rate_update import updated_rates

_ROWS_AT_A_TIME = 5_000


async def stage_rates(db: Any, rates: Iterable[Rate]) -> None:
    """Take in the rates of a sheet, as they come."""
    await db.execute(statement("tariffs/create_staged_rate"))
    await _copy(db, "staged_rate", rates)


async def put_changes_onto(db: Any, version_id: int | None) -> None:
    """Make of staged changes all the rates that a version (None: an empty one) has after them."""
    await db.execute(statement("tariffs/create_updated_rate"))
    async for stored, staged in _parts(db, version_id):
        await _copy(db, "updated_rate", updated_rates(stored, staged))
    await db.execute(statement("tariffs/drop_staged_rate"))
    await db.execute(statement("tariffs/rename_updated_rate"))


async def compare_staged(db: Any, version_id: int | None, most: int) -> DiffSummary:
    """What the staged rates change in a version (None: an empty one); `most` changes are told."""
    summary = DiffSummary(most)
    async for stored, staged in _parts(db, version_id):
        summary.add(diff_rates(stored, staged))
    return summary


async def staged_are_stored(db: Any, version_id: int) -> bool:
    """Whether the staged rates are exactly those of a version."""
    found: bool = await db.fetchval(statement("tariffs/staged_is_stored"), version_id)
    return found


async def store_staged(db: Any, version_id: int) -> None:
    """Give a new version the staged rates."""
    await db.execute(statement("tariffs/store_staged"), version_id)


async def _copy(db: Any, table: str, rates: Iterable[Rate]) -> None:
    await db.copy_records_to_table(
        table, records=map(row_of_rate, rates), columns=RATE_COLUMNS, timeout=None
    )


async def _parts(db: Any, version_id: int | None) -> AsyncIterator[tuple[list[Rate], list[Rate]]]:
    """Stored and staged rates, prefix by prefix: all rates of a prefix are in one part."""
    cursor = await db.cursor(statement("tariffs/staged_beside_stored"), version_id)
    sides: tuple[list[Rate], list[Rate]] = ([], [])
    last = ""
    while rows := await cursor.fetch(_ROWS_AT_A_TIME):
        for row in rows:
            *values, staged = row
            if len(sides[0]) + len(sides[1]) >= _ROWS_AT_A_TIME and values[0] != last:
                yield sides
                sides = ([], [])
            last = values[0]
            sides[staged].append(rate_of_row(values))
    yield sides
