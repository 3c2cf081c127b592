"""Series: serials for cards."""

from fastapi import APIRouter, Depends, Request
from starlette.datastructures import FormData
from starlette.responses import RedirectResponse, Response

from agi_server.accounts.series import create_series, delete_series, list_series
from agi_server.refused import InvalidFieldError, RefusedError
from agi_server.web.auth.roles import Right
from agi_server.web.console.access import form_of, having, text_of
from agi_server.web.console.change_words import business_changes
from agi_server.web.console.customer import editor_of
from agi_server.web.console.pages import page
from agi_server.web.console.tariffs import whole_number
from agi_server.web.services import services_of

router = APIRouter(prefix="/series", dependencies=[Depends(having(Right.SEE_BUSINESS))])

_MAY_CHANGE = Depends(having(Right.CHANGE_BUSINESS))


@router.get("")
async def show_series(request: Request) -> Response:
    """All series, and a form for another."""
    return await _page(request)


@router.post("", dependencies=[_MAY_CHANGE])
async def do_create_series(request: Request) -> Response:
    """Create a series."""
    form = await form_of(request)
    try:
        await create_series(
            services_of(request).db,
            text_of(form, "name"),
            digits=whole_number("digits", text_of(form, "digits")),
            first=whole_number("first", text_of(form, "first")),
            editor=editor_of(request),
        )
    except (InvalidFieldError, RefusedError) as error:
        return await _page(request, str(error), form)
    return RedirectResponse("/series?done=saved", 303)


@router.post("/{name}/delete", dependencies=[_MAY_CHANGE])
async def do_delete_series(request: Request, name: str) -> Response:
    """Delete a series of which nobody has a serial."""
    await delete_series(services_of(request).db, name, editor_of(request))
    return RedirectResponse("/series?done=removed", 303)


async def _page(request: Request, error: str = "", form: FormData | None = None) -> Response:
    return page(
        request,
        "series.html",
        422 if error else 200,
        series=await list_series(services_of(request).db),
        changes=await business_changes(request, "series"),
        error=error,
        given=form or {},
    )
