"""Trunks: the ways out, each with the template of what Asterisk dials."""

import re
from dataclasses import asdict, dataclass
from string import Formatter
from typing import Any

from agi_server.business_audit import record_changes
from agi_server.editor import Editor
from agi_server.refused import InvalidFieldError, NotFoundError, RefusedError
from agi_server.storage.postgres.statements import statement

PLACEHOLDERS = ("number", "prefix", "account_id")
# Technology and resource, e.g. PJSIP/{number}@gw.
_DIAL = re.compile(r"[A-Za-z0-9_]+/.+")
# An & dials several targets, a comma ends Dial's first argument, ${…} is evaluated by Asterisk.
_FORBIDDEN = re.compile(r"[&,\"\s\x00-\x1f\x7f]|\$\{|\$\[")
_STRIP = re.compile(r"[0-9]{0,15}")
_ADD_PREFIX = re.compile(r"\+?[0-9]{0,15}")
_MOST_CAPACITY = 1_000_000
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,62}")


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredTrunk:
    """A trunk as stored; calls skip one that is not enabled (see `tables.Trunk`)."""

    id: int
    name: str
    dial: str
    enabled: bool
    strip: str
    add_prefix: str
    capacity: int


async def create_trunk(
    pool: Any,
    name: str,
    dial: str,
    *,
    strip: str = "",
    add_prefix: str = "",
    capacity: int = 0,
    editor: Editor | None = None,
) -> StoredTrunk:
    """Raises InvalidFieldError (the field), RefusedError (the name is taken)."""
    check_name(name)
    check_dial(dial)
    _check_changes(strip, add_prefix, capacity)
    async with pool.acquire() as db, db.transaction():
        row = await db.fetchrow(
            statement("tariffs/insert_trunk"), name, dial, strip, add_prefix, capacity
        )
        if row is None:
            raise RefusedError(f"a trunk {name} exists already", field="name")
        created = StoredTrunk(**row)
        await record_changes(db, "trunk", name, {}, _shown(created), editor)
    return created


async def change_trunk(
    pool: Any,
    name: str,
    *,
    dial: str | None = None,
    strip: str | None = None,
    add_prefix: str | None = None,
    capacity: int | None = None,
    editor: Editor | None = None,
) -> StoredTrunk:
    """Change what is given; daemons notice at once. Raises InvalidFieldError, NotFoundError."""
    if dial is not None:
        check_dial(dial)
    _check_changes(strip or "", add_prefix or "", capacity or 0)
    return await _change(
        pool, name, editor, "tariffs/update_trunk", dial, strip, add_prefix, capacity
    )


async def list_trunks(db: Any) -> list[StoredTrunk]:
    """All trunks by name."""
    return [StoredTrunk(**row) for row in await db.fetch(statement("tariffs/list_trunks"))]


async def switch_trunk(
    pool: Any, name: str, enabled: bool, editor: Editor | None = None
) -> StoredTrunk:
    """Take a trunk in or out of service; daemons notice at once. Raises NotFoundError."""
    return await _change(pool, name, editor, "tariffs/switch_trunk", enabled)


async def _change(
    pool: Any, name: str, editor: Editor | None, sql: str, *values: object
) -> StoredTrunk:
    async with pool.acquire() as db, db.transaction():
        before = await db.fetchrow(statement("tariffs/lock_trunk"), name)
        if before is None:
            raise NotFoundError(f"there is no trunk {name}")
        changed = StoredTrunk(**await db.fetchrow(statement(sql), name, *values))
        await record_changes(
            db, "trunk", name, _shown(StoredTrunk(**before)), _shown(changed), editor
        )
    return changed


def _shown(trunk: StoredTrunk) -> dict[str, object]:
    return {name: value for name, value in asdict(trunk).items() if name != "id"}


def check_dial(template: str) -> None:
    """Check a dial template such as `PJSIP/{number}@gw`. Raises InvalidFieldError."""
    allowed = ", ".join(f"{{{name}}}" for name in PLACEHOLDERS)
    try:
        fields = [
            (name, spec, conversion)
            for _, name, spec, conversion in Formatter().parse(template)
            if name is not None
        ]
    except ValueError:
        raise InvalidFieldError("dial", f"has a lone brace; allowed are {allowed}") from None
    for name, spec, conversion in fields:
        if name not in PLACEHOLDERS or spec or conversion:
            raise InvalidFieldError("dial", f"allowed are {allowed} and nothing else in braces")
    if "number" not in (name for name, _, _ in fields):
        raise InvalidFieldError("dial", "must contain {number}, like PJSIP/{number}@gw")
    if _FORBIDDEN.search(template):
        raise InvalidFieldError(
            "dial", "must not contain &, commas, quotes, blanks, control characters, ${ or $["
        )
    if not _DIAL.fullmatch(template):
        raise InvalidFieldError("dial", "must be TECHNOLOGY/RESOURCE, like PJSIP/{number}@gw")


def _check_changes(strip: str, add_prefix: str, capacity: int) -> None:
    if not _STRIP.fullmatch(strip):
        raise InvalidFieldError("strip", "must be at most 15 digits")
    if not _ADD_PREFIX.fullmatch(add_prefix):
        raise InvalidFieldError("add_prefix", "must be at most 15 digits, after a + if wanted")
    if not 0 <= capacity <= _MOST_CAPACITY:
        raise InvalidFieldError("capacity", f"must be 0 to {_MOST_CAPACITY}")


def check_name(name: str) -> None:
    """Names of trunks, cards, plans, groups and all else that stand in commands.

    Raises InvalidFieldError.
    """
    if not _NAME.fullmatch(name):
        raise InvalidFieldError(
            "name", "must be letters, digits, '.', '_' or '-', and begin with a letter or digit"
        )
