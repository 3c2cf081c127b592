"""Who changed what of call plans, trunks, groups, series and campaigns: a row for every field that
got another value, also when one is created or deleted."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

import structlog

from agi_server.editor import Editor
from agi_server.storage.postgres.statements import statement

log = structlog.get_logger()

Noun = Literal["plan", "trunk", "group", "series", "campaign", "did_group"]


@dataclass(frozen=True, slots=True, kw_only=True)
class BusinessChange:
    """A change as it was recorded: texts as they are shown, None for no value."""

    id: int
    name: str
    changed_at: datetime
    changed_by: str
    field: str
    old: str | None
    new: str | None


async def record_changes(
    db: Any,
    noun: Noun,
    name: str,
    before: Mapping[str, object],
    after: Mapping[str, object],
    editor: Editor | None,
) -> None:
    """Write what differs, on a connection in a transaction, and log it.

    `before` is empty of what was created, `after` of what was deleted. Without an editor nothing is
    written: the program itself sets up what nobody asked for, as the demo does.
    """
    if editor is None:
        return
    changes = [
        (field, old, new)
        for field in {**before, **after}
        if (old := _text(before.get(field))) != (new := _text(after.get(field)))
    ]
    if not changes:
        return
    fields, old_texts, new_texts = zip(*changes, strict=True)
    await db.execute(
        statement("tariffs/insert_audit"),
        *(noun, name, editor.at, editor.changed_by),
        *(fields, old_texts, new_texts),
    )
    for field, _, new in changes:
        log.info(
            "business.changed", noun=noun, name=name, field=field, value=new, by=editor.changed_by
        )


async def list_changes(
    db: Any, noun: Noun, name: str | None, limit: int = 100
) -> list[BusinessChange]:
    """The changes of the plan, trunk … of a name, newest first; without one of all, deleted ones
    included."""
    rows = await db.fetch(statement("tariffs/list_audit"), noun, name, limit)
    return [BusinessChange(**row) for row in rows]


async def last_change(db: Any, noun: Noun, name: str) -> str:
    """What a form sends to say which state it showed: the newest change, empty for none."""
    changes = await list_changes(db, noun, name, 1)
    return str(changes[0].id) if changes else ""


def _text(value: object) -> str | None:
    match value:
        case None | "" | ():
            return None
        case bool():
            return "yes" if value else "no"
        case tuple():
            return ", ".join(map(str, value))
        case _:
            return str(value)
