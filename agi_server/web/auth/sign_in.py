"""Signing in and staying so: sessions and the count of refused attempts live in PostgreSQL."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import structlog

from agi_server.storage.postgres.statements import statement
from agi_server.web.auth.operators import operator_of_row
from agi_server.web.auth.roles import Operator
from agi_server.web.auth.secrets import (
    hash_password,
    is_password,
    needs_rehash,
    new_token,
    token_hash,
    totp_step,
)

log = structlog.get_logger()

SESSION_LASTS = timedelta(hours=12)
_IDLE = timedelta(hours=1)
_SEEN_EVERY = timedelta(minutes=1)
FAILURES_BY_NAME = 10
FAILURES_BY_SOURCE = 50
_FAILURES_WINDOW = timedelta(minutes=15)
_LONGEST_NAME = 63


class SignInRefusedError(Exception):
    """The attempt is refused. It tells nobody whether the name, the password or the code is wrong.

    `locked`: there were too many attempts, so even a right password is refused for a while.
    """

    def __init__(self, *, locked: bool) -> None:
        self.locked = locked
        super().__init__()


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """A signed-in operator and the token in the cookie."""

    operator: Operator
    token: str


async def sign_in(
    db: Any, *, name: str, password: str, code: str, source: str, at: datetime
) -> str:
    """A new session's token for the right name, password and, where set up, one-time code.

    `source` is the network address. Raises SignInRefusedError, which is logged and counted.
    """
    name = name.strip().lower()[: _LONGEST_NAME + 1]
    failures = await db.fetchrow(statement("web/sign_in_failures"), name, source, at)
    if failures["by_name"] >= FAILURES_BY_NAME or failures["by_source"] >= FAILURES_BY_SOURCE:
        log.warning("web.sign_in_refused", operator=name, source=source, reason="locked_out")
        raise SignInRefusedError(locked=True)
    operator_id = await _proved(db, name, password, code, at)
    if operator_id is None:
        ends = at + _FAILURES_WINDOW
        await db.execute(statement("web/count_sign_in_failure"), name, source, at, ends)
        log.warning("web.sign_in_refused", operator=name, source=source, reason="wrong")
        raise SignInRefusedError(locked=False)
    token = new_token()
    await db.execute(statement("web/forget_sign_in_failures"), name, at)
    await db.execute(
        statement("web/insert_session"), token_hash(token), operator_id, at, at + SESSION_LASTS
    )
    log.info("web.signed_in", operator=name, source=source)
    return token


async def session_of(db: Any, token: str, at: datetime) -> Session | None:
    """The session of a cookie, seen now; None when it ended."""
    key = token_hash(token)
    row = await db.fetchrow(statement("web/find_session"), key, at, at - _IDLE)
    if row is None:
        return None
    if row["seen_at"] < at - _SEEN_EVERY:
        await db.execute(statement("web/touch_session"), key, at)
    return Session(operator=operator_of_row(row), token=token)


async def sign_out(db: Any, token: str, at: datetime) -> None:
    """End a session; it is no error when it has ended already."""
    await db.execute(statement("web/delete_session"), token_hash(token), at)


async def _proved(db: Any, name: str, password: str, code: str, at: datetime) -> int | None:
    """The id of the operator, if all is right."""
    row = await db.fetchrow(statement("web/credentials"), name)
    stored = None if row is None else row["password_hash"]
    if not await is_password(password, stored):
        return None
    operator_id: int = row["id"]
    if row["totp_secret"] is not None:
        step = totp_step(row["totp_secret"], code, at)
        sql = statement("web/use_totp_step")
        if step is None or await db.fetchval(sql, operator_id, step) is None:
            return None
    if needs_rehash(row["password_hash"]):
        await db.execute(statement("web/rehash_password"), operator_id, hash_password(password))
    return operator_id
