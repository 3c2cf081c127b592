"""Forms that create something do it once, however often the browser sends them."""

from datetime import datetime
from typing import Any

from agi_server.refused import RefusedError
from agi_server.storage.postgres.statements import statement
from agi_server.web.auth.roles import Operator
from agi_server.web.console.languages import N_
from agi_server.web.created_once import hash_of


async def is_first(db: Any, operator: Operator, what: str, text: str, at: datetime) -> bool:
    """Whether `what`, which names the form, was not yet done with this text.

    `db` is a connection in the transaction that does it: the same form waits for it to end.
    """
    asked_hash = hash_of(text)
    key = f"{what} {asked_hash.hex()}"
    begun = await db.fetchval(statement("web/begin_answer"), operator.id, key, asked_hash, at)
    return begun is not None


async def bind_form(db: Any, operator: Operator, what: str, asked: Any, at: datetime) -> None:
    """From now on `what`, which names the form, stands for what was asked with it, so that going on
    with what broke off does the same. Raises RefusedError where it stands for something else."""
    begun = await db.fetchval(statement("web/begin_answer"), operator.id, what, hash_of(asked), at)
    if begun is None:
        stored = await db.fetchrow(statement("web/find_answer"), operator.id, what)
        if stored["request_sha256"] != hash_of(asked):
            raise RefusedError(N_("this form was sent with something else: open it anew"))
