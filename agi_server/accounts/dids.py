"""DIDs: numbers on which customers are called, whose each is, and where it rings.

A number that no carrier sends is good as well: customers reach it on-net, as an internal number.
"""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any, Literal

from agi_server.accounts.audit import Change, Editor, record_changes
from agi_server.refused import InvalidFieldError, NotFoundError, RefusedError
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
class NewDid:
    """A DID to be added; `destinations` are `sip`, `iax` or numbers, in the order of ringing."""

    number: str
    account_id: int | None = None
    group: str | None = None
    plan: str | None = None
    valid_from: datetime | None = None
    valid_until: datetime | None = None
    destinations: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class DidChange:
    """A change of a DID, as it was recorded."""

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


async def add_did(db: Any, new: NewDid, editor: Editor) -> Did:
    """Add a DID, on a connection in a transaction.

    Raises InvalidFieldError, NotFoundError (group or plan), RefusedError (it is there already).
    """
    number = did_number(new.number)
    targets = [target_of(text) for text in new.destinations]
    _check_dates(new.valid_from, new.valid_until)
    if targets and new.account_id is None:
        raise InvalidFieldError("destination", "needs a customer, whose calls they are")
    group_id, plan_id = await _references(db, new.group, new.plan)
    did_id = await db.fetchval(
        statement("dids/insert"),
        number, new.account_id, group_id, plan_id, new.valid_from, new.valid_until, editor.at,
    )  # fmt: skip
    if did_id is None:
        raise RefusedError(f"DID {number} exists already", field="number")
    for priority, (kind, target) in enumerate(targets, 1):
        await db.fetchval(statement("dids/insert_destination"), did_id, priority, kind, target)
    added = await find_did(db, number)
    await record_did(db, number, [*_differences(None, added), *_first_destinations(added)], editor)
    if added.account_id is not None:
        await _tell_owner(db, added.account_id, None, number, editor)
    return added


async def find_did(db: Any, number: str) -> Did:
    """Raises InvalidFieldError, NotFoundError."""
    stored = did_number(number)
    row = await db.fetchrow(statement("dids/read"), stored)
    if row is None:
        raise NotFoundError(f"there is no DID {stored}")
    return _did(row)


async def list_dids(
    db: Any,
    *,
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
        account_id, group, unassigned, digits, account_group_id, after, limit,
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
        _check_dates(after.valid_from, after.valid_until)
        changes = _differences(before, after)
        if not changes:
            return before
        group_id, plan_id = await _references(db, after.group, after.plan)
        await db.execute(
            statement("dids/update"),
            before.id, after.account_id, group_id, plan_id, after.active, after.valid_from,
            after.valid_until,
        )  # fmt: skip
        if before.account_id != after.account_id:
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


async def release_all(pool: Any, account_id: int, editor: Editor) -> None:
    """Take all DIDs away from an account."""
    for row in await pool.fetch(statement("dids/of_account"), account_id):
        await release_did(pool, row["number"], editor)


async def list_did_changes(db: Any, number: str, limit: int = 100) -> list[DidChange]:
    """What was changed of a DID, newest first; also of one that was deleted."""
    rows = await db.fetch(statement("dids/list_audit"), did_number(number), limit)
    return [DidChange(**row) for row in rows]


async def locked_did(db: Any, number: str) -> Did:
    """The DID, which nobody else changes until the transaction ends. Raises NotFoundError."""
    await db.execute(statement("dids/lock"), did_number(number))
    return await find_did(db, number)


async def record_did(db: Any, number: str, changes: Sequence[Change], editor: Editor) -> None:
    """Write what was changed of a DID, on a connection in a transaction."""
    await db.execute(
        statement("dids/insert_audit"),
        number,
        editor.at,
        editor.changed_by,
        [change.field for change in changes],
        [change.old for change in changes],
        [change.new for change in changes],
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


def _check_dates(valid_from: datetime | None, valid_until: datetime | None) -> None:
    for field, value in (("valid_from", valid_from), ("valid_until", valid_until)):
        if value is not None and not 2000 <= value.year < 3000:
            raise InvalidFieldError(field, "must be in the years 2000 to 2999")
    if valid_from is not None and valid_until is not None and valid_until <= valid_from:
        raise InvalidFieldError("valid_until", "must be after valid_from")


async def _references(db: Any, group: str | None, plan: str | None) -> tuple[Any, Any]:
    row = await db.fetchrow(statement("dids/reference_ids"), group, plan)
    for field, name, words in (("group", group, "DID group"), ("plan", plan, "call plan")):
        if name is not None and row[field] is None:
            raise NotFoundError(f"there is no {words} {name}", field=field)
    return row["group"], row["plan"]


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


def _shown(did: Did | None) -> dict[str, str | None]:
    """What the audit tells of a DID; the owner by id, since the account number is a secret."""
    if did is None:
        return {}
    return {
        "number": did.number,
        "account": None if did.account_id is None else f"id:{did.account_id}",
        "group": did.group,
        "plan": did.plan,
        "active": "yes" if did.active else "no",
        "valid_from": _moment(did.valid_from),
        "valid_until": _moment(did.valid_until),
    }


def _differences(before: Did | None, after: Did) -> list[Change]:
    old = _shown(before)
    return [
        Change(field=field, old=old.get(field), new=new)
        for field, new in _shown(after).items()
        if old.get(field) != new
    ]


def _first_destinations(did: Did) -> list[Change]:
    return [
        Change(field=f"destination {each.priority}", old=None, new=each.target)
        for each in did.destinations
    ]


def _moment(value: datetime | None) -> str | None:
    return None if value is None else value.astimezone(UTC).isoformat().replace("+00:00", "Z")
