"""Rate cards: their versions, and new ones from uploaded sheets."""

from collections.abc import Mapping
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path, Request
from starlette.datastructures import UploadFile
from starlette.responses import RedirectResponse, Response

from agi_server.refused import InvalidFieldError, InvalidFieldsError, NotFoundError, RefusedError
from agi_server.storage.postgres.statements import statement
from agi_server.tariffs.rate_cards import activate_version, list_versions
from agi_server.tariffs.trunks import list_trunks
from agi_server.web.auth.roles import Right
from agi_server.web.console.access import form_of, having, text_of
from agi_server.web.console.pages import page
from agi_server.web.rate_lists import list_rates
from agi_server.web.services import services_of
from agi_server.web.sheet_form import SAID, said_of_sheet
from agi_server.web.sheet_upload import Sheet, SheetOutcome, take_sheet

router = APIRouter(prefix="/rates", dependencies=[Depends(having(Right.SEE_BUSINESS))])

_FIELDS = ("card", "currency", "trunk", "store", "changes_only", *SAID)
# The form's field, where its argument has another name.
_AT = {"name": "card"}
_MAY_CHANGE = Depends(having(Right.CHANGE_BUSINESS))


@router.get("")
async def show_cards(request: Request, card: str = "") -> Response:
    """All rate cards, and the form for a new version of one."""
    return await _cards_page(request, texts={"card": card})


@router.post("", dependencies=[_MAY_CHANGE])
async def do_upload(request: Request) -> Response:
    """Compare an uploaded sheet with what is in force, and store it as an inactive version."""
    services = services_of(request)
    form = await form_of(request)
    texts = {name: text_of(form, name) for name in _FIELDS}
    try:
        file = form.get("sheet")
        if not isinstance(file, UploadFile) or not file.filename:
            raise InvalidFieldError("sheet", "choose a file")
        sheet = Sheet(
            card=texts["card"],
            name=file.filename[:200],
            content=await file.read(),
            currency=texts["currency"].upper(),
            default_currency=services.settings.accounts.currency,
            said=said_of_sheet(texts),
            changes_only=texts["changes_only"] == "yes",
            trunks=(texts["trunk"],) if texts["trunk"] else (),
            store=texts["store"] != "no",
        )
        outcome = await take_sheet(services.postgres_dsn, sheet, services.now())
    except InvalidFieldError as error:
        problems = error.problems if isinstance(error, InvalidFieldsError) else (error,)
        wrong = {_AT.get(each.field, each.field): each.message for each in problems}
        return await _cards_page(request, 422, wrong=wrong, texts=texts)
    except RefusedError as error:
        if error.field is not None:
            return await _cards_page(request, 422, wrong={error.field: str(error)}, texts=texts)
        return await _cards_page(request, 422, error=str(error), texts=texts)
    return await _outcome_page(request, sheet, outcome, texts)


@router.get("/{card}")
async def show_card(request: Request, card: str) -> Response:
    """A card's versions."""
    services = services_of(request)
    versions = await list_versions(services.db, card, at=services.now())
    if not versions:
        raise NotFoundError(f"there is no rate card {card}")
    return page(request, "card.html", card=card, versions=versions, now=services.now())


@router.get("/{card}/{version}")
async def show_rates(
    request: Request,
    card: str,
    version: Annotated[int, Path(ge=1, lt=2**31)],
    number: str = "",
    after: str = "",
) -> Response:
    """The rates of a version, page by page, or those that price a number."""
    services = services_of(request)
    versions = await list_versions(services.db, card, at=services.now())
    found = [each for each in versions if each.version == version]
    if not found:
        raise NotFoundError(f"rate card {card} has no version {version}")
    digits = "".join(sign for sign in number if sign.isascii() and sign.isdigit())[:15]
    rows, next_page = await list_rates(services.db, card, version, digits=digits, after=after)
    return page(
        request,
        "card_rates.html",
        version=found[0],
        rates=rows,
        number=digits,
        next_page=next_page,
    )


@router.post("/{card}/{version}/activate", dependencies=[_MAY_CHANGE])
async def do_activate(
    request: Request, card: str, version: Annotated[int, Path(ge=1, lt=2**31)]
) -> Response:
    """Have a version price calls from now on."""
    services = services_of(request)
    await activate_version(services.db, card, version, at=services.now())
    return RedirectResponse(f"/rates/{card}?done=activated", 303)


async def _cards_page(
    request: Request,
    status: int = 200,
    *,
    error: str = "",
    wrong: Mapping[str, str] | None = None,
    texts: Mapping[str, str] | None = None,
) -> Response:
    form = await _form(request, texts or {}, wrong or {})
    return page(request, "rates.html", status, error=error, **form)


async def _form(
    request: Request, texts: Mapping[str, str], wrong: Mapping[str, str]
) -> dict[str, Any]:
    """What the form needs: cards and trunks to choose from, what was said, what is wrong in it."""
    services = services_of(request)
    return {
        "cards": await services.db.fetch(statement("web/list_cards"), services.now()),
        "trunks": await list_trunks(services.db),
        "currency": services.settings.accounts.currency,
        "texts": texts,
        "wrong": wrong,
        "anything_said": any(texts.get(name) for name in SAID),
    }


async def _outcome_page(
    request: Request, sheet: Sheet, outcome: SheetOutcome, texts: Mapping[str, str]
) -> Response:
    status = 422 if outcome.errors else 200
    form = await _form(request, texts, {})
    return page(request, "sheet_outcome.html", status, sheet=sheet, outcome=outcome, **form)
