"""What a browser gets to see when something is refused or goes wrong."""

from collections.abc import Awaitable, Callable
from urllib.parse import quote

import asyncpg
import structlog
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import RedirectResponse, Response

from agi_server.ledger.booking import BookingRefusedError
from agi_server.refused import InvalidFieldError, NotFoundError, RefusedError
from agi_server.storage.postgres.health import CONNECTION_FAULTS
from agi_server.web.api.problems import problem
from agi_server.web.console.access import BadFormError, ForbiddenError, SignInNeededError
from agi_server.web.console.languages import N_
from agi_server.web.console.pages import page

log = structlog.get_logger()

_TITLES = {
    400: N_("This form cannot be read"),
    403: N_("This is not allowed"),
    404: N_("There is nothing here"),
    405: N_("This is not possible here"),
    409: N_("This is not possible now"),
    422: N_("A value is not as it must be"),
    500: N_("Something went wrong on our side"),
    503: N_("The database does not answer"),
}
_ADVICE = {
    400: N_("Go back, load the page anew and send the form again."),
    403: N_("Your role has no right to this, or the page was open too long: load it anew."),
    404: N_("It may have been removed, or belong to customers whom you do not look after."),
    405: N_("Go back and use the buttons of the page."),
    500: N_("It was logged. Try again; if it happens again, tell your administrator the time."),
    503: N_("Try again in a moment. Calls in progress are not touched."),
}


def add_console_faults(app: FastAPI) -> None:
    """Every error as a page in the operator's language."""
    app.add_exception_handler(SignInNeededError, _to_sign_in)
    for error, status, told in (
        (BadFormError, 400, False),
        (ForbiddenError, 403, False),
        (NotFoundError, 404, False),
        (RefusedError, 409, True),
        (BookingRefusedError, 422, True),
        (InvalidFieldError, 422, True),
        (RequestValidationError, 404, False),
        (asyncpg.DataError, 400, False),  # what no page of ours sends, e.g. NUL
        *((fault, 503, False) for fault in (*CONNECTION_FAULTS, asyncpg.QueryCanceledError)),
        (Exception, 500, False),
    ):
        app.add_exception_handler(error, _shown(status, told))
    app.add_exception_handler(HTTPException, _http)


def _shown(status: int, told: bool) -> Callable[[Request, Exception], Awaitable[Response]]:
    async def handler(request: Request, error: Exception) -> Response:
        if status >= 500:
            log.error(
                "web.failed",
                path=request.url.path,
                method=request.method,
                error=str(error),
                exc_type=type(error).__name__,
            )
        return _page(request, status, str(error) if told else "")

    return handler


async def _http(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    if request.url.path.startswith("/api/"):
        # A path with a line end, which the API's mount does not match.
        return problem(error.status_code)
    if error.status_code == 405 and request.method == "GET":
        # The address of a form that was refused, opened anew: the form is on the page above it.
        return RedirectResponse(request.url.path.rpartition("/")[0] or "/", 303)
    return _page(request, error.status_code, "")


async def _to_sign_in(request: Request, _: Exception) -> Response:
    if request.headers.get("hx-request"):
        return Response(status_code=401, headers={"HX-Redirect": "/sign-in"})
    path = request.url.path if request.method == "GET" and request.url.path != "/" else ""
    return RedirectResponse("/sign-in" + (f"?next={quote(path)}" if path else ""), 303)


def _page(request: Request, status: int, message: str) -> Response:
    title = _TITLES.get(status, _TITLES[400])
    advice = _ADVICE.get(status, "")
    return page(request, "fault.html", status, title=title, message=message, advice=advice)
