"""Slots in Redis are rebuilt from PostgreSQL whenever the two are seen to differ."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

import structlog

from agi_server.background import Background
from agi_server.storage.postgres.statements import statement
from agi_server.storage.redis.slots import SlotAnswer, Slots

log = structlog.get_logger()


class SlotRepair:
    """Compares what Redis said with what the hold counted, and mends Redis beside the call."""

    def __init__(
        self, *, db: Any, slots: Slots, background: Background, now: Callable[[], datetime]
    ) -> None:
        self._db = db
        self._slots = slots
        self._background = background
        self._now = now

    def compare(self, account_id: int, slot: SlotAnswer | None, open_calls: int) -> None:
        """`open_calls` is PostgreSQL's count with the call just allowed.

        A slot is taken before the hold and released after the settlement, so Redis being full while
        PostgreSQL is not has kept calls that ended, and Redis counting fewer calls than PostgreSQL
        has forgotten some, unless calls that came at once have overtaken each other.
        """
        if slot is not None and (not slot.taken or slot.in_use < open_calls):
            self._background.start(self._mend(account_id, slot))

    async def _mend(self, account_id: int, slot: SlotAnswer) -> None:
        """Make the account's slots equal to its open sessions."""
        now = self._now()
        rows = await self._db.fetch(statement("calls/open_sessions"), account_id)
        leases_ms = {
            row["call_id"]: int((row["expires_at"] - now).total_seconds() * 1000)
            for row in rows
            if row["expires_at"] > now
        }
        if await self._slots.mend(account_id, leases_ms, prune=not slot.taken):
            log.warning(
                "slot.reconciled",
                account_id=account_id,
                in_use=slot.in_use,
                open_calls=len(leases_ms),
            )
