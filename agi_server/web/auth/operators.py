"""Operators: created and switched off on the command line, with their tokens for the API."""

import re
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from agi_server.accounts import field_rules
from agi_server.accounts.groups import find_group
from agi_server.refused import InvalidFieldError, NotFoundError, RefusedError
from agi_server.storage.postgres.statements import statement
from agi_server.web.auth.roles import Operator, Role
from agi_server.web.auth.secrets import hash_password, new_token, token_hash

_NAME = re.compile(r"[a-z0-9][a-z0-9._@-]{0,62}")
_LABEL = re.compile(r"[A-Za-z0-9][A-Za-z0-9._ -]{0,62}")


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredOperator:
    """An operator as listed; nothing of the password or a token can be seen."""

    id: int
    name: str
    role: Role
    group: str | None
    language: str
    timezone: str
    has_totp: bool
    disabled_at: datetime | None
    created_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredToken:
    """A token of the API as listed."""

    operator: str
    label: str
    created_at: datetime
    revoked_at: datetime | None


async def create_operator(
    db: Any,
    name: str,
    *,
    role: Role,
    group: str | None,
    password: str,
    totp_secret: str | None = None,
    language: str = "en",
    timezone: str = "UTC",
    at: datetime,
) -> StoredOperator:
    """Raises InvalidFieldError, NotFoundError (the group), RefusedError (the name is taken)."""
    if not _NAME.fullmatch(name):
        raise InvalidFieldError(
            "name", "must be small letters, digits, '.', '_', '@' or '-', at most 63"
        )
    if (role is Role.RESELLER) != (group is not None):
        raise InvalidFieldError("group", "goes with the role reseller, and only with it")
    for field, check, value in (
        ("language", field_rules.language, language),
        ("timezone", field_rules.timezone, timezone),
    ):
        try:
            check(value)
        except ValueError as error:
            raise InvalidFieldError(field, str(error)) from None
    group_id = None if group is None else (await find_group(db, group)).id
    new_id = await db.fetchval(
        statement("web/insert_operator"),
        name,
        role,
        group_id,
        hash_password(password),
        totp_secret,
        language,
        timezone,
        at,
    )
    if new_id is None:
        raise RefusedError(f"there is an operator {name} already")
    return await find_operator(db, name)


async def find_operator(db: Any, name: str) -> StoredOperator:
    """Raises NotFoundError."""
    row = await db.fetchrow(statement("web/list_operators"), name)
    if row is None:
        raise NotFoundError(f"there is no operator {name}")
    return _operator(row)


async def list_operators(db: Any) -> list[StoredOperator]:
    """All by name, those that are switched off too."""
    return [_operator(row) for row in await db.fetch(statement("web/list_operators"), None)]


async def switch_operator(db: Any, name: str, enabled: bool, *, at: datetime) -> None:
    """Switch an operator off, with all sessions and tokens, or on again. Raises NotFoundError."""
    sql = statement("web/disable_operator")
    operator_id = await db.fetchval(sql, name, None if enabled else at)
    if operator_id is None:
        raise NotFoundError(f"there is no operator {name}")
    await db.execute(statement("web/end_sessions"), operator_id)


async def set_password(db: Any, name: str, password: str, totp_secret: str | None) -> None:
    """A new password, and another or no authenticator; ends all sessions. Raises NotFoundError,
    InvalidFieldError."""
    operator = await find_operator(db, name)
    await db.execute(
        statement("web/change_password"), operator.id, hash_password(password), totp_secret
    )
    await db.execute(statement("web/end_sessions"), operator.id)


async def create_token(db: Any, name: str, label: str, *, at: datetime) -> str:
    """A token for the API with the operator's rights: told only now. Raises NotFoundError,
    InvalidFieldError, RefusedError for a label in use."""
    if not _LABEL.fullmatch(label):
        raise InvalidFieldError("label", "must be letters, digits, blanks, '.', '_' or '-'")
    operator = await find_operator(db, name)
    token = new_token()
    sql = statement("web/insert_token")
    if await db.fetchval(sql, operator.id, label, token_hash(token), at) is None:
        raise RefusedError(f"{name} has a token {label} already")
    return token


async def list_tokens(db: Any) -> list[StoredToken]:
    """All tokens, by operator."""
    return [
        StoredToken(
            operator=row["operator"],
            label=row["label"],
            created_at=row["created_at"],
            revoked_at=row["revoked_at"],
        )
        for row in await db.fetch(statement("web/list_tokens"))
    ]


async def revoke_token(db: Any, name: str, label: str, *, at: datetime) -> None:
    """Raises NotFoundError."""
    if await db.fetchval(statement("web/revoke_token"), name, label, at) is None:
        raise NotFoundError(f"{name} has no token {label} in use")


async def operator_of_token(db: Any, token: str) -> Operator | None:
    """Who a token of the API belongs to; None when it is not in use."""
    row = await db.fetchrow(statement("web/find_token"), token_hash(token))
    return None if row is None else operator_of_row(row)


def operator_of_row(row: Any) -> Operator:
    """Somebody who has proved who they are, as the database has them."""
    return Operator(
        id=row["id"],
        name=row["name"],
        role=Role(row["role"]),
        group_id=row["group_id"],
        group=row["group_name"],
        language=row["language"],
        timezone=row["timezone"],
    )


def _operator(row: Any) -> StoredOperator:
    return StoredOperator(
        id=row["id"],
        name=row["name"],
        role=Role(row["role"]),
        group=row["group_name"],
        language=row["language"],
        timezone=row["timezone"],
        has_totp=row["has_totp"],
        disabled_at=row["disabled_at"],
        created_at=row["created_at"],
    )
