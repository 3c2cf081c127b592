"""Forms that create something do it once, however often the browser sends them."""

import hashlib
import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from agi_server.accounts.account import Account
from agi_server.refused import RefusedError
from agi_server.storage.postgres.statements import statement
from agi_server.web.auth.roles import Operator
from agi_server.web.console.languages import N_

_CREATED = 201


class CreatedBeforeError(Exception):
    """This form was sent before; `account_id` is the customer that it created."""

    def __init__(self, account_id: int) -> None:
        self.account_id = account_id
        super().__init__(f"created before: {account_id}")


@dataclass(frozen=True, slots=True, kw_only=True)
class CreatedOnce:
    """By the `reference` of the form, which is kept with the answers of the API's keys; no key of
    the API has a blank. `asked` is what was typed, without secrets."""

    operator: Operator
    reference: str
    asked: dict[str, Any]
    at: datetime

    async def begin(self, db: Any) -> None:
        """Waits while the same form is being answered. Raises CreatedBeforeError, and RefusedError
        when another customer was created by it: a page that was gone back to."""
        asked_hash = _hash(self.asked)
        begun = await db.fetchval(
            statement("web/begin_answer"), self.operator.id, self._key, asked_hash, self.at
        )
        if begun is None:
            stored = await db.fetchrow(statement("web/find_answer"), self.operator.id, self._key)
            if stored["request_sha256"] != asked_hash:
                raise RefusedError(
                    N_("this form has created another customer already: send it again for one more")
                )
            raise CreatedBeforeError(stored["answer"]["customer"])

    async def done(self, db: Any, account: Account) -> None:
        """The number of the answer says no more than that it was done."""
        answer = {"customer": account.id}
        await db.execute(
            statement("web/keep_answer"), self.operator.id, self._key, _CREATED, answer
        )

    @property
    def _key(self) -> str:
        return f"create customer {self.reference}"


async def is_first(db: Any, operator: Operator, what: str, text: str, at: datetime) -> bool:
    """Whether `what`, which names the form, was not yet done with this text.

    `db` is a connection in the transaction that does it: the same form waits for it to end.
    """
    asked_hash = _hash(text)
    key = f"{what} {asked_hash.hex()}"
    begun = await db.fetchval(statement("web/begin_answer"), operator.id, key, asked_hash, at)
    return begun is not None


async def bind_form(db: Any, operator: Operator, what: str, asked: Any, at: datetime) -> None:
    """From now on `what`, which names the form, stands for what was asked with it, so that going on
    with what broke off does the same. Raises RefusedError where it stands for something else."""
    begun = await db.fetchval(statement("web/begin_answer"), operator.id, what, _hash(asked), at)
    if begun is None:
        stored = await db.fetchrow(statement("web/find_answer"), operator.id, what)
        if stored["request_sha256"] != _hash(asked):
            raise RefusedError(N_("this form was sent with something else: open it anew"))


def _hash(asked: Any) -> bytes:
    return hashlib.sha256(json.dumps(asked, sort_keys=True).encode()).digest()
