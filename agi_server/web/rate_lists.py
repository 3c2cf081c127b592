"""Rates as the console and the API list them."""

from datetime import UTC, datetime
from typing import Any

from agi_server.storage.postgres.statements import statement
from agi_server.web.paging import PAGE_ROWS, cursor_of, keys_of

_ALWAYS = datetime(1, 1, 1, tzinfo=UTC)
"""Stands in cursors for a rate that has no date."""


async def list_rates(
    db: Any,
    card: str,
    version: int,
    *,
    digits: str = "",
    after: str | None = None,
    limit: int = PAGE_ROWS,
) -> tuple[list[Any], str | None]:
    """A page of the rates of a version, by prefix, and the cursor of the next one.

    With `digits` only those of prefixes that begin so, or that price such a number. Raises
    InvalidFieldError for a bad cursor.
    """
    prefix, begins = keys_of(after, str, datetime)
    rows = await db.fetch(
        statement("web/rates_of_version"),
        card,
        version,
        digits,
        prefix or "",
        begins or _ALWAYS,
        limit + 1,
    )
    more = len(rows) > limit
    rows = rows[:limit]
    if not more:
        return rows, None
    last = rows[-1]
    return rows, cursor_of(last["prefix"], last["effective_from"] or _ALWAYS)
