"""Series: numbers of cards, given one after the other."""

from dataclasses import dataclass
from typing import Any

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


async def create_series(db: Any, name: str, *, digits: int = 7, first: int = 1) -> Series:
    """Raises InvalidFieldError, RefusedError (the name is taken)."""
    check_name(name)
    if not 1 <= digits <= MOST_DIGITS:
        raise InvalidFieldError("digits", f"must be from 1 to {MOST_DIGITS}")
    if not 0 <= first < 10**digits:
        raise InvalidFieldError("first", f"must be from 0, and have at most {digits} digits")
    if await db.fetchval(statement("accounts/insert_series"), name, digits, first) is None:
        raise RefusedError(f"a series {name} exists already", field="name")
    return (await list_series(db, name))[0]


async def list_series(db: Any, name: str | None = None) -> list[Series]:
    """All series by name, or the one of a name."""
    rows = await db.fetch(statement("accounts/list_series"), name)
    return [Series(**row) for row in rows]


async def delete_series(db: Any, name: str) -> None:
    """Raises NotFoundError, RefusedError when an account has a serial of it."""
    if await db.fetchval(statement("accounts/delete_series"), name) is None:
        if not await list_series(db, name):
            raise NotFoundError(f"there is no series {name}")
        raise RefusedError(f"customers have serials of series {name}")
