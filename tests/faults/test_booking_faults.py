"""A refill, a payment or a correction whose answer is lost: asked again, it is booked once."""

from collections.abc import Awaitable, Callable
from contextlib import suppress
from datetime import datetime
from itertools import count
from typing import Any

import asyncpg
import pytest

from agi_server.ledger.refills import correct_by_hand, receive_money, refill
from agi_server.storage.postgres.pool import open_pool
from support.business import Business
from support.clock import Clock
from support.wire_proxy import Action, Proxy, cut_at_answer, cut_client_after

Book = Callable[[Any, int, str, datetime], Awaitable[Any]]
AMOUNT_MICROS = 1_000


async def refilled(db: Any, account_id: int, name: str, at: datetime) -> Any:
    return await refill(
        db, account_id=account_id, amount_micros=AMOUNT_MICROS, movement_id=f"refill:{name}",
        created_by="test", note="", at=at,
    )  # fmt: skip


async def paid_and_refilled(db: Any, account_id: int, name: str, at: datetime) -> Any:
    done = await receive_money(
        db, account_id=account_id, amount_micros=AMOUNT_MICROS, reference=name, with_refill=True,
        created_by="test", note="", at=at,
    )  # fmt: skip
    return None if done == (False, False) else done


async def corrected(db: Any, account_id: int, name: str, at: datetime) -> Any:
    return await correct_by_hand(
        db, account_id=account_id, given_micros=AMOUNT_MICROS, movement_id=f"correction:{name}",
        created_by="test", reason="a mistake", at=at,
    )  # fmt: skip


@pytest.mark.parametrize("book", [refilled, paid_and_refilled, corrected])
@pytest.mark.parametrize("fault", [cut_at_answer, cut_client_after])
async def test_what_is_asked_again_since_its_answer_was_lost_at_any_round_is_booked_once(
    business: Business, clock: Clock, postgres_proxy: Proxy, fault: Action, book: Book
) -> None:
    account = await business.customer()
    before_micros = account.balance_micros
    async with open_pool(postgres_proxy.address, statement_timeout_ms=300) as pool:
        for number in count(1):
            await pool.expire_connections()  # as one that has just been started
            postgres_proxy.at(b"", fault, number)
            done = False
            while not done:
                with suppress(OSError, asyncpg.PostgresError, asyncpg.InterfaceError):
                    await book(pool, account.id, str(number), clock())
                    done = True
            over = postgres_proxy.forget()
            assert None is await book(pool, account.id, str(number), clock())
            if over:
                break
    assert number > 1
    now = await business.account(account)
    assert before_micros + number * AMOUNT_MICROS == now.balance_micros
