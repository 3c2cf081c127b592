"""Calls as the console and the API list them, quick however many there are."""

from datetime import datetime
from typing import Any

import structlog

from agi_server.calls.records import CallState
from agi_server.calls.request import account_id_of
from agi_server.refused import NotFoundError
from agi_server.storage.postgres.statements import statement
from agi_server.web.auth.roles import Operator
from agi_server.web.paging import PAGE_ROWS, cursor_of, keys_of

log = structlog.get_logger()

# Of so few accounts it is quickest to look for the newest calls of each.
_SMALL_GROUP = 50
# The calls of a larger group are sought among so many of everybody's. Where these are not enough
# the group has few, and so have its accounts.
_NEWEST = 2_000
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
    chosen = (operator.group_id, state, reason, *keys_of(after, datetime, str))
    rows = []
    by_account = account_id is not None or (
        operator.group_id is not None
        and await db.fetchval(statement("web/is_small_group"), operator.group_id, _SMALL_GROUP)
    )
    if not by_account:
        newest = limit + 1 if operator.group_id is None else _NEWEST
        rows = await db.fetch(statement("web/newest_calls"), *chosen, newest, limit + 1)
        by_account = operator.group_id is not None and len(rows) <= limit
    if by_account:
        rows = await db.fetch(statement("web/calls_of_accounts"), *chosen, limit + 1, account_id)
    more = len(rows) > limit
    rows = rows[:limit]
    return rows, cursor_of(rows[-1]["authorized_at"], rows[-1]["call_id"]) if more else None


async def live_calls(db: Any, operator: Operator, account_id: int | None = None) -> list[Any]:
    """The calls in progress that the operator may see, newest first."""
    rows: list[Any] = await db.fetch(
        statement("web/live_calls"), operator.group_id, account_id, MOST_LIVE
    )
    return rows


async def call_in_scope(db: Any, operator: Operator, call_id: str) -> Any:
    """One call with all that is known of it.

    Raises NotFoundError, also for a call of another group's customer, which is logged.
    """
    # Calls of nobody, which were refused, have the account 0.
    account_id = 0 if call_id.startswith("0-") else account_id_of(call_id)
    call = None
    if account_id is not None:
        call = await db.fetchrow(statement("web/call"), account_id, call_id)
    if call is None:
        raise NotFoundError("there is no such call")
    if operator.group_id is not None and call["group_id"] != operator.group_id:
        log.warning(
            "web.refused",
            operator=operator.name,
            reason="another group's call",
            account_id=call["account_id"],
        )
        raise NotFoundError("there is no such call")
    return call
