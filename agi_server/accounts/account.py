"""The customer account: its fields, and what is checked of them (shared/accounts.md)."""

from collections.abc import Mapping, Set
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

from agi_server.accounts import account_sections as sections
from agi_server.accounts import account_terms as terms
from agi_server.accounts.agreements import FIELD_AGREEMENTS, GIVES_WAY
from agi_server.accounts.codes import AccountStatus, ExpiryMode, PaymentType, Restriction
from agi_server.accounts.field_kinds import parse_text
from agi_server.accounts.fields import AccountField, Kind, Section, Settable, fields_of
from agi_server.refused import InvalidFieldError, InvalidFieldsError

__all__ = [
    "FIELDS",
    "PERSONAL_FIELDS",
    "Account",
    "AccountStatus",
    "ExpiryMode",
    "NewAccount",
    "PaymentType",
    "Restriction",
    "changed_account",
    "changed_account_of_texts",
    "field_named",
    "new_account",
    "new_account_of_texts",
    "not_settable",
    "settable_values",
    "texts_to_values",
]

FIELDS: tuple[AccountField, ...] = fields_of(
    (Section.ACCOUNT, sections.AccountSection),
    (Section.PERSON, sections.PersonSection),
    (Section.STATUS, sections.StatusSection),
    (Section.INVOICE, terms.InvoiceSection),
    (Section.NOTES, terms.NotesSection),
    (Section.LIMITS, terms.LimitsSection),
)
"""All fields in the order of the page: what commands, API and form are made of."""

PERSONAL_FIELDS = frozenset(
    field.name
    for field in FIELDS
    if field.section is Section.PERSON or field.name == "notification_email"
)
"""Names of the fields that are emptied when a person is erased, and never logged."""

_BY_NAME = {field.name: field for field in FIELDS}
_BY_ATTRIBUTE = {field.attribute: field for field in FIELDS}


@dataclass(frozen=True, slots=True, kw_only=True)
class NewAccount(terms.LimitsSection):
    """What is said of an account that is to be created; made by `new_account`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Account(terms.LimitsSection):
    """One customer account as stored; times in UTC. Secrets are None: they are never read back."""

    id: int
    account_number: str
    held_micros: int = 0
    created_at: datetime
    confirmed_at: datetime | None = None
    deleted_at: datetime | None = None

    @property
    def available_micros(self) -> int:
        """What a further call can spend."""
        return self.balance_micros + self.credit_limit_micros - self.held_micros

    @property
    def expires_at(self) -> datetime | None:
        """The expiry date in UTC."""
        return in_utc(self.expiry_date, self.timezone)


_Page = TypeVar("_Page", NewAccount, Account)


def field_named(name: str) -> AccountField:
    """Raises InvalidFieldError for a name that no field has."""
    if name not in _BY_NAME:
        raise InvalidFieldError(name, "is no field of an account")
    return _BY_NAME[name]


def in_utc(date: datetime | None, timezone: str) -> datetime | None:
    """An instant of the account's clock."""
    return None if date is None else date.replace(tzinfo=ZoneInfo(timezone)).astimezone(UTC)


def new_account(**values: Any) -> NewAccount:
    """Check the values (by attribute) of an account to be created.

    Raises InvalidFieldsError with all bad ones; messages never contain a value.
    """
    problems: list[InvalidFieldError] = []
    checked = _checked(values, Settable.ON_CREATION, problems)
    new = NewAccount(**checked)
    return _agreed(new, set(_BY_ATTRIBUTE), problems, new.account_number)


def new_account_of_texts(
    texts: Mapping[str, object], defaults: Mapping[str, object] | None = None
) -> NewAccount:
    """The same from texts by field name; `defaults` are texts for fields that are not given.

    A field is given when it has a text, though an empty one, which leaves the field empty; what
    cannot be empty is then as if it were not given. A default gives way to what was given and does
    not go with it, as its expiry date to an expiry of never. Raises InvalidFieldsError.
    """
    given = {name: text for name, text in texts.items() if not _is_left_out(name, text)}
    problems: list[InvalidFieldError] = []
    values = texts_to_values({**(defaults or {}), **given}, Settable.ON_CREATION, problems)
    checked = _checked(values, Settable.ON_CREATION, problems)
    new = NewAccount(**checked)
    follows = {_BY_NAME[name].attribute for name in (defaults or {}).keys() - given.keys()}
    return _agreed(new, _BY_ATTRIBUTE.keys() - (follows & GIVES_WAY), problems, new.account_number)


def changed_account(account: Account, changes: Mapping[str, Any]) -> Account:
    """The account with other values (by attribute). Raises InvalidFieldsError."""
    problems: list[InvalidFieldError] = []
    checked = _checked(changes, Settable.ALWAYS, problems)
    return _agreed(replace(account, **checked), set(checked), problems, account.account_number)


def changed_account_of_texts(account: Account, texts: Mapping[str, object]) -> Account:
    """The same from texts by field name. Raises InvalidFieldsError with everything that is wrong:
    texts, values, and what does not go together."""
    problems: list[InvalidFieldError] = []
    values = texts_to_values(texts, Settable.ALWAYS, problems)
    checked = _checked(values, Settable.ALWAYS, problems)
    return _agreed(replace(account, **checked), set(checked), problems, account.account_number)


def texts_to_values(
    texts: Mapping[str, object],
    settable: Settable = Settable.ALWAYS,
    problems: list[InvalidFieldError] | None = None,
) -> dict[str, Any]:
    """Values by attribute of texts by field name; an empty text is no value: None, or no items.

    Problems are added to `problems` or, without it, raised as InvalidFieldsError.
    """
    found: list[InvalidFieldError] = [] if problems is None else problems
    values: dict[str, Any] = {}
    for name, text in texts.items():
        field = _BY_NAME.get(name)
        if field is None:
            found.append(InvalidFieldError(name, "is no field of an account"))
        elif not _may_set(field, settable):
            found.append(_not_settable(field))
        else:
            try:
                values[field.attribute] = parse_text(field, text)
            except ValueError as error:
                found.append(InvalidFieldError(name, str(error)))
    if problems is None and found:
        raise InvalidFieldsError(found)
    return values


def settable_values(
    page: NewAccount | Account, settable: Settable = Settable.ALWAYS
) -> dict[str, Any]:
    """The values of the fields that may be set, by attribute."""
    return {
        field.attribute: getattr(page, field.attribute)
        for field in FIELDS
        if _may_set(field, settable)
    }


def _checked(
    values: Mapping[str, Any], settable: Settable, problems: list[InvalidFieldError]
) -> dict[str, Any]:
    """The values as they are stored, without those that break their field's rule."""
    checked: dict[str, Any] = {}
    for attribute, value in values.items():
        field = _BY_ATTRIBUTE[attribute]
        if not _may_set(field, settable):
            problems.append(_not_settable(field))
            continue
        if value is None:
            if field.needed and settable is Settable.ALWAYS:
                problems.append(InvalidFieldError(field.name, "must not be empty"))
            elif not field.needed:
                checked[attribute] = None
            continue
        try:
            checked[attribute] = value if field.check is None else field.check(_plain(field, value))
        except ValueError as error:
            problems.append(InvalidFieldError(field.name, str(error)))
    return checked


def _plain(field: AccountField, value: Any) -> Any:
    return tuple(value) if field.kind is Kind.LIST else value


def _agreed(
    page: _Page, changed: Set[str], problems: list[InvalidFieldError], own_number: str | None
) -> _Page:
    """The page when its fields agree with each other. Raises InvalidFieldsError.

    `changed` are the attributes that were given; nobody is told of what they left as it was.
    """
    wrong = {problem.field for problem in problems}
    more: dict[str, Any] = {}
    for rule in FIELD_AGREEMENTS:
        if not changed.isdisjoint(rule.attributes):
            found = rule.check(page, changed)
            problems += [each for each in found.problems if each.field not in wrong]
            more |= found.values
    if page.web_password is not None and page.web_password == own_number:
        problems.append(InvalidFieldError("web_password", "must not be the account number"))
    if problems:
        raise InvalidFieldsError(problems)
    return replace(page, **more)


def _may_set(field: AccountField, settable: Settable) -> bool:
    return field.settable is Settable.ALWAYS or field.settable is settable


def _not_settable(field: AccountField) -> InvalidFieldError:
    if field.settable is Settable.ON_CREATION:
        return InvalidFieldError(field.name, "can be set on creation only")
    return InvalidFieldError(field.name, _HOW_CHANGED.get(field.name, "cannot be set"))


_HOW_CHANGED = {"balance": "cannot be set: it is changed by refills, payments and corrections"}


def not_settable(name: str, settable: Settable) -> str | None:
    """What is said of a field that cannot be set then; None for one that can, or is none."""
    field = _BY_NAME.get(name)
    if field is None or _may_set(field, settable):
        return None
    return _not_settable(field).message


def _is_left_out(name: str, text: object) -> bool:
    field = _BY_NAME.get(name)
    is_empty = text in (None, [], ()) or (isinstance(text, str) and not text.strip())
    return is_empty and (field is None or field.needed)
