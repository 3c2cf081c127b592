"""Calls in progress that are over: shown, and ended when an operator says so.

Nothing is ever set to zero: what ends is settled by the best witness there is, and what Asterisk
still has stays open.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from agi_server.accounts.account import Account
from agi_server.accounts.changes import record_reset
from agi_server.calls.recover import Recovery
from agi_server.editor import Editor


@dataclass(frozen=True, slots=True, kw_only=True)
class InUse:
    """An account's calls in progress, and rows of those of them that are over."""

    account: Account
    over: list[Any]


async def find_over(recovery: Recovery, account: Account, now: datetime) -> InUse:
    """Over is what Asterisk no longer has; where it cannot be asked, what is older than its limit.

    Raises CONNECTION_FAULTS.
    """
    matched = await recovery.match(account.id)
    late = [row for row in matched.unknown if row["expires_at"] < now]
    return InUse(account=account, over=matched.over + late)


async def end_over(db: Any, recovery: Recovery, in_use: InUse, editor: Editor) -> int:
    """End them and record who did; returns how many nobody else has ended meanwhile."""
    if not in_use.over:
        return 0
    ended = await recovery.settle([(row, None) for row in in_use.over])
    await record_reset(db, in_use.account, editor)
    return ended
