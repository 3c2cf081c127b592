"""Create, find, list and lock customer accounts."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import structlog

from agi_server.accounts import callerids, groups, restrictions
from agi_server.accounts.account import (
    Account,
    AccountStatus,
    ExpiryMode,
    NewAccount,
    PaymentType,
    Restriction,
)
from agi_server.accounts.number import generate_account_number
from agi_server.accounts.restrictions import RuleOwner
from agi_server.ledger.refills import refill
from agi_server.observe.masking import mask_account_number
from agi_server.refused import NotFoundError, RefusedError
from agi_server.storage.postgres.statements import statement
from agi_server.tariffs.plans import plan_id

log = structlog.get_logger()

# A drawn number is taken once in billions; this many in a row means that the length is used up.
_DRAWS = 20


async def create_account(
    pool: Any,
    new: NewAccount,
    *,
    number_length: int,
    max_callerids: int,
    refill_micros: int = 0,
    created_by: str,
    at: datetime,
) -> Account:
    """Store an account with its CallerIDs, restricted numbers and first credit: all or nothing.

    Raises NotFoundError for an unknown plan or group, RefusedError for a number or CallerID that
    is taken or more CallerIDs than one account may have.
    """
    async with pool.acquire() as db, db.transaction():
        account_id = await _insert(db, new, number_length, at)
        for callerid in dict.fromkeys(new.callerids):
            await callerids.store_callerid(db, account_id, callerid, max_callerids=max_callerids)
        await restrictions.store_rules(db, RuleOwner.ACCOUNT, account_id, new.restricted_numbers)
        if refill_micros:
            await refill(
                db,
                account_id=account_id,
                amount_micros=refill_micros,
                movement_id="refill:creation",
                created_by=created_by,
                note="on creation",
                at=at,
            )
        account = await find_by_id(db, account_id)
    log.info(
        "account.created", account_id=account_id, account=account.account_number, by=created_by
    )
    return account


async def find_by_number(db: Any, account_number: str) -> Account:
    """Raises NotFoundError, which shows the number masked."""
    row = await db.fetchrow(statement("accounts/find"), account_number, None)
    if row is None:
        raise NotFoundError(f"no customer has account number {mask_account_number(account_number)}")
    return _account(row)


async def find_by_id(db: Any, account_id: int) -> Account:
    """Raises NotFoundError."""
    row = await db.fetchrow(statement("accounts/find"), None, account_id)
    if row is None:
        raise NotFoundError(f"no customer has id {account_id}")
    return _account(row)


async def list_accounts(
    db: Any,
    *,
    status: AccountStatus | None = None,
    group: str | None = None,
    plan: str | None = None,
    callerid: str | None = None,
    after_id: int = 0,
    limit: int = 100,
) -> list[Account]:
    """Accounts in the order of their ids; a page after `after_id`."""
    rows = await db.fetch(
        statement("accounts/list"), status, group, plan, callerid, after_id, limit
    )
    return [_account(row) for row in rows]


async def set_locked(db: Any, account: Account, locked: bool, *, changed_by: str) -> bool:
    """Set the customer's own lock on outgoing calls; False when it was so already."""
    if await db.fetchval(statement("accounts/set_locked"), account.id, locked) is None:
        return False
    _log_change(account, "locked", locked, changed_by)
    return True


def log_reset(account: Account, ended: int, *, changed_by: str) -> None:
    """Log that an operator reset an account's calls in progress and `ended` of them were ended."""
    _log_change(account, "in_use", account.in_use - ended, changed_by)


async def _insert(db: Any, new: NewAccount, number_length: int, at: datetime) -> int:
    fields = (
        new.status,
        None if new.group is None else (await groups.find_group(db, new.group)).id,
        None if new.plan is None else await plan_id(db, new.plan),
        new.payment_type,
        new.currency,
        new.credit_limit_micros,
        new.simultaneous_access,
        new.calls_per_second,
        new.max_price_micros_per_minute,
        new.language,
        new.timezone,
        new.expiry_mode,
        new.expires_at,
        new.expiry_days,
        new.restriction,
        at,
        new.discount_basis_points,
        new.country,
    )
    for _ in range(_DRAWS):
        number = new.account_number or generate_account_number(number_length)
        account_id: int | None = await db.fetchval(statement("accounts/insert"), number, *fields)
        if account_id is not None:
            return account_id
        if new.account_number is not None:
            raise RefusedError(
                f"account number {mask_account_number(number)} belongs to a customer already"
            )
    raise RefusedError(
        f"no number of {number_length} digits was free in {_DRAWS} draws: raise the setting"
        " accounts.number_length"
    )


def _account(row: Mapping[str, Any]) -> Account:
    return Account(
        id=row["id"],
        account_number=row["account_number"],
        status=AccountStatus(row["status"]),
        group=row["group_name"],
        plan=row["plan_name"],
        payment_type=PaymentType(row["payment_type"]),
        currency=row["currency"],
        balance_micros=row["balance_micros"],
        held_micros=row["held_micros"],
        credit_limit_micros=row["credit_limit_micros"],
        in_use=row["open_calls"],
        simultaneous_access=row["simultaneous_access"],
        calls_per_second=row["calls_per_second"],
        max_price_micros_per_minute=row["max_price_micros_per_minute"],
        discount_basis_points=row["discount_basis_points"],
        country=row["country"],
        locked=row["locked"],
        language=row["language"],
        timezone=row["timezone"],
        expiry_mode=ExpiryMode(row["expiry_mode"]),
        expires_at=row["expires_at"],
        expiry_days=row["expiry_days"],
        restriction=Restriction(row["restriction"]),
        restricted_numbers=tuple(row["restricted_numbers"]),
        callerids=tuple(row["callerids"]),
        first_use_at=row["first_use_at"],
        created_at=row["created_at"],
    )


def _log_change(account: Account, field: str, value: object, changed_by: str) -> None:
    log.info(
        "account.changed",
        account_id=account.id,
        account=account.account_number,
        field=field,
        value=value,
        by=changed_by,
    )
