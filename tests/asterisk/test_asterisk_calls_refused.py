"""A call that is refused never leaves Asterisk, and its caller is told in a decent way."""

import asyncio

from asterisk_server import PHONES
from exchange import CALL, ODD, Exchange
from sip_scenarios import Answers, HangUp, Wait
from sipp import SipCall, call, callee

from agi_server.accounts import groups
from agi_server.accounts.account import AccountStatus, ExpiryMode, Restriction
from support.business import NO_RATE, NO_ROUTE

REFUSED = {
    "account_suspended": {"status": AccountStatus.SUSPENDED},
    "account_expired": {"status": AccountStatus.EXPIRED, "expiry_mode": ExpiryMode.NEVER},
    "account_locked": {"locked": True},
    "group_forbidden": {"group": "no-calls"},
    "number_restricted": {
        "restriction": Restriction.BLACKLIST,
        "restricted_numbers": (f"{ODD}*",),
    },
    "no_rate": {"prefix": NO_RATE},
    "no_route": {"prefix": NO_ROUTE},
    "no_credit": {"balance_micros": 0},
}
NOBODY = list(PHONES)[-1]


async def test_nothing_is_dialled_when_the_daemon_refuses(exchange: Exchange) -> None:
    pool = exchange.business.pool
    await groups.create_group(pool, "no-calls", may_call=False)
    refused = {
        reason: await exchange.customer(line, **fields)  # type: ignore[arg-type]
        for line, (reason, fields) in enumerate(REFUSED.items(), start=1)
    }

    async def in_both_modes(user: str, number: str) -> list[SipCall]:
        calls = (call(exchange.asterisk, number, user=mode + user) for mode in ("", CALL))
        return await asyncio.gather(*calls)

    async with (
        callee(exchange.asterisk, "gw", Answers()) as gw,
        callee(exchange.asterisk, "gw2", Answers()) as gw2,
    ):
        *seen, nobody = await asyncio.gather(
            *(in_both_modes(customer.user, customer.number) for customer in refused.values()),
            in_both_modes(NOBODY, "442079460000"),
        )
        clean = [(403, True)] * 2
        assert {reason: clean for reason in (*refused, "nobody")} == {
            reason: [(each.status, 183 in each.provisional) for each in calls]
            for reason, calls in zip((*refused, "nobody"), (*seen, nobody), strict=True)
        }
        assert {reason: [reason] * 2 for reason in refused} == {
            reason: await exchange.refused(customer.account.id, 2)
            for reason, customer in refused.items()
        }
        assert ["account_not_found"] * 2 == await exchange.refused(0, 2)
        assert (0, 0) == (await gw.calls_seen(), await gw2.calls_seen())
    for customer in refused.values():
        assert [] == await exchange.business.charges(customer.account)
        await exchange.assert_nothing_reserved(customer)


async def test_nothing_is_dialled_while_the_daemon_is_stopped_and_calls_go_on_when_it_is_back(
    exchange: Exchange,
) -> None:
    customer = await exchange.customer()
    async with callee(exchange.asterisk, "gw", Answers()) as gw:
        assert 0 == await exchange.daemon.terminate()
        refused = await asyncio.gather(
            *(
                call(exchange.asterisk, customer.number, user=mode + customer.user)
                for mode in ("", CALL)
            )
        )
        assert [(403, True)] * 2 == [(seen.status, 183 in seen.provisional) for seen in refused]
        assert 0 == await gw.calls_seen()
        await exchange.start_daemon()
        seen = await call(
            exchange.asterisk, customer.number, Wait(200), HangUp(), user=customer.user
        )
        assert 200 == seen.status
        await exchange.settled(customer)
        assert 1 == await gw.calls_seen()
