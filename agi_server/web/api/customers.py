"""Customers: find, create, change, delete; their calls and ledger."""

from collections.abc import Mapping
from typing import Annotated, Any

from fastapi import APIRouter, Body, Depends, Path, Query, Request
from pydantic import BaseModel, Field

from agi_server.accounts.audit import Editor, list_changes
from agi_server.accounts.changes import update_with_phones
from agi_server.accounts.codes import AccountStatus
from agi_server.accounts.customers import create_account
from agi_server.accounts.ending import delete_account
from agi_server.accounts.groups import prepare_account
from agi_server.calls.records import CallState
from agi_server.calls.reset import end_over, find_over
from agi_server.editor import LONGEST_REASON, checked_reason
from agi_server.web.api.access import Caller, having, refuse
from agi_server.web.api.calls import CallPage, call_json
from agi_server.web.api.once import KEY_TAKEN, CreationKey
from agi_server.web.api.shapes import (
    CUSTOMER,
    CUSTOMER_CHANGE,
    NEW_CUSTOMER,
    Text,
    customer_json,
    moment,
    money,
)
from agi_server.web.auth.roles import Operator, Right
from agi_server.web.call_lists import list_calls
from agi_server.web.created_once import CreatedBeforeError, CreatedOnce, without_secrets
from agi_server.web.customer_lists import CustomerFilter, list_customers
from agi_server.web.ledger_lists import list_entries
from agi_server.web.scope import check_scope, customer_in_scope
from agi_server.web.services import services_of

router = APIRouter(prefix="/customers", tags=["customers"])

CustomerId = Annotated[int, Path(ge=1, lt=2**63, description="As lists show it.")]
After = Annotated[Text, Query(description="`next` of the page before.", max_length=400)]
Limit = Annotated[int, Query(ge=1, le=200)]
_MAY_CHANGE = Depends(having(Right.CHANGE_CUSTOMERS))


class CustomerPage(BaseModel):
    """Customers by id; `next` is `after` of the next page."""

    customers: list[CUSTOMER]  # type: ignore[valid-type]  # made of the model
    next: str | None


class NewPhone(BaseModel):
    """What a phone needs to register; told only once."""

    technology: str
    user_name: str
    secret: str
    device_token: str | None


class StoredCustomer(BaseModel):
    """A customer, and the phones that came with it."""

    customer: CUSTOMER  # type: ignore[valid-type]
    phones: list[NewPhone] = Field(description="Credentials of new phones, told only now.")


class Entry(BaseModel):
    """One movement of money; `debit` paid, `credit` got it."""

    kind: str
    debit: str
    credit: str
    amount: str
    currency: str
    balance: str = Field(description="Of the customer, after it.")
    created_at: str
    created_by: str
    note: str


class EntryPage(BaseModel):
    """Movements, newest first."""

    entries: list[Entry]
    next: str | None


class Change(BaseModel):
    """A field got another value; of a secret only that it did."""

    id: int
    changed_at: str
    changed_by: str
    field: str
    old: str | None
    new: str | None
    reason: str | None = Field(description="Why, where it was said.")


class ChangePage(BaseModel):
    """Changes, newest first; `next` is `before` of the next page."""

    changes: list[Change]
    next: int | None


class Reset(BaseModel):
    """What became of the calls in progress."""

    ended: int = Field(description="Calls that were over and still counted.")
    in_use: int = Field(description="Calls that go on.")


@router.get("", response_model=CustomerPage)
async def find_customers(
    request: Request,
    operator: Caller,
    search: Annotated[
        Text, Query(max_length=100, description="Whole account number, or the beginning of a name.")
    ] = "",
    status: Annotated[
        str | None, Query(pattern="^(" + "|".join(AccountStatus.__members__).lower() + ")$")
    ] = None,
    plan: Annotated[Text | None, Query(max_length=100)] = None,
    group: Annotated[Text | None, Query(max_length=100)] = None,
    campaign: Annotated[Text | None, Query(max_length=100)] = None,
    after: After = "",
    limit: Limit = 50,
) -> Any:
    """A page of customers."""
    chosen = CustomerFilter(
        search=search,
        status=None if status is None else AccountStatus[status.upper()],
        plan=plan,
        group=group,
        campaign=campaign,
    )
    found, next_page = await list_customers(
        services_of(request).db, operator, chosen, after=after, limit=limit
    )
    return {"customers": [customer_json(each) for each in found], "next": next_page}


@router.post("", response_model=StoredCustomer, status_code=201, dependencies=[_MAY_CHANGE])
async def create_customer(
    request: Request,
    operator: Caller,
    new: Annotated[NEW_CUSTOMER, Body()],  # type: ignore[valid-type]
    key: CreationKey = None,
) -> Any:
    """Create a customer, once for a key; the account number is told in full only now."""
    services = services_of(request)
    accounts = services.settings.accounts
    texts = new.model_dump(exclude_unset=True)  # type: ignore[attr-defined]
    if operator.group is not None:
        _refuse_what_others_set(request, operator, texts, {"group": operator.group})
        texts["group"] = operator.group
    once = None
    if key is not None:
        asked = {"create customer": without_secrets(texts)}
        once = CreatedOnce(
            operator=operator, key=key, asked=asked, taken=KEY_TAKEN, at=services.now()
        )
    try:
        account, phones = await create_account(
            services.db,
            await prepare_account(services.db, texts, currency=accounts.currency),
            number_length=accounts.number_length,
            max_callerids=accounts.max_callerids,
            number_luhn=accounts.number_luhn,
            phones=services.settings.phones,
            once=once,
            created_by=signature(operator),
            at=services.now(),
        )
    except CreatedBeforeError as error:
        before = await customer_in_scope(services.db, operator, error.account_id)
        return {"customer": customer_json(before), "phones": []}
    return {"customer": customer_json(account, full_number=True), "phones": _phones(phones)}


@router.get("/{customer}", response_model=CUSTOMER)
async def read_customer(request: Request, operator: Caller, customer: CustomerId) -> Any:
    """One customer."""
    return customer_json(await customer_in_scope(services_of(request).db, operator, customer))


@router.patch("/{customer}", response_model=StoredCustomer, dependencies=[_MAY_CHANGE])
async def change_customer(
    request: Request,
    operator: Caller,
    customer: CustomerId,
    change: Annotated[CUSTOMER_CHANGE, Body()],  # type: ignore[valid-type]
) -> Any:
    """Change fields: all of them or, with any error, none. Each change is audited."""
    services = services_of(request)
    before = customer_json(await customer_in_scope(services.db, operator, customer))
    texts = change.model_dump(exclude_unset=True)  # type: ignore[attr-defined]
    reason = checked_reason(texts.pop("reason", None))
    _refuse_what_others_set(request, operator, texts, before)
    account, _, phones = await update_with_phones(
        services.db,
        customer,
        texts,
        Editor(changed_by=signature(operator), at=services.now(), reason=reason),
        services.settings.phones,
        max_callerids=services.settings.accounts.max_callerids,
        in_scope=lambda found: check_scope(operator, found.group, found.id),
    )
    return {"customer": customer_json(account), "phones": _phones(phones)}


@router.delete("/{customer}", response_model=CUSTOMER, dependencies=[_MAY_CHANGE])
async def delete_customer(
    request: Request,
    operator: Caller,
    customer: CustomerId,
    reason: Annotated[
        Text | None,
        Query(max_length=LONGEST_REASON, description="Why: kept in the customer's history."),
    ] = None,
) -> Any:
    """Cancel the account for good: neither changed nor refilled any more; its ledger and calls
    stay, its number is never given again."""
    services = services_of(request)
    await customer_in_scope(services.db, operator, customer)
    editor = Editor(
        changed_by=signature(operator), at=services.now(), reason=checked_reason(reason)
    )
    account, _ = await delete_account(services.db, customer, editor)
    return customer_json(account)


@router.post(
    "/{customer}/reset-in-use",
    response_model=Reset,
    dependencies=[Depends(having(Right.END_CALLS))],
)
async def reset_in_use(request: Request, operator: Caller, customer: CustomerId) -> Any:
    """End the customer's calls that are over: what Asterisk no longer has or, where it cannot be
    asked, what is past its limit. Calls in progress go on."""
    services = services_of(request)
    account = await customer_in_scope(services.db, operator, customer)
    in_use = await find_over(services.recovery, account, services.now())
    editor = Editor(changed_by=signature(operator), at=services.now())
    ended = await end_over(services.db, services.recovery, in_use, editor)
    after = await customer_in_scope(services.db, operator, customer)
    return {"ended": ended, "in_use": after.in_use}


@router.get("/{customer}/ledger", response_model=EntryPage)
async def read_ledger(
    request: Request, operator: Caller, customer: CustomerId, after: After = "", limit: Limit = 50
) -> Any:
    """The customer's movements, newest first."""
    db = services_of(request).db
    await customer_in_scope(db, operator, customer)
    rows, next_page = await list_entries(db, customer, after=after, limit=limit)
    entries = [
        {
            **{name: row[name] for name in ("kind", "debit", "credit", "currency", "created_by",
                                            "note")},
            "amount": money(row["amount_micros"]),
            "balance": money(row["balance_micros"]),
            "created_at": moment(row["created_at"]),
        }
        for row in rows
    ]  # fmt: skip
    return {"entries": entries, "next": next_page}


@router.get("/{customer}/calls", response_model=CallPage)
async def read_calls(
    request: Request,
    operator: Caller,
    customer: CustomerId,
    state: CallState | None = None,
    after: After = "",
    limit: Limit = 50,
) -> Any:
    """The customer's calls, newest first."""
    db = services_of(request).db
    await customer_in_scope(db, operator, customer)
    rows, next_page = await list_calls(
        db, operator, account_id=customer, state=state, after=after, limit=limit
    )
    return {"calls": [call_json(row) for row in rows], "next": next_page}


@router.get("/{customer}/changes", response_model=ChangePage)
async def read_changes(
    request: Request,
    operator: Caller,
    customer: CustomerId,
    field: Annotated[
        Text | None, Query(max_length=100, description="Of one field only, like `status`.")
    ] = None,
    before: Annotated[int | None, Query(ge=1, lt=2**63, description="An id.")] = None,
    limit: Limit = 50,
) -> Any:
    """What was changed of the customer, when, by whom and why; newest first."""
    db = services_of(request).db
    await customer_in_scope(db, operator, customer)
    found = await list_changes(db, customer, field=field, before_id=before, limit=limit + 1)
    shown = [
        {
            **{name: getattr(each, name)
               for name in ("id", "changed_by", "field", "old", "new", "reason")},
            "changed_at": moment(each.changed_at),
        }
        for each in found[:limit]
    ]  # fmt: skip
    return {"changes": shown, "next": found[limit - 1].id if len(found) > limit else None}


def _refuse_what_others_set(
    request: Request, operator: Operator, texts: Mapping[str, Any], before: Mapping[str, Any]
) -> None:
    """Raises NotAllowedError, which is logged, for another value than `before` of a field that the
    role does not set."""
    for name, text in texts.items():
        if not operator.sets(name) and (text or None) != (before.get(name) or None):
            refuse(request, operator, f"sets {name}", f"does not set {name}")


def signature(operator: Operator) -> str:
    """Who did it, for the ledger and the audit: `api:shop`."""
    return f"api:{operator.name}"


def _phones(made: list[Any]) -> list[dict[str, Any]]:
    return [
        {
            "technology": each.technology.value,
            "user_name": each.user_name,
            "secret": each.secret,
            "device_token": each.device_token,
        }
        for each in made
    ]
