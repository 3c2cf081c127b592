"""The daemon is killed in the middle of calls: none is billed twice, lost, or left holding."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

from asterisk_server import ACCESS_NUMBER
from exchange import CALL, DECISION, PER_SECOND, SECOND_MICROS, Customer, Exchange
from sip_scenarios import Answers, HangUp, Step, Wait, WaitForGoOn
from sipp import Caller, SippProcess, call, callee, calling


@asynccontextmanager
async def talking_in_both_modes(
    exchange: Exchange, gw: SippProcess, *steps: Step, **about: object
) -> AsyncIterator[dict[Caller, Customer]]:
    """Two calls that were just answered, one in each mode."""
    customers = [
        await exchange.customer(line, mode, simultaneous_access=1, **about)  # type: ignore[arg-type]
        for line, mode in ((1, DECISION), (2, CALL))
    ]
    async with AsyncExitStack() as callers:
        talking = {
            await callers.enter_async_context(
                calling(exchange.asterisk, customer.number, *steps, user=customer.user)
            ): customer
            for customer in customers
        }
        await gw.answered(2)
        yield talking


async def test_killed_and_started_again_during_the_talk(exchange: Exchange) -> None:
    async with (
        callee(exchange.asterisk, "gw", Answers()) as gw,
        talking_in_both_modes(exchange, gw, WaitForGoOn(), HangUp()) as talking,
    ):
        await exchange.kill_daemon()
        await exchange.start_daemon()
        for caller, customer in talking.items():
            await caller.go_on()
            (record,) = await exchange.settled(customer)
            assert ("ANSWER", "handler", None) == (
                record.dialstatus,
                record.witness,
                record.review,
            )
            exchange.assert_talk(record, await gw.ended(number=customer.number))
        # The slot is free: an account that may make one call at a time makes the next.
        for customer in talking.values():
            seen = await call(
                exchange.asterisk, customer.number, Wait(200), HangUp(), user=customer.user
            )
            assert 200 == seen.status
            await exchange.settled(customer, 2)


async def test_killed_during_the_talk_and_started_again_after_the_hang_up(
    exchange: Exchange,
) -> None:
    answers = Answers(hangs_up_after_ms=1200)
    async with (
        callee(exchange.asterisk, "gw", answers) as gw,
        talking_in_both_modes(exchange, gw) as talking,
    ):
        await exchange.kill_daemon()
        ended = {customer: await gw.ended(number=customer.number) for customer in talking.values()}
        await exchange.start_daemon()
        for customer in talking.values():
            (record,) = await exchange.settled(customer)
            assert ("ANSWER", "handler", None) == (
                record.dialstatus,
                record.witness,
                record.review,
            )
            exchange.assert_talk(record, ended[customer])


async def test_asterisk_keeps_the_limit_while_the_daemon_is_dead(exchange: Exchange) -> None:
    funds = {"prefix": PER_SECOND, "balance_micros": 2 * SECOND_MICROS}
    async with (
        callee(exchange.asterisk, "gw", Answers()) as gw,
        talking_in_both_modes(exchange, gw, **funds) as talking,
    ):
        await exchange.kill_daemon()
        ended = {customer: await gw.ended(number=customer.number) for customer in talking.values()}
        await exchange.start_daemon()
        for customer in talking.values():
            (record,) = await exchange.settled(customer)
            assert 2 == record.billed_seconds
            assert 0 == (await exchange.business.account(customer.account)).balance_micros
            exchange.assert_talk(record, ended[customer])


async def test_killed_while_it_asks_the_caller_for_an_account_number(exchange: Exchange) -> None:
    async with (
        callee(exchange.asterisk, "gw", Answers()) as gw,
        calling(exchange.asterisk, ACCESS_NUMBER, user="442079461111") as caller,
    ):
        await caller.answered()
        await exchange.kill_daemon()
        (seen,) = await caller.finished()
        assert "the other end" == seen.hung_up_by
        assert 0 == await gw.calls_seen()
        await exchange.start_daemon()
