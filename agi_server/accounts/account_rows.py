"""Accounts and the rows that hold them: `account`, which calls read and write, and `customer`."""

from collections.abc import Mapping
from datetime import datetime
from enum import Enum
from typing import Any
from zoneinfo import ZoneInfo

from agi_server.accounts.account import FIELDS, Account, NewAccount, in_utc
from agi_server.accounts.fields import AccountField, Kind
from agi_server.accounts.passwords import hash_secret
from agi_server.refused import NotFoundError
from agi_server.storage.postgres.statements import statement

# Where the column of the query has not the attribute's name.
_QUERY_COLUMNS = {
    "group": "group_name",
    "plan": "plan_name",
    "series": "series_name",
    "did_group": "did_group_name",
    "campaign": "campaign_name",
    "in_use": "calls_in_use",
}
# Lists have tables of their own; a note is a row of the history.
_NO_COLUMN = frozenset({"restricted_numbers", "callerids", "note"})
_SECRETS = tuple(field.attribute for field in FIELDS if field.kind is Kind.SECRET)
_NOUNS = {"group": "group", "plan": "call plan", "series": "series",
          "did_group": "DID group", "campaign": "campaign"}  # fmt: skip


def account_of(row: Mapping[str, Any]) -> Account:
    """The account of a row of `accounts/find` or `accounts/list`."""
    values = {field.attribute: _value(field, row) for field in FIELDS}
    return Account(
        id=row["id"],
        held_micros=row["held_micros"],
        created_at=row["created_at"],
        confirmed_at=row["confirmed_at"],
        deleted_at=row["deleted_at"],
        **values,
    )


def _value(field: AccountField, row: Mapping[str, Any]) -> Any:
    if field.kind is Kind.SECRET or field.attribute == "note":
        return None
    if field.attribute == "expiry_date":
        return _on_clock(row["expires_at"], row["timezone"])
    if field.attribute == "signup_confirmed":
        return row["confirmed_at"] is not None
    value = row[_QUERY_COLUMNS.get(field.attribute, field.attribute)]
    if field.choices is not None:
        return field.choices(value)
    return tuple(value) if field.kind is Kind.LIST else value


def _on_clock(instant: datetime | None, timezone: str) -> datetime | None:
    """An instant as the account's clock shows it."""
    return None if instant is None else instant.astimezone(ZoneInfo(timezone)).replace(tzinfo=None)


def has_secrets(page: NewAccount | Account) -> bool:
    """Whether there is anything to hash."""
    return any(getattr(page, name) is not None for name in _SECRETS)


async def hashes_of(page: NewAccount | Account) -> dict[str, str]:
    """The hashes of the secrets that were given, by attribute."""
    secrets = ((name, getattr(page, name)) for name in _SECRETS)
    return {name: await hash_secret(secret) for name, secret in secrets if secret is not None}


async def columns_of(
    db: Any, values: Mapping[str, Any], *, timezone: str, hashes: Mapping[str, str]
) -> dict[str, Any]:
    """Values by attribute as columns of `account` and `customer`, ready for JSON.

    `hashes` are those of the secrets among them. Raises NotFoundError for a name that nothing has.
    """
    columns: dict[str, Any] = {}
    ids = await _reference_ids(db, values)
    if unknown := _unknown(values, ids):
        raise unknown[0]
    for field in FIELDS:
        attribute = field.attribute
        if attribute not in values or attribute in _NO_COLUMN:
            continue
        value = values[attribute]
        if field.kind is Kind.SECRET:
            columns[f"{attribute}_hash"] = hashes.get(attribute)
        elif field.kind is Kind.REFERENCE:
            columns[f"{attribute}_id"] = ids[attribute]
        elif attribute == "expiry_date":
            expires_at = in_utc(value, timezone)
            columns["expires_at"] = None if expires_at is None else expires_at.isoformat()
        else:
            columns[attribute] = value.value if isinstance(value, Enum) else value
    return columns


async def unknown_references(db: Any, values: Mapping[str, Any]) -> list[NotFoundError]:
    """What is said of each name among the values that nothing has."""
    return _unknown(values, await _reference_ids(db, values))


async def _reference_ids(db: Any, values: Mapping[str, Any]) -> dict[str, int | None]:
    names = [values.get(noun) for noun in _NOUNS]
    if not any(names):
        return dict.fromkeys(_NOUNS)
    return dict(await db.fetchrow(statement("accounts/reference_ids"), *names))


def _unknown(values: Mapping[str, Any], ids: Mapping[str, int | None]) -> list[NotFoundError]:
    return [
        NotFoundError(f"there is no {words} {values[noun]}", field=noun)
        for noun, words in _NOUNS.items()
        if values.get(noun) is not None and ids[noun] is None
    ]
