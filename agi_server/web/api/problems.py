"""Every error of the API as application/problem+json (RFC 9457)."""

from collections.abc import Awaitable, Callable
from http import HTTPStatus
from typing import Any

import asyncpg
import structlog
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, Field
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse, Response

from agi_server.ledger.booking import BookingRefusedError
from agi_server.observe.masking import mask_text
from agi_server.refused import InvalidFieldError, InvalidFieldsError, NotFoundError, RefusedError
from agi_server.storage.postgres.health import CONNECTION_FAULTS
from agi_server.web.api.words import in_our_words

log = structlog.get_logger()

PROBLEM_TYPE = "application/problem+json"


class FieldProblem(BaseModel):
    """What is wrong with one field."""

    field: str = Field(description="Name of the field or parameter.")
    message: str = Field(description="What is allowed.")


class Problem(BaseModel):
    """Why a request was not done."""

    type: str = "about:blank"
    title: str = Field(description="The words of the HTTP status.")
    status: int
    detail: str | None = None
    errors: list[FieldProblem] = Field(default=[], description="By field, where it is one.")


PROBLEMS: dict[int | str, dict[str, Any]] = {
    status: {
        "description": text,
        "content": {PROBLEM_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}},
    }
    for status, text in (
        (400, "The request cannot be read."),
        (401, "No token, or one that is not in use."),
        (403, "The token's operator may not do this."),
        (404, "There is no such thing, or it is another group's."),
        (409, "The present state does not allow it."),
        (422, "A value is not as it must be; `errors` says which."),
        (413, "The body is too large: more than 1 MiB of JSON, or 64 MiB of a rate sheet."),
        (415, "The body is no application/json."),
        (503, "The database does not answer."),
    )
}
"""What any operation may answer, for the document; 413 and 415 those that take a body."""


class UnauthorizedError(Exception):
    """The request has no token that is in use."""


class NotAllowedError(Exception):
    """The token's operator has no right to this."""


def problem(
    status: int, detail: str | None = None, errors: list[FieldProblem] | None = None
) -> JSONResponse:
    """The answer."""
    body = Problem(
        title=HTTPStatus(status).phrase, status=status, detail=detail, errors=errors or []
    )
    headers = {"WWW-Authenticate": "Bearer"} if status == 401 else None
    return JSONResponse(body.model_dump(), status, media_type=PROBLEM_TYPE, headers=headers)


def add_problems(api: FastAPI) -> None:
    """Answer every error so."""
    api.add_exception_handler(RequestValidationError, _invalid_request)
    api.add_exception_handler(InvalidFieldError, _invalid_field)
    api.add_exception_handler(HTTPException, _http)
    for error, status in (
        (UnauthorizedError, 401),
        (NotAllowedError, 403),
        (NotFoundError, 404),
        (RefusedError, 409),
        (BookingRefusedError, 422),
        (asyncpg.DataError, 400),
        *((fault, 503) for fault in (*CONNECTION_FAULTS, asyncpg.QueryCanceledError)),
        (Exception, 500),
    ):
        api.add_exception_handler(error, _told(status))


def _told(status: int) -> Callable[[Request, Exception], Awaitable[Response]]:
    async def handler(request: Request, error: Exception) -> Response:
        if status >= 500:
            log.error(
                "web.failed",
                path=request.url.path,
                method=request.method,
                error=str(error),
                exc_type=type(error).__name__,
            )
        told = isinstance(error, RefusedError | BookingRefusedError | NotAllowedError)
        detail = mask_text(str(error)) if told else None
        if isinstance(error, RefusedError | BookingRefusedError) and error.field is not None:
            # A field that names what does not exist is a wrong value, not a wrong address.
            told_status = 422 if isinstance(error, NotFoundError) else status
            return problem(
                told_status,
                errors=[
                    FieldProblem(
                        field=error.field, message=(detail or "").removeprefix(f"{error.field}: ")
                    )
                ],
            )
        return problem(status, detail)

    return handler


async def _invalid_request(_: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    unreadable = any(each["type"] == "json_invalid" for each in error.errors())
    errors = [FieldProblem(**in_our_words(each)) for each in error.errors()]
    return problem(400 if unreadable else 422, errors=errors)


async def _invalid_field(_: Request, error: Exception) -> Response:
    assert isinstance(error, InvalidFieldError)
    problems = error.problems if isinstance(error, InvalidFieldsError) else (error,)
    return problem(
        422, errors=[FieldProblem(field=each.field, message=each.message) for each in problems]
    )


async def _http(_: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    answer = problem(error.status_code, _detail(error))
    answer.headers.update(error.headers or {})
    return answer


def _detail(error: HTTPException) -> str | None:
    """What it says beyond the words of its status."""
    return None if error.detail == HTTPStatus(error.status_code).phrase else error.detail
