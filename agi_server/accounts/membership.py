"""What customers belong to, group, series, DID group or campaign, when it is deleted."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, Literal

import asyncpg
import structlog

from agi_server.accounts.audit import Change, insert_changes
from agi_server.editor import Editor
from agi_server.refused import RefusedError
from agi_server.storage.postgres.statements import statement

log = structlog.get_logger()

_FIELDS = ("group", "series", "did_group", "campaign")


@asynccontextmanager
async def without_deleted(
    db: Any,
    field: Literal["group", "series", "did_group", "campaign"],
    id_: int,
    name: str,
    editor: Editor,
    *,
    in_use: RefusedError,
    by_operators: RefusedError | None = None,
) -> AsyncIterator[None]:
    """Delete it within, in a transaction: deleted customers belong to it no more.

    They are locked before it, as by those who give customers another one. They were in it until
    now, so that reports name it as long as it is there. Raises `in_use`, or what is said of
    operators, where others use it, though somebody has begun with it only now, and RefusedError
    for what a group gives its new customers.
    """
    giving = await db.fetchval(statement("accounts/group_with_default"), field, name)
    if giving is not None:
        raise RefusedError(f"new customers of group {giving} get it: change its defaults first")
    given = [id_ if each == field else None for each in _FIELDS]
    rows = await db.fetch(statement("accounts/unassign_deleted"), *given)
    change = Change(field=field, old=name, new=None)
    await insert_changes(db, [(row["id"], change) for row in rows], editor)
    try:
        yield
    except asyncpg.ForeignKeyViolationError as error:
        is_operator = error.table_name == "operator"
        raise (by_operators if by_operators and is_operator else in_use) from None
    if rows:
        log.info(
            "account.changed", accounts=len(rows), field=field, value=None, by=editor.changed_by
        )
