"""The rates of a sheet on their way to a card: staged in the database, compared, then stored.

All is done there in one transaction, part by part, so that neither a sheet nor the version that it
replaces is ever whole in our memory. Nobody else sees the staged rates, and they vanish by
themselves.
"""

from collections.abc import AsyncIterator, Iterable
from datetime import datetime
from itertools import chain, groupby, islice
from operator import itemgetter
from typing import Any

from agi_server.storage.postgres.statements import statement
from agi_server.tariffs.stored_rates import RATE_COLUMNS, rate_of_row, row_of_rate
from rating.rate import Rate
from rating.rate_diff import DiffSummary, diff_rates
from rating.rate_gaps import GapFinder
from rating.rate_update import updated_rates

_ROWS_AT_A_TIME = 5_000
_ROWS_OF_A_COPY = 1_000
_COPY_TIMEOUT_S = 30
_EFFECTIVE_FROM = RATE_COLUMNS.index("effective_from")
_TERMS = RATE_COLUMNS.index("terms")
# Nobody has counted the staged rates, nor yet those of a card that was just imported: taken for a
# few, a million of each would be compared every one with every other, for hours.
_NO_NESTED_LOOPS = "SET LOCAL enable_nestloop = off"
_STAGED = len(RATE_COLUMNS)
"""Where the flag stands that `staged_beside_stored` adds."""


async def stage_rates(db: Any, rates: Iterable[Rate]) -> None:
    """Take in the rates of a sheet, as they come."""
    await db.execute(_NO_NESTED_LOOPS)
    await db.execute(statement("tariffs/create_staged_rate"))
    await _copy(db, "staged_rate", rates)


async def put_changes_onto(db: Any, version_id: int | None) -> None:
    """Make of staged changes all the rates that a version (None: an empty one) has after them."""
    await db.execute(statement("tariffs/create_updated_rate"))
    async for prefixes in _rows_by_prefix(db, version_id):
        await _copy(db, "updated_rate", updated_rates(*_sides(chain.from_iterable(prefixes))))
    await db.execute(statement("tariffs/close_cursors"))
    await db.execute(statement("tariffs/drop_staged_rate"))
    await db.execute(statement("tariffs/rename_updated_rate"))


async def keep_until_begun(db: Any, version_id: int, at: datetime) -> None:
    """A staged sheet comes into force at a time: what a version has of prefixes whose rates all lie
    ahead by then stays until the first of them begins."""
    await db.execute(statement("tariffs/keep_until_begun"), version_id, at)


async def compare_staged(db: Any, version_id: int | None, most: int, at: datetime) -> DiffSummary:
    """What the staged rates, in force from a time on, change in a version (None: an empty one).

    `most` changes are told, and as many times in which numbers would have no rate.
    """
    summary, finder = DiffSummary(most), GapFinder(at)
    if version_id is None and await _add_all_new(db, summary, at):
        return summary
    async for prefixes in _rows_by_prefix(db, version_id):
        old: list[Rate] = []
        new: list[Rate] = []
        for same_prefix in prefixes:
            kind = _plain_kind(same_prefix, at)
            if kind is not None:
                finder.add_covered(same_prefix[0][0], had_price=kind == "unchanged")
            # Two of three rows of a usual sheet end here: no rate need be made of them.
            if kind == "unchanged" or (kind == "new" and len(summary.new) == most):
                summary.counts[kind] += 1
                continue
            stored, staged = _sides(same_prefix)
            old += stored
            new += staged
            if kind is None:
                summary.add_gaps(finder.add(same_prefix[0][0], stored, staged))
        summary.add(diff_rates(old, new, at))
    return summary


async def staged_are_stored(db: Any, version_id: int) -> bool:
    """Whether the staged rates are exactly those of a version."""
    found: bool = await db.fetchval(statement("tariffs/staged_is_stored"), version_id)
    return found


async def store_staged(db: Any, version_id: int) -> None:
    """Give a new version the staged rates."""
    await db.execute(statement("tariffs/store_staged"), version_id)


async def _add_all_new(db: Any, summary: DiffSummary, at: datetime) -> bool:
    """Whether all staged prefixes are simply new, as they are in most first imports, and added: the
    database counts them, and only those that are told come back from there."""
    count = await db.fetchval(statement("tariffs/count_staged_new"), at)
    if count is None:
        return False
    rows = await db.fetch(statement("tariffs/staged_of_first_prefixes"), summary.most)
    summary.add(diff_rates((), map(rate_of_row, rows), at))
    summary.counts["new"] = count
    return True


async def _copy(db: Any, table: str, rates: Iterable[Rate]) -> None:
    """In parts, each with a timeout: a COPY of asyncpg that waits for the server to take what it
    wrote never notices that it is gone (0.32)."""
    rows = map(row_of_rate, rates)
    while part := list(islice(rows, _ROWS_OF_A_COPY)):
        try:
            await db.copy_records_to_table(
                table, records=part, columns=RATE_COLUMNS, timeout=_COPY_TIMEOUT_S
            )
        except TimeoutError as error:
            message = f"PostgreSQL took no rates within {_COPY_TIMEOUT_S} s"
            raise TimeoutError(message) from error


async def _rows_by_prefix(db: Any, version_id: int | None) -> AsyncIterator[list[list[Any]]]:
    """Part by part, for each prefix the stored rows and the staged ones."""
    cursor = await db.cursor(statement("tariffs/staged_beside_stored"), version_id)
    begun: list[Any] = []
    while rows := await cursor.fetch(_ROWS_AT_A_TIME):
        *complete, begun = [list(same) for _, same in groupby([*begun, *rows], itemgetter(0))]
        if complete:
            yield complete
    if begun:
        yield [begun]


def _plain_kind(rows: list[Any], at: datetime) -> str | None:
    """What becomes of a prefix whose rates all have the same, usual terms and of which the new
    version has one in force at a time: it is `new` or `unchanged`. None: make rates to know."""
    terms = rows[0][:_EFFECTIVE_FROM]
    begun: list[bool | None] = [None, None]
    for row in rows:
        if row[_TERMS] is not None or row[:_EFFECTIVE_FROM] != terms:
            return None
        date, side = row[_EFFECTIVE_FROM], row[_STAGED]
        begun[side] = begun[side] or date is None or date <= at
    stored, staged = begun
    if not staged or stored is False:
        return None
    return "new" if stored is None else "unchanged"


def _sides(rows: Iterable[Any]) -> tuple[list[Rate], list[Rate]]:
    """The stored rates and the staged ones."""
    sides: tuple[list[Rate], list[Rate]] = ([], [])
    for row in rows:
        sides[row[_STAGED]].append(rate_of_row(row[:_STAGED]))
    return sides
