"""Calls of all customers: in progress, ended, one with all that is known of it."""

from typing import get_args

from fastapi import APIRouter, Depends, Request
from starlette.responses import RedirectResponse, Response

from agi_server.calls.reasons import Reason
from agi_server.calls.records import CallState
from agi_server.refused import RefusedError
from agi_server.web.auth.roles import Right
from agi_server.web.call_lists import MOST_LIVE, call_in_scope, list_calls, live_calls
from agi_server.web.console.access import having, operator_of
from agi_server.web.console.customer import reason_of, state_of
from agi_server.web.console.pages import page
from agi_server.web.hang_up import hang_up
from agi_server.web.services import services_of

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
    services = services_of(request)
    call = await call_in_scope(services.db, operator_of(request), call_id)
    return page(request, "call.html", call=call, now=services.now())


@router.post("/{call_id}/hang-up", dependencies=[Depends(having(Right.END_CALLS))])
async def do_hang_up(request: Request, call_id: str) -> Response:
    """Ask Asterisk to end the call."""
    services, operator = services_of(request), operator_of(request)
    call = await call_in_scope(services.db, operator, call_id)
    if call["state"] != "open":
        raise RefusedError("the call has ended already")
    await hang_up(services.links, call, operator)
    return RedirectResponse("/calls/live?done=hung-up", 303)
