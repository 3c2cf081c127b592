"""What callers choose, their names and numbers, changes nothing but what it names."""

import asyncio
import re
from contextlib import AsyncExitStack

import pytest
from asterisk_server import ACCESS_NUMBER, AsteriskServer
from exchange import CALL, DECISION, Customer, Exchange
from sip_scenarios import Answers, HangUp, Wait, WaitForGoOn
from sipp import SipCall, call, callee, calling

from agi_server.calls.records import list_calls

VICTIM = 10
"""The line of a customer, 1000000010, at whose expense the hostile would like to call."""
VICTIMS_CALLERID = "442079467777"
NAMES = [
    rb'"quotes \" commas, brackets ([{ and ${AUTH_CALL} $[1+1]"',
    rb'"x,AUTH_DECISION=allow,AUTH_LIMIT_MS=99000"',
    rb'"x&account=1000000010"',
    rb'"x%0Aagi_accountcode: 1000000010"',
    rb'"1000000010"',
    b'"J\xfcrgen \xff\xfe\xc3"',
    rb'"200 result=1 (1) HANGUP"',
]
# As lines of their own they would be somebody else's words; such calls end before anybody is asked.
NAMES_WITH_CONTROL_CHARACTERS = [b'"x\rHANGUP"', b'"x\x01y"', b'"x\x7f"']
DIALLED = [
    "5551&account=1000000010",
    "5551%0Aagi_accountcode%3A%201000000010",
    "5551%0D%0A%0D%0A",
    "5551%26PJSIP%2F5552%40gw2",
    "5551%22,%5B%28$%7BEXTEN%7D",
    "5551%E9%FF",
]
CALLING = [
    VICTIMS_CALLERID + "&account=1000000010",
    VICTIMS_CALLERID + ",1000000010",
    VICTIMS_CALLERID + "%20",
    "%22" + VICTIMS_CALLERID + "%22%5B%28",
    # Not text, or a line of its own: refused at once.
    VICTIMS_CALLERID + "%E9%FF",
    "x%0Aagi_callerid%3A%20" + VICTIMS_CALLERID,
]
DIVERTED = f"Diversion: <sip:5%0Aagi_callerid%3A%20{VICTIMS_CALLERID}@localhost>"
_OF_ONE_CALL = ("AUTH_CALL", "AUTH_ANSWERED_AT")
_SET_BY_DIAL = re.compile(r"DIAL(STATUS|ED\w+)|BRIDGE\w+|\w+TIME(_MS)?|RTP\w+")


def variables_of(asterisk: AsteriskServer, user: str) -> dict[str, str]:
    """The variables of a phone's channel, but for those that Dial sets while the call goes on."""
    channels = asterisk.cli("core show channels concise").splitlines()
    (name,) = [line.split("!")[0] for line in channels if line.startswith(f"PJSIP/{user}-")]
    _, _, text = asterisk.cli(f"core show channel {name}").partition("Variables:\n")
    pairs = (line.partition("=") for line in text.partition("  CDR Variables:")[0].splitlines())
    return {
        name: "…" if name in _OF_ONE_CALL else value
        for name, _, value in pairs
        if not _SET_BY_DIAL.fullmatch(name)
    }


@pytest.mark.parametrize("mode", [DECISION, CALL], ids=["decision", "call"])
async def test_a_name_changes_no_variable_and_nobody_elses_balance(
    exchange: Exchange, mode: str
) -> None:
    victim = await exchange.customer(VICTIM, mode)
    names = [b'"Alice"', *NAMES]
    customers = [await exchange.customer(line, mode) for line, _ in enumerate(names, start=1)]
    async with AsyncExitStack() as running:
        gw = await running.enter_async_context(callee(exchange.asterisk, "gw", Answers()))
        gw2 = await running.enter_async_context(callee(exchange.asterisk, "gw2", Answers()))
        callers = [
            await running.enter_async_context(
                calling(
                    exchange.asterisk,
                    victim.number,
                    *(WaitForGoOn(), HangUp()),
                    user=customer.user,
                    caller_name=name,
                )
            )
            for customer, name in zip(customers, names, strict=True)
        ]
        await gw.answered(len(names))
        plain, *hostile = [variables_of(exchange.asterisk, customer.user) for customer in customers]
        assert "allow" == plain["AUTH_DECISION"]
        assert [plain] * len(NAMES) == hostile
        for caller in callers:
            await caller.go_on()
            await caller.finished()
        for customer in customers:
            (record,) = await exchange.settled(customer)
            assert ("accountcode", victim.number) == (record.identified_by, record.destination)
        assert await untouched(exchange, victim)
        assert (len(names), 0) == (await gw.calls_seen(), await gw2.calls_seen())


async def test_a_call_with_a_name_or_number_of_control_characters_is_neither_dialled_nor_billed(
    exchange: Exchange,
) -> None:
    victim, eve = await exchange.customer(VICTIM), await exchange.customer()
    calls = [(eve.number, name) for name in NAMES_WITH_CONTROL_CHARACTERS]
    calls += [(number, b'"Eve"') for number in DIALLED]
    async with (
        callee(exchange.asterisk, "gw", Answers()) as gw,
        callee(exchange.asterisk, "gw2", Answers()) as gw2,
    ):
        seen = await asyncio.gather(
            *(
                call(exchange.asterisk, number, user=mode + eve.user, caller_name=name)
                for number, name in calls
                for mode in (DECISION, CALL)
            )
        )
        assert {404, 484} >= {each.status for each in seen}
        assert (0, 0) == (await gw.calls_seen(), await gw2.calls_seen())
        assert await untouched(exchange, victim)
        assert await untouched(exchange, eve)


async def test_a_calling_number_that_only_resembles_a_customers_is_not_theirs(
    exchange: Exchange,
) -> None:
    victim = await exchange.customer(VICTIM, callerids=(VICTIMS_CALLERID,))

    async def called_by(user: str, header: str = "") -> SipCall:
        return await call(
            exchange.asterisk, ACCESS_NUMBER, Wait(100), HangUp(), user=user, header=header
        )

    seen = await asyncio.gather(
        *(called_by(user) for user in CALLING), called_by("442079461111", DIVERTED)
    )
    assert [200] * 4 + [484] * 3 == [each.status for each in seen]
    assert ["cancelled"] * 4 == await exchange.refused(0, 4)
    assert await untouched(exchange, victim)
    await called_by(VICTIMS_CALLERID)
    assert ["cancelled"] == await exchange.refused(victim.account.id, 1)


async def untouched(exchange: Exchange, customer: Customer) -> bool:
    """Whether nothing was even tried at the expense of a customer."""
    return [] == await list_calls(exchange.business.pool, account_id=customer.account.id)
