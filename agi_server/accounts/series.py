"""Series: numbers of cards, given one after the other."""

from dataclasses import dataclass
from typing import Any

from agi_server.accounts.membership import without_deleted
from agi_server.business_audit import record_changes
from agi_server.editor import Editor
from agi_server.refused import InvalidFieldError, NotFoundError, RefusedError
from agi_server.storage.postgres.statements import statement
from agi_server.tariffs.trunks import check_name

MOST_DIGITS = 18


@dataclass(frozen=True, slots=True, kw_only=True)
class Series:
    """The next account of the series gets `next_serial`, filled up with zeros to `digits`."""

    id: int
    name: str
    digits: int
    next_serial: int
    accounts: int


async def create_series(
    pool: Any, name: str, *, digits: int = 7, first: int = 1, editor: Editor | None = None
) -> Series:
    """Raises InvalidFieldError, RefusedError (the name is taken)."""
    check_name(name)
    if not 1 <= digits <= MOST_DIGITS:
        raise InvalidFieldError("digits", f"must be from 1 to {MOST_DIGITS}")
    if not 0 <= first < 10**digits:
        raise InvalidFieldError("first", f"must be from 0, and have at most {digits} digits")
    async with pool.acquire() as db, db.transaction():
        if await db.fetchval(statement("accounts/insert_series"), name, digits, first) is None:
            raise RefusedError(f"a series {name} exists already", field="name")
        created = (await list_series(db, name))[0]
        await record_changes(db, "series", name, {}, _shown(created), editor)
    return created


async def list_series(db: Any, name: str | None = None) -> list[Series]:
    """All series by name, or the one of a name."""
    rows = await db.fetch(statement("accounts/list_series"), name)
    return [Series(**row) for row in rows]


async def delete_series(pool: Any, name: str, editor: Editor) -> None:
    """Deleted customers leave it with their serials. Raises NotFoundError, RefusedError when
    others have serials of it."""
    has_customers = RefusedError(f"customers have serials of series {name}")
    async with pool.acquire() as db, db.transaction():
        found = await list_series(db, name)
        if not found:
            raise NotFoundError(f"there is no series {name}")
        async with without_deleted(db, "series", found[0].id, name, editor, in_use=has_customers):
            if await db.fetchval(statement("accounts/delete_series"), name) is None:
                raise has_customers
        await record_changes(db, "series", name, _shown(found[0]), {}, editor)


def _shown(series: Series) -> dict[str, object]:
    """What is told of a series that is created or deleted."""
    return {
        "name": series.name,
        "digits": series.digits,
        "next_serial": str(series.next_serial).zfill(series.digits),
    }
