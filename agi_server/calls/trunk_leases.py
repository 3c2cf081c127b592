"""Trunks carry only so many calls at a time: leased in Redis by call id, as slots are.

The decision counts the first route; the `call` route, which dials itself, moves the lease as it
goes on to the next. Where nobody answers for Redis nothing is counted.
"""

from collections.abc import Sequence
from itertools import takewhile

from agi_server.storage.redis.slots import Slots
from agi_server.tariffs.tables import Trunk


class TrunkLeases:
    """Who is on which trunk. A trunk without a capacity asks nobody."""

    def __init__(self, slots: Slots) -> None:
        self._slots = slots

    async def take(self, trunks: Sequence[Trunk], call_id: str, lease_ms: int) -> int:
        """Lease the first trunk with room; returns how many before it are full (at most all)."""
        counted = list(takewhile(lambda trunk: trunk.capacity, trunks))
        if not counted:
            return 0
        full = await self._slots.take_trunk(
            [(trunk.id, trunk.capacity) for trunk in counted], call_id, lease_ms
        )
        return full or 0

    async def move(self, before: Trunk, trunk: Trunk, call_id: str, lease_ms: int) -> bool:
        """Leave a trunk for another; False when that one is full."""
        if before.capacity:
            await self._slots.leave_first_trunk(before.id, call_id, lease_ms)
        return not await self.take([trunk], call_id, lease_ms)
