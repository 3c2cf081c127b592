"""The customer's own lock on outgoing calls, set and lifted by telephone with a PIN."""

from collections.abc import Callable
from datetime import datetime, timedelta
from enum import Enum
from typing import Any

import structlog

from agi_server.accounts.audit import Editor
from agi_server.accounts.changes import update_account
from agi_server.accounts.passwords import is_secret
from agi_server.storage.postgres.statements import statement

log = structlog.get_logger()

CHANGED_BY = "telephone"
CHANGED_BECAUSE = "the customer typed the PIN of the lock"


class LockAnswer(Enum):
    """What became of the lock."""

    LOCKED = "locked"
    UNLOCKED = "unlocked"
    WRONG_PIN = "wrong_pin"
    """As it is for an account without a PIN: whether there is one is not told."""
    TOO_MANY_TRIES = "too_many_tries"


class OwnLock:
    """Guessing is bounded per account, wherever the tries come from: so many within a window."""

    def __init__(
        self, *, db: Any, most_tries: int, window_s: int, now: Callable[[], datetime]
    ) -> None:
        self._db = db
        self._most_tries = most_tries
        self._window = timedelta(seconds=window_s)
        self._now = now

    async def turn(self, account_id: int, pin: str) -> LockAnswer:
        """Lock an unlocked account and unlock a locked one, if the PIN is right.

        The try counts before it is looked at, so that tries at once are no more than others.
        """
        now = self._now()
        row = await self._db.fetchrow(
            statement("calls/count_pin_try"), account_id, now, now + self._window
        )
        if row["failures"] > self._most_tries:
            return LockAnswer.TOO_MANY_TRIES
        if not await is_secret(pin, row["lock_pin_hash"]):
            if row["failures"] == self._most_tries:
                log.warning("auth.locked_out", scope="lock_pin", account_id=account_id)
            return LockAnswer.WRONG_PIN
        await self._db.execute(statement("calls/forget_pin_tries"), account_id)
        locked = not row["locked"]
        editor = Editor(changed_by=CHANGED_BY, at=now, reason=CHANGED_BECAUSE)
        await update_account(self._db, account_id, {"locked": locked}, editor)
        return LockAnswer.LOCKED if locked else LockAnswer.UNLOCKED
