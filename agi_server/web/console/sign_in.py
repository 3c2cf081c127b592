"""Signing in and out."""

from fastapi import APIRouter, Request
from starlette.responses import RedirectResponse, Response

from agi_server.web.auth.sign_in import SESSION_LASTS, SignInRefusedError, sign_in, sign_out
from agi_server.web.console.access import (
    COOKIE,
    check_access,
    current_session,
    form_of,
    refuse_other_sites,
    source_of,
    text_of,
)
from agi_server.web.console.pages import page
from agi_server.web.services import services_of

router = APIRouter()


@router.get("/sign-in")
async def show_sign_in(request: Request, next: str = "") -> Response:
    """The form; who has signed in already goes on."""
    if await current_session(request) is not None:
        return RedirectResponse(_own_path(next), 303)
    return page(request, "sign_in.html", next=next, name="", refused=None)


@router.post("/sign-in")
async def do_sign_in(request: Request) -> Response:
    """Check the name, the password and the one-time code."""
    refuse_other_sites(request)
    services = services_of(request)
    form = await form_of(request)
    name = text_of(form, "name")
    try:
        token = await sign_in(
            services.db,
            name=name,
            password=str(form.get("password", "")),
            code=text_of(form, "code"),
            source=source_of(request),
            at=services.now(),
        )
    except SignInRefusedError as error:
        refused = "locked" if error.locked else "wrong"
        status = 429 if error.locked else 401
        return page(
            request, "sign_in.html", status, next=text_of(form, "next"), name=name, refused=refused
        )
    answer = RedirectResponse(_own_path(text_of(form, "next")), 303)
    answer.set_cookie(
        COOKIE,
        token,
        max_age=int(SESSION_LASTS.total_seconds()),
        path="/",
        secure=True,
        httponly=True,
        samesite="lax",
    )
    return answer


@router.post("/sign-out")
async def do_sign_out(request: Request) -> Response:
    """End the session."""
    await check_access(request)
    services = services_of(request)
    await sign_out(services.db, request.state.session.token, services.now())
    answer = RedirectResponse("/sign-in", 303)
    answer.delete_cookie(COOKIE, path="/", secure=True, httponly=True, samesite="lax")
    return answer


def _own_path(path: str) -> str:
    """Never to another site: `//host` and `/\\host` are addresses, too."""
    own = path.startswith("/") and not path.startswith(("//", "/\\")) and path.isprintable()
    return path if own else "/customers"
