"""Slots in Redis are rebuilt from PostgreSQL whenever the two are seen to differ."""

import asyncio
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

    async def mend_all(self, hold_takes_s: float) -> None:
        """Free what calls that ended, or never began, still take in Redis; add what it forgot.

        A daemon that dies between slot and hold leaves a slot, or a place on a trunk, that no
        session has. What is on its way just now looks the same, but has a session when the longest
        time that a hold may take (`hold_takes_s`) is over. Raises what asyncpg raises.
        """
        counted = await self._slots.counted()
        if counted is None:
            return
        await asyncio.sleep(hold_takes_s)
        sessions = await self._db.fetch(statement("calls/all_open_sessions"))
        await self._mend_accounts(counted.accounts, sessions)
        await self._mend_trunks(counted.trunks, sessions)

    async def _mend_accounts(self, counted: dict[int, set[str]], sessions: list[Any]) -> None:
        open_calls: dict[int, dict[str, datetime]] = {}
        for row in sessions:
            open_calls.setdefault(row["account_id"], {})[row["call_id"]] = row["expires_at"]
        for account_id in counted.keys() | open_calls.keys():
            calls = counted.get(account_id, set())
            leases_ms = self._leases_ms(open_calls.get(account_id, {}))
            ended = calls - open_calls.get(account_id, {}).keys()
            for call_id in ended:
                await self._slots.release(account_id, call_id)
            missing = {call: left for call, left in leases_ms.items() if call not in calls}
            added = await self._slots.mend(account_id, missing, prune=False) if missing else 0
            if ended or added:
                log.warning(
                    "slot.reconciled",
                    account_id=account_id,
                    in_use=len(calls),
                    open_calls=len(leases_ms),
                )

    async def _mend_trunks(self, counted: dict[int, set[str]], sessions: list[Any]) -> None:
        """A call that is on no trunk is put on its first, as the decision did."""
        up = {row["call_id"] for row in sessions}
        for trunk_id, calls in counted.items():
            for call_id in calls - up:
                await self._slots.release_trunks([trunk_id], call_id)
        somewhere = {call_id for calls in counted.values() for call_id in calls}
        trunks = {row["call_id"]: row["counted_trunk_ids"] for row in sessions}
        leases_ms = self._leases_ms({row["call_id"]: row["expires_at"] for row in sessions})
        for call_id, lease_ms in leases_ms.items():
            if trunks[call_id] and call_id not in somewhere:
                await self._slots.mend_trunk(trunks[call_id], call_id, lease_ms)

    async def _mend(self, account_id: int, slot: SlotAnswer) -> None:
        """Make the account's slots equal to its open sessions."""
        rows = await self._db.fetch(statement("calls/open_sessions"), account_id)
        leases_ms = self._leases_ms({row["call_id"]: row["expires_at"] for row in rows})
        if await self._slots.mend(account_id, leases_ms, prune=not slot.taken):
            log.warning(
                "slot.reconciled",
                account_id=account_id,
                in_use=slot.in_use,
                open_calls=len(leases_ms),
            )

    def _leases_ms(self, open_calls: dict[str, datetime]) -> dict[str, int]:
        now = self._now()
        return {
            call_id: int((expires_at - now).total_seconds() * 1000)
            for call_id, expires_at in open_calls.items()
            if expires_at > now
        }
