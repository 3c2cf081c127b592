"""Slots of simultaneous access, leased per account by call id, and the calls on each trunk.

Redis answers fast and shows what is live; PostgreSQL's hold decides. So Redis may be away, empty or
slow at any time: it then says nothing (None), refuses nobody and lets nobody through.
"""

import re
import time
from collections.abc import AsyncIterator, Callable, Collection, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from importlib.resources import files

import structlog
from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError

log = structlog.get_logger()

# After a failure calls go on without Redis for so long, instead of each waiting for its timeout.
_AWAY_S = 1.0
_ACCOUNT_KEY = re.compile(r"\{([0-9]+)\}:slots")
_TRUNK_KEY = re.compile(r"\{trunks\}:([0-9]+)")
# Keys that are looked for, or read, in one round trip.
_PAGE = 500
# Not a trunk: who has left its first trunk for another is not to be put back on it.
_LEFT_FIRST = 0
_NO_LIMIT = 1 << 30


@dataclass(frozen=True, slots=True, kw_only=True)
class SlotAnswer:
    """Whether a slot was taken, and how many are in use with it."""

    taken: bool
    in_use: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Counted:
    """All calls that Redis counts: call ids by the id of their account, and of their trunk."""

    accounts: dict[int, set[str]]
    trunks: dict[int, set[str]]


class Slots:
    """The slots of all accounts; keys of one account lie together by their hash tag."""

    def __init__(self, redis: Redis, clock: Callable[[], float] = time.monotonic) -> None:
        self._redis = redis
        self._clock = clock
        self._away_until: float | None = None
        self._take = redis.register_script(_script("take_slot.lua"))
        self._take_trunk = redis.register_script(_script("take_trunk.lua"))
        self._mend = redis.register_script(_script("mend_slots.lua"))

    async def take(
        self, account_id: int, call_id: str, limit: int, lease_ms: int
    ) -> SlotAnswer | None:
        """One round trip; None when Redis does not answer. Asking again for a call is harmless."""
        if not self._asking():
            return None
        try:
            taken, in_use = await self._take(
                keys=[_key(account_id)], args=[call_id, limit, lease_ms]
            )
        except (RedisError, OSError) as error:
            self._went_away(error)
            return None
        self._answered()
        return SlotAnswer(taken=bool(taken), in_use=in_use)

    async def take_trunk(
        self, trunks: Sequence[tuple[int, int]], call_id: str, lease_ms: int
    ) -> int | None:
        """Lease the call on the first of the trunks (id, capacity) that has room; one round trip.

        Returns how many before it are full, all of them when there is no room anywhere; None when
        Redis does not answer: then nobody counts. Asking again for a call is harmless.
        """
        if not self._asking():
            return None
        try:
            full: int = await self._take_trunk(
                keys=[_trunk_key(id_) for id_, _ in trunks],
                args=[call_id, lease_ms, *(capacity for _, capacity in trunks)],
            )
        except (RedisError, OSError) as error:
            self._went_away(error)
            return None
        self._answered()
        return full

    async def leave_first_trunk(self, trunk_id: int, call_id: str, lease_ms: int) -> None:
        """The call goes on to another trunk."""
        await self.take_trunk([(_LEFT_FIRST, _NO_LIMIT)], call_id, lease_ms)
        await self.release_trunks([trunk_id], call_id)

    async def mend_trunk(self, trunk_ids: Sequence[int], call_id: str, lease_ms: int) -> None:
        """Put an open call on the first of its trunks, whatever that carries, if it is on none."""
        elsewhere = [(id_, 0) for id_ in (_LEFT_FIRST, *trunk_ids[1:])]
        await self.take_trunk([*elsewhere, (trunk_ids[0], _NO_LIMIT)], call_id, lease_ms)

    async def release_trunks(self, trunk_ids: Iterable[int], call_id: str) -> None:
        """The call is on none of these trunks any more."""
        if not self._asking():
            return
        try:
            async with self._redis.pipeline(transaction=False) as pipeline:
                for trunk_id in trunk_ids:
                    pipeline.zrem(_trunk_key(trunk_id), call_id)
                await pipeline.execute()
        except (RedisError, OSError) as error:
            self._went_away(error)
        else:
            self._answered()

    async def release(self, account_id: int, call_id: str, trunk_ids: Collection[int] = ()) -> None:
        """Give a slot back, and the call's place on trunks whose capacity is counted.

        When Redis is away the leases end by themselves.
        """
        if trunk_ids:
            await self.release_trunks((_LEFT_FIRST, *trunk_ids), call_id)
        if not self._asking():
            return
        try:
            await self._redis.zrem(_key(account_id), call_id)
        except (RedisError, OSError) as error:
            self._went_away(error)
        else:
            self._answered()

    async def mend(self, account_id: int, leases_ms: dict[str, int], *, prune: bool) -> int:
        """Add the open calls (call id → lease in ms) that are missing; returns how many changed.

        `prune` removes all others too. That may hit a call whose hold is on its way just now, so it
        is for an account whose slots are full of calls that ended.
        """
        try:
            pairs = [item for pair in leases_ms.items() for item in pair]
            changed: int = await self._mend(keys=[_key(account_id)], args=[int(prune), *pairs])
        except (RedisError, OSError) as error:
            self._went_away(error)
            return 0
        return changed

    async def counted(self) -> Counted | None:
        """Every call that is counted, a page of accounts at a time; None without Redis."""
        if not self._asking():
            return None
        found = Counted(accounts={}, trunks={})
        try:
            keys = [key async for key in self._redis.scan_iter(match="{*}:*", count=_PAGE)]
            for start in range(0, len(keys), _PAGE):
                await self._read(keys[start : start + _PAGE], found)
        except (RedisError, OSError) as error:
            self._went_away(error)
            return None
        self._answered()
        return found

    async def _read(self, keys: list[str], found: Counted) -> None:
        """Add what the keys hold; those of others are left alone."""
        places = []
        async with self._redis.pipeline(transaction=False) as pipeline:
            for key in keys:
                if match := _ACCOUNT_KEY.fullmatch(key):
                    places.append((found.accounts, int(match[1])))
                elif match := _TRUNK_KEY.fullmatch(key):
                    places.append((found.trunks, int(match[1])))
                else:
                    continue
                pipeline.zrange(key, 0, -1)
            for (ids, id_), calls in zip(places, await pipeline.execute(), strict=True):
                ids[id_] = set(calls)

    async def ping(self) -> bool:
        """Whether Redis answers now."""
        try:
            await self._redis.ping()
        except (RedisError, OSError) as error:
            self._went_away(error)
            return False
        self._answered()
        return True

    def _asking(self) -> bool:
        return self._away_until is None or self._clock() >= self._away_until

    def _went_away(self, error: Exception) -> None:
        if self._away_until is None:
            log.error("backend.down", backend="redis", error=str(error))
        self._away_until = self._clock() + _AWAY_S

    def _answered(self) -> None:
        if self._away_until is not None:
            self._away_until = None
            log.info("backend.up", backend="redis")


@asynccontextmanager
async def open_slots(url: str, timeout_ms: int) -> AsyncIterator[Slots]:
    """Slots in the Redis at `url` (redis://, rediss:// or unix://); connects when first asked."""
    redis = Redis.from_url(
        url,
        socket_timeout=timeout_ms / 1000,
        socket_connect_timeout=timeout_ms / 1000,
        retry=Retry(NoBackoff(), 0),
        decode_responses=True,
    )
    try:
        yield Slots(redis)
    finally:
        await redis.aclose()


def _key(account_id: int) -> str:
    return f"{{{account_id}}}:slots"


def _trunk_key(trunk_id: int) -> str:
    # All on one node of a cluster: a script asks for those of several routes at once.
    return f"{{trunks}}:{trunk_id}"


def _script(name: str) -> str:
    return files(__package__).joinpath(name).read_text(encoding="utf-8")
