"""Which DIDs an operator may see: all, or those of the own customers."""

from typing import Any

import structlog

from agi_server.accounts.customers import find_by_id
from agi_server.accounts.dids import Did, find_did, list_dids
from agi_server.refused import NotFoundError
from agi_server.web.auth.roles import Operator
from agi_server.web.paging import PAGE_ROWS, cursor_of, keys_of

log = structlog.get_logger()


async def did_in_scope(db: Any, operator: Operator, number: str) -> Did:
    """A DID that the operator may see. Raises NotFoundError, as for one that is not there."""
    did = await find_did(db, number)
    if operator.group_id is None:
        return did
    owner = None if did.account_id is None else await find_by_id(db, did.account_id)
    if owner is None or owner.group != operator.group:
        log.warning(
            "web.refused",
            operator=operator.name,
            reason="another group's DID",
            account_id=did.account_id,
        )
        raise NotFoundError(f"there is no DID {did.number}")
    return did


async def dids_in_scope(
    db: Any,
    operator: Operator,
    *,
    account_id: int | None = None,
    group: str | None = None,
    unassigned: bool = False,
    search: str = "",
    after: str = "",
    limit: int = PAGE_ROWS,
) -> tuple[list[Did], str | None]:
    """A page of DIDs by number, and `after` of the next one; `search` is how they begin."""
    digits = "".join(sign for sign in search if sign not in "+ -")
    if not (digits.isascii() and (digits.isdigit() or not digits)):
        return [], None
    found = await list_dids(
        db,
        account_id=account_id,
        group=group or None,
        unassigned=unassigned,
        digits=digits or None,
        account_group_id=operator.group_id,
        after=keys_of(after, str)[0],
        limit=limit + 1,
    )
    page = found[:limit]
    return page, cursor_of(page[-1].number) if len(found) > limit else None
