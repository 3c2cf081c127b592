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

IdempotencyKey = Annotated[
    str,
    Header(
        alias="Idempotency-Key",
        min_length=1,
        max_length=100,
        pattern=r"^[A-Za-z0-9._:-]+$",
        description="Made by you, new for each movement: asked again with it, nothing moves twice.",
    ),
]


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
    asked_hash = hashlib.sha256(json.dumps(asked, sort_keys=True).encode()).digest()
    async with services.db.acquire() as db, db.transaction():
        begun = await db.fetchval(
            statement("web/begin_answer"), operator.id, key, asked_hash, services.now()
        )
        if begun is None:
            stored = await db.fetchrow(statement("web/find_answer"), operator.id, key)
            if stored["request_sha256"] != asked_hash:
                raise RefusedError("this Idempotency-Key was used for another request")
            return JSONResponse(stored["answer"], stored["status"])
        status, body = await act(db)
        await db.execute(statement("web/keep_answer"), operator.id, key, status, body)
        return JSONResponse(body, status)
