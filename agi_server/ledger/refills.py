"""Credit given to an account."""

from datetime import datetime
from typing import Any

import asyncpg

from agi_server.ledger.period import period_of
from agi_server.storage.postgres.standby import confirm_commits
from agi_server.storage.postgres.statements import statement
from rating.money import MAX_MONEY_MICROS


class RefillRefusedError(Exception):
    """The refill is not possible; the message says why."""


async def refill(
    db: Any,
    *,
    account_id: int,
    amount_micros: int,
    movement_id: str,
    created_by: str,
    note: str,
    at: datetime,
) -> int | None:
    """Give credit by one ledger entry; returns the new balance in micros.

    The same `movement_id` does nothing and returns None, in whatever month it is asked for again,
    so a repeated request never credits twice. `db` is an asyncpg pool or connection. Raises
    RefillRefusedError for an amount that is not positive or absurd.
    """
    if not 0 < amount_micros <= MAX_MONEY_MICROS:
        raise RefillRefusedError("amount: must be greater than 0 and less than 10^12")
    try:
        balance_micros: int | None = await db.fetchval(
            statement("ledger/refill"),
            account_id,
            period_of(at),
            movement_id,
            amount_micros,
            at,
            created_by,
            note,
        )
    except asyncpg.UniqueViolationError:
        balance_micros = None  # another request with the same id was faster
    if balance_micros is None:
        await confirm_commits(db)
    return balance_micros
