"""Credit given to an account, money received for it, and corrections by hand.

What is said of a movement is one line; anything else raises InvalidFieldError.
"""

from datetime import datetime
from typing import Any

from agi_server.ledger.booking import Movement, book
from agi_server.one_line import check_line


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
    """Give credit; returns the new balance in micros, None when it was given before. See `book`."""
    movement = Movement(
        id=movement_id,
        kind="refill",
        debit="refills",
        credit="customer",
        amount_micros=amount_micros,
        note=check_line("note", note),
    )
    return await book(db, account_id, movement, created_by=created_by, at=at)


async def pay(
    db: Any,
    *,
    account_id: int,
    amount_micros: int,
    movement_id: str,
    created_by: str,
    note: str,
    at: datetime,
) -> int | None:
    """Record money received for credit that was or will be given; the balance stays as it is.

    Returns it in micros, None when the payment was recorded before. See `book`.
    """
    movement = Movement(
        id=movement_id,
        kind="payment",
        debit="payments",
        credit="refills",
        amount_micros=amount_micros,
        note=check_line("note", note),
    )
    return await book(db, account_id, movement, created_by=created_by, at=at)


async def receive_money(
    db: Any,
    *,
    account_id: int,
    amount_micros: int,
    reference: str,
    with_refill: bool,
    created_by: str,
    note: str,
    at: datetime,
) -> tuple[bool, bool | None]:
    """Record a payment and, `with_refill`, give as much credit; each once by the reference.

    Returns whether each was done now, None for a refill that was not asked for. Asked again, what
    was not yet done is done. See `book`.
    """
    movement: dict[str, Any] = {
        "account_id": account_id,
        "amount_micros": amount_micros,
        "created_by": created_by,
        "note": note,
        "at": at,
    }
    refilled = None
    if with_refill:  # first, for it may be refused: then nothing was done
        refilled = await refill(db, movement_id=f"refill:{reference}", **movement) is not None
    paid = await pay(db, movement_id=f"payment:{reference}", **movement) is not None
    return paid, refilled


async def correct_by_hand(
    db: Any,
    *,
    account_id: int,
    given_micros: int,
    movement_id: str,
    created_by: str,
    reason: str,
    at: datetime,
) -> int | None:
    """Give (or with a negative amount take) money; returns the new balance in micros.

    Never more is taken than is available: what is held for calls and what lies below the credit
    limit stays. None when it was booked before. See `book`.
    """
    sides = ("corrections", "customer") if given_micros > 0 else ("customer", "corrections")
    movement = Movement(
        id=movement_id,
        kind="correction",
        debit=sides[0],
        credit=sides[1],
        amount_micros=abs(given_micros),
        note=check_line("reason", reason),
    )
    return await book(db, account_id, movement, created_by=created_by, at=at)
