"""DIDs are added: one, or many at once, in as few statements."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from agi_server.accounts.audit import Change, Editor, insert_changes, log_change
from agi_server.accounts.did_destinations import MOST_DESTINATIONS
from agi_server.accounts.dids import (
    Destination,
    Did,
    check_dates,
    check_owners,
    did_number,
    differences,
    find_did,
    insert_did_changes,
    reference_ids,
    target_of,
    unknown_reference,
)
from agi_server.refused import InvalidFieldError, RefusedError
from agi_server.storage.postgres.parts import in_parts
from agi_server.storage.postgres.statements import statement

Fault = InvalidFieldError | RefusedError


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


async def add_did(db: Any, new: NewDid, editor: Editor) -> Did:
    """Add a DID, on a connection in a transaction.

    Raises InvalidFieldError, NotFoundError (group or plan), RefusedError (it is there already).
    """
    for fault in plain_faults(new, has_owner=new.account_id is not None):
        raise fault
    for _, fault in await stored_faults(db, [new]):
        raise fault
    await store_dids(db, [new], editor)
    if new.account_id is not None:
        log_change(new.account_id, _owners_change(new), editor)
    return await find_did(db, new.number)


def plain_faults(new: NewDid, *, has_owner: bool) -> Iterator[Fault]:
    """What is wrong with a DID by itself."""
    try:
        did_number(new.number)
    except InvalidFieldError as error:
        yield error
    for text in new.destinations:
        try:
            target_of(text)
        except InvalidFieldError as error:
            yield error
            break
    if len(new.destinations) > MOST_DESTINATIONS:
        yield InvalidFieldError("destinations", f"at most {MOST_DESTINATIONS} are possible")
    try:
        check_dates(new.valid_from, new.valid_until)
    except InvalidFieldError as error:
        yield error
    if new.destinations and not has_owner:
        yield InvalidFieldError("destination", "needs a customer, whose calls they are")


async def stored_faults(db: Any, news: Sequence[NewDid]) -> list[tuple[int, Fault]]:
    """Why some of the DIDs, each by its place, do not go with what is stored: its group or plan is
    unknown, or it is there already. Numbers that are none are passed over."""
    known = await reference_ids(db, {new.group for new in news}, {new.plan for new in news})
    faults: list[tuple[int, Fault]] = []
    places: dict[str, int] = {}
    for place, new in enumerate(news):
        for field, name in (("group", new.group), ("plan", new.plan)):
            if name is not None and (field, name) not in known:
                faults.append((place, unknown_reference(field, name)))
        try:
            number = did_number(new.number)
        except InvalidFieldError:
            continue
        if places.setdefault(number, place) != place:
            faults.append((place, RefusedError(f"DID {number} stands there twice", field="number")))
    for some in in_parts(list(places)):
        for row in await db.fetch(statement("dids/taken"), some):
            faults.append((places[row["number"]], _exists(row["number"])))
    return faults


async def store_dids(
    db: Any,
    news: Sequence[NewDid],
    editor: Editor,
    reached: Callable[[int], None] = lambda done: None,
) -> None:
    """Store DIDs that have no faults, on a connection in a transaction; `reached` is told how many
    are. Raises RefusedError for one that somebody else has added meanwhile."""
    known = await reference_ids(db, {new.group for new in news}, {new.plan for new in news})
    done = 0
    for some in in_parts(news):
        await _store(db, [_did(new, editor.at) for new in some], known, editor)
        done += len(some)
        reached(done)


async def _store(
    db: Any, dids: Sequence[Did], known: Mapping[tuple[str, str], int], editor: Editor
) -> None:
    rows = await db.fetch(
        statement("dids/insert"),
        editor.at,
        [did.number for did in dids],
        [did.account_id for did in dids],
        [did.group and known["group", did.group] for did in dids],
        [did.plan and known["plan", did.plan] for did in dids],
        [did.valid_from for did in dids],
        [did.valid_until for did in dids],
    )
    ids = {row["number"]: row["id"] for row in rows}
    for did in dids:
        if did.number not in ids:
            raise _exists(did.number)
    destinations = [(ids[did.number], each) for did in dids for each in did.destinations]
    await db.execute(
        statement("dids/insert_destinations"),
        [did_id for did_id, _ in destinations],
        [each.priority for _, each in destinations],
        [each.kind for _, each in destinations],
        [each.number for _, each in destinations],
    )
    changes = [(did.number, change) for did in dids for change in _first_changes(did)]
    await insert_did_changes(db, changes, editor)
    owned = [(did.account_id, _owners_change(did)) for did in dids if did.account_id is not None]
    await check_owners(db, [account_id for account_id, _ in owned])
    await insert_changes(db, owned, editor)


def _did(new: NewDid, at: datetime) -> Did:
    """As it will be; its id is the database's."""
    return Did(
        id=0,
        number=did_number(new.number),
        account_id=new.account_id,
        account_number=None,
        group=new.group,
        plan=new.plan,
        active=True,
        valid_from=new.valid_from,
        valid_until=new.valid_until,
        created_at=at,
        destinations=tuple(
            Destination(priority=priority, kind=kind, number=number)
            for priority, (kind, number) in enumerate(map(target_of, new.destinations), 1)
        ),
    )


def _first_changes(did: Did) -> list[Change]:
    return [
        *differences(None, did),
        *(
            Change(field=f"destination {each.priority}", old=None, new=each.target)
            for each in did.destinations
        ),
    ]


def _owners_change(did: Did | NewDid) -> Change:
    return Change(field="dids", old=None, new=did_number(did.number))


def _exists(number: str) -> RefusedError:
    return RefusedError(f"DID {number} exists already", field="number")
