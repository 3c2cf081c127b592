"""The rates of a stored version, as they are read for an export."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Any

from agi_server.refused import NotFoundError
from agi_server.storage.postgres.statements import statement
from agi_server.tariffs.stored_rates import rate_of_row, rules_of_json
from rating.rate import Rate
from rating.rate_card import PricingRules

_ROWS_AT_A_TIME = 5_000


@asynccontextmanager
async def stored_version(
    pool: Any, card: str, version: int | None, *, at: datetime
) -> AsyncIterator["StoredVersion"]:
    """A version (None: the one in force) to read the rates of. Raises NotFoundError."""
    async with pool.acquire() as db, db.transaction(readonly=True):
        row = await db.fetchrow(statement("tariffs/find_version"), card, version, at)
        if row is None:
            what = "no version in force" if version is None else f"no version {version}"
            raise NotFoundError(f"there is no rate card {card} or it has {what}")
        yield StoredVersion(db, row["id"], row["version"], rules_of_json(row["rules"]))


class StoredVersion:
    """A version whose rates are read in parts: all are never in memory."""

    def __init__(self, db: Any, version_id: int, version: int, rules: PricingRules) -> None:
        self.version = version
        self.rules = rules
        self._db = db
        self._id = version_id

    async def rates(self, *, with_more_terms: bool = False) -> AsyncIterator[list[Rate]]:
        """The rates by prefix and date; or only those with terms that have no column."""
        sql = statement("tariffs/read_version")
        cursor = await self._db.cursor(sql, self._id, with_more_terms)
        while rows := await cursor.fetch(_ROWS_AT_A_TIME):
            yield [rate_of_row(tuple(row)) for row in rows]
