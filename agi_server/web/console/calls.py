"""Calls of all customers: in progress, ended, one with all that is known of it."""

from typing import Any, get_args

import structlog
from fastapi import APIRouter, Depends, Request
from starlette.responses import RedirectResponse, Response

from agi_server.calls.reasons import Reason
from agi_server.calls.records import CallState
from agi_server.calls.sessions import account_id_of
from agi_server.refused import NotFoundError, RefusedError
from agi_server.web.auth.roles import Right
from agi_server.web.call_lists import MOST_LIVE, find_call, list_calls, live_calls
from agi_server.web.console.access import having, operator_of
from agi_server.web.console.customer import reason_of, state_of
from agi_server.web.console.pages import page
from agi_server.web.hang_up import hang_up
from agi_server.web.services import services_of

log = structlog.get_logger()

router = APIRouter(prefix="/calls")


@router.get("")
async def show_calls(
    request: Request, state: str = "", reason: str = "", after: str = ""
) -> Response:
    """Calls, newest first, page by page."""
    services, operator = services_of(request), operator_of(request)
    rows, next_page = await list_calls(
        services.db, operator, state=state_of(state), reason=reason_of(reason), after=after
    )
    return page(
        request,
        "calls.html",
        calls=rows,
        next_page=next_page,
        state=state,
        reason=reason,
        states=get_args(CallState),
        reasons=list(Reason),
    )


@router.get("/live")
async def show_live(request: Request) -> Response:
    """Calls in progress; htmx asks for the table alone."""
    services, operator = services_of(request), operator_of(request)
    alone = request.headers.get("hx-request") == "true"
    return page(
        request,
        "live_table.html" if alone else "live.html",
        live=await live_calls(services.db, operator),
        most=MOST_LIVE,
        now=services.now(),
    )


@router.get("/{call_id}")
async def show_call(request: Request, call_id: str) -> Response:
    """One call: who, where to, how long, and its price line by line."""
    call = await _call_in_scope(request, call_id)
    return page(request, "call.html", call=call, now=services_of(request).now())


@router.post("/{call_id}/hang-up", dependencies=[Depends(having(Right.END_CALLS))])
async def do_hang_up(request: Request, call_id: str) -> Response:
    """Ask Asterisk to end the call."""
    services, operator = services_of(request), operator_of(request)
    call = await _call_in_scope(request, call_id)
    if call["state"] != "open":
        raise RefusedError("the call has ended already")
    await hang_up(services.settings.ami, call["channel"], call["uniqueid"])
    log.info("web.hung_up", operator=operator.name, call_id=call_id, account_id=call["account_id"])
    return RedirectResponse("/calls/live?done=hung-up", 303)


async def _call_in_scope(request: Request, call_id: str) -> Any:
    """Raises NotFoundError, also for a call of another group's customer."""
    services, operator = services_of(request), operator_of(request)
    account_id = _account_of(call_id)
    call = None if account_id is None else await find_call(services.db, account_id, call_id)
    if call is None:
        raise NotFoundError("there is no such call")
    if operator.group_id is not None and call["group_id"] != operator.group_id:
        log.warning("web.refused", operator=operator.name, reason="another group's call",
                    account_id=call["account_id"])  # fmt: skip
        raise NotFoundError("there is no such call")
    return call


def _account_of(call_id: str) -> int | None:
    """Calls of nobody, which were refused, have the account 0."""
    return 0 if call_id.startswith("0-") else account_id_of(call_id)
