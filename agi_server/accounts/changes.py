"""Change customer accounts: every change leaves an audit row. The balance is the ledger's."""

from collections.abc import Callable, Mapping
from typing import Any

from agi_server.accounts.account import (
    FIELDS,
    Account,
    changed_account,
    changed_account_of_texts,
    settable_values,
)
from agi_server.accounts.account_lists import replace_callerids, replace_rules
from agi_server.accounts.account_rows import columns_of, hashes_of
from agi_server.accounts.audit import Change, Editor, change_of, record_changes
from agi_server.accounts.customers import find_by_id
from agi_server.accounts.fields import Kind
from agi_server.accounts.group_plans import check_plan
from agi_server.accounts.phones import Credentials, Technology, create_missing_phones, remove_phones
from agi_server.accounts.taken import explain_taken
from agi_server.refused import DeletedError
from agi_server.settings import PhonesSettings
from agi_server.storage.postgres.statements import statement


async def update_account(
    pool: Any,
    account_id: int,
    values: Mapping[str, Any],
    editor: Editor,
    *,
    max_callerids: int | None = None,
) -> tuple[Account, list[Change]]:
    """Give fields other values (by attribute, as `texts_to_values` makes them): all or none.

    Returns the account as it is then, and what changed. Lists are replaced as a whole. Raises
    InvalidFieldsError with everything that is wrong, NotFoundError, RefusedError for what is
    taken and for a deleted account. `max_callerids` None: no CallerID may be added.
    """
    return await change_account(
        pool, account_id, lambda _: values, editor, max_callerids=max_callerids
    )


async def change_account(
    pool: Any,
    account_id: int,
    change: Callable[[Account], Mapping[str, Any]],
    editor: Editor,
    *,
    max_callerids: int | None = None,
) -> tuple[Account, list[Change]]:
    """The same where the other values follow from what the account has: asked more than once."""
    after, changes, _ = await _change(
        pool,
        account_id,
        lambda account: changed_account(account, change(account)),
        editor,
        max_callerids,
        None,
    )
    return after, changes


async def update_with_phones(
    pool: Any,
    account_id: int,
    texts: Mapping[str, object],
    editor: Editor,
    phones: PhonesSettings,
    *,
    max_callerids: int,
    in_scope: Callable[[Account], None] = lambda _: None,
) -> tuple[Account, list[Change], list[Credentials]]:
    """As `update_account`, of texts by field name, and the phones that the fields ask for in the
    same transaction; their credentials are told only now. `in_scope` raises for an account that
    is not the editor's, also for one that has just been given to somebody else."""

    def changed(account: Account) -> Account:
        in_scope(account)
        return changed_account_of_texts(account, texts)

    return await _change(
        pool,
        account_id,
        changed,
        editor,
        max_callerids,
        phones,
    )


async def _change(
    pool: Any,
    account_id: int,
    changed: Callable[[Account], Account],
    editor: Editor,
    max_callerids: int | None,
    phones: PhonesSettings | None,
) -> tuple[Account, list[Change], list[Credentials]]:
    found = await find_by_id(pool, account_id)
    # Before anything is locked: hashing takes long.
    hashes = await hashes_of(changed(found))
    async with pool.acquire() as db, db.transaction():
        before = await locked_account(db, account_id)
        wanted = changed(before)
        changes = await store_changes(db, before, wanted, hashes, max_callerids=max_callerids)
        await record_changes(db, account_id, changes, editor)
        after = await find_by_id(db, account_id)
        credentials: list[Credentials] = []
        if phones is not None:
            credentials = await create_missing_phones(db, after, phones, at=editor.at)
    return after, changes, credentials


async def locked_account(db: Any, account_id: int) -> Account:
    """An account that nobody else changes until the transaction of this connection ends.

    Raises NotFoundError, RefusedError for a deleted one.
    """
    await db.execute(statement("accounts/lock_row"), account_id)
    account = await find_by_id(db, account_id)
    if account.deleted_at is not None:
        raise DeletedError
    return account


async def store_changes(
    db: Any,
    before: Account,
    after: Account,
    hashes: Mapping[str, str],
    *,
    max_callerids: int | None = None,
) -> list[Change]:
    """Store what differs, on a connection in a transaction that has the account's row locked."""
    old, new = settable_values(before), settable_values(after)
    differs = [field for field in FIELDS if new.get(field.attribute) != old.get(field.attribute)]
    if not differs:
        return []
    values = {field.attribute: new[field.attribute] for field in differs}
    if "timezone" in values and after.expiry_date is not None:
        values["expiry_date"] = after.expiry_date  # the same on another clock
    columns = await columns_of(db, values, timezone=after.timezone, hashes=hashes)
    if "plan" in values or "group" in values:
        await check_plan(db, after.group, after.plan)
    with explain_taken():
        await db.execute(statement("accounts/update"), before.id, columns)
        await db.execute(statement("accounts/update_customer"), before.id, columns)
    if "callerids" in values:
        most = len(before.callerids) if max_callerids is None else max_callerids
        await replace_callerids(
            db, before.id, before.callerids, after.callerids, max_callerids=most
        )
    for technology, wanted in (
        (Technology.SIP, after.create_sip),
        (Technology.IAX, after.create_iax),
    ):
        if f"create_{technology.value}" in values and not wanted:
            await remove_phones(db, before.id, technology)
    if "restricted_numbers" in values:
        await replace_rules(db, before.id, before.restricted_numbers, after.restricted_numbers)
    return [
        change_of(field, old[field.attribute], new[field.attribute])
        for field in differs
        if field.kind is not Kind.SECRET or new[field.attribute] is not None
    ]


async def set_locked(pool: Any, account: Account, locked: bool, editor: Editor) -> bool:
    """Set the customer's own lock on outgoing calls; False when it was so already."""
    _, changes = await update_account(pool, account.id, {"locked": locked}, editor)
    return bool(changes)


async def record_reset(db: Any, before: Account, editor: Editor) -> None:
    """An operator had an account's calls ended that were over."""
    now = await find_by_id(db, before.id)
    change = Change(field="in_use", old=str(before.in_use), new=str(now.in_use))
    await record_changes(db, before.id, [change], editor)
