"""Where a DID rings, one after the other: on the owner's phone, or at a number."""

from typing import Any

from agi_server.accounts.audit import Change, Editor
from agi_server.accounts.dids import Destination, Did, find_did, locked_did, record_did, target_of
from agi_server.refused import InvalidFieldError, NotFoundError, RefusedError
from agi_server.storage.postgres.statements import statement

MOST_DESTINATIONS = 5
"""As many as Asterisk is told of: AUTH_DIAL … AUTH_DIAL_5."""
_LAST_PRIORITY = 99


async def add_destination(
    pool: Any, number: str, target: str, editor: Editor, *, priority: int | None = None
) -> Did:
    """Have a DID ring there too: at a priority (the lowest number rings first), else as the last.

    Raises InvalidFieldError, NotFoundError, RefusedError: nobody's DID, a destination or a
    priority that it has already, or too many.
    """
    kind, destination = target_of(target)
    async with pool.acquire() as db, db.transaction():
        did = await locked_did(db, number)
        if did.account_id is None:
            raise RefusedError(f"DID {did.number} belongs to nobody: assign it first")
        if destination == did.number:
            raise InvalidFieldError("destination", "is the DID itself")
        if (kind, destination) in [(each.kind, each.number) for each in did.destinations]:
            raise RefusedError(f"DID {did.number} rings there already", field="destination")
        if len(did.destinations) >= MOST_DESTINATIONS:
            raise RefusedError(f"DID {did.number} has {MOST_DESTINATIONS} destinations already")
        if priority is None:
            priority = max((each.priority for each in did.destinations), default=0) + 1
        if not 1 <= priority <= _LAST_PRIORITY:
            raise InvalidFieldError("priority", f"must be 1 to {_LAST_PRIORITY}")
        sql = statement("dids/insert_destination")
        if await db.fetchval(sql, did.id, priority, kind, destination) is None:
            raise RefusedError(f"DID {did.number} has a destination {priority}", field="priority")
        change = Change(field=f"destination {priority}", old=None, new=destination or kind)
        await record_did(db, did.number, [change], editor)
        return await find_did(db, did.number)


async def remove_destination(pool: Any, number: str, priority: int, editor: Editor) -> Did:
    """Raises NotFoundError."""
    async with pool.acquire() as db, db.transaction():
        did = await locked_did(db, number)
        removed = _named(did, priority)
        await db.execute(statement("dids/delete_destinations"), did.id, priority)
        change = Change(field=f"destination {priority}", old=removed.target, new=None)
        await record_did(db, did.number, [change], editor)
        return await find_did(db, did.number)


async def switch_destination(
    pool: Any, number: str, priority: int, active: bool, editor: Editor
) -> Did:
    """Have a destination ring or be passed over. Raises NotFoundError."""
    async with pool.acquire() as db, db.transaction():
        did = await locked_did(db, number)
        target = _named(did, priority).target
        if _named(did, priority).active != active:
            await db.execute(statement("dids/switch_destination"), did.id, priority, active)
            old, new = (
                f"{target} {state}" for state in (("off", "on") if active else ("on", "off"))
            )
            change = Change(field=f"destination {priority}", old=old, new=new)
            await record_did(db, did.number, [change], editor)
        return await find_did(db, did.number)


def _named(did: Did, priority: int) -> Destination:
    for each in did.destinations:
        if each.priority == priority:
            return each
    raise NotFoundError(f"DID {did.number} has no destination {priority}")
