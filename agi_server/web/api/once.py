"""Requests that move money are answered once: asked again with the same key, they are answered the
same, whatever happened in between. The answer is stored in the transaction of the movement."""

import hashlib
import json
from collections.abc import Awaitable, Callable
from typing import Annotated, Any

from fastapi import Header
from starlette.responses import JSONResponse

from agi_server.refused import RefusedError
from agi_server.storage.postgres.statements import statement
from agi_server.web.auth.roles import Operator
from agi_server.web.services import WebServices

_FORM = r"^[A-Za-z0-9._:-]+$"
IdempotencyKey = Annotated[
    str,
    Header(
        alias="Idempotency-Key",
        min_length=1,
        max_length=100,
        pattern=_FORM,
        description="Made by you, new for each movement: asked again with it, nothing moves twice.",
    ),
]

CreationKey = Annotated[
    str | None,
    Header(
        alias="Idempotency-Key",
        min_length=1,
        max_length=100,
        pattern=_FORM,
        description="Made by you: asked again with it, the same customer is told, its number masked"
        " and without the credentials of its phones.",
    ),
]
KEY_TAKEN = "this Idempotency-Key was used for another request"


async def answer_once(
    services: WebServices,
    operator: Operator,
    key: str,
    asked: dict[str, Any],
    act: Callable[[Any], Awaitable[tuple[int, dict[str, Any]]]],
) -> JSONResponse:
    """The stored answer to this key, or that of `act` (status and body), which gets a connection.

    Raises RefusedError when the key was used for something else; what `act` raises is not stored.
    """
    async with services.db.acquire() as db, db.transaction():
        if (answer := await _begin(db, operator, key, asked, services)) is not None:
            return answer
        status, body = await act(db)
        await db.execute(statement("web/keep_answer"), operator.id, key, status, body)
        return JSONResponse(body, status)


async def answer_in_the_end(
    services: WebServices,
    operator: Operator,
    key: str,
    asked: dict[str, Any],
    act: Callable[[], Awaitable[tuple[int, dict[str, Any]]]],
) -> JSONResponse:
    """As `answer_once`, of what is no single transaction: the key stands for this request before
    the first of it is done, and what broke off is gone on with when it is asked for again.
    """
    answer = await _begin(services.db, operator, key, asked, services)
    if answer is not None:
        return answer
    status, body = await act()
    await services.db.execute(statement("web/keep_answer"), operator.id, key, status, body)
    return JSONResponse(body, status)


async def _begin(
    db: Any, operator: Operator, key: str, asked: dict[str, Any], services: WebServices
) -> JSONResponse | None:
    """The stored answer, if there is one. Raises RefusedError for a key of another request."""
    asked_hash = hashlib.sha256(json.dumps(asked, sort_keys=True).encode()).digest()
    begun = await db.fetchval(
        statement("web/begin_answer"), operator.id, key, asked_hash, services.now()
    )
    if begun is not None:
        return None
    stored = await db.fetchrow(statement("web/find_answer"), operator.id, key)
    if stored["request_sha256"] != asked_hash:
        raise RefusedError(KEY_TAKEN)
    return None if stored["answer"] is None else JSONResponse(stored["answer"], stored["status"])
