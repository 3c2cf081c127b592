"""A refill credits once, however often it is asked for."""

import asyncio
from typing import Any

import pytest

from agi_server.ledger.booking import BookingRefusedError
from agi_server.ledger.refills import correct_by_hand, pay, refill
from agi_server.refused import InvalidFieldError
from rating.money import MAX_MONEY_MICROS
from support.business import MICROS, Business
from support.clock import Clock


async def test_the_same_refill_asked_ten_times_at_once_credits_once(business: Business) -> None:
    account = await business.customer(0)
    asked = (business.refill(account, MICROS, "refill:1") for _ in range(10))
    answers = await asyncio.gather(*asked)
    assert [MICROS] == [answer for answer in answers if answer is not None]
    assert MICROS == (await business.account(account)).balance_micros
    assert 2 * MICROS == await business.refill(account, MICROS, "refill:2")


async def test_the_same_refill_asked_again_when_the_month_has_changed_credits_once(
    business: Business, clock: Clock
) -> None:
    account = await business.customer(0)
    assert MICROS == await business.refill(account, MICROS, "refill:1")
    clock.advance(31 * 86_400)
    assert await business.refill(account, MICROS, "refill:1") is None
    assert MICROS == (await business.account(account)).balance_micros


async def test_the_same_refill_asked_at_once_on_both_sides_of_a_month_credits_once(
    business: Business, clock: Clock
) -> None:
    account = await business.customer(0)

    async def ask(number: int) -> int | None:
        if number == 10:
            clock.advance(31 * 86_400)
        return await business.refill(account, MICROS, "refill:1")

    answers = await asyncio.gather(*(ask(number) for number in range(20)))
    assert [MICROS] == [answer for answer in answers if answer is not None]
    assert MICROS == (await business.account(account)).balance_micros


@pytest.mark.parametrize("amount_micros", [0, -1, MAX_MONEY_MICROS + 1])
async def test_an_amount_that_is_none_changes_nothing(
    business: Business, amount_micros: int
) -> None:
    account = await business.customer(MICROS)
    with pytest.raises(BookingRefusedError, match="amount"):
        await business.refill(account, amount_micros, "refill:1")
    assert MICROS == (await business.account(account)).balance_micros


async def test_the_same_id_on_another_account_is_another_refill(business: Business) -> None:
    accounts = [await business.customer(0) for _ in range(2)]
    assert [MICROS] * 2 == [await business.refill(each, MICROS, "refill:1") for each in accounts]


@pytest.mark.parametrize("text", ["a\nb", "a\x01b", "a\rb", "a\0b", "x" * 201])
async def test_what_is_said_of_money_is_one_line(business: Business, text: str) -> None:
    account = await business.customer(0)
    about: dict[str, Any] = {
        "account_id": account.id,
        "movement_id": "m",
        "created_by": "test",
        "at": business.now(),
    }
    for move, said in (
        (refill, {"amount_micros": 1, "note": text}),
        (pay, {"amount_micros": 1, "note": text}),
        (correct_by_hand, {"given_micros": 1, "reason": text}),
    ):
        field = "reason" if "reason" in said else "note"
        with pytest.raises(InvalidFieldError, match=rf"^{field}: must"):
            await move(business.pool, **about, **said)
    assert 0 == (await business.account(account)).balance_micros
