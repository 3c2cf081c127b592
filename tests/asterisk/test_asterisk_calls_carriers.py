"""What carriers answer instead of putting a call through: the next route, or a word to the caller.

Nothing of it costs anything, and a carrier never chooses where a call goes.
"""

import pytest
from asterisk_server import ACCESS_NUMBER
from exchange import Customer, Exchange
from sip_scenarios import Answers, HangUp, Redirects, Refuses, Wait
from sipp import call, callee


@pytest.mark.parametrize(
    ("status", "dialstatus"),
    [(486, "BUSY"), (480, "NOANSWER")],
    ids=["busy", "temporarily-unavailable"],
)
async def test_what_the_called_party_says_goes_to_the_caller_and_over_no_other_route(
    exchange: Exchange, status: int, dialstatus: str
) -> None:
    async with (
        callee(exchange.asterisk, "gw", Refuses(status=status, ring_ms=200)),
        callee(exchange.asterisk, "gw2", Answers()) as gw2,
    ):

        async def scene(customer: Customer) -> None:
            seen = await call(exchange.asterisk, customer.number, user=customer.user)
            assert status == seen.status
            (record,) = await exchange.settled(customer)
            assert (dialstatus, 1, "gw", 0) == (
                record.dialstatus,
                record.route,
                record.trunk,
                record.cost_micros,
            )

        await exchange.in_both_modes(scene)
        assert 0 == await gw2.calls_seen()


async def test_a_carrier_in_trouble_is_passed_over_for_the_second_route(
    exchange: Exchange,
) -> None:
    async with (
        callee(exchange.asterisk, "gw", Refuses(status=503)) as gw,
        callee(exchange.asterisk, "gw2", Answers(ring_ms=300)) as gw2,
    ):

        async def scene(customer: Customer) -> None:
            seen = await call(
                exchange.asterisk, customer.number, Wait(1200), HangUp(), user=customer.user
            )
            assert 200 == seen.status
            (record,) = await exchange.settled(customer)
            assert ("ANSWER", 2, "gw2") == (record.dialstatus, record.route, record.trunk)
            exchange.assert_talk(record, await gw2.ended(number=customer.number))

        await exchange.in_both_modes(scene)
        assert (2, 2) == (await gw.calls_seen(), await gw2.calls_seen())


async def test_a_busy_second_route_is_the_last_word(exchange: Exchange) -> None:
    async with (
        callee(exchange.asterisk, "gw", Refuses(status=503)),
        callee(exchange.asterisk, "gw2", Refuses(status=486)),
    ):

        async def scene(customer: Customer) -> None:
            seen = await call(exchange.asterisk, customer.number, user=customer.user)
            assert 486 == seen.status
            (record,) = await exchange.settled(customer)
            assert ("BUSY", 2, 0) == (record.dialstatus, record.route, record.cost_micros)

        await exchange.in_both_modes(scene)


async def test_all_carriers_in_trouble_cost_nothing(exchange: Exchange) -> None:
    async with (
        callee(exchange.asterisk, "gw", Refuses(status=503)) as gw,
        callee(exchange.asterisk, "gw2", Refuses(status=503)) as gw2,
    ):

        async def scene(customer: Customer) -> None:
            seen = await call(exchange.asterisk, customer.number, user=customer.user)
            assert 503 == seen.status
            (record,) = await exchange.settled(customer)
            assert ("CONGESTION", 2, 0) == (record.dialstatus, record.route, record.cost_micros)

        await exchange.in_both_modes(scene)
        assert (2, 2) == (await gw.calls_seen(), await gw2.calls_seen())


async def test_a_carrier_that_redirects_does_not_choose_where_the_call_goes(
    exchange: Exchange,
) -> None:
    async with (
        callee(exchange.asterisk, "gw", Redirects(number=ACCESS_NUMBER)) as gw,
        callee(exchange.asterisk, "gw2", Answers()) as gw2,
    ):

        async def scene(customer: Customer) -> None:
            seen = await call(exchange.asterisk, customer.number, user=customer.user)
            assert seen.status is not None
            assert seen.status >= 400
            (record,) = await exchange.settled(customer)
            assert (1, 0) == (record.route, record.cost_micros)

        await exchange.in_both_modes(scene)
        assert (2, 0) == (await gw.calls_seen(), await gw2.calls_seen())
