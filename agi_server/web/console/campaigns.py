"""Campaigns: customers that are looked at and acted on together."""

import secrets
from collections.abc import Mapping
from typing import Any

from fastapi import APIRouter, Depends, Request
from starlette.datastructures import FormData
from starlette.responses import RedirectResponse, Response

from agi_server.accounts.campaigns import (
    create_campaign,
    delete_campaign,
    find_campaign,
    list_campaigns,
    refill_campaign,
)
from agi_server.refused import InvalidFieldError, RefusedError
from agi_server.web.auth.roles import Right
from agi_server.web.console.access import form_of, having, operator_of, text_of
from agi_server.web.console.change_words import business_changes
from agi_server.web.console.creation import bind_form
from agi_server.web.console.customer import editor_of, errors_of
from agi_server.web.console.customer_money import asked_of
from agi_server.web.console.pages import page
from agi_server.web.services import services_of

router = APIRouter(prefix="/campaigns", dependencies=[Depends(having(Right.SEE_BUSINESS))])

_MAY_CHANGE = Depends(having(Right.CHANGE_BUSINESS))
_MAY_MOVE_MONEY = Depends(having(Right.MOVE_MONEY))


@router.get("")
async def show_campaigns(request: Request) -> Response:
    """All campaigns, and a form for another."""
    return await _page(request)


@router.post("", dependencies=[_MAY_CHANGE])
async def do_create_campaign(request: Request) -> Response:
    """Create a campaign."""
    form = await form_of(request)
    name, description = text_of(form, "name"), text_of(form, "description")
    try:
        await create_campaign(services_of(request).db, name, description, editor_of(request))
    except (InvalidFieldError, RefusedError) as error:
        return await _page(request, str(error), form)
    return RedirectResponse("/campaigns?done=saved", 303)


@router.post("/{name}/delete", dependencies=[_MAY_CHANGE])
async def do_delete_campaign(request: Request, name: str) -> Response:
    """Delete a campaign that nobody is in."""
    await delete_campaign(services_of(request).db, name, editor_of(request))
    return RedirectResponse("/campaigns?done=removed", 303)


@router.get("/{name}/refill", dependencies=[_MAY_MOVE_MONEY])
async def show_refill(request: Request, name: str) -> Response:
    """The form that gives each customer of the campaign credit."""
    return await _refill_page(request, name)


@router.post("/{name}/refill", dependencies=[_MAY_MOVE_MONEY])
async def do_refill(request: Request, name: str) -> Response:
    """Give each customer of the campaign credit, once for the form; first ask to confirm."""
    form = await form_of(request)
    try:
        asked = asked_of(form)
    except InvalidFieldError as error:
        return await _refill_page(request, name, form, errors_of(error))
    if text_of(form, "confirmed") != "yes":
        return await _refill_page(request, name, form, amount_micros=asked.amount_micros)
    counts = {True: 0, False: 0}
    services = services_of(request)
    await find_campaign(services.db, name)
    once = f"refill campaign {asked.reference}"
    given_to = {"campaign": name, "amount": asked.amount_micros, "note": asked.note}
    try:
        await bind_form(services.db, operator_of(request), once, given_to, services.now())
    except RefusedError as error:
        return await _refill_page(request, name, form, {"": str(error)})
    async for given in refill_campaign(
        services.db,
        name,
        asked.amount_micros,
        editor_of(request),
        reference=f"web:{asked.reference}",
        note=asked.note,
    ):
        counts[given] += 1
    return page(
        request, "campaign_refilled.html", name=name, given=counts[True], before=counts[False]
    )


async def _page(request: Request, error: str = "", form: FormData | None = None) -> Response:
    return page(
        request,
        "campaigns.html",
        422 if error else 200,
        campaigns=await list_campaigns(services_of(request).db),
        changes=await business_changes(request, "campaign"),
        error=error,
        given=form or {},
    )


async def _refill_page(
    request: Request,
    name: str,
    form: FormData | None = None,
    errors: Mapping[str, str] | None = None,
    amount_micros: int | None = None,
) -> Response:
    """The form or, with an amount, what is asked once more."""
    given: Mapping[str, Any] = form or {}
    return page(
        request,
        "campaign_refill.html",
        422 if errors else 200,
        campaign=await find_campaign(services_of(request).db, name),
        given=given,
        reference=given.get("reference") or secrets.token_hex(16),
        amount_micros=amount_micros,
        errors=errors or {},
    )
