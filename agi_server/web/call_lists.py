"""Calls as the console and the API list them, quick however many there are."""

from datetime import datetime
from typing import Any

from agi_server.calls.records import CallState
from agi_server.storage.postgres.statements import statement
from agi_server.web.auth.roles import Operator
from agi_server.web.paging import PAGE_ROWS, cursor_of, keys_of

# Up to so many accounts it is quicker to look for the newest calls of each.
_SMALL_GROUP = 2_000
MOST_LIVE = 500


async def list_calls(
    db: Any,
    operator: Operator,
    *,
    account_id: int | None = None,
    state: CallState | None = None,
    reason: str | None = None,
    after: str | None = None,
    limit: int = PAGE_ROWS,
) -> tuple[list[Any], str | None]:
    """A page of calls that the operator may see, newest first, and the cursor of the next one.

    `account_id` must be in the operator's scope. Raises InvalidFieldError for a bad cursor.
    """
    before, before_id = keys_of(after, datetime, str)
    scope = account_id if account_id is not None else operator.group_id
    name = "web/newest_calls"
    if account_id is not None:
        name = "web/calls_of_account"
    elif operator.group_id is not None and await db.fetchval(
        statement("web/is_small_group"), operator.group_id, _SMALL_GROUP
    ):
        name = "web/calls_of_small_group"
    rows = await db.fetch(statement(name), scope, state, reason, before, before_id, limit + 1)
    more = len(rows) > limit
    rows = rows[:limit]
    return rows, cursor_of(rows[-1]["authorized_at"], rows[-1]["call_id"]) if more else None


async def live_calls(db: Any, operator: Operator, account_id: int | None = None) -> list[Any]:
    """The calls in progress that the operator may see, newest first."""
    rows: list[Any] = await db.fetch(
        statement("web/live_calls"), operator.group_id, account_id, MOST_LIVE
    )
    return rows


async def find_call(db: Any, account_id: int, call_id: str) -> Any:
    """One call with all that is known of it; None when there is none."""
    return await db.fetchrow(statement("web/call"), account_id, call_id)
