"""One customer: funds, calls, movements, and what an operator does with them."""

import secrets
from collections.abc import Mapping
from datetime import timedelta
from typing import Annotated, Any, get_args

import structlog
from fastapi import APIRouter, Depends, Path, Query, Request
from starlette.responses import RedirectResponse, Response

from agi_server.accounts.account import Account
from agi_server.accounts.audit import Editor, list_changes
from agi_server.accounts.callerids import (
    add_callerid,
    list_callerids,
    remove_callerid,
    switch_callerid,
)
from agi_server.accounts.changes import set_locked
from agi_server.accounts.confirmation import VALID, confirmation_token
from agi_server.accounts.dids import list_dids
from agi_server.accounts.notes import add_note, list_notes
from agi_server.accounts.phones import list_phones
from agi_server.calls.reasons import Reason
from agi_server.calls.records import CallState
from agi_server.calls.traffic_targets import traffic_of
from agi_server.editor import checked_reason
from agi_server.refused import InvalidFieldError, InvalidFieldsError, NotFoundError, RefusedError
from agi_server.web.auth.roles import Right
from agi_server.web.call_lists import list_calls, live_calls
from agi_server.web.console.access import form_of, having, operator_of, text_of
from agi_server.web.console.change_words import customer_changes
from agi_server.web.console.chart import balance_chart
from agi_server.web.console.creation import is_first
from agi_server.web.console.details import details_of
from agi_server.web.console.pages import page
from agi_server.web.ledger_lists import balance_over, list_entries
from agi_server.web.paging import PAGE_ROWS
from agi_server.web.scope import customer_in_scope
from agi_server.web.services import services_of

log = structlog.get_logger()

router = APIRouter(prefix="/customers/{account_id}")

AccountId = Annotated[int, Path(ge=1, lt=2**63)]
_RECENT = 10
_CHART_SPAN = timedelta(days=30)
_MAY_CHANGE = Depends(having(Right.CHANGE_CUSTOMERS))


@router.get("")
async def show_customer(request: Request, account_id: AccountId) -> Response:
    """The customer's page."""
    return await customer_page(request, account_id)


@router.get("/live")
async def show_live(request: Request, account_id: AccountId) -> Response:
    """The part of the page that updates by itself: funds and calls in progress."""
    services, operator = services_of(request), operator_of(request)
    account = await customer_in_scope(services.db, operator, account_id)
    return page(
        request,
        "customer_live.html",
        account=account,
        live=await live_calls(services.db, operator, account_id),
        now=services.now(),
    )


@router.get("/calls")
async def show_calls(
    request: Request, account_id: AccountId, state: str = "", reason: str = "", after: str = ""
) -> Response:
    """All calls of the customer, page by page."""
    services, operator = services_of(request), operator_of(request)
    account = await customer_in_scope(services.db, operator, account_id)
    rows, next_page = await list_calls(
        services.db,
        operator,
        account_id=account_id,
        state=state_of(state),
        reason=reason_of(reason),
        after=after,
    )
    return page(
        request,
        "customer_calls.html",
        account=account,
        calls=rows,
        next_page=next_page,
        state=state,
        reason=reason,
        states=get_args(CallState),
        reasons=list(Reason),
    )


@router.get("/ledger")
async def show_ledger(request: Request, account_id: AccountId, after: str = "") -> Response:
    """All movements of the customer's money, page by page."""
    services, operator = services_of(request), operator_of(request)
    account = await customer_in_scope(services.db, operator, account_id)
    rows, next_page = await list_entries(services.db, account_id, after=after)
    return page(request, "customer_ledger.html", account=account, entries=rows, next_page=next_page)


@router.post("/lock", dependencies=[_MAY_CHANGE])
async def do_lock(request: Request, account_id: AccountId) -> Response:
    """Set or remove the customer's own lock on outgoing calls."""
    services, operator = services_of(request), operator_of(request)
    account = await customer_in_scope(services.db, operator, account_id)
    locked = text_of(await form_of(request), "locked") == "yes"
    await set_locked(services.db, account, locked, editor_of(request))
    return back_to(account, "locked" if locked else "unlocked")


@router.post("/callerids", dependencies=[_MAY_CHANGE])
async def do_add_callerid(request: Request, account_id: AccountId) -> Response:
    """Give the customer a CallerID."""
    services, operator = services_of(request), operator_of(request)
    account = await customer_in_scope(services.db, operator, account_id)
    number = text_of(await form_of(request), "number")
    try:
        await add_callerid(
            services.db,
            account.id,
            number,
            editor_of(request),
            max_callerids=services.settings.accounts.max_callerids,
        )
    except (InvalidFieldError, RefusedError) as error:
        return await customer_page(
            request, account_id, status=422, callerid_error=message_of(error), callerid=number
        )
    return back_to(account, "callerid-added")


@router.post("/callerids/{number}/remove", dependencies=[_MAY_CHANGE])
async def do_remove_callerid(request: Request, account_id: AccountId, number: str) -> Response:
    """Take a CallerID away."""
    services, operator = services_of(request), operator_of(request)
    account = await customer_in_scope(services.db, operator, account_id)
    await _check_own(services.db, account, number)
    await remove_callerid(services.db, number, editor_of(request))
    return back_to(account, "callerid-removed")


@router.post("/callerids/{number}/switch", dependencies=[_MAY_CHANGE])
async def do_switch_callerid(request: Request, account_id: AccountId, number: str) -> Response:
    """Switch a CallerID on or off."""
    services, operator = services_of(request), operator_of(request)
    account = await customer_in_scope(services.db, operator, account_id)
    active = text_of(await form_of(request), "active") == "yes"
    await _check_own(services.db, account, number)
    await switch_callerid(services.db, number, active, editor_of(request))
    return back_to(account, "callerid-on" if active else "callerid-off")


@router.get("/history")
async def show_history(
    request: Request, account_id: AccountId, before: Annotated[int, Query(ge=0, lt=2**63)] = 0
) -> Response:
    """Notes, and every change with who made it."""
    return await _history(request, account_id, before)


@router.post("/notes", dependencies=[_MAY_CHANGE])
async def do_add_note(request: Request, account_id: AccountId) -> Response:
    """Add a note to the history, once for the form and its text."""
    services, operator = services_of(request), operator_of(request)
    account = await customer_in_scope(services.db, operator, account_id)
    form = await form_of(request)
    note, at = text_of(form, "note"), services.now()
    once = f"add note to {account.id} {text_of(form, 'reference')[:64]}"
    try:
        async with services.db.acquire() as db, db.transaction():
            if await is_first(db, operator, once, note, at):
                await add_note(db, account.id, note, author=operator.signature, at=at)
    except InvalidFieldError as error:
        return await _history(request, account_id, error=error.message, note=note)
    return RedirectResponse(f"/customers/{account.id}/history?done=note-added", 303)


async def _history(
    request: Request, account_id: int, before: int = 0, *, error: str = "", note: str = ""
) -> Response:
    """The page, with what is wrong with a note typed there."""
    services, operator = services_of(request), operator_of(request)
    account = await customer_in_scope(services.db, operator, account_id)
    changes = await list_changes(
        services.db, account_id, before_id=before or None, limit=PAGE_ROWS + 1
    )
    return page(
        request,
        "customer_history.html",
        422 if error else 200,
        account=account,
        notes=await list_notes(services.db, account_id),
        changes=customer_changes(request, account, changes[:PAGE_ROWS]),
        more_before=changes[PAGE_ROWS - 1].id if len(changes) > PAGE_ROWS else None,
        reference=secrets.token_hex(16),
        note_error=error,
        note=note,
    )


@router.post("/number", dependencies=[_MAY_CHANGE])
async def do_show_number(request: Request, account_id: AccountId) -> Response:
    """Show the account number in full, once; it is logged who saw it."""
    services, operator = services_of(request), operator_of(request)
    account = await customer_in_scope(services.db, operator, account_id)
    log.info("web.number_shown", operator=operator.name, account_id=account_id)
    return page(request, "customer_number.html", account=account)


@router.post("/confirmation-link", dependencies=[_MAY_CHANGE])
async def do_show_link(request: Request, account_id: AccountId) -> Response:
    """Show the link that makes an account active which waits for it; it is logged who saw it."""
    services, operator = services_of(request), operator_of(request)
    account = await customer_in_scope(services.db, operator, account_id)
    token = await confirmation_token(services.db, account, at=services.now(), valid=VALID)
    log.info("web.link_shown", operator=operator.name, account_id=account_id)
    link = f"{request.base_url}confirm/{token}"
    return page(request, "customer_link.html", account=account, link=link, days=VALID.days)


async def customer_page(
    request: Request,
    account_id: int,
    *,
    status: int = 200,
    refill_errors: Mapping[str, str] | None = None,
    refill: Mapping[str, Any] | None = None,
    callerid_error: str = "",
    callerid: str = "",
) -> Response:
    """The page, with what was wrong with a refill or a CallerID typed there."""
    services, operator = services_of(request), operator_of(request)
    db, now = services.db, services.now()
    account = await customer_in_scope(db, operator, account_id)
    calls, more_calls = await list_calls(db, operator, account_id=account_id, limit=_RECENT)
    entries, more_entries = await list_entries(db, account_id, limit=_RECENT)
    points = await balance_over(db, account_id, now - _CHART_SPAN, now)
    return page(
        request,
        "customer.html",
        status,
        account=account,
        live=await live_calls(db, operator, account_id),
        now=now,
        calls=calls,
        more_calls=more_calls,
        entries=entries,
        more_entries=more_entries,
        chart=balance_chart(points, now),
        callerids=await list_callerids(db, account_id),
        dids=await list_dids(db, account_id=account_id, limit=PAGE_ROWS),
        phones=await list_phones(db, account_id),
        settings_at=f"{request.base_url}provisioning/…/{account.mac_address}.xml",
        details=details_of(request, account),
        traffic=await traffic_of(db, account, now),
        reference=secrets.token_hex(16),
        refill_errors=refill_errors or {},
        refill=refill or {},
        callerid_error=callerid_error,
        callerid=callerid,
    )


def state_of(word: str) -> CallState | None:
    """The state a filter names; None for any."""
    for state in get_args(CallState):
        if state == word:
            return state  # type: ignore[no-any-return]
    return None


def reason_of(word: str) -> str | None:
    """The reason a filter names; None for any."""
    return word if word in [reason.value for reason in Reason] else None


async def _check_own(db: Any, account: Account, number: str) -> None:
    if number not in [each.number for each in await list_callerids(db, account.id)]:
        raise NotFoundError(f"the customer has no CallerID {number[:20]}")


def message_of(error: InvalidFieldError | RefusedError) -> str:
    """What is said beside the one field of a form: without the field's name."""
    return error.message if isinstance(error, InvalidFieldError) else str(error)


def errors_of(error: InvalidFieldError | RefusedError) -> dict[str, str]:
    """What is wrong, by field; what belongs to no field is under the empty name."""
    if isinstance(error, InvalidFieldsError):
        return {problem.field: problem.message for problem in error.problems}
    if isinstance(error, InvalidFieldError):
        return {error.field: error.message}
    field = error.field or ""
    return {field: str(error).removeprefix(f"{field}: ")}


def editor_of(request: Request, reason: str | None = None) -> Editor:
    """Who changes what, and why it was said to be, for the audit. Raises InvalidFieldError."""
    return Editor(
        changed_by=operator_of(request).signature,
        at=services_of(request).now(),
        reason=checked_reason(reason),
    )


def back_to(account: Account, done: str) -> Response:
    """To the customer's page, with a notice of `words.NOTICES`."""
    return RedirectResponse(f"/customers/{account.id}?done={done}", 303)
