"""What the business sells and how: call plans, trunks, and the settings to look at."""

from fastapi import APIRouter, Depends, Request
from starlette.responses import Response

from agi_server.refused import InvalidFieldError, RefusedError
from agi_server.settings import effective
from agi_server.web.auth.operators import list_operators, list_tokens
from agi_server.web.auth.roles import Right
from agi_server.web.console.access import having
from agi_server.web.console.pages import page
from agi_server.web.services import services_of

router = APIRouter(dependencies=[Depends(having(Right.SEE_BUSINESS))])

_MAY_CHANGE = Depends(having(Right.CHANGE_BUSINESS))
_REFUSALS = (InvalidFieldError, RefusedError)


@router.get("/settings")
async def show_settings(request: Request) -> Response:
    """The settings of this daemon, secrets masked; they are changed in its file."""
    sections: dict[str, list[object]] = {}
    for row in effective(services_of(request).settings):
        sections.setdefault(row.name.partition(".")[0], []).append(row)
    return page(request, "settings.html", sections=sections)


@router.get("/operators", dependencies=[_MAY_CHANGE])
async def show_operators(request: Request) -> Response:
    """Who may sign in, and the tokens of the API; both are made on the command line."""
    db = services_of(request).db
    return page(
        request,
        "operators.html",
        operators=await list_operators(db),
        tokens=await list_tokens(db),
    )
