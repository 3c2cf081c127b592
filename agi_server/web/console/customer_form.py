"""Create Customer and its twin, the form that changes one: a loop over the account's fields."""

import secrets
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from fastapi import APIRouter, Depends, Request
from starlette.datastructures import FormData
from starlette.responses import RedirectResponse, Response

from agi_server.accounts.account import FIELDS, Account
from agi_server.accounts.audit import list_changes
from agi_server.accounts.changes import update_with_phones
from agi_server.accounts.customers import create_account
from agi_server.accounts.field_kinds import show_value
from agi_server.accounts.field_rules import countries, timezones
from agi_server.accounts.fields import AccountField, Kind, Section, Settable
from agi_server.accounts.groups import find_group, prepare_account
from agi_server.editor import LONGEST_REASON
from agi_server.refused import InvalidFieldError, InvalidFieldsError, RefusedError
from agi_server.web.auth.roles import Operator, Right
from agi_server.web.console.access import form_of, having, operator_of, refuse_not_theirs, text_of
from agi_server.web.console.amounts import typed_amount, with_point
from agi_server.web.console.choices import names_for
from agi_server.web.console.customer import AccountId, editor_of, errors_of
from agi_server.web.console.languages import LANGUAGES, N_
from agi_server.web.console.pages import page
from agi_server.web.created_once import CreatedBeforeError, CreatedOnce, without_secrets
from agi_server.web.scope import check_scope, customer_in_scope
from agi_server.web.services import services_of

router = APIRouter(dependencies=[Depends(having(Right.CHANGE_CUSTOMERS))])

Texts = dict[str, Any]

SUGGESTIONS = {"timezone": sorted(timezones()), "language": list(LANGUAGES)}
"""What is offered beside a field in which anything else may be typed."""


@router.get("/customers/new")
async def show_new(request: Request, group: str = "") -> Response:
    """The empty form, with the defaults of a group."""
    services, operator = services_of(request), operator_of(request)
    group = operator.group or group
    defaults: Mapping[str, object] = {}
    if group:
        defaults = (await find_group(services.db, group)).defaults
    texts = {
        **_default_texts(),
        "currency": services.settings.accounts.currency,
        **defaults,
        "group": group,
    }
    return await _form(request, None, texts, {}, filled_from=group)


@router.post("/customers/new")
async def do_create(request: Request) -> Response:
    """Create the customer; the account number is shown in full only now."""
    services, operator = services_of(request), operator_of(request)
    accounts = services.settings.accounts
    form = await form_of(request)
    texts = _texts(form)
    refuse_not_theirs(request, texts)
    if operator.group is not None:
        texts["group"] = operator.group
    elif texts.get("group") != text_of(form, "filled_from"):
        # What is empty was never filled in from this group: it is as the group says.
        texts = {name: text for name, text in texts.items() if text}
    errors = _put_points(texts)
    refill_micros = _first_credit(form, errors)
    reference = text_of(form, "reference")[:64]
    if not reference:
        errors[""] = N_("the form is not complete: load the page anew")
    try:
        new = await prepare_account(services.db, texts, currency=accounts.currency)
        if errors:
            raise InvalidFieldsError([InvalidFieldError(*each) for each in errors.items()])
        account, phones = await create_account(
            services.db,
            new,
            number_length=accounts.number_length,
            max_callerids=accounts.max_callerids,
            number_luhn=accounts.number_luhn,
            refill_micros=refill_micros,
            phones=services.settings.phones,
            once=CreatedOnce(
                operator=operator,
                key=f"create customer {reference}",  # no key of the API has a blank
                asked={**without_secrets(texts), "refill": refill_micros},
                taken=N_(
                    "this form has created another customer already: send it again for one more"
                ),
                at=services.now(),
            ),
            created_by=operator.signature,
            at=services.now(),
        )
    except CreatedBeforeError as error:
        return RedirectResponse(f"/customers/{error.account_id}?done=created-before", 303)
    except (InvalidFieldError, RefusedError) as error:
        texts["refill"] = text_of(form, "refill")
        errors = errors_of(error) | errors
        return await _form(request, None, texts, errors, filled_from=text_of(form, "filled_from"))
    return page(request, "customer_created.html", 201, account=account, phones=phones)


@router.get("/customers/{account_id}/edit")
async def show_edit(request: Request, account_id: AccountId) -> Response:
    """The form with the customer's values."""
    services, operator = services_of(request), operator_of(request)
    account = await customer_in_scope(services.db, operator, account_id)
    return await _form(request, account, texts_of(account), {})


@router.post("/customers/{account_id}/edit")
async def do_edit(request: Request, account_id: AccountId) -> Response:
    """Store what differs; each change leaves a row in the audit."""
    services, operator = services_of(request), operator_of(request)
    account = await customer_in_scope(services.db, operator, account_id)
    form = await form_of(request)
    texts = _texts(form)
    refuse_not_theirs(request, texts)
    errors = _put_points(texts)
    try:
        if errors:
            raise InvalidFieldsError([InvalidFieldError(*each) for each in errors.items()])
        if text_of(form, "seen") != await _last_change(services.db, account_id):
            raise RefusedError(
                N_("somebody has changed this customer meanwhile: load the page anew")
            )
        after, changes, phones = await update_with_phones(
            services.db,
            account_id,
            texts,
            editor_of(request, text_of(form, "reason")),
            services.settings.phones,
            max_callerids=services.settings.accounts.max_callerids,
            in_scope=lambda found: check_scope(operator, found.group, found.id),
        )
    except (InvalidFieldError, RefusedError) as error:
        texts |= {name: text_of(form, name) for name in ("reason", "seen")}
        return await _form(request, account, texts, errors_of(error) | errors)
    if phones:
        return page(request, "customer_phones.html", 201, account=after, phones=phones)
    done = "changed" if changes else "unchanged"
    return RedirectResponse(f"/customers/{account_id}?done={done}", 303)


def texts_of(account: Account) -> Texts:
    """The values as the form shows them."""
    return {
        field.name: show_value(field, getattr(account, field.attribute))
        for field in FIELDS
        if field.name != "account_number"
    }


def _default_texts() -> Texts:
    return {
        field.name: show_value(field, field.default)
        for field in FIELDS
        if field.settable is not Settable.NEVER
    }


def _texts(form: FormData) -> Texts:
    """What was sent, by field, also of those that the form does not have: they are refused. Of a
    box that is not ticked its hidden `no`."""
    return {field.name: str(form.getlist(field.name)[-1]) for field in FIELDS if field.name in form}


def _put_points(texts: Texts) -> dict[str, str]:
    """Write a decimal comma of an amount as a point; what may mean thousands is an error."""
    errors: dict[str, str] = {}
    for field in FIELDS:
        if field.kind is Kind.MONEY and field.name in texts:
            try:
                texts[field.name] = with_point(field.name, texts[field.name].strip())
            except InvalidFieldError as error:
                errors[field.name] = error.message
    return errors


def _first_credit(form: FormData, errors: dict[str, str]) -> int:
    text = text_of(form, "refill")
    try:
        return typed_amount("refill", text) if text else 0
    except InvalidFieldError as error:
        errors["refill"] = error.message
        return 0


async def _last_change(db: Any, account_id: int) -> str:
    """Empty: nothing but the creation, or none that is known."""
    changes = await list_changes(db, account_id, limit=1)
    return str(changes[0].id) if changes and changes[0].field != "account" else ""


async def _form(
    request: Request,
    account: Account | None,
    texts: Texts,
    errors: Mapping[str, str],
    *,
    filled_from: str = "",
) -> Response:
    """`filled_from` is the group whose defaults a new customer's form began with."""
    services, operator = services_of(request), operator_of(request)
    sections = list(_sections(operator, creating=account is None))
    in_place = {"refill", *(field.name for _, fields in sections for field in fields)}
    return page(
        request,
        "customer_form.html",
        422 if errors else 200,
        account=account,
        sections=sections,
        texts=texts,
        filled_from=filled_from,
        errors=errors,
        errors_elsewhere=[
            (field.label, errors[field.name])
            for field in FIELDS
            if field.name in errors and field.name not in in_place
        ],
        # Who changes a customer may change group and plan at once.
        options=await field_options(services.db, operator, None if account else texts.get("group")),
        suggestions=SUGGESTIONS,
        reference=secrets.token_hex(16),
        # Of what was typed on an older page it is what that page showed.
        seen=texts.get(
            "seen", "" if account is None else await _last_change(services.db, account.id)
        ),
        Kind=Kind,
        longest_reason=LONGEST_REASON,
    )


def _sections(
    operator: Operator, *, creating: bool
) -> Iterator[tuple[Section, Sequence[AccountField]]]:
    """The five sections and their fields that can be typed now."""
    settable = (Settable.ALWAYS, Settable.ON_CREATION) if creating else (Settable.ALWAYS,)
    for section in Section:
        fields = [field for field in _fields(operator, *settable) if field.section is section]
        if fields:
            yield section, fields


def _fields(operator: Operator, *settable: Settable) -> list[AccountField]:
    return [field for field in FIELDS if field.settable in settable and operator.sets(field.name)]


async def field_options(
    db: Any, operator: Operator, group: str | None = None
) -> dict[str, list[tuple[str, str]]]:
    """What a field can be chosen from, by its name: values and their words; the call plans of a
    group."""
    named = await names_for(db, operator, group)
    return {
        "group": _same(named["groups"]),
        "plan": _same(named["plans"]),
        "series": _same(named["series"]),
        "did_group": _same(named["did_groups"]),
        "campaign": _same(named["campaigns"]),
        "country": sorted(countries().items(), key=lambda item: item[1]),
    }


def _same(names: Any) -> list[tuple[str, str]]:
    return [(name, name) for name in names]
