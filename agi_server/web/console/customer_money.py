"""Money of one customer by hand: credit given, money received, corrections; each once."""

import secrets
from dataclasses import dataclass
from typing import Any

from fastapi import APIRouter, Depends, Request
from starlette.datastructures import FormData
from starlette.responses import Response

from agi_server.accounts.account import Account
from agi_server.ledger.booking import BookingRefusedError, NotAvailableError
from agi_server.ledger.refills import correct_by_hand, receive_money, refill
from agi_server.one_line import check_line
from agi_server.refused import InvalidFieldError, InvalidFieldsError
from agi_server.web.auth.roles import Right
from agi_server.web.console.access import form_of, having, operator_of, text_of
from agi_server.web.console.amounts import typed_amount
from agi_server.web.console.customer import AccountId, back_to, customer_page, errors_of
from agi_server.web.console.formats import money
from agi_server.web.console.languages import N_
from agi_server.web.console.pages import language_of, page
from agi_server.web.scope import customer_in_scope
from agi_server.web.services import services_of
from rating.money import MAX_MONEY_MICROS

router = APIRouter(
    prefix="/customers/{account_id}", dependencies=[Depends(having(Right.MOVE_MONEY))]
)

_MAY_CORRECT = Depends(having(Right.CORRECT_MONEY))


@dataclass(frozen=True, slots=True, kw_only=True)
class AskedMovement:
    """What was typed: `reference` makes sending it again harmless."""

    amount_micros: int
    note: str
    reference: str


@router.post("/refill")
async def do_refill(request: Request, account_id: AccountId) -> Response:
    """Give credit once, however often the form is sent."""
    account, form = await _account_and_form(request, account_id)
    try:
        asked = asked_of(form)
    except InvalidFieldError as error:
        return await customer_page(
            request, account_id, status=422, refill_errors=errors_of(error), refill=form
        )
    given = await refill(
        services_of(request).db,
        account_id=account.id,
        amount_micros=asked.amount_micros,
        movement_id=f"refill:web:{asked.reference}",
        created_by=operator_of(request).signature,
        note=asked.note,
        at=services_of(request).now(),
    )
    return back_to(account, "refilled" if given is not None else "refilled-before")


@router.get("/pay")
async def show_pay(request: Request, account_id: AccountId) -> Response:
    """The form to record money that was received."""
    account, _ = await _account_and_form(request, account_id)
    return _form(request, account, "pay")


@router.post("/pay")
async def do_pay(request: Request, account_id: AccountId) -> Response:
    """Record money received, and the credit for it where it is asked for; first ask to confirm."""
    account, form = await _account_and_form(request, account_id)
    with_refill = text_of(form, "with_refill") == "yes"
    try:
        asked = asked_of(form)
        if text_of(form, "confirmed") != "yes":
            given_micros = asked.amount_micros if with_refill else 0
            return _confirm(request, account, "pay", form, asked, given_micros)
        paid, refilled = await receive_money(
            services_of(request).db,
            account_id=account.id,
            amount_micros=asked.amount_micros,
            reference=f"web:{asked.reference}",
            with_refill=with_refill,
            created_by=operator_of(request).signature,
            note=asked.note,
            at=services_of(request).now(),
        )
    except (InvalidFieldError, BookingRefusedError) as error:
        return _form(request, account, "pay", form, error)
    if not paid and not refilled:
        return back_to(account, "paid-before")
    return back_to(account, "paid-refilled" if with_refill else "paid")


@router.get("/correct", dependencies=[_MAY_CORRECT])
async def show_correct(request: Request, account_id: AccountId) -> Response:
    """The form to correct the balance by a further entry."""
    account, _ = await _account_and_form(request, account_id)
    return _form(request, account, "correct")


@router.post("/correct", dependencies=[_MAY_CORRECT])
async def do_correct(request: Request, account_id: AccountId) -> Response:
    """Correct the balance, with a reason; first ask to confirm."""
    account, form = await _account_and_form(request, account_id)
    try:
        asked = asked_of(form)
        if not asked.note:
            raise InvalidFieldError("note", N_("say why the balance is corrected"))
        takes = text_of(form, "direction") == "take"
        given_micros = -asked.amount_micros if takes else asked.amount_micros
        if text_of(form, "confirmed") != "yes":
            return _confirm(request, account, "correct", form, asked, given_micros)
        corrected = await correct_by_hand(
            services_of(request).db,
            account_id=account.id,
            given_micros=given_micros,
            movement_id=f"adjustment:web:{asked.reference}",
            created_by=operator_of(request).signature,
            reason=asked.note,
            at=services_of(request).now(),
        )
    except (InvalidFieldError, BookingRefusedError) as error:
        return _form(request, account, "correct", form, error)
    return back_to(account, "corrected" if corrected is not None else "corrected-before")


async def _account_and_form(request: Request, account_id: int) -> tuple[Account, FormData]:
    account = await customer_in_scope(services_of(request).db, operator_of(request), account_id)
    return account, await form_of(request)


def asked_of(form: FormData) -> AskedMovement:
    """Amount, note and reference of a form that moves money. Raises InvalidFieldsError."""
    problems: list[InvalidFieldError] = []
    reference, note, amount_micros = text_of(form, "reference")[:64], "", 0
    if not reference:
        problems.append(InvalidFieldError("reference", N_("is missing: load the page anew")))
    try:
        amount_micros = typed_amount("amount", text_of(form, "amount"))
        if not 0 < amount_micros <= MAX_MONEY_MICROS:
            raise InvalidFieldError("amount", N_("must be greater than 0"))
    except InvalidFieldError as error:
        problems.append(error)
    try:
        note = check_line("note", text_of(form, "note"))
    except InvalidFieldError as error:
        problems.append(error)
    if problems:
        raise InvalidFieldsError(problems)
    return AskedMovement(amount_micros=amount_micros, note=note, reference=reference)


def _form(
    request: Request,
    account: Account,
    what: str,
    form: FormData | None = None,
    error: InvalidFieldError | BookingRefusedError | None = None,
) -> Response:
    errors: dict[str, str] = {}
    if isinstance(error, NotAvailableError):
        amount = money(error.amount_micros, account.currency, language_of(request))
        errors = {"amount": f"the account has less than {amount} available"}
    elif isinstance(error, InvalidFieldError):
        errors = errors_of(error)
    elif error is not None:
        errors = {"": str(error)}
    return page(
        request,
        "customer_money.html",
        422 if error else 200,
        account=account,
        what=what,
        given=form or {},
        reference=secrets.token_hex(16),
        errors=errors,
    )


def _confirm(
    request: Request,
    account: Account,
    what: str,
    form: FormData,
    asked: AskedMovement,
    given_micros: int,
) -> Response:
    """Ask once more: what is booked, and the balance after it."""
    same = ("amount", "note", "reference", "with_refill", "direction")
    about: dict[str, Any] = {
        "account": account,
        "what": what,
        "asked": asked,
        "given_micros": given_micros,
        "hidden": {name: text_of(form, name) for name in same},
    }
    return page(request, "customer_money_confirm.html", **about)
