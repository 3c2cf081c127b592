"""What holds for each request: its body is JSON where one is taken, its parameters are known."""

from fastapi import Request
from fastapi.routing import APIRoute
from starlette.exceptions import HTTPException

from agi_server.refused import InvalidFieldError, InvalidFieldsError
from agi_server.web.api.words import UNKNOWN_PARAMETER


async def json_body(request: Request) -> None:
    """A dependency. Raises HTTPException 415."""
    route = request.scope["route"]
    if isinstance(route, APIRoute) and route.body_field is not None and await request.body():
        kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
        if kind != "application/json":
            raise HTTPException(415, "the body must be application/json")


async def known_parameters(request: Request) -> None:
    """A dependency: a filter with a slip in its name would find everything.

    Raises InvalidFieldsError with all that are not in the document.
    """
    if not request.query_params:
        return
    path = request.app.openapi()["paths"][request.scope["route"].path_format]
    known = {each["name"] for each in path[request.method.lower()].get("parameters", [])
             if each["in"] == "query"}  # fmt: skip
    problems = [
        InvalidFieldError(name, UNKNOWN_PARAMETER)
        for name in request.query_params
        if name not in known
    ]
    if problems:
        raise InvalidFieldsError(problems)
