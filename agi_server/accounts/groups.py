"""Customer groups: what their accounts may do."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from agi_server.accounts.account import NewAccount, new_account_of_texts
from agi_server.accounts.codes import Restriction
from agi_server.accounts.restrictions import store_group_rules
from agi_server.refused import InvalidFieldError, NotFoundError, RefusedError
from agi_server.storage.postgres.statements import statement


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """A group of accounts; `accounts` is how many belong to it."""

    id: int
    name: str
    may_call: bool
    restriction: Restriction
    restricted_numbers: tuple[str, ...]
    defaults: Mapping[str, object]
    accounts: int


async def create_group(
    pool: Any,
    name: str,
    *,
    may_call: bool = True,
    restriction: Restriction = Restriction.NONE,
    restricted_numbers: Sequence[str] = (),
) -> Group:
    """Raises RefusedError for a name that is taken, InvalidFieldError for a bad value."""
    if not name.strip():
        raise InvalidFieldError("name", "must not be empty")
    if restricted_numbers and restriction is Restriction.NONE:
        raise InvalidFieldError("restriction", "must say blacklist or whitelist for the numbers")
    async with pool.acquire() as db, db.transaction():
        group_id = await db.fetchval(
            statement("accounts/insert_group"), name, may_call, restriction
        )
        if group_id is None:
            raise RefusedError(f"a group {name} exists already")
        await store_group_rules(db, group_id, restricted_numbers)
        return await find_group(db, name)


async def find_group(db: Any, name: str) -> Group:
    """Raises NotFoundError."""
    row = await db.fetchrow(statement("accounts/list_groups"), name)
    if row is None:
        raise NotFoundError(f"there is no group {name}")
    return _group(row)


async def list_groups(db: Any) -> list[Group]:
    """All groups by name."""
    return [_group(row) for row in await db.fetch(statement("accounts/list_groups"), None)]


def _group(row: Mapping[str, Any]) -> Group:
    return Group(
        id=row["id"],
        name=row["name"],
        may_call=row["may_call"],
        restriction=Restriction(row["restriction"]),
        restricted_numbers=tuple(row["restricted_numbers"]),
        defaults=row["defaults"],
        accounts=row["accounts"],
    )


async def prepare_account(db: Any, texts: Mapping[str, object], *, currency: str) -> NewAccount:
    """A new account of texts by field name; what is not given is as its group says.

    `currency` is the setting's. Raises InvalidFieldsError with everything that is wrong, and
    NotFoundError for an unknown group.
    """
    group = texts.get("group")
    defaults: Mapping[str, object] = {}
    if isinstance(group, str) and group:
        defaults = (await find_group(db, group)).defaults
    return new_account_of_texts(texts, {"currency": currency, **defaults})
