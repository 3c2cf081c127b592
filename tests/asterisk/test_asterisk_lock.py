"""A customer locks and unlocks the own outgoing calls from the phone, with the PIN."""

from exchange import Exchange
from sip_scenarios import Answers, HangUp, Type, Wait, WaitForGoOn
from sipp import call, callee, calling

from agi_server.routes.prompts import ENTER_PIN, LOCKED, UNLOCKED, WRONG_PIN

LOCK_CODE = "*56"
PIN, WRONG = "4711", "4712"


async def test_a_customer_locks_and_unlocks_the_own_calls_by_telephone(exchange: Exchange) -> None:
    customer = await exchange.customer(lock_pin=PIN)
    asterisk, account = exchange.asterisk, customer.account

    async def dial_the_code(*typed: str, then: str) -> None:
        steps = [step for pin in typed for step in (WaitForGoOn(), Type(f"{pin}#"))]
        place = len(asterisk.log)
        async with calling(asterisk, LOCK_CODE, *steps, user=customer.user) as caller:
            for pin in typed:
                place = await asterisk.logs(f"Playing '{ENTER_PIN}.", since=place)
                await caller.go_on()
                said = then if pin == PIN else WRONG_PIN
                place = await asterisk.logs(f"Playing '{said}.", since=place)
            (seen,) = await caller.finished()
        assert (200, "the other end") == (seen.status, seen.hung_up_by)

    async def locked() -> bool:
        found = await exchange.business.account(account)
        return found.locked is True

    async with callee(asterisk, "gw", Answers()) as gw:
        await dial_the_code(WRONG, PIN, then=LOCKED)
        assert await locked()
        refused = await call(asterisk, customer.number, user=customer.user)
        assert refused.status is not None
        assert refused.status >= 400
        await exchange.logged("call.denied", account_id=account.id, reason="account_locked")
        assert 0 == await gw.calls_seen()
        await dial_the_code(PIN, then=UNLOCKED)
        assert not await locked()
        put_through = await call(asterisk, customer.number, Wait(500), HangUp(), user=customer.user)
        assert 200 == put_through.status
        await exchange.settled(customer)
