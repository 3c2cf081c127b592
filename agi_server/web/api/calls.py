"""Calls: in progress, ended, hung up."""

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Path, Query, Request
from pydantic import BaseModel, Field
from starlette.responses import Response

from agi_server.calls.reasons import Reason
from agi_server.calls.records import CallState
from agi_server.refused import RefusedError
from agi_server.web.api.access import Caller, having
from agi_server.web.api.shapes import Text, moment, money
from agi_server.web.auth.roles import Right
from agi_server.web.call_lists import call_in_scope, list_calls, live_calls
from agi_server.web.hang_up import hang_up
from agi_server.web.services import services_of

router = APIRouter(prefix="/calls", tags=["calls"])


class Call(BaseModel):
    """One call. Money is a decimal string in `currency`, null where it does not apply yet."""

    call_id: str
    customer: int | None
    state: CallState | None = None
    direction: Literal["outbound", "inbound", "on_net"]
    did: str | None = Field(description="The DID that was called.")
    callerid: str
    destination: str | None
    place: str | None
    reason: str | None = None
    authorized_at: str
    limit_ms: int | None
    held: str | None
    trunk: str | None
    dialstatus: str | None = None
    talk_ms: int | None = None
    billed_seconds: int | None = None
    cost: str | None = None
    currency: str | None


class CallPage(BaseModel):
    """Calls, newest first; `next` is `after` of the next page."""

    calls: list[Call]
    next: str | None


def call_json(row: Any) -> dict[str, Any]:
    """A call of a list."""
    found = dict(row)
    same = (
        "call_id",
        "direction",
        "did",
        "callerid",
        "destination",
        "place",
        "limit_ms",
        "trunk",
        "currency",
    )
    ended = ("state", "reason", "dialstatus", "talk_ms", "billed_seconds")
    return {
        **{name: found[name] for name in same},
        **{name: found.get(name) for name in ended},
        "state": found.get("state", "open"),
        "customer": found["account_id"] or None,
        "authorized_at": moment(found["authorized_at"]),
        "held": money(found["held_micros"]),
        "cost": money(found.get("cost_micros")),
    }


@router.get("", response_model=CallPage)
async def find_calls(
    request: Request,
    operator: Caller,
    state: CallState | None = None,
    reason: Reason | None = None,
    after: Annotated[Text, Query(max_length=400)] = "",
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
) -> Any:
    """A page of calls."""
    rows, next_page = await list_calls(
        services_of(request).db, operator, state=state, reason=reason, after=after, limit=limit
    )
    return {"calls": [call_json(row) for row in rows], "next": next_page}


@router.get("/live", response_model=CallPage)
async def find_live_calls(request: Request, operator: Caller) -> Any:
    """Calls in progress, newest first."""
    rows = await live_calls(services_of(request).db, operator)
    return {"calls": [call_json(row) for row in rows], "next": None}


@router.post(
    "/{call_id}/hang-up",
    status_code=202,
    response_class=Response,
    dependencies=[Depends(having(Right.END_CALLS))],
)
async def hang_up_call(
    request: Request, operator: Caller, call_id: Annotated[Text, Path(max_length=60)]
) -> Response:
    """Ask Asterisk to end a call in progress; it is settled as always."""
    services = services_of(request)
    call = await call_in_scope(services.db, operator, call_id)
    if call["state"] != "open":
        raise RefusedError("the call has ended already")
    await hang_up(services.links, call, operator)
    return Response(status_code=202)
