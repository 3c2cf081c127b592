"""The pool of asyncpg connections."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Any, Literal

import asyncpg

from agi_server.storage.postgres.hosts import each_host
from agi_server.storage.postgres.statements import statement

_CLOSE_S = 3.0


class _Connection(asyncpg.Connection):  # type: ignore[misc]  # asyncpg has no types
    """A connection that is not reset when it goes back to the pool.

    Our statements leave nothing behind (no session settings, cursors or advisory locks), and the
    reset costs a round trip on every call (shared/peers.md: 70 µs against 200).
    """

    def get_reset_query(self) -> str:
        return ""


async def _prepare(connection: asyncpg.Connection) -> None:
    await connection.execute(statement("storage/become_daemon"))
    # Binary, since COPY takes nothing else: one byte of version, then the text.
    await connection.set_type_codec(
        "jsonb",
        schema="pg_catalog",
        encoder=lambda value: b"\x01" + json.dumps(value).encode(),
        decoder=lambda data: json.loads(data[1:]),
        format="binary",
    )


async def connect(
    dsn: str, *, timeout_s: float = 60, command_timeout_s: float | None = None
) -> asyncpg.Connection:
    """A connection beside the pool, for work that may take longer than a call's statements.

    Raises OSError or asyncpg.PostgresError when the database cannot be reached.
    """
    connection = await _connect(dsn, timeout=timeout_s, command_timeout=command_timeout_s)
    await _prepare(connection)
    return connection


async def _connect(dsn: str, **options: Any) -> asyncpg.Connection:
    """A connection to the one of the DSN's hosts that is first to give one.

    All are asked at once: in turn, as drivers do it, one that was switched off would use up the
    time of those behind it.
    """
    asked = [asyncio.create_task(_connect_to(one, **options)) for one in each_host(dsn)]
    waiting, chosen = set(asked), None
    try:
        while waiting and chosen is None:
            done, waiting = await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
            chosen = next((one for one in done if one.exception() is None), None)
        return (chosen or asked[0]).result()
    finally:
        for one in waiting:
            one.cancel()
        await asyncio.gather(*waiting, return_exceptions=True)
        for one in asked:
            if one is not chosen and not one.cancelled() and one.exception() is None:
                one.result().terminate()


async def _connect_to(dsn: str, **options: Any) -> asyncpg.Connection:
    try:
        return await asyncpg.connect(dsn, **options)
    except asyncpg.TargetServerAttributeNotMatched:
        # To the driver that is a mistake of the caller; to us the primary is away.
        raise ConnectionRefusedError("this server is not the primary") from None


_PLAN_CACHE_MODES = {"auto": "auto", "once": "force_generic_plan", "each": "force_custom_plan"}


@asynccontextmanager
async def open_pool(
    dsn: str,
    *,
    min_size: int = 1,
    max_size: int = 10,
    statement_timeout_ms: int = 0,
    plan: Literal["auto", "once", "each"] = "auto",
) -> AsyncIterator[asyncpg.Pool]:
    """A pool in which jsonb is Python data and a statement ends by itself after its timeout.

    The database ends it at the timeout; should it not even answer, we give up a second later.
    `statement_timeout_ms` 0 means no limit. `plan`: a statement is planned `once`, as those of
    calls, whose planning takes longer than their work; for its arguments `each` time, as lists with
    filters need that may be null; or as the server sees fit. Raises OSError or
    asyncpg.PostgresError when the database cannot be reached.
    """
    server_settings = {"application_name": "agi-server"}
    if statement_timeout_ms:
        server_settings["statement_timeout"] = str(statement_timeout_ms)
        # What must be short is not compiled first, which takes longer than any of it.
        server_settings["jit"] = "off"
    server_settings["plan_cache_mode"] = _PLAN_CACHE_MODES[plan]
    give_up_s = statement_timeout_ms / 1000 + 1 if statement_timeout_ms else None
    pool = await asyncpg.create_pool(
        dsn,
        min_size=min_size,
        max_size=max_size,
        connection_class=_Connection,
        connect=_connect,
        init=_prepare,
        server_settings=server_settings,
        timeout=give_up_s or 60,
        command_timeout=give_up_s,
    )
    try:
        yield pool
    finally:
        # In good order if the database answers; a half-open connection must not keep us here.
        with suppress(TimeoutError):
            await asyncio.wait_for(pool.close(), _CLOSE_S)
