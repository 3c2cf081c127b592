"""Calls whose end nobody saw: ended when they must be over, and flagged for review."""

import time
from collections.abc import Callable
from datetime import datetime
from typing import Any

import structlog

from agi_server.calls.sessions import read_session
from agi_server.calls.settle import Settler
from agi_server.storage.postgres.health import CONNECTION_FAULTS
from agi_server.storage.postgres.statements import statement

log = structlog.get_logger()


class Recovery:
    """Settles open sessions that have outlived everything they were granted.

    `charge_hold` says what such a call costs: all that was held for it (nobody gets a call for
    free by making its end unseen), or nothing.
    """

    def __init__(
        self, *, db: Any, settler: Settler, charge_hold: bool, now: Callable[[], datetime]
    ) -> None:
        self._db = db
        self._settler = settler
        self._charge_hold = charge_hold
        self._now = now

    async def settle_overdue(self, account_id: int | None = None) -> int:
        """Settle what is overdue, of one account or of all; returns how many calls were ended."""
        rows = await self._db.fetch(statement("calls/overdue_sessions"), self._now(), account_id)
        ended = 0
        for row in rows:
            try:
                ended += await self._settle(row["account_id"], row["call_id"])
            except CONNECTION_FAULTS:
                raise
            except Exception as error:
                # One call that cannot be settled must not keep all others from it.
                log.error(
                    "background.failed",
                    work="recovery",
                    account_id=row["account_id"],
                    call_id=row["call_id"],
                    error=str(error),
                    exc_type=type(error).__name__,
                )
        return ended

    async def _settle(self, account_id: int, call_id: str) -> bool:
        """Whether it was us who ended it."""
        started = time.monotonic()
        stored = await read_session(self._db, account_id, call_id)
        if stored is None or stored.state != "open":
            return False
        session = stored.session
        settlement = await self._settler.settle_orphan(
            session,
            session.limit_ms if self._charge_hold else None,
            "nobody saw the end of this call; charged "
            + ("what was held for it" if self._charge_hold else "nothing"),
            lambda: round((time.monotonic() - started) * 1000),
        )
        return not settlement.repeated
