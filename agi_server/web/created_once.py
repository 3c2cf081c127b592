"""A customer is created once, however often the same form or request is sent."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from agi_server.accounts.account import FIELDS, Account
from agi_server.accounts.fields import Kind
from agi_server.refused import RefusedError
from agi_server.storage.postgres.statements import statement
from agi_server.web.auth.roles import Operator

_CREATED = 201


class CreatedBeforeError(Exception):
    """This was sent before; `account_id` is the customer that it created."""

    def __init__(self, account_id: int) -> None:
        self.account_id = account_id
        super().__init__(f"created before: {account_id}")


@dataclass(frozen=True, slots=True, kw_only=True)
class CreatedOnce:
    """By a `key`, which is kept with the answers to the API's keys.

    `asked` is what was typed, without secrets; `taken` what is said when another customer was
    created by the key. No secret is kept: number and phones are told only the first time.
    """

    operator: Operator
    key: str
    asked: dict[str, Any]
    taken: str
    at: datetime

    async def begin(self, db: Any) -> None:
        """Waits while the same is being answered. Raises CreatedBeforeError, and RefusedError when
        the key was used for something else."""
        asked_hash = hash_of(self.asked)
        begun = await db.fetchval(
            statement("web/begin_answer"), self.operator.id, self.key, asked_hash, self.at
        )
        if begun is None:
            stored = await db.fetchrow(statement("web/find_answer"), self.operator.id, self.key)
            if stored["request_sha256"] != asked_hash:
                raise RefusedError(self.taken)
            raise CreatedBeforeError(stored["answer"]["customer"])

    async def done(self, db: Any, account: Account) -> None:
        """The number of the answer says no more than that it was done."""
        answer = {"customer": account.id}
        await db.execute(statement("web/keep_answer"), self.operator.id, self.key, _CREATED, answer)


def without_secrets(texts: Mapping[str, Any]) -> dict[str, Any]:
    """Texts by field name, without passwords and the like."""
    secret = {field.name for field in FIELDS if field.kind is Kind.SECRET}
    return {name: text for name, text in texts.items() if name not in secret}


def hash_of(asked: Any) -> bytes:
    """Of what was asked, to know it again."""
    return hashlib.sha256(json.dumps(asked, sort_keys=True).encode()).digest()
