"""CallerIDs: a call from one of them needs no account number."""

from dataclasses import dataclass
from typing import Any

import structlog

from agi_server.accounts.account import check_callerid
from agi_server.refused import InvalidFieldError, NotFoundError, RefusedError
from agi_server.storage.postgres.statements import statement

log = structlog.get_logger()


@dataclass(frozen=True, slots=True, kw_only=True)
class CallerId:
    """A number that identifies one account, unless switched off."""

    number: str
    account_id: int
    account_number: str
    active: bool


async def add_callerid(
    pool: Any, account_id: int, callerid: str, *, max_callerids: int, changed_by: str
) -> str:
    """Give an account a CallerID; returns it as stored.

    Raises InvalidFieldError for what is no number, RefusedError for one that is taken or too many.
    """
    async with pool.acquire() as db, db.transaction():
        number = await store_callerid(db, account_id, callerid, max_callerids=max_callerids)
    _log_change(account_id, f"{number} added", changed_by)
    return number


async def store_callerid(db: Any, account_id: int, callerid: str, *, max_callerids: int) -> str:
    """The same on a connection in a transaction of the caller's."""
    number = _checked(callerid)
    # Two at once could both see room for the last one.
    await db.execute(statement("accounts/lock_row"), account_id)
    if await db.fetchval(statement("accounts/add_callerid"), number, account_id) is None:
        raise RefusedError(f"CallerID {number} belongs to a customer already")
    if await db.fetchval(statement("accounts/count_callerids"), account_id) > max_callerids:
        raise RefusedError(
            f"a customer has at most {max_callerids} CallerIDs (setting accounts.max_callerids)"
        )
    return number


async def remove_callerid(db: Any, callerid: str, *, changed_by: str) -> None:
    """Take a CallerID away from its account. Raises NotFoundError."""
    number = _checked(callerid)
    account_id = await db.fetchval(statement("accounts/remove_callerid"), number)
    _log_change(_existing(number, account_id), f"{number} removed", changed_by)


async def switch_callerid(db: Any, callerid: str, active: bool, *, changed_by: str) -> None:
    """Switch a CallerID on or off. Raises NotFoundError."""
    number = _checked(callerid)
    account_id = await db.fetchval(statement("accounts/switch_callerid"), number, active)
    change = f"{number} switched {'on' if active else 'off'}"
    _log_change(_existing(number, account_id), change, changed_by)


async def list_callerids(db: Any, account_id: int | None = None) -> list[CallerId]:
    """Those of one account, or all."""
    rows = await db.fetch(statement("accounts/list_callerids"), account_id)
    return [CallerId(**row) for row in rows]


def _checked(callerid: str) -> str:
    try:
        return check_callerid(callerid)
    except ValueError as error:
        raise InvalidFieldError("callerid", str(error)) from None


def _existing(number: str, account_id: int | None) -> int:
    if account_id is None:
        raise NotFoundError(f"no customer has CallerID {number}")
    return account_id


def _log_change(account_id: int, change: str, changed_by: str) -> None:
    log.info(
        "account.changed", account_id=account_id, field="callerid", value=change, by=changed_by
    )
