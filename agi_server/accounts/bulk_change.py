"""The same change for many customers: shown first, then done for all of them or for none."""

import hashlib
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import structlog

from agi_server.accounts.account import field_named, texts_to_values
from agi_server.accounts.account_rows import columns_of
from agi_server.accounts.audit import Editor, audit_text, change_of, insert_changes
from agi_server.accounts.fields import AccountField, Kind
from agi_server.accounts.group_plans import check_plan
from agi_server.refused import InvalidFieldError, NotFoundError, RefusedError
from agi_server.storage.postgres.parts import in_parts
from agi_server.storage.postgres.statements import statement

log = structlog.get_logger()

BULK_FIELDS = tuple(field_named(name) for name in ("status", "group", "plan", "campaign"))
"""What may be changed for many at once: fields that agree with whatever else a customer has."""

MOST_AT_ONCE = 20_000

InScope = Callable[[str | None, int], None]
"""Raises NotFoundError for an account (its group, its id) that the operator may not see."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldChange:
    """Of one field: how many accounts get another value (`old` by its text, None for none), and
    how many have `new` already."""

    field: AccountField
    new: str | None
    old: Mapping[str | None, int]
    same: int


@dataclass(frozen=True, slots=True, kw_only=True)
class BulkChange:
    """What a change does. `differ` are the accounts that get another value; `seen` stands for
    their present values: once they are others, it is not what was looked at any more."""

    accounts: int
    differ: tuple[int, ...]
    fields: tuple[FieldChange, ...]
    seen: str


async def look_at_change(
    db: Any, ids: Sequence[int], texts: Mapping[str, object], in_scope: InScope
) -> BulkChange:
    """What giving fields (by name) these texts would do to accounts.

    Deleted ones are left out. Raises InvalidFieldError for what cannot be changed so,
    NotFoundError, RefusedError, also where all of them were deleted.
    """
    values = _values(texts)
    await columns_of(db, values, timezone="UTC", hashes={})  # is there such a plan?
    rows = await _rows(db, ids, in_scope)
    await _check_plans(db, rows, values)
    return _change(rows, values)


async def change_accounts(
    pool: Any,
    ids: Sequence[int],
    texts: Mapping[str, object],
    in_scope: InScope,
    editor: Editor,
    *,
    seen: str,
) -> BulkChange:
    """Do what was looked at, in one transaction; each change leaves its row in the audit.

    Where nothing is left to change nothing is done. Raises what `look_at_change` raises, and
    RefusedError where values have been changed since, which `seen` tells.
    """
    values = _values(texts)
    async with pool.acquire() as db, db.transaction():
        columns = await columns_of(db, values, timezone="UTC", hashes={})
        for some in in_parts(sorted(set(ids))):
            await db.execute(statement("accounts/bulk_lock"), some)
        rows = await _rows(db, ids, in_scope)
        await _check_plans(db, rows, values)
        change = _change(rows, values)
        if not change.differ:
            return change
        if change.seen != seen:
            raise RefusedError(
                "some of these customers have been changed meanwhile: look at the change again"
            )
        for some in in_parts(change.differ):
            await db.execute(statement("accounts/bulk_update"), some, columns)
        await _record(db, rows, values, editor)
    for each in change.fields:
        log.info(
            "account.changed",
            accounts=sum(each.old.values()),
            field=each.field.name,
            value=each.new,
            by=editor.changed_by,
        )
    return change


def _values(texts: Mapping[str, object]) -> dict[str, Any]:
    allowed = {field.name for field in BULK_FIELDS}
    for name in texts:
        if name not in allowed:
            raise InvalidFieldError(name, "cannot be changed for many customers at once")
    values = texts_to_values(texts)
    for field in BULK_FIELDS:
        if field.needed and field.attribute in values and values[field.attribute] is None:
            raise InvalidFieldError(field.name, "must not be empty")
    if not values:
        raise RefusedError("choose what is to be changed")
    return values


async def _rows(db: Any, ids: Sequence[int], in_scope: InScope) -> list[Mapping[str, Any]]:
    if not ids:
        raise RefusedError("choose the customers that are to be changed")
    if len(ids) > MOST_AT_ONCE:
        raise RefusedError(f"no more than {MOST_AT_ONCE} customers are changed at once")
    # In one go: the tables that are joined are read through, which takes longer than the accounts.
    found = await db.fetch(statement("accounts/bulk_read"), sorted(set(ids)))
    groups = {row["id"]: row["group"] for row in found}
    for account_id in ids:
        if account_id not in groups:
            raise NotFoundError(f"no customer has id {account_id}")
        in_scope(groups[account_id], account_id)
    left = [row for row in found if row["deleted_at"] is None]
    if not left:
        raise RefusedError("these customers were deleted: nothing of them is changed any more")
    return left


async def _check_plans(
    db: Any, rows: Sequence[Mapping[str, Any]], values: Mapping[str, Any]
) -> None:
    """Raises InvalidFieldError when a group may not use the plan that a customer would have."""
    if "plan" in values or "group" in values:
        wanted = {
            (values.get("group", row["group"]), values.get("plan", row["plan"])) for row in rows
        }
        for group, plan in wanted:
            await check_plan(db, group, plan)


def _change(rows: Sequence[Mapping[str, Any]], values: Mapping[str, Any]) -> BulkChange:
    changed = _changed_fields(values)
    fields, differ = [], set[int]()
    for field in changed:
        new = values[field.attribute]
        had = Counter(row[field.name] for row in rows)
        same = had.pop(new, 0)
        differ.update(row["id"] for row in rows if row[field.name] != new)
        old = {audit_text(field, _value(field, each)): count for each, count in had.items()}
        fields.append(FieldChange(field=field, new=audit_text(field, new), old=old, same=same))
    names = ("id", *(field.name for field in changed))
    present = [tuple(row[name] for name in names) for row in rows if row["id"] in differ]
    return BulkChange(
        accounts=len(rows),
        differ=tuple(sorted(differ)),
        fields=tuple(fields),
        seen=hashlib.sha256(repr(present).encode()).hexdigest(),
    )


def _value(field: AccountField, stored: Any) -> Any:
    """What is stored of a field, a code as the member of its enumeration."""
    return field.choices(stored) if field.kind is Kind.CHOICE and field.choices else stored


async def _record(
    db: Any, rows: Sequence[Mapping[str, Any]], values: Mapping[str, Any], editor: Editor
) -> None:
    changes = [
        (row["id"], change_of(field, _value(field, row[field.name]), values[field.attribute]))
        for row in rows
        for field in _changed_fields(values)
        if row[field.name] != values[field.attribute]
    ]
    await insert_changes(db, changes, editor)


def _changed_fields(values: Mapping[str, Any]) -> list[AccountField]:
    return [field for field in BULK_FIELDS if field.attribute in values]
