"""Release what was reserved for a call that is not dialled."""

import asyncio
from collections.abc import Callable
from datetime import datetime
from typing import Any

from agi_server.background import Background
from agi_server.calls.reasons import Reason
from agi_server.calls.sessions import SessionMemory
from agi_server.storage.postgres.health import BACKEND_FAULTS
from agi_server.storage.postgres.standby import confirm_commits
from agi_server.storage.postgres.statements import statement
from agi_server.storage.redis.slots import Slots

# As long as the shortest session may take to expire, and be charged as one whose end nobody saw.
_RETRY_S = (0.0, 0.5, 2.0, 5.0, 15.0, *[30.0] * 20)


class Voider:
    """Voids sessions: hold and slot are free again, nothing is charged."""

    def __init__(
        self,
        *,
        db: Any,
        slots: Slots,
        sessions: SessionMemory,
        background: Background,
        statement_timeout_ms: int,
        now: Callable[[], datetime],
    ) -> None:
        self._db = db
        self._slots = slots
        self._sessions = sessions
        self._background = background
        self._statement_timeout_s = statement_timeout_ms / 1000
        self._now = now

    async def void(
        self,
        account_id: int,
        call_id: str,
        reason: Reason,
        trunk_ids: tuple[int, ...] = (),
    ) -> bool:
        """Void an open session; False when it was not open. Raises what asyncpg raises.

        `trunk_ids` are its trunks whose capacity is counted, where no session remembers them.
        """
        row = await self._db.fetchrow(
            statement("calls/void_session"), account_id, call_id, reason.value, self._now()
        )
        if row is None:
            await confirm_commits(self._db)
        session = self._sessions.recall(call_id)
        self._sessions.forget(call_id)
        trunk_ids = session.counted_trunk_ids if session else trunk_ids
        await self._slots.release(account_id, call_id, trunk_ids)
        return row is not None

    def void_later(self, account_id: int, call_id: str, trunk_ids: tuple[int, ...] = ()) -> None:
        """Void beside the caller, as often as it takes."""
        self._background.start(self._make_sure(account_id, call_id, trunk_ids))

    async def _make_sure(self, account_id: int, call_id: str, trunk_ids: tuple[int, ...]) -> None:
        """Void a session of which nobody knows whether its hold was committed.

        The database ends a statement by itself after its timeout, so a hold that was not there
        after that will never be. If the database stays away longer than we try, expiry ends it.
        """
        for pause_s in _RETRY_S:
            await asyncio.sleep(pause_s)
            try:
                if await self.void(account_id, call_id, Reason.UNAVAILABLE, trunk_ids):
                    return
            except BACKEND_FAULTS:
                continue
            if pause_s > self._statement_timeout_s:
                return
