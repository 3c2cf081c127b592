"""Callers from a carrier who type account number and destination: only the talk is billed."""

from asterisk_server import ACCESS_NUMBER
from exchange import ONE_TRUNK, PER_MINUTE, Exchange
from sip_scenarios import Answers, HangUp, Refuses, Type, WaitForGoOn
from sipp import Caller, callee, calling

from agi_server.routes.prompts import ENTER_ACCOUNT_NUMBER, ENTER_DESTINATION

STRANGER = "442079461111"


async def type_at(exchange: Exchange, caller: Caller, prompt: str, since: int) -> int:
    """Have the caller type when the prompt begins; returns a place in Asterisk's log after it."""
    place = await exchange.asterisk.logs(f"Playing '{prompt}.", since=since)
    await caller.go_on()
    return place


async def test_only_the_talk_is_billed_not_prompts_ringing_or_what_came_before(
    exchange: Exchange,
) -> None:
    customer = await exchange.customer()
    destinations = [customer.number, f"{ONE_TRUNK}30123456", f"{PER_MINUTE}30123456"]
    typed = [customer.account.account_number, *destinations]
    steps = [step for digits in typed for step in (WaitForGoOn(), Type(f"{digits}#"))]
    start = len(exchange.asterisk.log)
    async with (
        callee(exchange.asterisk, "gw", Refuses(status=503)),
        callee(exchange.asterisk, "gw2", Answers(ring_ms=1000, hangs_up_after_ms=1500)) as gw2,
        calling(
            exchange.asterisk, ACCESS_NUMBER, *steps, WaitForGoOn(), HangUp(), user=STRANGER
        ) as caller,
    ):
        place = await type_at(exchange, caller, ENTER_ACCOUNT_NUMBER, start)
        for _ in destinations:
            # Each callee hangs up; the caller, still there, calls somebody else.
            place = await type_at(exchange, caller, ENTER_DESTINATION, place)
        await gw2.ended(2)
        await caller.go_on()
        (seen,) = await caller.finished()
        assert (200, "this end") == (seen.status, seen.hung_up_by)
        records = await exchange.settled(customer, 3)
        assert [("ANSWER", 2), ("CONGESTION", 1), ("ANSWER", 2)] == [
            (record.dialstatus, record.route) for record in records
        ]
        assert [("pin", destination) for destination in destinations] == [
            (record.identified_by, record.destination) for record in records
        ]
        for record in (records[0], records[2]):
            exchange.assert_talk(record, await gw2.ended(number=record.destination or ""))
