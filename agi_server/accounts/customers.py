"""Create and find customer accounts."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Protocol

import structlog

from agi_server.accounts import notes
from agi_server.accounts.account import Account, NewAccount, settable_values
from agi_server.accounts.account_lists import replace_callerids, replace_rules
from agi_server.accounts.account_rows import account_of, columns_of, hashes_of
from agi_server.accounts.codes import AccountStatus
from agi_server.accounts.fields import Settable
from agi_server.accounts.group_plans import check_plan
from agi_server.accounts.number import generate_account_number, has_luhn_digit
from agi_server.accounts.passwords import generate_login
from agi_server.accounts.phones import Credentials, create_missing_phones
from agi_server.accounts.search import search_terms
from agi_server.accounts.taken import explain_taken
from agi_server.ledger.refills import refill
from agi_server.observe.masking import mask_account_number
from agi_server.refused import InvalidFieldError, NotFoundError, RefusedError
from agi_server.settings import PhonesSettings
from agi_server.storage.postgres.statements import statement

log = structlog.get_logger()

# A drawn number is taken once in billions; this many in a row means that the length is used up.
_DRAWS = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class CreationRules:
    """What the settings say of new accounts."""

    number_length: int
    max_callerids: int
    number_luhn: bool = False


class Once(Protocol):
    """Knows whether the same was asked before, on a connection in the transaction that does it."""

    async def begin(self, db: Any) -> None:
        """Raises what the caller awaits when it was."""

    async def done(self, db: Any, account: Account) -> None:
        """Remember the account that was created."""


async def create_account(
    pool: Any,
    new: NewAccount,
    *,
    number_length: int,
    max_callerids: int,
    number_luhn: bool = False,
    refill_micros: int = 0,
    phones: PhonesSettings | None = None,
    once: Once | None = None,
    created_by: str,
    at: datetime,
) -> tuple[Account, list[Credentials]]:
    """Store an account with all that belongs to it, its first credit and, by `phones`, the phones
    that its fields ask for: all or nothing. Returns the phones' credentials, too. `once` remembers
    in the same transaction that it was done.

    Raises NotFoundError for an unknown plan or group, RefusedError for a number, login or CallerID
    that is taken or more CallerIDs than one account may have, InvalidFieldError for a number
    without the check digit that the setting wants.
    """
    rules = CreationRules(
        number_length=number_length, max_callerids=max_callerids, number_luhn=number_luhn
    )
    hashes = await hashes_of(new)
    async with pool.acquire() as db, db.transaction():
        if once is not None:
            await once.begin(db)
        account = await store_account(
            db, new, rules, hashes, refill_micros=refill_micros, created_by=created_by, at=at
        )
        credentials = await create_missing_phones(db, account, phones, at=at) if phones else []
        if once is not None:
            await once.done(db, account)
    log_created(account, created_by)
    return account, credentials


async def store_account(
    db: Any,
    new: NewAccount,
    rules: CreationRules,
    hashes: dict[str, str],
    *,
    refill_micros: int,
    created_by: str,
    at: datetime,
) -> Account:
    """The same on a connection in a transaction of the caller's, who then logs it.

    `hashes` are those of the secrets (`hashes_of`): they take long, so not while rows are locked.
    """
    new = replace(new, web_login=new.web_login or generate_login())
    columns = await columns_of(
        db, settable_values(new, Settable.ON_CREATION), timezone=new.timezone, hashes=hashes
    )
    await check_plan(db, new.group, new.plan)
    columns_at = {**columns, "created_at": at.isoformat()}
    account_id = await _insert(db, new, columns_at, rules, created_by)
    if columns["series_id"] is not None:
        columns["serial"] = await db.fetchval(
            statement("accounts/next_serial"), columns["series_id"]
        )
    with explain_taken():
        await db.execute(statement("accounts/update_customer"), account_id, columns)
    await replace_callerids(db, account_id, (), new.callerids, max_callerids=rules.max_callerids)
    await replace_rules(db, account_id, (), new.restricted_numbers)
    if new.note is not None:
        await notes.add_note(db, account_id, new.note, author=created_by, at=at)
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
    return await find_by_id(db, account_id)


def log_created(account: Account, created_by: str) -> None:
    """After the transaction that stored it."""
    log.info(
        "account.created", account_id=account.id, account=account.account_number, by=created_by
    )


async def find_by_number(db: Any, account_number: str) -> Account:
    """Raises NotFoundError, which shows the number masked."""
    row = await db.fetchrow(statement("accounts/read"), account_number, None)
    if row is None:
        raise unknown_account(account_number)
    return account_of(row)


async def find_by_id(db: Any, account_id: int) -> Account:
    """Raises NotFoundError."""
    found = await find_by_ids(db, [account_id])
    if not found:
        raise unknown_account(f"id:{account_id}")
    return found[0]


async def find_by_ids(db: Any, account_ids: Sequence[int]) -> list[Account]:
    """Those that there are, in the order of their ids."""
    found = await db.fetch(statement("accounts/read"), None, account_ids) if account_ids else []
    return [account_of(row) for row in found]


async def find_named(db: Any, name: str) -> Account:
    """The account with a number or, written `id:12`, with an id. Raises NotFoundError."""
    account_id = id_named(name)
    return await (find_by_number(db, name) if account_id is None else find_by_id(db, account_id))


def id_named(name: str) -> int | None:
    """The id of an account that is named by it: `id:12`."""
    kind, _, number = name.rpartition(":")
    is_id = kind == "id" and number.isascii() and number.isdigit() and len(number) < 19
    return int(number) if is_id else None


def unknown_account(name: str) -> NotFoundError:
    """Says that there is none of this number, which it shows masked, or id."""
    account_id = id_named(name)
    if name.startswith("id:"):
        return NotFoundError(f"no customer has id {account_id or name[3:23]}")
    if account_id is None:
        masked = mask_account_number(name)
        return NotFoundError(f"no customer has account number {masked}; an id is written id:12")
    return NotFoundError(f"no customer has id {account_id}")


async def list_accounts(
    db: Any, *, after_id: int = 0, limit: int = 100, **chosen: Any
) -> list[Account]:
    """Accounts in the order of their ids; a page after `after_id`. `chosen` as in `find_ids`."""
    return await find_by_ids(db, await find_ids(db, after_id=after_id, limit=limit, **chosen))


async def find_ids(
    db: Any,
    *,
    search: str = "",
    status: AccountStatus | None = None,
    group: str | None = None,
    plan: str | None = None,
    campaign: str | None = None,
    callerid: str | None = None,
    after_id: int = 0,
    limit: int = 100,
) -> list[int]:
    """The ids of accounts, in order; a page after `after_id`.

    What `search` finds is said in `accounts/search.py`; `callerid` finds those with one that begins
    so.
    """
    terms = search_terms(search)
    rows = await db.fetch(
        statement("accounts/page_ids"),
        status,
        group,
        plan,
        campaign,
        terms.words,
        callerid or terms.callerid,
        terms.account_number,
        after_id,
        limit,
    )
    return [row["id"] for row in rows]


async def _insert(
    db: Any, new: NewAccount, columns: dict[str, Any], rules: CreationRules, created_by: str
) -> int:
    if rules.number_luhn and new.account_number and not has_luhn_digit(new.account_number):
        raise InvalidFieldError("account_number", "must end in its check digit (Luhn)")
    for _ in range(_DRAWS):
        number = new.account_number or generate_account_number(
            rules.number_length, luhn=rules.number_luhn
        )
        account_id: int | None = await db.fetchval(
            statement("accounts/insert"), {**columns, "account_number": number}, created_by
        )
        if account_id is not None:
            return account_id
        if new.account_number is not None:
            raise RefusedError(
                f"account number {mask_account_number(number)} belongs to a customer already",
                field="account_number",
            )
    raise RefusedError(
        f"no number of {rules.number_length} digits was free in {_DRAWS} draws: raise the setting"
        " accounts.number_length"
    )
