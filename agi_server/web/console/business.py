"""What the business sells and how: call plans, trunks, and the settings to look at."""

from fastapi import APIRouter, Depends, Request
from starlette.datastructures import FormData
from starlette.responses import RedirectResponse, Response

from agi_server.refused import InvalidFieldError, RefusedError
from agi_server.settings import effective
from agi_server.storage.postgres.statements import statement
from agi_server.tariffs.plans import create_plan, list_plans
from agi_server.tariffs.trunks import create_trunk, list_trunks, switch_trunk
from agi_server.web.auth.operators import list_operators, list_tokens
from agi_server.web.auth.roles import Right
from agi_server.web.console.access import form_of, having, text_of
from agi_server.web.console.pages import page
from agi_server.web.services import services_of
from rating.routing import RouteOrder

router = APIRouter(dependencies=[Depends(having(Right.SEE_BUSINESS))])

_MAY_CHANGE = Depends(having(Right.CHANGE_BUSINESS))
_REFUSALS = (InvalidFieldError, RefusedError)


@router.get("/plans")
async def show_plans(request: Request) -> Response:
    """All call plans, and a form for another."""
    return await _plans(request)


@router.post("/plans", dependencies=[_MAY_CHANGE])
async def do_create_plan(request: Request) -> Response:
    """Create a call plan of one or more rate cards, in the order in which they were written."""
    form = await form_of(request)
    cards = [name for each in form.getlist("card") if (name := str(each).strip())]
    try:
        await create_plan(
            services_of(request).db,
            text_of(form, "name"),
            cards,
            route_order=RouteOrder(text_of(form, "route_order") or RouteOrder.PRIORITY),
        )
    except ValueError as error:
        return await _plans(request, str(error), form)
    except RefusedError as error:
        return await _plans(request, str(error), form)
    return RedirectResponse("/plans?done=saved", 303)


@router.get("/trunks")
async def show_trunks(request: Request) -> Response:
    """All trunks, and a form for another."""
    return await _trunks(request)


@router.post("/trunks", dependencies=[_MAY_CHANGE])
async def do_create_trunk(request: Request) -> Response:
    """Create a trunk."""
    form = await form_of(request)
    try:
        await create_trunk(
            services_of(request).db,
            text_of(form, "name"),
            text_of(form, "dial"),
            capacity=whole_number("capacity", text_of(form, "capacity") or "0"),
        )
    except _REFUSALS as error:
        return await _trunks(request, str(error), form)
    return RedirectResponse("/trunks?done=saved", 303)


@router.post("/trunks/{name}/switch", dependencies=[_MAY_CHANGE])
async def do_switch_trunk(request: Request, name: str) -> Response:
    """Take a trunk in or out of service."""
    enabled = text_of(await form_of(request), "enabled") == "yes"
    await switch_trunk(services_of(request).db, name, enabled)
    return RedirectResponse("/trunks?done=saved", 303)


@router.get("/settings", dependencies=[_MAY_CHANGE])
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


async def _plans(request: Request, error: str = "", form: FormData | None = None) -> Response:
    services = services_of(request)
    return page(
        request,
        "plans.html",
        422 if error else 200,
        plans=await list_plans(services.db),
        cards=await services.db.fetch(statement("web/list_cards"), services.now()),
        route_orders=list(RouteOrder),
        error=error,
        given=form or {},
    )


async def _trunks(request: Request, error: str = "", form: FormData | None = None) -> Response:
    trunks = await list_trunks(services_of(request).db)
    status = 422 if error else 200
    return page(request, "trunks.html", status, trunks=trunks, error=error, given=form or {})


def whole_number(field: str, text: str) -> int:
    """Of a form. Raises InvalidFieldError."""
    if not (text.isascii() and text.isdigit() and len(text) < 10):
        raise InvalidFieldError(field, "must be a whole number")
    return int(text)
