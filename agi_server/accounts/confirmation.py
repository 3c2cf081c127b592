"""The link in the confirmation mail: signed, for one account and mail address, until it expires.

Whoever follows it has read mail at that address: the account leaves status unconfirmed. A link is
good for one spell of waiting, which ends however the account leaves that status: the database
counts them, and the link tells of which it is.
"""

import base64
import hashlib
import hmac
import re
import secrets
from datetime import datetime, timedelta
from typing import Any

from agi_server.accounts.account import Account, AccountStatus, changed_account
from agi_server.accounts.audit import Editor, record_changes
from agi_server.accounts.changes import store_changes
from agi_server.accounts.customers import find_by_id
from agi_server.refused import NotFoundError, RefusedError
from agi_server.storage.postgres.statements import statement

CONFIRMED_BY = "confirmation link"
CONFIRMED_BECAUSE = "followed the link in the confirmation mail"
VALID = timedelta(days=7)
"""How long a link can be followed."""

_PURPOSE = "confirmation"
_TOKEN = re.compile(r"([0-9]{1,18})-([0-9]{1,12})(?:-([0-9]{1,18}))?-([A-Za-z0-9_-]{43})", re.ASCII)


class ConfirmationError(RefusedError):
    """The link confirms nothing; the message tells the customer why."""


async def confirmation_token(db: Any, account: Account, *, at: datetime, valid: timedelta) -> str:
    """What stands in the link to an account that waits for it.

    Raises ConfirmationError for an account without a mail address, or one that waits for nothing.
    """
    if account.email is None:
        raise ConfirmationError("the account has no mail address")
    if account.status is not AccountStatus.UNCONFIRMED:
        raise ConfirmationError("the account waits for no confirmation")
    expires = int((at + valid).timestamp())
    spell = await _spell(db, account)
    signature = _signature(await _key(db), account, expires, spell)
    return "-".join([str(account.id), str(expires), *([spell] if spell else []), signature])


async def account_of_token(db: Any, token: str, *, at: datetime) -> Account:
    """The account whose link this is, as it is now.

    It is active when it waits no more, perhaps since this very link was followed before. Raises
    ConfirmationError for a token that is not ours, has expired, is of another address or of an
    earlier spell of waiting.
    """
    parts = _TOKEN.fullmatch(token)
    if parts is None:
        raise ConfirmationError("this link is not valid")
    account_id, expires, spell = int(parts[1]), int(parts[2]), parts[3] or ""
    try:
        account = await find_by_id(db, account_id)
    except NotFoundError:
        raise ConfirmationError("this link is not valid") from None
    if not hmac.compare_digest(_signature(await _key(db), account, expires, spell), parts[4]):
        raise ConfirmationError("this link is not valid")
    is_over = spell != await _spell(db, account)
    if is_over and account.status is AccountStatus.ACTIVE:
        return account
    if account.status is not AccountStatus.UNCONFIRMED:
        raise ConfirmationError("the account waits for no confirmation")
    if is_over:
        raise ConfirmationError("this link is not good any more: ask for another")
    if int(at.timestamp()) > expires:
        raise ConfirmationError("this link has expired: ask for another")
    return account


async def confirm_signup(pool: Any, token: str, *, at: datetime) -> Account:
    """Make the account active whose link this is; followed again, nothing happens.

    Raises what `account_of_token` raises.
    """
    account_id = (await account_of_token(pool, token, at=at)).id
    async with pool.acquire() as db, db.transaction():
        await db.execute(statement("accounts/lock_row"), account_id)
        account = await account_of_token(db, token, at=at)
        if account.status is AccountStatus.ACTIVE:
            return account
        after = changed_account(account, {"status": AccountStatus.ACTIVE})
        changes = await store_changes(db, account, after, {})
        confirmed = {"confirmed_at": at.isoformat()}
        await db.execute(statement("accounts/update_customer"), account_id, confirmed)
        editor = Editor(changed_by=CONFIRMED_BY, at=at, reason=CONFIRMED_BECAUSE)
        await record_changes(db, account_id, changes, editor)
        return await find_by_id(db, account_id)


async def _key(db: Any) -> bytes:
    key: bytes = await db.fetchval(
        statement("accounts/signing_key"), _PURPOSE, secrets.token_bytes(32)
    )
    return key


async def _spell(db: Any, account: Account) -> str:
    """Which spell of waiting it is; empty for the first one of an account that waited before
    spells were counted."""
    return str(await db.fetchval(statement("accounts/confirmation_spell"), account.id) or "")


def _signature(key: bytes, account: Account, expires: int, spell: str) -> str:
    signed = f"{account.id}:{expires}:{account.email}" + (f":{spell}" if spell else "")
    digest = hmac.new(key, signed.encode(), hashlib.sha256).digest()
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
