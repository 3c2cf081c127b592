"""Who changed what of an account, and why: a row for every change, without the value of secrets."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import structlog

from agi_server.accounts.account import FIELDS, PERSONAL_FIELDS
from agi_server.accounts.field_kinds import show_value
from agi_server.accounts.fields import AccountField, Kind
from agi_server.editor import Editor as Editor
from agi_server.refused import InvalidFieldError
from agi_server.storage.postgres.parts import in_parts
from agi_server.storage.postgres.statements import statement

log = structlog.get_logger()

SECRET_SHOWN = "(secret)"


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """A field of an account got another value: texts as they are shown, None for no value."""

    field: str
    old: str | None
    new: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditEntry:
    """A change as it was recorded."""

    id: int
    account_id: int
    changed_at: datetime
    changed_by: str
    field: str
    old: str | None
    new: str | None
    reason: str | None


_AUDITED = {field.name for field in FIELDS} | {"account", "person", "dids"}
"""What changes are of: fields, the account when it is created, all that is personal when it is
erased, DIDs."""


def change_of(field: AccountField, old: Any, new: Any) -> Change:
    """The change of a field from one value to another."""
    if field.kind is Kind.SECRET:
        return Change(field=field.name, old=None, new=SECRET_SHOWN)
    return Change(field=field.name, old=audit_text(field, old), new=audit_text(field, new))


def audit_text(field: AccountField, value: Any) -> str | None:
    """A value in the audit."""
    shown = show_value(field, value)
    match shown:
        case None | []:
            return None
        case bool():
            return "yes" if shown else "no"
        case list():
            return ", ".join(shown)
        case _:
            return str(shown)


async def record_changes(
    db: Any, account_id: int, changes: Sequence[Change], editor: Editor
) -> None:
    """Write the rows, on a connection in a transaction, and log them."""
    await insert_changes(db, [(account_id, change) for change in changes], editor)
    for change in changes:
        log_change(account_id, change, editor)


def log_change(account_id: int, change: Change, editor: Editor) -> None:
    """One line in the log; of what is personal without the value."""
    log.info(
        "account.changed",
        account_id=account_id,
        field=change.field,
        value=None if change.field in PERSONAL_FIELDS else change.new,
        by=editor.changed_by,
    )


async def insert_changes(db: Any, changes: Sequence[tuple[int, Change]], editor: Editor) -> None:
    """Write what changed of many accounts, each by its id, on a connection in a transaction.

    Not logged: who changes many says so in one line.
    """
    for some in in_parts(changes):
        await db.execute(
            statement("accounts/insert_audit"),
            editor.at,
            editor.changed_by,
            [account_id for account_id, _ in some],
            [change.field for _, change in some],
            [change.old for _, change in some],
            [change.new for _, change in some],
            editor.reason,
        )


async def list_changes(
    db: Any,
    account_id: int,
    *,
    field: str | None = None,
    before_id: int | None = None,
    limit: int = 100,
) -> list[AuditEntry]:
    """The changes of an account, newest first; the log of its status with field `status`.

    Raises InvalidFieldError for a field that no change can be of.
    """
    if field is not None and field not in _AUDITED:
        raise InvalidFieldError("field", "is no field of an account")
    rows = await db.fetch(statement("accounts/list_audit"), account_id, field, before_id, limit)
    return [AuditEntry(**row) for row in rows]
