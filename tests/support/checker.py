"""What must be true after every fault: one checker for all tests that break things."""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Mapping
from typing import Any

from redis.asyncio import Redis

from agi_server.ledger.verify import verify

_LOOK_AGAIN_S = 0.02
_BELOW_LIMIT = """
SELECT id FROM account WHERE balance_micros - held_micros + credit_limit_micros < 0
"""
_RESERVED = """
SELECT id, held_micros, open_calls FROM account WHERE held_micros <> 0 OR open_calls <> 0
"""
_OPEN = "SELECT account_id, call_id FROM call_session WHERE state = 'open'"
# A call is charged by one movement of one month: to the customer, the rest to the overrun account.
_CHARGED = """
SELECT split_part(movement_id, ':', 2) AS call_id, count(DISTINCT (movement_id, period)) AS times,
       count(*) FILTER (WHERE debit = 'customer') AS debits, sum(amount_micros)::bigint AS micros
FROM ledger_entry WHERE kind = 'call' GROUP BY 1
"""
_ENDED = "SELECT call_id, state, cost_micros, review FROM call_session WHERE state <> 'denied'"


async def violations(
    db: Any,
    redis_url: str,
    *,
    live: Collection[str] = (),
    answered: Mapping[str, int] | None = None,
) -> list[str]:
    """Everything that is not as promised; empty when all is well.

    `live` are the calls that are up: only they may hold money or a slot. `answered` are calls that
    were answered and whose end was told: each is debited once, what it cost (micros); or what was
    held for it, flagged for review, where its end was lost with a daemon.
    """
    found = [f"ledger verify: {mismatch}" for mismatch in await _mismatches(db)]
    found += [f"account {row['id']} is below its limit" for row in await db.fetch(_BELOW_LIMIT)]
    open_calls = {row["call_id"] for row in await db.fetch(_OPEN)}
    found += [f"open, but not live: {call}" for call in sorted(open_calls - set(live))]
    if not live:
        found += [f"still reserved: {dict(row)}" for row in await db.fetch(_RESERVED)]
    found += [
        f"{key} counts a call that is not live: {call}"
        for key, calls in (await slots(redis_url)).items()
        for call in sorted(calls - set(live))
    ]
    return found + await _wrong_debits(db, answered or {})


async def until(is_so: Callable[[], Awaitable[bool]], patience_s: float = 60) -> None:
    """Wait for what is true in the end, where nobody tells; raises TimeoutError."""
    async with asyncio.timeout(patience_s):
        while True:
            if await is_so():
                return
            await asyncio.sleep(_LOOK_AGAIN_S)


async def slots(redis_url: str) -> dict[str, set[str]]:
    """The calls that Redis counts, by key: of accounts and of trunks."""
    async with Redis.from_url(redis_url, decode_responses=True) as redis:
        return {
            key: set(await redis.zrange(key, 0, -1))
            async for key in redis.scan_iter("{*", count=1000)
        }


async def _mismatches(db: Any) -> list[Any]:
    async with db.acquire() as connection:
        return await verify(connection)


async def _wrong_debits(db: Any, answered: Mapping[str, int]) -> list[str]:
    found = []
    charges = {row["call_id"]: row for row in await db.fetch(_CHARGED)}
    ended = {row["call_id"]: row for row in await db.fetch(_ENDED)}
    for call, charge in charges.items():
        if charge["times"] != 1 or charge["debits"] > 1:
            found.append(f"debited more than once: {call} {dict(charge)}")
        if call not in ended or ended[call]["state"] != "settled":
            found.append(f"debited, but not settled: {call}")
    for call, cost_micros in answered.items():
        if call not in ended:
            found.append(f"answered, but unknown: {call}")
        elif ended[call]["state"] != "settled":
            found.append(f"answered, but {ended[call]['state']}: {call}")
        elif ended[call]["cost_micros"] != cost_micros and not ended[call]["review"]:
            found.append(f"{call} cost {ended[call]['cost_micros']} and not {cost_micros}")
    return found
