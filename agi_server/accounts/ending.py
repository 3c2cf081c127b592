"""The end of an account, and of what is known of the person whose it was."""

from dataclasses import replace
from typing import Any

from agi_server.accounts.account import FIELDS, PERSONAL_FIELDS, Account, changed_account
from agi_server.accounts.audit import Change, Editor, record_changes
from agi_server.accounts.changes import store_changes
from agi_server.accounts.codes import AccountStatus
from agi_server.accounts.customers import find_by_id
from agi_server.accounts.dids import release_all
from agi_server.accounts.passwords import generate_login
from agi_server.storage.postgres.statements import statement

_ENDS: dict[str, Any] = {
    "status": AccountStatus.CANCELLED,
    "callerids": (),
    "create_sip": False,
    "create_iax": False,
    "mac_address": None,
}
"""What a deleted account no longer has: what others may want, and what lets it in."""

_ERASED = {field.attribute: None for field in FIELDS if field.name in PERSONAL_FIELDS}


async def delete_account(
    pool: Any, account_id: int, editor: Editor
) -> tuple[Account, list[Change]]:
    """Cancel an account for good; its CallerIDs, DIDs, SIP and IAX configuration and MAC go.

    Its ledger, its calls and its number stay: the number is never given again. Calls in progress
    are hung up where AMI is, else they end as they were promised. Nothing of a deleted account is
    changed any more; deleted again, nothing happens. Raises NotFoundError.
    """
    while True:
        async with pool.acquire() as db, db.transaction():
            locked = await db.fetch(statement("dids/lock_of_account"), account_id)
            await db.execute(statement("accounts/lock_row"), account_id)
            # One given meanwhile is not locked yet: behind the account it would be a deadlock.
            if set(locked) >= set(await db.fetch(statement("dids/of_account"), account_id)):
                return await _delete(db, account_id, editor)


async def _delete(db: Any, account_id: int, editor: Editor) -> tuple[Account, list[Change]]:
    before = await find_by_id(db, account_id)
    if before.deleted_at is not None:
        return before, []
    # What was booked while the account's row was waited for came before.
    last = await db.fetchval(statement("ledger/last_booked_at"), account_id)
    editor = replace(editor, at=max(editor.at, last or editor.at))
    changes = await store_changes(db, before, changed_account(before, _ENDS), {})
    await record_changes(db, account_id, changes, editor)
    await release_all(db, account_id, editor)
    await db.execute(statement("accounts/mark_deleted"), account_id, editor.at)
    return await find_by_id(db, account_id), changes


async def erase_person(pool: Any, account_id: int, editor: Editor) -> Account:
    """Empty what is known of the person: fields, their former values in the audit, and notes.

    The ledger, calls and CallerIDs stay; the web login, which may be a name, is drawn anew. Raises
    NotFoundError.
    """
    async with pool.acquire() as db, db.transaction():
        await db.execute(statement("accounts/lock_row"), account_id)
        before = await find_by_id(db, account_id)
        after = changed_account(before, {**_ERASED, "web_login": generate_login()})
        await store_changes(db, before, after, {})
        await db.execute(
            statement("accounts/erase_audit"), account_id, [*PERSONAL_FIELDS, "web_login"]
        )
        await db.execute(statement("accounts/erase_notes"), account_id)
        change = Change(field="person", old=None, new="erased")
        await record_changes(db, account_id, [change], editor)
        return await find_by_id(db, account_id)
