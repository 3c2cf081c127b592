"""Customers as the console and the API list and find them."""

from dataclasses import dataclass
from typing import Any

from agi_server.accounts.account import Account
from agi_server.accounts.codes import AccountStatus
from agi_server.accounts.customers import find_by_number, find_ids, list_accounts
from agi_server.accounts.search import search_terms
from agi_server.refused import NotFoundError, RefusedError
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
    by = _within(operator, chosen)
    if by is None:
        return [], None
    found = await list_accounts(db, after_id=after_id or 0, limit=limit + 1, **by)
    page = found[:limit]
    return page, cursor_of(page[-1].id) if len(found) > limit else None


async def all_found(db: Any, operator: Operator, chosen: CustomerFilter, most: int) -> list[int]:
    """The ids of all customers whom such a list has, page after page.

    Raises RefusedError when there are more than `most`.
    """
    by = _within(operator, chosen)
    ids = [] if by is None else await find_ids(db, limit=most + 1, **by)
    if len(ids) > most:
        raise RefusedError(f"more than {most} customers are found: narrow the search")
    return ids


async def id_numbered(db: Any, operator: Operator, search: str) -> int | None:
    """The id of the customer whose whole account number is sought, if the operator may see it."""
    number = search_terms(search).account_number
    if number is None:
        return None
    try:
        account = await find_by_number(db, number)
    except NotFoundError:
        return None
    return account.id if operator.group in (None, account.group) else None


def _within(operator: Operator, chosen: CustomerFilter) -> dict[str, Any] | None:
    """What is asked of the accounts, in the operator's scope; None where nobody can be found."""
    if operator.group is not None and chosen.group not in (None, operator.group):
        return None
    return {
        "search": chosen.search,
        "status": chosen.status,
        "group": operator.group or chosen.group,
        "plan": chosen.plan,
        "campaign": chosen.campaign,
    }
