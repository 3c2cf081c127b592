"""The movements of an account, and its balance over time."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from agi_server.storage.postgres.statements import statement
from agi_server.web.paging import PAGE_ROWS, cursor_of, keys_of

_STEPS = 120


@dataclass(frozen=True, slots=True)
class BalancePoint:
    """From `at` on the balance was so much."""

    at: datetime
    balance_micros: int


async def list_entries(
    db: Any, account_id: int, *, after: str | None = None, limit: int = PAGE_ROWS
) -> tuple[list[Any], str | None]:
    """A page of ledger entries, newest first, and the cursor of the next one. Raises
    InvalidFieldError for a bad cursor."""
    before, movement_id, part = keys_of(after, datetime, str, int)
    rows = await db.fetch(
        statement("web/entries_of_account"),
        account_id,
        before,
        movement_id,
        None if part is None else min(part, 2**15 - 1),
        limit + 1,
    )
    more = len(rows) > limit
    rows = rows[:limit]
    if not more:
        return rows, None
    last = rows[-1]
    return rows, cursor_of(last["created_at"], last["movement_id"], last["part"])


async def balance_over(
    db: Any, account_id: int, since: datetime, until: datetime
) -> list[BalancePoint]:
    """How the balance went, in at most some hundred steps; the first point is at `since`."""
    before = await db.fetchval(statement("web/balance_before"), account_id, since)
    step: timedelta = max((until - since) / _STEPS, timedelta(minutes=1))
    rows = await db.fetch(statement("web/balance_points"), account_id, since, step)
    return [
        BalancePoint(since, before or 0),
        *(BalancePoint(row["created_at"], row["balance_micros"]) for row in rows),
    ]
