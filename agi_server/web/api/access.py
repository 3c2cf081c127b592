"""Whom a request of the API comes from, and whether they may."""

from collections.abc import Awaitable, Callable
from typing import Annotated, NoReturn

import structlog
from fastapi import Depends, Request
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from agi_server.web.api.problems import NotAllowedError, UnauthorizedError
from agi_server.web.auth.operators import operator_of_token
from agi_server.web.auth.roles import Operator, Right
from agi_server.web.services import services_of

log = structlog.get_logger()

_bearer = HTTPBearer(auto_error=False, description="`agi-server admin token create` makes one.")


async def caller(
    request: Request, given: Annotated[HTTPAuthorizationCredentials | None, Depends(_bearer)]
) -> Operator:
    """The operator of the token. Raises UnauthorizedError, which is logged."""
    operator = None
    if given is not None and len(given.credentials) < 200:
        operator = await operator_of_token(services_of(request).db, given.credentials)
    if operator is None:
        log.warning("web.refused", reason="token", method=request.method, path=request.url.path)
        raise UnauthorizedError
    return operator


Caller = Annotated[Operator, Depends(caller)]


def having(right: Right) -> Callable[..., Awaitable[None]]:
    """A dependency: the operator must have this right. Raises NotAllowedError, which is logged."""

    async def check(request: Request, operator: Caller) -> None:
        if not operator.may(right):
            refuse(request, operator, f"needs {right}", "may not do this")

    return check


def refuse(request: Request, operator: Operator, reason: str, about_role: str) -> NoReturn:
    """Log it and raise NotAllowedError, which says it of the role."""
    log.warning(
        "web.refused",
        operator=operator.name,
        reason=reason,
        method=request.method,
        path=request.url.path,
    )
    raise NotAllowedError(f"the role {operator.role} {about_role}")
