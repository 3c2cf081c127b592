"""Who a request comes from and whether it may: checked for every page but the sign-in."""

from collections.abc import Awaitable, Callable, Mapping
from urllib.parse import urlsplit

import structlog
from fastapi import Request
from starlette.datastructures import FormData, UploadFile

from agi_server.web.auth.roles import Operator, Right
from agi_server.web.auth.secrets import is_csrf_token
from agi_server.web.auth.sign_in import Session, session_of
from agi_server.web.services import services_of

log = structlog.get_logger()

COOKIE = "__Host-agi-server"
"""Browsers take a cookie of this name only over TLS or loopback, and for this host alone."""

_READING = ("GET", "HEAD")
_MOST_FIELDS = 1000


class SignInNeededError(Exception):
    """Nobody has signed in, or the session has ended."""


class ForbiddenError(Exception):
    """The operator may not do this; the message is for them."""


class BadFormError(Exception):
    """The form cannot be read, or holds what no browser sends."""


async def check_access(request: Request) -> None:
    """A dependency of every route behind the sign-in.

    Raises SignInNeededError; for what changes something and does not come from a page of this
    session, ForbiddenError.
    """
    session = await current_session(request)
    if session is None:
        raise SignInNeededError
    request.state.session = session
    if request.method not in _READING:
        refuse_other_sites(request)
        token = request.headers.get("x-csrf-token") or text_of(await form_of(request), "csrf")
        if not is_csrf_token(session.token, token):
            refuse(request, "csrf")


async def current_session(request: Request) -> Session | None:
    """The session of the request's cookie."""
    token = request.cookies.get(COOKIE)
    if not token:
        return None
    services = services_of(request)
    return await session_of(services.db, token, services.now())


def operator_of(request: Request) -> Operator:
    """Who has signed in."""
    session: Session = request.state.session
    return session.operator


def having(right: Right) -> Callable[[Request], Awaitable[None]]:
    """A dependency: the operator's role must have this right."""

    async def check(request: Request) -> None:
        if not operator_of(request).may(right):
            refuse(request, f"needs {right}")

    return check


def refuse(request: Request, reason: str) -> None:
    """Log it and raise ForbiddenError."""
    session: Session | None = getattr(request.state, "session", None)
    log.warning(
        "web.refused",
        operator=session.operator.name if session else None,
        reason=reason,
        method=request.method,
        path=request.url.path,
        source=source_of(request),
    )
    raise ForbiddenError(reason)


def refuse_not_theirs(request: Request, texts: Mapping[str, object]) -> None:
    """Log it and raise ForbiddenError for a field of customers that the role does not set: no page
    offers it. The own group may be said."""
    operator = operator_of(request)
    for name in sorted(texts):
        is_own = name == "group" and texts[name] == operator.group
        if not is_own and not operator.sets(name):
            refuse(request, f"sets {name}")


def refuse_other_sites(request: Request) -> None:
    """A form must come from our own page: browsers say where it does come from."""
    origin = request.headers.get("origin")
    elsewhere = origin is not None and urlsplit(origin).netloc != request.headers.get("host")
    if elsewhere or request.headers.get("sec-fetch-site", "same-origin") not in (
        "same-origin",
        "none",
    ):
        refuse(request, "another site")


def source_of(request: Request) -> str:
    """The network address of the browser; behind a proxy on this machine the one it names."""
    return request.client.host if request.client else "unknown"


async def form_of(request: Request) -> FormData:
    """The form that was sent. Raises BadFormError."""
    try:
        form = await request.form(max_fields=_MOST_FIELDS, max_files=1)
    except Exception as error:  # the parsers' own errors, and what they let through
        raise BadFormError("the form cannot be read") from error
    for value in form.values():
        if isinstance(value, str) and "\0" in value:
            raise BadFormError("a field holds a NUL character")
    return form


def text_of(form: FormData, name: str) -> str:
    """A field, without blanks around it; empty when it is not there."""
    value = form.get(name, "")
    return "" if isinstance(value, UploadFile) else value.strip()
