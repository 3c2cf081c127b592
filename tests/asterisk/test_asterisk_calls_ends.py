"""However a call ends, it is debited once, for the time the callee saw, and nothing stays held."""

from exchange import PER_SECOND, SECOND_MICROS, Customer, Exchange
from sip_scenarios import Answers, HangUp, RingsForEver, Transfer, Wait
from sipp import call, callee


async def test_hung_up_by_the_caller(exchange: Exchange) -> None:
    async with callee(exchange.asterisk, "gw", Answers(ring_ms=300)) as gw:

        async def scene(customer: Customer) -> None:
            seen = await call(
                exchange.asterisk, customer.number, Wait(1500), HangUp(), user=customer.user
            )
            assert 200 == seen.status
            (record,) = await exchange.settled(customer)
            assert ("ANSWER", 1, "gw") == (record.dialstatus, record.route, record.trunk)
            exchange.assert_talk(record, await gw.ended(number=customer.number))

        await exchange.in_both_modes(scene)


async def test_hung_up_by_the_callee(exchange: Exchange) -> None:
    answers = Answers(ring_ms=300, hangs_up_after_ms=1500)
    async with callee(exchange.asterisk, "gw", answers) as gw:

        async def scene(customer: Customer) -> None:
            seen = await call(exchange.asterisk, customer.number, user=customer.user)
            assert (200, "the other end") == (seen.status, seen.hung_up_by)
            (record,) = await exchange.settled(customer)
            assert ("ANSWER", 16) == (record.dialstatus, record.hangupcause)
            exchange.assert_talk(record, await gw.ended(number=customer.number))

        await exchange.in_both_modes(scene)


async def test_cancelled_while_it_rings(exchange: Exchange) -> None:
    async with callee(exchange.asterisk, "gw", RingsForEver()) as gw:

        async def scene(customer: Customer) -> None:
            seen = await call(
                exchange.asterisk,
                customer.number,
                user=customer.user,
                cancel_after_ringing_ms=500,
            )
            assert 487 == seen.status
            (record,) = await exchange.settled(customer)
            assert ("CANCEL", 0, 0) == (record.dialstatus, record.talk_ms, record.cost_micros)
            ended = await gw.ended(number=customer.number)
            assert (487, "the other end") == (ended.status, ended.hung_up_by)

        await exchange.in_both_modes(scene)


async def test_not_answered_in_time(exchange: Exchange) -> None:
    async with callee(exchange.asterisk, "gw", RingsForEver()) as gw:

        async def scene(customer: Customer) -> None:
            seen = await call(exchange.asterisk, customer.number, user=customer.user)
            assert 480 == seen.status
            (record,) = await exchange.settled(customer)
            assert ("NOANSWER", 0, 0) == (record.dialstatus, record.talk_ms, record.cost_micros)
            assert 487 == (await gw.ended(number=customer.number)).status

        await exchange.in_both_modes(scene)


async def test_cut_by_the_limit_when_the_balance_is_spent(exchange: Exchange) -> None:
    async with callee(exchange.asterisk, "gw", Answers()) as gw:

        async def scene(customer: Customer) -> None:
            seen = await call(exchange.asterisk, customer.number, user=customer.user)
            assert (200, "the other end") == (seen.status, seen.hung_up_by)
            (record,) = await exchange.settled(customer)
            assert ("ANSWER", 2, 2000) == (
                record.dialstatus,
                record.billed_seconds,
                record.limit_ms,
            )
            assert 0 == (await exchange.business.account(customer.account)).balance_micros
            ended = await gw.ended(number=customer.number)
            assert "the other end" == ended.hung_up_by
            exchange.assert_talk(record, ended)

        await exchange.in_both_modes(scene, prefix=PER_SECOND, balance_micros=2 * SECOND_MICROS)


async def test_a_transfer_by_the_caller_is_refused_and_the_call_billed_to_its_end(
    exchange: Exchange,
) -> None:
    async with callee(exchange.asterisk, "gw", Answers()) as gw:

        async def scene(customer: Customer) -> None:
            steps = (Wait(700), Transfer("442079461111"), Wait(1000), HangUp())
            seen = await call(exchange.asterisk, customer.number, *steps, user=customer.user)
            refused = seen.status_of("REFER")
            assert refused is not None
            assert refused >= 400
            assert "this end" == seen.hung_up_by
            (record,) = await exchange.settled(customer)
            exchange.assert_talk(record, await gw.ended(number=customer.number))

        await exchange.in_both_modes(scene)
        assert 2 == await gw.calls_seen()
