"""CallerIDs: a call from one of them needs no account number."""

from dataclasses import dataclass
from typing import Any

from agi_server.accounts import field_rules
from agi_server.accounts.audit import Change, Editor, record_changes
from agi_server.accounts.changes import change_account
from agi_server.refused import InvalidFieldError, NotFoundError, RefusedError
from agi_server.storage.postgres.statements import statement


@dataclass(frozen=True, slots=True, kw_only=True)
class CallerId:
    """A number that identifies one account, unless switched off."""

    number: str
    account_id: int
    account_number: str
    active: bool


async def add_callerid(
    pool: Any, account_id: int, callerid: str, editor: Editor, *, max_callerids: int
) -> str:
    """Give an account a CallerID; returns it as stored.

    Raises InvalidFieldError for what is no number, RefusedError for one that is taken or too many.
    """
    number = _checked(callerid)
    try:
        _, changes = await change_account(
            pool,
            account_id,
            lambda account: {"callerids": (*account.callerids, number)},
            editor,
            max_callerids=max_callerids,
        )
    except RefusedError as error:
        if error.field == "callerids":
            raise RefusedError(str(error), field="number") from None
        raise
    if not changes:
        raise RefusedError(f"CallerID {number} belongs to a customer already", field="number")
    return number


async def remove_callerid(pool: Any, callerid: str, editor: Editor) -> None:
    """Take a CallerID away from its account. Raises NotFoundError."""
    number = _checked(callerid)
    await change_account(
        pool,
        await _owner(pool, number),
        lambda account: {"callerids": tuple(each for each in account.callerids if each != number)},
        editor,
    )


async def switch_callerid(pool: Any, callerid: str, active: bool, editor: Editor) -> None:
    """Switch a CallerID on or off. Raises NotFoundError."""
    number = _checked(callerid)
    old, new = (f"{number} {state}" for state in (("off", "on") if active else ("on", "off")))
    async with pool.acquire() as db, db.transaction():
        account_id = await _owner(db, number)
        if await db.fetchval(statement("accounts/switch_callerid"), number, active) is not None:
            change = Change(field="callerids", old=old, new=new)
            await record_changes(db, account_id, [change], editor)


async def list_callerids(db: Any, account_id: int | None = None) -> list[CallerId]:
    """Those of one account, or all."""
    rows = await db.fetch(statement("accounts/list_callerids"), account_id)
    return [CallerId(**row) for row in rows]


async def _owner(db: Any, number: str) -> int:
    account_id: int | None = await db.fetchval(statement("accounts/callerid_owner"), number)
    if account_id is None:
        raise NotFoundError(f"no customer has CallerID {number}", field="number")
    return account_id


def _checked(callerid: str) -> str:
    try:
        return field_rules.callerid(callerid)
    except ValueError as error:
        raise InvalidFieldError("number", str(error)) from None
