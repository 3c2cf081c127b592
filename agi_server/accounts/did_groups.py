"""DID groups: which DIDs a customer may request."""

from dataclasses import dataclass
from typing import Any

from agi_server.accounts.membership import without_deleted
from agi_server.business_audit import record_changes
from agi_server.editor import Editor
from agi_server.refused import NotFoundError, RefusedError
from agi_server.storage.postgres.statements import statement
from agi_server.tariffs.trunks import check_name


@dataclass(frozen=True, slots=True, kw_only=True)
class DidGroup:
    """`accounts` is how many may request its DIDs, `dids` how many those are."""

    id: int
    name: str
    accounts: int
    dids: int


async def create_did_group(pool: Any, name: str, editor: Editor | None = None) -> DidGroup:
    """Raises InvalidFieldError, RefusedError (the name is taken)."""
    check_name(name)
    async with pool.acquire() as db, db.transaction():
        if await db.fetchval(statement("accounts/insert_did_group"), name) is None:
            raise RefusedError(f"a DID group {name} exists already", field="name")
        await record_changes(db, "did_group", name, {}, {"name": name}, editor)
        return (await list_did_groups(db, name))[0]


async def list_did_groups(db: Any, name: str | None = None) -> list[DidGroup]:
    """All DID groups by name, or the one of a name."""
    rows = await db.fetch(statement("accounts/list_did_groups"), name)
    return [DidGroup(**row) for row in rows]


async def delete_did_group(pool: Any, name: str, editor: Editor) -> None:
    """Deleted customers leave it. Raises NotFoundError, RefusedError when others or a DID have
    it."""
    has_customers = RefusedError(f"customers have the DID group {name}")
    async with pool.acquire() as db, db.transaction():
        found = await list_did_groups(db, name)
        if not found:
            raise NotFoundError(f"there is no DID group {name}")
        async with without_deleted(
            db, "did_group", found[0].id, name, editor, in_use=has_customers
        ):
            if await db.fetchval(statement("accounts/delete_did_group"), name) is None:
                if not found[0].accounts:
                    raise RefusedError(f"DIDs are in the DID group {name}")
                raise has_customers
        await record_changes(db, "did_group", name, {"name": name}, {}, editor)
