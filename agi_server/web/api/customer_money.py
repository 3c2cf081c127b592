"""Money of a customer: credit given, money received, corrections; once for each key."""

from collections.abc import Awaitable, Callable
from typing import Any, Literal

from fastapi import APIRouter, Depends, Request
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import JSONResponse

from agi_server.accounts.account import Account
from agi_server.accounts.customers import find_by_id
from agi_server.ledger.refills import correct_by_hand, receive_money, refill
from agi_server.refused import InvalidFieldError
from agi_server.web.api.access import Caller, having
from agi_server.web.api.customers import CustomerId, signature
from agi_server.web.api.once import IdempotencyKey, answer_once
from agi_server.web.api.shapes import Flag, Text, money
from agi_server.web.auth.roles import Operator, Right
from agi_server.web.scope import customer_in_scope
from agi_server.web.services import services_of
from rating.money import MoneyError, parse_money

router = APIRouter(
    prefix="/customers/{customer}",
    tags=["customers"],
    dependencies=[Depends(having(Right.MOVE_MONEY))],
)


class Refill(BaseModel):
    """Credit to give."""

    model_config = ConfigDict(extra="forbid")
    amount: Text = Field(description="Decimal string in the account's currency.", max_length=40)
    note: Text = Field(default="", max_length=200, description="Kept in the ledger.")


class Payment(Refill):
    """Money that was received."""

    with_refill: Flag = Field(default=False, description="Give as much credit, too.")


class Correction(BaseModel):
    """A further entry that mends the balance."""

    model_config = ConfigDict(extra="forbid")
    direction: Literal["give", "take"]
    amount: Text = Field(
        description="Decimal string; no more is taken than is available.", max_length=40
    )
    reason: Text = Field(min_length=1, max_length=200, description="Kept in the ledger.")


class Moved(BaseModel):
    """The customer's funds after a movement."""

    customer: int
    amount: str
    balance: str
    currency: str


@router.post("/refills", response_model=Moved, status_code=201)
async def refill_customer(
    request: Request, operator: Caller, customer: CustomerId, key: IdempotencyKey, asked: Refill
) -> JSONResponse:
    """Give credit, once for each Idempotency-Key."""

    async def give(db: Any, amount_micros: int, **by: Any) -> None:
        await refill(
            db,
            amount_micros=amount_micros,
            movement_id=f"refill:api:{operator.id}:{key}",
            note=asked.note,
            **by,
        )

    return await _once(request, operator, customer, key, ("refill", asked), give)


@router.post("/payments", response_model=Moved, status_code=201)
async def record_payment(
    request: Request, operator: Caller, customer: CustomerId, key: IdempotencyKey, asked: Payment
) -> JSONResponse:
    """Record money received, once for each Idempotency-Key; the balance changes only with credit
    given for it (`with_refill`)."""

    async def receive(db: Any, amount_micros: int, **by: Any) -> None:
        await receive_money(
            db,
            amount_micros=amount_micros,
            reference=f"api:{operator.id}:{key}",
            with_refill=asked.with_refill,
            note=asked.note,
            **by,
        )

    return await _once(request, operator, customer, key, ("payment", asked), receive)


@router.post(
    "/corrections",
    response_model=Moved,
    status_code=201,
    dependencies=[Depends(having(Right.CORRECT_MONEY))],
)
async def correct_balance(
    request: Request, operator: Caller, customer: CustomerId, key: IdempotencyKey, asked: Correction
) -> JSONResponse:
    """Correct the balance by a further entry with a reason, once for each Idempotency-Key."""

    if not asked.reason.strip():
        raise InvalidFieldError("reason", "must say why")

    async def correct(db: Any, amount_micros: int, **by: Any) -> None:
        await correct_by_hand(
            db,
            given_micros=amount_micros if asked.direction == "give" else -amount_micros,
            movement_id=f"adjustment:api:{operator.id}:{key}",
            reason=asked.reason,
            **by,
        )

    return await _once(request, operator, customer, key, ("correction", asked), correct)


async def _once(
    request: Request,
    operator: Operator,
    customer: int,
    key: str,
    asked: tuple[str, Refill | Correction],
    move: Callable[..., Awaitable[None]],
) -> JSONResponse:
    """Book the movement and answer with the funds after it; the stored answer to a known key."""
    services = services_of(request)
    account = await customer_in_scope(services.db, operator, customer)
    what, body = asked
    try:
        amount_micros = parse_money(body.amount)
    except MoneyError as error:
        raise InvalidFieldError("amount", str(error)) from None
    if amount_micros <= 0:
        raise InvalidFieldError("amount", "must be greater than 0")

    async def act(db: Any) -> tuple[int, dict[str, Any]]:
        await move(
            db,
            amount_micros=amount_micros,
            account_id=account.id,
            created_by=signature(operator),
            at=services.now(),
        )
        after: Account = await find_by_id(db, account.id)
        return 201, {
            "customer": account.id,
            "amount": money(amount_micros),
            "balance": money(after.balance_micros),
            "currency": account.currency,
        }

    return await answer_once(services, operator, key, {what: customer, **body.model_dump()}, act)
