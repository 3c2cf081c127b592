"""Customer groups: what their accounts may do."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from agi_server.accounts.account import (
    NewAccount,
    field_named,
    new_account_of_texts,
    settable_values,
)
from agi_server.accounts.account_rows import unknown_references
from agi_server.accounts.codes import Restriction
from agi_server.accounts.fields import AccountField, Kind, Settable
from agi_server.accounts.group_plans import check_plan
from agi_server.accounts.membership import without_deleted
from agi_server.accounts.restrictions import rules_shown, store_group_rules
from agi_server.business_audit import record_changes
from agi_server.editor import Editor
from agi_server.refused import (
    InvalidFieldError,
    InvalidFieldsError,
    NotFoundError,
    RefusedError,
)
from agi_server.storage.postgres.statements import statement
from agi_server.tariffs.trunks import check_name

IN_DEFAULTS = "defaults."
"""Before the name of a field that a group has a default of."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """A group of accounts; `accounts` is how many belong to it, without deleted ones.

    `plans` are the call plans that they may use; empty: all. `defaults` has texts by field name for
    new customers of the group.
    """

    id: int
    name: str
    may_call: bool
    may_self_care: bool
    may_top_up: bool
    may_request_services: bool
    plans: tuple[str, ...]
    restriction: Restriction
    restricted_numbers: tuple[str, ...]
    defaults: Mapping[str, object]
    accounts: int


async def create_group(
    pool: Any,
    name: str,
    *,
    may_call: bool = True,
    may_self_care: bool = True,
    may_top_up: bool = True,
    may_request_services: bool = True,
    plans: Sequence[str] = (),
    restriction: Restriction = Restriction.NONE,
    restricted_numbers: Sequence[str] = (),
    defaults: Mapping[str, object] | None = None,
    editor: Editor | None = None,
) -> Group:
    """Raises RefusedError for a name that is taken, NotFoundError for a plan, InvalidFieldError for
    a bad value."""
    check_name(name)
    if restricted_numbers and restriction is Restriction.NONE:
        raise InvalidFieldError("restriction", "must say blacklist or whitelist for the numbers")
    permissions = (may_call, may_self_care, may_top_up, may_request_services)
    checked = _check_defaults(defaults or {})
    async with pool.acquire() as db, db.transaction():
        await _check_named(db, checked)
        group_id = await db.fetchval(
            statement("accounts/insert_group"), name, *permissions, restriction, checked
        )
        if group_id is None:
            raise RefusedError(f"a group {name} exists already", field="name")
        await _allow_plans(db, group_id, plans)
        await _check_default_plan(db, name, checked)
        await store_group_rules(db, group_id, restricted_numbers)
        created = await find_group(db, name)
        await record_changes(db, "group", name, {}, _shown(created), editor)
    return created


async def update_group(
    pool: Any,
    name: str,
    *,
    may_call: bool | None = None,
    may_self_care: bool | None = None,
    may_top_up: bool | None = None,
    may_request_services: bool | None = None,
    plans: Sequence[str] | None = None,
    defaults: Mapping[str, object] | None = None,
    editor: Editor,
) -> Group:
    """Change what is given; calls heed it at once. Raises NotFoundError, InvalidFieldError."""
    permissions = (may_call, may_self_care, may_top_up, may_request_services)
    checked = None if defaults is None else _check_defaults(defaults)
    async with pool.acquire() as db, db.transaction():
        before = await _locked(db, name)
        await _check_named(db, checked or {})
        await db.execute(statement("accounts/update_group"), before.id, *permissions, checked)
        if plans is not None:
            await db.execute(statement("accounts/clear_group_plans"), before.id)
            await _allow_plans(db, before.id, plans)
        changed = await find_group(db, name)
        if plans is not None or checked is not None:
            await _check_default_plan(db, name, changed.defaults)
        await record_changes(db, "group", name, _shown(before), _shown(changed), editor)
    return changed


async def delete_group(pool: Any, name: str, editor: Editor) -> None:
    """Deleted customers leave it. Raises NotFoundError, RefusedError when it has others, or
    resellers."""
    has_customers = RefusedError(f"group {name} has customers")
    has_resellers = RefusedError(f"resellers work with the customers of group {name}")
    async with pool.acquire() as db, db.transaction():
        group_id = (await find_group(db, name)).id
        async with without_deleted(
            db, "group", group_id, name, editor, in_use=has_customers, by_operators=has_resellers
        ):
            group = await _locked(db, name)
            if await db.fetchval(statement("accounts/delete_group"), group_id) is None:
                raise has_customers
        await record_changes(db, "group", name, _shown(group), {}, editor)


async def find_group(db: Any, name: str) -> Group:
    """Raises NotFoundError."""
    row = await db.fetchrow(statement("accounts/list_groups"), name)
    if row is None:
        raise NotFoundError(f"there is no group {name}")
    return _group(row)


async def list_groups(db: Any) -> list[Group]:
    """All groups by name."""
    return [_group(row) for row in await db.fetch(statement("accounts/list_groups"), None)]


async def _locked(db: Any, name: str) -> Group:
    """A group that nobody else changes until the transaction ends. Raises NotFoundError."""
    group = await find_group(db, name)
    await db.execute(statement("accounts/lock_group"), group.id)
    return await find_group(db, name)


def _shown(group: Group) -> dict[str, object]:
    """What is told of a group's changes."""
    return {
        "name": group.name,
        "may_call": group.may_call,
        "may_self_care": group.may_self_care,
        "may_top_up": group.may_top_up,
        "may_request_services": group.may_request_services,
        "plans": group.plans,
        "defaults": tuple(
            f"{name}={' '.join(text) if isinstance(text, list) else text}"
            for name, text in sorted(group.defaults.items())
        ),
        **rules_shown(group.restriction, group.restricted_numbers),
    }


def _group(row: Mapping[str, Any]) -> Group:
    return Group(
        id=row["id"],
        name=row["name"],
        may_call=row["may_call"],
        may_self_care=row["may_self_care"],
        may_top_up=row["may_top_up"],
        may_request_services=row["may_request_services"],
        plans=tuple(row["plans"]),
        restriction=Restriction(row["restriction"]),
        restricted_numbers=tuple(row["restricted_numbers"]),
        defaults=row["defaults"],
        accounts=row["accounts"],
    )


async def prepare_account(db: Any, texts: Mapping[str, object], *, currency: str) -> NewAccount:
    """A new account of texts by field name; what is not given is as its group says, and what is
    given as an empty text is empty.

    `currency` is the setting's. Raises InvalidFieldsError with everything that is wrong, and
    NotFoundError for an unknown group.
    """
    name = group_named(texts)
    try:
        defaults = (await find_group(db, name)).defaults if name else {}
    except NotFoundError as error:
        raise NotFoundError(str(error), field="group") from None
    return new_account_of_texts(texts, {"currency": currency, **defaults})


def group_named(texts: Mapping[str, object]) -> str | None:
    """The group of a new account."""
    name = texts.get("group")
    return name if isinstance(name, str) and name else None


async def _allow_plans(db: Any, group_id: int, plans: Sequence[str]) -> None:
    for plan in plans:
        if await db.fetchval(statement("accounts/allow_plan"), group_id, plan) is None:
            raise NotFoundError(f"there is no call plan {plan}", field="plans")


def may_have_default(field: AccountField) -> bool:
    """Whether a group may say it for its new customers."""
    return field.name not in _NO_DEFAULT and field.kind is not Kind.SECRET


def _check_defaults(defaults: Mapping[str, object]) -> dict[str, object]:
    """Texts that a new customer could have. Raises InvalidFieldsError."""
    given = {name: text for name, text in defaults.items() if text not in (None, "", [], ())}
    try:
        for name in given:
            if not may_have_default(field_named(name)):
                raise InvalidFieldError(name, "is each customer's own and has no default")
        new_account_of_texts(given, _ANY_CURRENCY)
    except InvalidFieldError as error:
        problems = error.problems if isinstance(error, InvalidFieldsError) else (error,)
        raise _of_defaults(problems) from None
    return given


async def _check_named(db: Any, defaults: Mapping[str, object]) -> None:
    """Raises InvalidFieldsError for defaults that name what there is not: no customer could be
    created with them."""
    if defaults:
        new = new_account_of_texts(defaults, _ANY_CURRENCY)
        named = settable_values(new, Settable.ON_CREATION)
        unknown = await unknown_references(db, named)
        if unknown:
            raise _of_defaults([InvalidFieldError(each.field or "", str(each)) for each in unknown])


async def _check_default_plan(db: Any, name: str, defaults: Mapping[str, object]) -> None:
    """Raises InvalidFieldsError for a call plan that the group's customers may not use."""
    plan = defaults.get("plan")
    try:
        await check_plan(db, name, plan if isinstance(plan, str) else None)
    except InvalidFieldError as error:
        raise _of_defaults([error]) from None


def _of_defaults(problems: Sequence[InvalidFieldError]) -> InvalidFieldsError:
    """The fields are the group's: `defaults.plan`."""
    return InvalidFieldsError(
        [InvalidFieldError(IN_DEFAULTS + each.field, each.message) for each in problems]
    )


# What no two customers share, or what is no field's default but the group's own name.
_NO_DEFAULT = frozenset(
    {"account_number", "web_login", "group", "callerids", "mac_address", "presented_callerid"}
)
_ANY_CURRENCY = {"currency": "USD"}
