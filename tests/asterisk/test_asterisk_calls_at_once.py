"""Many calls of one account at the same moment never get more than the account may have."""

from collections import Counter

from exchange import PER_SECOND, SECOND_MICROS, Customer, Exchange
from sip_scenarios import Answers, HangUp, WaitForGoOn
from sipp import callee, calling

from support.business import MICROS


async def test_of_50_calls_at_once_exactly_3_are_put_through_and_after_their_end_3_again(
    exchange: Exchange,
) -> None:
    async with callee(exchange.asterisk, "gw", Answers()) as gw:

        async def scene(customer: Customer) -> None:
            for turn in (1, 2):
                async with calling(
                    exchange.asterisk,
                    customer.number,
                    *(WaitForGoOn(), HangUp()),
                    user=customer.user,
                    calls=50,
                ) as callers:
                    seen = await callers.until(lambda seen: 50 == sum(bool(c.status) for c in seen))
                    assert {200: 3, 403: 47} == Counter(each.status for each in seen)
                    assert 3 == (await exchange.business.account(customer.account)).in_use
                    await callers.go_on()
                    await callers.finished()
                await exchange.settled(customer, 3 * turn)
                refused = await exchange.refused(customer.account.id, 47 * turn)
                assert {"too_many_calls": 47 * turn} == Counter(refused)

        await exchange.in_both_modes(scene, simultaneous_access=3, balance_micros=100 * MICROS)
        assert 12 == await gw.calls_seen()


async def test_of_20_calls_at_once_a_balance_for_one_pays_for_one(exchange: Exchange) -> None:
    async with callee(exchange.asterisk, "gw", Answers()) as gw:

        async def scene(customer: Customer) -> None:
            async with calling(
                exchange.asterisk, customer.number, user=customer.user, calls=20
            ) as callers:
                seen = await callers.finished()
            assert {200: 1, 403: 19} == Counter(each.status for each in seen)
            (record,) = await exchange.settled(customer)
            assert (2, customer.balance_micros) == (record.billed_seconds, record.cost_micros)
            assert {"no_credit": 19} == Counter(await exchange.refused(customer.account.id, 19))
            assert 0 == (await exchange.business.account(customer.account)).balance_micros

        await exchange.in_both_modes(scene, prefix=PER_SECOND, balance_micros=2 * SECOND_MICROS)
        assert 2 == await gw.calls_seen()
