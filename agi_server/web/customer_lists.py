"""Customers as the console and the API list and find them."""

from dataclasses import dataclass
from typing import Any

from agi_server.accounts.account import Account
from agi_server.accounts.codes import AccountStatus
from agi_server.accounts.customers import list_accounts
from agi_server.web.auth.roles import Operator
from agi_server.web.paging import PAGE_ROWS, cursor_of, keys_of


@dataclass(frozen=True, slots=True, kw_only=True)
class CustomerFilter:
    """Which customers; what is empty or None does not matter."""

    search: str = ""
    status: AccountStatus | None = None
    plan: str | None = None
    group: str | None = None
    campaign: str | None = None


async def list_customers(
    db: Any,
    operator: Operator,
    chosen: CustomerFilter,
    *,
    after: str | None = None,
    limit: int = PAGE_ROWS,
) -> tuple[list[Account], str | None]:
    """A page of customers that the operator may see, by their ids, and the cursor of the next one.

    Raises InvalidFieldError for a bad cursor.
    """
    (after_id,) = keys_of(after, int)
    if operator.group is not None and chosen.group not in (None, operator.group):
        return [], None
    found = await list_accounts(
        db,
        search=chosen.search,
        status=chosen.status,
        group=operator.group or chosen.group,
        plan=chosen.plan,
        campaign=chosen.campaign,
        after_id=after_id or 0,
        limit=limit + 1,
    )
    page = found[:limit]
    return page, cursor_of(page[-1].id) if len(found) > limit else None
