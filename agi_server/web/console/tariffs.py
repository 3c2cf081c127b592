"""Call plans and trunks: the lists, and the pages that create and change one."""

from typing import Annotated, Any, cast

from fastapi import APIRouter, Depends, Path, Request
from starlette.responses import RedirectResponse, Response

from agi_server.refused import InvalidFieldError, NotFoundError, RefusedError
from agi_server.settings import HoldMode
from agi_server.storage.postgres.statements import statement
from agi_server.tariffs.dialling_texts import local_digits_of, short_codes_of
from agi_server.tariffs.packages import list_packages
from agi_server.tariffs.plans import StoredPlan, change_plan, create_plan, list_plans
from agi_server.tariffs.trunks import (
    StoredTrunk,
    change_trunk,
    create_trunk,
    list_trunks,
    switch_trunk,
)
from agi_server.web.auth.roles import Right
from agi_server.web.console.access import form_of, having, text_of
from agi_server.web.console.customer import editor_of, errors_of
from agi_server.web.console.languages import N_
from agi_server.web.console.pages import page
from agi_server.web.console.stale import refuse_unseen
from agi_server.web.console.tariff_form import (
    PLAN_FIELDS,
    Texts,
    chosen,
    tariff_form,
    texts_of_form,
)
from agi_server.web.services import services_of
from rating.routing import RouteOrder, SellPrice

router = APIRouter(dependencies=[Depends(having(Right.SEE_BUSINESS))])

_MAY_CHANGE = Depends(having(Right.CHANGE_BUSINESS))
_REFUSALS = (InvalidFieldError, RefusedError)
Id = Annotated[int, Path(ge=1, lt=2**63)]


@router.get("/plans")
async def show_plans(request: Request) -> Response:
    """All call plans."""
    services = services_of(request)
    cards = await services.db.fetch(statement("web/list_cards"), services.now())
    return page(request, "plans.html", plans=await list_plans(services.db), cards=cards)


@router.get("/plans/new", dependencies=[_MAY_CHANGE])
async def show_new_plan(request: Request) -> Response:
    """The form for another call plan."""
    empty: Texts = {
        "card": [],
        "package": [],
        "route_order": RouteOrder.PRIORITY,
        "sell_price": SellPrice.FIRST_CARD,
        "hold_mode": "default",
    }
    return await _plan_form(request, empty)


@router.post("/plans/new", dependencies=[_MAY_CHANGE])
async def do_create_plan(request: Request) -> Response:
    """Create a call plan; the first of its cards that prices a number counts."""
    texts = texts_of_form(await form_of(request), "plan")
    try:
        terms = _plan_terms(texts)
        hold_mode = terms.pop("hold_mode")
        await create_plan(
            services_of(request).db,
            texts["name"],
            hold_mode=None if hold_mode == "default" else cast(HoldMode, hold_mode),
            editor=editor_of(request),
            **terms,
        )
    except _REFUSALS as error:
        return await _plan_form(request, texts, error=error)
    return RedirectResponse("/plans?done=saved", 303)


@router.get("/plans/{plan_id}")
async def show_plan(request: Request, plan_id: Id) -> Response:
    """One call plan, with a form that changes it."""
    plan = await _plan(request, plan_id)
    return await _plan_form(request, _texts_of_plan(plan), plan.name)


@router.post("/plans/{plan_id}", dependencies=[_MAY_CHANGE])
async def do_change_plan(request: Request, plan_id: Id) -> Response:
    """Change a call plan; new calls go by it at once."""
    plan = await _plan(request, plan_id)
    form = await form_of(request)
    texts = texts_of_form(form, "plan")
    try:
        await refuse_unseen(request, form, "plan", plan.name)
        db, editor = services_of(request).db, editor_of(request)
        await change_plan(db, plan.name, editor=editor, **_plan_terms(texts))
    except _REFUSALS as error:
        return await _plan_form(request, texts, plan.name, error)
    return RedirectResponse(f"/plans/{plan_id}?done=saved", 303)


@router.get("/trunks")
async def show_trunks(request: Request) -> Response:
    """All trunks."""
    return page(request, "trunks.html", trunks=await list_trunks(services_of(request).db))


@router.get("/trunks/new", dependencies=[_MAY_CHANGE])
async def show_new_trunk(request: Request) -> Response:
    """The form for another trunk."""
    return await tariff_form(request, "trunk", {"capacity": "0"})


@router.post("/trunks/new", dependencies=[_MAY_CHANGE])
async def do_create_trunk(request: Request) -> Response:
    """Create a trunk."""
    texts = texts_of_form(await form_of(request), "trunk")
    db, editor = services_of(request).db, editor_of(request)
    try:
        await create_trunk(db, texts["name"], editor=editor, **_trunk_terms(texts))
    except _REFUSALS as error:
        return await tariff_form(request, "trunk", texts, errors=errors_of(error))
    return RedirectResponse("/trunks?done=saved", 303)


@router.get("/trunks/{trunk_id}")
async def show_trunk(request: Request, trunk_id: Id) -> Response:
    """One trunk, with a form that changes it."""
    trunk = await _trunk(request, trunk_id)
    texts: Texts = {
        "dial": trunk.dial,
        "strip": trunk.strip,
        "add_prefix": trunk.add_prefix,
        "capacity": str(trunk.capacity),
    }
    return await tariff_form(request, "trunk", texts, name=trunk.name)


@router.post("/trunks/{trunk_id}", dependencies=[_MAY_CHANGE])
async def do_change_trunk(request: Request, trunk_id: Id) -> Response:
    """Change a trunk; new calls go by it at once."""
    trunk = await _trunk(request, trunk_id)
    form = await form_of(request)
    texts = texts_of_form(form, "trunk")
    try:
        await refuse_unseen(request, form, "trunk", trunk.name)
        db, editor = services_of(request).db, editor_of(request)
        await change_trunk(db, trunk.name, editor=editor, **_trunk_terms(texts))
    except _REFUSALS as error:
        errors = errors_of(error)
        return await tariff_form(request, "trunk", texts, name=trunk.name, errors=errors)
    return RedirectResponse(f"/trunks/{trunk_id}?done=saved", 303)


@router.post("/trunks/{trunk_id}/switch", dependencies=[_MAY_CHANGE])
async def do_switch_trunk(request: Request, trunk_id: Id) -> Response:
    """Take a trunk in or out of service."""
    trunk = await _trunk(request, trunk_id)
    enabled = text_of(await form_of(request), "enabled") == "yes"
    await switch_trunk(services_of(request).db, trunk.name, enabled, editor_of(request))
    return RedirectResponse("/trunks?done=saved", 303)


def whole_number(field: str, text: str) -> int:
    """Of a form. Raises InvalidFieldError."""
    if not (text.isascii() and text.isdigit() and len(text) < 10):
        raise InvalidFieldError(field, N_("must be a whole number"))
    return int(text)


async def _plan(request: Request, plan_id: int) -> StoredPlan:
    """Raises NotFoundError."""
    for plan in await list_plans(services_of(request).db):
        if plan.id == plan_id:
            return plan
    raise NotFoundError(f"no call plan has id {plan_id}")


async def _trunk(request: Request, trunk_id: int) -> StoredTrunk:
    """Raises NotFoundError."""
    for trunk in await list_trunks(services_of(request).db):
        if trunk.id == trunk_id:
            return trunk
    raise NotFoundError(f"no trunk has id {trunk_id}")


async def _plan_form(
    request: Request, texts: Texts, name: str = "", error: Exception | None = None
) -> Response:
    services = services_of(request)
    cards = await services.db.fetch(statement("web/list_cards"), services.now())
    options = {
        "card": [card["name"] for card in cards],
        "package": [package.name for package in await list_packages(services.db)],
    }
    errors = errors_of(error) if isinstance(error, _REFUSALS) else {}
    return await tariff_form(request, "plan", texts, name=name, errors=errors, options=options)


def _plan_terms(texts: Texts) -> dict[str, Any]:
    """Raises InvalidFieldError."""
    for field in PLAN_FIELDS:
        if field.kind == "choice":
            chosen(texts, field.name, field.choices)
    return {
        "cards": texts["card"],
        "packages": texts["package"],
        "route_order": RouteOrder(texts["route_order"]),
        "sell_price": SellPrice(texts["sell_price"]),
        "allow_loss": texts["allow_loss"],
        "hold_mode": texts["hold_mode"],
        "dialling": {
            "country": texts["country"].upper(),
            "area_code": texts["area_code"],
            "local_lengths": local_digits_of(texts["local_digits"]),
            "short_codes": short_codes_of(texts["short_codes"]),
        },
    }


def _texts_of_plan(plan: StoredPlan) -> Texts:
    return {
        "card": list(plan.cards),
        "package": list(plan.packages),
        "route_order": plan.route_order,
        "sell_price": plan.sell_price,
        "allow_loss": plan.allow_loss,
        "hold_mode": plan.hold_mode or "default",
        "country": plan.dialling.country,
        "area_code": plan.dialling.area_code,
        "local_digits": ",".join(map(str, plan.dialling.local_lengths)),
        "short_codes": ",".join(plan.dialling.short_codes),
    }


def _trunk_terms(texts: Texts) -> dict[str, Any]:
    """Raises InvalidFieldError."""
    return {
        "dial": texts["dial"],
        "strip": texts["strip"],
        "add_prefix": texts["add_prefix"],
        "capacity": whole_number("capacity", texts["capacity"] or "0"),
    }
