"""Which customers an operator may see."""

from typing import Any

import structlog

from agi_server.accounts.account import Account
from agi_server.accounts.customers import find_by_id
from agi_server.refused import NotFoundError
from agi_server.web.auth.roles import Operator

log = structlog.get_logger()


async def customer_in_scope(db: Any, operator: Operator, account_id: int) -> Account:
    """A customer that the operator looks after.

    Raises NotFoundError, also for another group's customer: that it exists is not told.
    """
    account = await find_by_id(db, account_id)
    check_scope(operator, account.group, account.id)
    return account


def check_scope(operator: Operator, group: str | None, account_id: int) -> None:
    """Raises NotFoundError, and logs it, when a customer's group is not the operator's."""
    if operator.group_id is not None and operator.group != group:
        log.warning(
            "web.refused",
            operator=operator.name,
            reason="another group's customer",
            account_id=account_id,
        )
        raise NotFoundError(f"no customer has id {account_id}")
