"""DIDs: the list, one DID with its destinations, and what an operator does with them."""

from datetime import datetime
from typing import Annotated, Any
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Depends, Path, Request
from starlette.datastructures import FormData
from starlette.responses import RedirectResponse, Response

from agi_server.accounts import did_destinations, dids
from agi_server.accounts.customers import find_by_id, find_named
from agi_server.accounts.new_dids import NewDid, add_did
from agi_server.refused import InvalidFieldError, RefusedError
from agi_server.web.auth.roles import Right
from agi_server.web.console.access import form_of, having, operator_of, text_of
from agi_server.web.console.change_words import did_changes
from agi_server.web.console.choices import names_for
from agi_server.web.console.customer import editor_of
from agi_server.web.console.languages import N_
from agi_server.web.console.pages import page
from agi_server.web.did_scope import did_in_scope, dids_in_scope
from agi_server.web.services import services_of

router = APIRouter(prefix="/dids")

Number = Annotated[str, Path(max_length=20)]
_MAY_CHANGE = Depends(having(Right.CHANGE_BUSINESS))
_MAY_CHANGE_CUSTOMERS = Depends(having(Right.CHANGE_CUSTOMERS))
_REFUSALS = (InvalidFieldError, RefusedError)
_LONGEST_SEARCH = 30
_FORM_TIME = "%Y-%m-%dT%H:%M:%S"
_WITHOUT_SECONDS = len("2030-06-01T12:00")


@router.get("")
async def show_dids(
    request: Request,
    search: str = "",
    group: str = "",
    unassigned: str = "",
    after: str = "",
) -> Response:
    """A page of DIDs, by search and filters."""
    search = search.strip()[:_LONGEST_SEARCH]
    return await _list(request, search=search, group=group, unassigned=unassigned, after=after)


@router.post("", dependencies=[_MAY_CHANGE])
async def do_add(request: Request) -> Response:
    """Add a DID, perhaps a customer's at once."""
    form = await form_of(request)
    try:
        async with services_of(request).db.acquire() as db, db.transaction():
            customer = text_of(form, "customer")
            new = NewDid(
                number=text_of(form, "number"),
                account_id=(await find_named(db, customer)).id if customer else None,
                destinations=tuple(text_of(form, "destinations").split()),
                **_fields(request, form),
            )
            added = await add_did(db, new, editor_of(request))
    except _REFUSALS as error:
        return await _list(request, error=str(error), form=form)
    return _back_to(added.number, "did-added")


@router.get("/{number}")
async def show_did(request: Request, number: Number) -> Response:
    """One DID: whose it is, where it rings, and what was changed."""
    return await _page(request, number)


@router.post("/{number}/change", dependencies=[_MAY_CHANGE])
async def do_change(request: Request, number: Number) -> Response:
    """Change group, plan, dates, and whether it takes calls."""
    form = await form_of(request)
    db = services_of(request).db
    before = await dids.find_did(db, number)
    try:
        if text_of(form, "seen") != await _last_change(db, before.number):
            raise RefusedError(N_("somebody has changed this meanwhile: load the page anew"))
        values = {**_fields(request, form, before), "active": text_of(form, "active") == "yes"}
        await dids.update_did(db, number, values, editor_of(request))
    except _REFUSALS as error:
        return await _page(request, number, str(error), form)
    return _back_to(number, "saved")


@router.post("/{number}/assign", dependencies=[_MAY_CHANGE])
async def do_assign(request: Request, number: Number) -> Response:
    """Give the DID to a customer, named by the whole account number or `id:12`."""
    db = services_of(request).db
    form = await form_of(request)
    try:
        account = await find_named(db, text_of(form, "customer"))
        await dids.assign_did(db, number, account.id, editor_of(request))
    except _REFUSALS as error:
        return await _page(request, number, str(error), form)
    return _back_to(number, "did-assigned")


@router.post("/{number}/release", dependencies=[_MAY_CHANGE])
async def do_release(request: Request, number: Number) -> Response:
    """Take the DID, with its destinations, away from its customer."""
    await dids.release_did(services_of(request).db, number, editor_of(request))
    return _back_to(number, "did-released")


@router.post("/{number}/delete", dependencies=[_MAY_CHANGE])
async def do_delete(request: Request, number: Number) -> Response:
    """Delete a DID that is nobody's."""
    await dids.delete_did(services_of(request).db, number, editor_of(request))
    return RedirectResponse("/dids?done=did-deleted", 303)


@router.post("/{number}/destinations", dependencies=[_MAY_CHANGE_CUSTOMERS])
async def do_add_destination(request: Request, number: Number) -> Response:
    """Have the DID ring there, too."""
    db = services_of(request).db
    await did_in_scope(db, operator_of(request), number)
    form = await form_of(request)
    try:
        target = text_of(form, "kind")
        if target == "number":
            target = text_of(form, "destination")
        await did_destinations.add_destination(
            db, number, target, editor_of(request), priority=_priority(text_of(form, "priority"))
        )
    except _REFUSALS as error:
        return await _page(request, number, str(error), form)
    return _back_to(number, "saved")


@router.post("/{number}/destinations/{priority}/remove", dependencies=[_MAY_CHANGE_CUSTOMERS])
async def do_remove_destination(request: Request, number: Number, priority: int) -> Response:
    """Take a destination away."""
    db = services_of(request).db
    await did_in_scope(db, operator_of(request), number)
    await did_destinations.remove_destination(db, number, priority, editor_of(request))
    return _back_to(number, "saved")


@router.post("/{number}/destinations/{priority}/switch", dependencies=[_MAY_CHANGE_CUSTOMERS])
async def do_switch_destination(request: Request, number: Number, priority: int) -> Response:
    """Have a destination ring, or be passed over."""
    db = services_of(request).db
    await did_in_scope(db, operator_of(request), number)
    active = text_of(await form_of(request), "active") == "yes"
    await did_destinations.switch_destination(db, number, priority, active, editor_of(request))
    return _back_to(number, "saved")


async def _list(
    request: Request,
    *,
    search: str = "",
    group: str = "",
    unassigned: str = "",
    after: str = "",
    error: str = "",
    form: FormData | None = None,
) -> Response:
    services, operator = services_of(request), operator_of(request)
    rows, next_page = await dids_in_scope(
        services.db,
        operator,
        group=group,
        unassigned=unassigned == "yes",
        search=search,
        after=after,
    )
    given = {"search": search, "group": group, "unassigned": unassigned}
    return page(
        request,
        "dids.html",
        422 if error else 200,
        dids=rows,
        next_page=next_page,
        first_page=not after,
        query={name: text for name, text in given.items() if text},
        chosen=given,
        now=services.now(),
        names=await names_for(services.db, operator),
        error=error,
        given=form or {},
    )


async def _page(
    request: Request, number: str, error: str = "", form: FormData | None = None
) -> Response:
    """One DID; with the form that was refused, what was typed in it."""
    services, operator = services_of(request), operator_of(request)
    did = await did_in_scope(services.db, operator, number)
    # What was before is another reseller's business.
    owned_by = None if operator.group_id is None else did.account_id
    changes = await dids.list_did_changes(services.db, did.number, 50, owned_by=owned_by)
    seen = await _last_change(services.db, did.number)
    return page(
        request,
        "did.html",
        422 if error else 200,
        did=did,
        owner=None if did.account_id is None else await find_by_id(services.db, did.account_id),
        given={**_shown(did, ZoneInfo(operator.timezone), seen), **_sent(form)},
        most=did_destinations.MOST_DESTINATIONS,
        changes=did_changes(request, operator.timezone, changes),
        now=services.now(),
        names=await names_for(services.db, operator),
        error=error,
    )


async def _last_change(db: Any, number: str) -> str:
    changes = await dids.list_did_changes(db, number, 1)
    return str(changes[0].id) if changes else ""


def _shown(did: dids.Did, zone: ZoneInfo, seen: str) -> dict[str, str]:
    """The form of a DID as it is stored."""
    return {
        "group": did.group or "",
        "plan": did.plan or "",
        "valid_from": _typed(did.valid_from, zone),
        "valid_until": _typed(did.valid_until, zone),
        "active": "yes" if did.active else "",
        "seen": seen,
    }


def _sent(form: FormData | None) -> dict[str, str]:
    """What was typed in a form of the page; only that which changes the DID says what it saw."""
    if form is None:
        return {}
    unticked = {"active": ""} if "seen" in form else {}
    return {**unticked, **{name: text_of(form, name) for name in form}}


def _fields(request: Request, form: FormData, before: dids.Did | None = None) -> dict[str, Any]:
    """Raises InvalidFieldError."""
    zone = ZoneInfo(operator_of(request).timezone)
    old = (None, None) if before is None else (before.valid_from, before.valid_until)
    return {
        "group": text_of(form, "group") or None,
        "plan": text_of(form, "plan") or None,
        "valid_from": _moment("valid_from", text_of(form, "valid_from"), zone, old[0]),
        "valid_until": _moment("valid_until", text_of(form, "valid_until"), zone, old[1]),
    }


def _moment(field: str, text: str, zone: ZoneInfo, old: datetime | None) -> datetime | None:
    """What a browser sends, in the operator's zone; it leaves seconds away that are none.

    What the form showed of the `old` value, finer than a second or twice in the night when clocks
    go back, is that value.
    """
    if not text:
        return None
    whole = f"{text}:00" if len(text) == _WITHOUT_SECONDS else text
    if whole == _typed(old, zone):
        return old
    try:
        return datetime.strptime(whole, _FORM_TIME).replace(tzinfo=zone)
    except ValueError:
        raise InvalidFieldError(field, "must be a date and a time") from None


def _typed(value: datetime | None, zone: ZoneInfo) -> str:
    return "" if value is None else value.astimezone(zone).strftime(_FORM_TIME)


def _priority(text: str) -> int | None:
    if not text:
        return None
    if not (text.isascii() and text.isdigit() and len(text) < 3):
        raise InvalidFieldError("priority", "must be 1 to 99")
    return int(text)


def _back_to(number: str, done: str) -> Response:
    return RedirectResponse(f"/dids/{dids.did_number(number)}?done={done}", 303)
