"""Who changed what of call plans and trunks: a row for every field that got another value."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

import structlog

from agi_server.editor import Editor
from agi_server.storage.postgres.statements import statement

log = structlog.get_logger()

Noun = Literal["plan", "trunk"]


@dataclass(frozen=True, slots=True, kw_only=True)
class TariffChange:
    """A change as it was recorded: texts as they are shown, None for no value."""

    id: int
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

    Without an editor nothing is written: the program itself sets up what nobody asked for, as the
    demo does.
    """
    if editor is None:
        return
    changes = [
        (field, old, new)
        for field, value in after.items()
        if (old := _text(before.get(field))) != (new := _text(value))
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
            "tariff.changed", noun=noun, name=name, field=field, value=new, by=editor.changed_by
        )


async def list_changes(db: Any, noun: Noun, name: str, limit: int = 100) -> list[TariffChange]:
    """The changes of a plan or trunk, newest first."""
    rows = await db.fetch(statement("tariffs/list_audit"), noun, name, limit)
    return [TariffChange(**row) for row in rows]


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
