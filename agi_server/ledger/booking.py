"""One movement of the ledger, booked once."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import asyncpg

from agi_server.ledger.period import period_of
from agi_server.refused import DeletedError
from agi_server.storage.postgres.standby import confirm_commits
from agi_server.storage.postgres.statements import statement
from rating.money import MAX_MONEY_MICROS, format_money


class BookingRefusedError(Exception):
    """The movement is not possible; the message says why.

    `field` is the name of the argument that it is about, where there is one.
    """

    def __init__(self, message: str, *, field: str | None = None) -> None:
        self.field = field
        super().__init__(message)


class NotAvailableError(BookingRefusedError):
    """The account has less than `amount_micros` available; the message has no currency."""

    def __init__(self, amount_micros: int) -> None:
        self.amount_micros = amount_micros
        super().__init__(
            f"the account has less than {format_money(amount_micros)} available", field="amount"
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Movement:
    """An amount that goes from one side (`debit`) to another (`credit`); one of them may be
    `customer`. `id` names it within its account for good.
    """

    id: str
    kind: str
    debit: str
    credit: str
    amount_micros: int
    note: str


async def book(
    db: Any, account_id: int, movement: Movement, *, created_by: str, at: datetime
) -> int | None:
    """Book a movement by one ledger entry; returns the account's new balance in micros.

    The same id does nothing and returns None, in whatever month it is asked for again. `db` is an
    asyncpg pool or connection. Raises BookingRefusedError for an amount that is not positive or
    absurd, where the account's funds do not suffice, and where the id was used for another amount;
    RefusedError for a refill of a deleted account, which all else is still booked for.
    """
    if not 0 < movement.amount_micros <= MAX_MONEY_MICROS:
        raise BookingRefusedError(
            "amount: must be greater than 0 and less than 10^12", field="amount"
        )
    try:
        balance_micros: int | None = await db.fetchval(
            statement("ledger/book"),
            account_id,
            period_of(at),
            movement.id,
            movement.kind,
            movement.debit,
            movement.credit,
            movement.amount_micros,
            at,
            created_by,
            movement.note,
        )
    except asyncpg.UniqueViolationError:
        balance_micros = None  # another request with the same id was faster
    except asyncpg.CheckViolationError as error:
        if error.constraint_name != "account_within_credit_limit":
            raise
        raise NotAvailableError(movement.amount_micros) from None
    if balance_micros is None:
        await _check_same(db, account_id, movement)
        await confirm_commits(db)
    return balance_micros


async def _check_same(db: Any, account_id: int, movement: Movement) -> None:
    row = await db.fetchrow(statement("ledger/booked"), account_id, movement.id)
    if row is None and movement.kind == "refill":
        raise DeletedError
    if row is not None and tuple(row) != (
        movement.debit,
        movement.credit,
        movement.amount_micros,
    ):
        raise BookingRefusedError(
            f"the same was booked before, with another amount: {format_money(row['amount_micros'])}"
        )
