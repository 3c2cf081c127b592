"""DIDs: numbers on which customers are called, whose each is, and where it rings.

A number that no carrier sends is good as well: customers reach it on-net, as an internal number.
"""

from collections.abc import Awaitable, Callable, Collection, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any, Literal

from agi_server.accounts.audit import Change, Editor, record_changes
from agi_server.accounts.years import check_year
from agi_server.refused import DeletedError, InvalidFieldError, NotFoundError, RefusedError
from agi_server.storage.postgres.parts import in_parts
from agi_server.storage.postgres.statements import statement
from rating.number import NumberInvalid, normalise

DidState = Literal["unassigned", "active", "off", "not_yet", "expired"]
LONGEST_LIST = 100_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Destination:
    """Where a DID rings: `kind` is the owner's `sip` or `iax` phone, or a `number`."""

    priority: int
    kind: str
    number: str | None
    active: bool = True

    @property
    def target(self) -> str:
        """As it was given: `sip`, `iax` or the number."""
        return self.number or self.kind


@dataclass(frozen=True, slots=True, kw_only=True)
class Did:
    """A DID. `plan` prices its calls to the owner (None: as the setting says); it is valid from
    `valid_from` up to and including `valid_until`."""

    id: int
    number: str
    account_id: int | None
    account_number: str | None
    group: str | None
    plan: str | None
    active: bool
    valid_from: datetime | None
    valid_until: datetime | None
    created_at: datetime
    destinations: tuple[Destination, ...]

    def state(self, now: datetime) -> DidState:
        """Whether calls to it are taken now, or why not."""
        if self.account_id is None:
            return "unassigned"
        if not self.active:
            return "off"
        if self.valid_from is not None and now < self.valid_from:
            return "not_yet"
        if self.valid_until is not None and now > self.valid_until:
            return "expired"
        return "active"


@dataclass(frozen=True, slots=True, kw_only=True)
class DidChange:
    """A change of a DID, as it was recorded."""

    id: int
    changed_at: datetime
    changed_by: str
    field: str
    old: str | None
    new: str | None


def did_number(text: str) -> str:
    """The number as it is stored: in E.164, without the `+`. Raises InvalidFieldError."""
    number = normalise(text.strip())
    if isinstance(number, NumberInvalid):
        raise InvalidFieldError("number", "must be 3 to 15 digits with the country code, + or 00")
    return number


async def find_did(db: Any, number: str) -> Did:
    """Raises InvalidFieldError, NotFoundError."""
    stored = did_number(number)
    found = await list_dids(db, number=stored)
    if not found:
        raise NotFoundError(f"there is no DID {stored}")
    return found[0]


async def list_dids(
    db: Any,
    *,
    number: str | None = None,
    account_id: int | None = None,
    group: str | None = None,
    unassigned: bool = False,
    digits: str | None = None,
    account_group_id: int | None = None,
    after: str | None = None,
    limit: int = LONGEST_LIST,
) -> list[Did]:
    """DIDs by number that meet all conditions; `digits` are those it begins with."""
    rows = await db.fetch(
        statement("dids/list"),
        account_id, group, unassigned, digits, account_group_id, after, limit, number,
    )  # fmt: skip
    return [_did(row) for row in rows]


async def change_did(
    pool: Any, number: str, change: Callable[[Did], Awaitable[Did]], editor: Editor
) -> Did:
    """Change a DID as `change` says of what it is, while nobody else changes it.

    One that gets another owner, or none, loses its destinations: they were the former owner's.
    """
    async with pool.acquire() as db, db.transaction():
        before = await locked_did(db, number)
        after = await change(before)
        check_dates(after.valid_from, after.valid_until)
        return await _store_change(db, before, after, editor)


async def _store_change(db: Any, before: Did, after: Did, editor: Editor) -> Did:
    """Store what differs, on a connection in a transaction that has the DID locked."""
    changes = differences(before, after)
    if not changes:
        return before
    known = await reference_ids(db, {after.group}, {after.plan})
    for field, name in (("group", after.group), ("plan", after.plan)):
        if name is not None and (field, name) not in known:
            raise unknown_reference(field, name)
    await db.execute(
        statement("dids/update"),
        before.id, after.account_id, after.group and known["group", after.group],
        after.plan and known["plan", after.plan], after.active, after.valid_from,
        after.valid_until,
    )  # fmt: skip
    if before.account_id != after.account_id:
        await check_owners(db, [] if after.account_id is None else [after.account_id])
        await db.execute(statement("dids/delete_destinations"), before.id, None)
        for owner, old, new in (
            (before.account_id, before.number, None),
            (after.account_id, None, before.number),
        ):
            if owner is not None:
                await _tell_owner(db, owner, old, new, editor)
    await record_did(db, before.number, changes, editor)
    return await find_did(db, before.number)


async def assign_did(pool: Any, number: str, account_id: int, editor: Editor) -> Did:
    """Give a DID that is nobody's to an account. Raises NotFoundError, RefusedError."""

    async def assigned(did: Did) -> Did:
        if did.account_id is not None and did.account_id != account_id:
            raise RefusedError(f"DID {did.number} belongs to a customer: release it first")
        return replace(did, account_id=account_id)

    return await change_did(pool, number, assigned, editor)


async def release_did(pool: Any, number: str, editor: Editor) -> Did:
    """Take a DID, with its destinations, away from its owner. Raises NotFoundError, RefusedError
    when it has none."""

    async def released(did: Did) -> Did:
        if did.account_id is None:
            raise RefusedError(f"DID {did.number} belongs to nobody")
        return replace(did, account_id=None)

    return await change_did(pool, number, released, editor)


async def update_did(pool: Any, number: str, values: dict[str, Any], editor: Editor) -> Did:
    """Set some of group, plan, active, valid_from, valid_until. Raises InvalidFieldError,
    NotFoundError."""

    async def updated(did: Did) -> Did:
        return replace(did, **values)

    return await change_did(pool, number, updated, editor)


async def delete_did(pool: Any, number: str, editor: Editor) -> None:
    """Delete a DID that is nobody's. Raises NotFoundError, RefusedError."""
    async with pool.acquire() as db, db.transaction():
        did = await locked_did(db, number)
        if did.account_id is not None:
            raise RefusedError(f"DID {did.number} belongs to a customer: release it first")
        await db.execute(statement("dids/delete"), did.id)
        await record_did(db, did.number, [Change(field="number", old=did.number, new=None)], editor)


async def release_all(db: Any, account_id: int, editor: Editor) -> None:
    """Take all DIDs away from an account, on a connection in a transaction."""
    for row in await db.fetch(statement("dids/of_account"), account_id):
        did = await locked_did(db, row["number"])
        await _store_change(db, did, replace(did, account_id=None), editor)


async def list_did_changes(
    db: Any, number: str, limit: int = 100, *, owned_by: int | None = None
) -> list[DidChange]:
    """What was changed of a DID, newest first; also of one that was deleted.

    With the id of its owner only what was changed since it is theirs: what was before is another's.
    """
    owner = None if owned_by is None else _owner_shown(owned_by)
    rows = await db.fetch(statement("dids/list_audit"), did_number(number), limit, owner)
    return [DidChange(**row) for row in rows]


async def locked_did(db: Any, number: str) -> Did:
    """The DID, which nobody else changes until the transaction ends. Raises NotFoundError."""
    await db.execute(statement("dids/lock"), did_number(number))
    return await find_did(db, number)


async def record_did(db: Any, number: str, changes: Sequence[Change], editor: Editor) -> None:
    """Write what was changed of a DID, on a connection in a transaction."""
    await insert_did_changes(db, [(number, change) for change in changes], editor)


async def insert_did_changes(
    db: Any, changes: Sequence[tuple[str, Change]], editor: Editor
) -> None:
    """The same of many DIDs, each by its number."""
    for some in in_parts(changes):
        await db.execute(
            statement("dids/insert_audit"),
            editor.at,
            editor.changed_by,
            [number for number, _ in some],
            [change.field for _, change in some],
            [change.old for _, change in some],
            [change.new for _, change in some],
        )


def target_of(text: str) -> tuple[str, str | None]:
    """Kind and number of a destination: `sip`, `iax` or a number. Raises InvalidFieldError."""
    word = text.strip().lower()
    if word in ("sip", "iax"):
        return word, None
    number = normalise(word)
    if isinstance(number, NumberInvalid):
        raise InvalidFieldError(
            "destination", "must be sip, iax or a number of 3 to 15 digits with its country code"
        )
    return "number", number


def check_dates(valid_from: datetime | None, valid_until: datetime | None) -> None:
    for field, value in (("valid_from", valid_from), ("valid_until", valid_until)):
        if value is not None:
            try:
                check_year(value)
            except ValueError as error:
                raise InvalidFieldError(field, str(error)) from None
    if valid_from is not None and valid_until is not None and valid_until <= valid_from:
        raise InvalidFieldError("valid_until", "must be after valid_from")


async def reference_ids(
    db: Any, groups: Collection[str | None], plans: Collection[str | None]
) -> dict[tuple[str, str], int]:
    """The ids of DID groups and call plans by `group` or `plan` and name, those that there are."""
    rows = await db.fetch(
        statement("dids/reference_ids"),
        [name for name in groups if name is not None],
        [name for name in plans if name is not None],
    )
    return {(row["field"], row["name"]): row["id"] for row in rows}


def unknown_reference(field: str, name: str) -> NotFoundError:
    """Says that there is no such DID group or call plan."""
    words = "DID group" if field == "group" else "call plan"
    return NotFoundError(f"there is no {words} {name}", field=field)


async def check_owners(db: Any, account_ids: Collection[int]) -> None:
    """Raises RefusedError where a DID was given to a deleted account: after it was stored, for then
    the account is not deleted until the transaction ends."""
    if account_ids and await db.fetchval(statement("dids/owner_deleted"), account_ids):
        raise DeletedError


async def _tell_owner(
    db: Any, account_id: int, old: str | None, new: str | None, editor: Editor
) -> None:
    await record_changes(db, account_id, [Change(field="dids", old=old, new=new)], editor)


def _did(row: Any) -> Did:
    destinations = tuple(
        Destination(priority=priority, kind=kind, number=number, active=active)
        for priority, kind, number, active in row["destinations"] or ()
    )
    return Did(**{**row, "destinations": destinations})


def _owner_shown(account_id: int) -> str:
    return f"id:{account_id}"


def _shown(did: Did | None) -> dict[str, str | None]:
    """What the audit tells of a DID; the owner by id, since the account number is a secret."""
    if did is None:
        return {}
    return {
        "number": did.number,
        "account": None if did.account_id is None else _owner_shown(did.account_id),
        "group": did.group,
        "plan": did.plan,
        "active": "yes" if did.active else "no",
        "valid_from": _moment(did.valid_from),
        "valid_until": _moment(did.valid_until),
    }


def differences(before: Did | None, after: Did) -> list[Change]:
    """What the audit tells of a change; `before` is None of a DID that is new."""
    old = _shown(before)
    return [
        Change(field=field, old=old.get(field), new=new)
        for field, new in _shown(after).items()
        if old.get(field) != new
    ]


def _moment(value: datetime | None) -> str | None:
    return None if value is None else value.astimezone(UTC).isoformat().replace("+00:00", "Z")
