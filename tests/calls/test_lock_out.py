"""Guessing account numbers is bounded, and nobody honest is locked out for it."""

from redis.asyncio import Redis

from support.business import MICROS, Business
from support.clock import Clock
from support.event_log import EventLog
from support.fixtures import NewChannel, StartDaemon

WRONG = "?account=999999999"


async def test_ten_wrong_numbers_lock_the_caller_out_even_with_the_right_one(
    business: Business, channel: NewChannel, events: EventLog, clock: Clock
) -> None:
    account = await business.customer()
    right = f"?account={account.account_number}"
    guesses = [await channel(callerid="33123456789").authorize(WRONG) for _ in range(11)]
    assert ["account_not_found"] * 10 + ["too_many_attempts"] == [each.reason for each in guesses]
    assert "too_many_attempts" == (await channel(callerid="33123456789").authorize(right)).reason
    assert "too_many_attempts" == (await channel(callerid="+33123456789").authorize(right)).reason
    assert (await channel(callerid="33987654321").authorize(right)).allowed
    (told,) = events.of("auth.locked_out")
    assert ("caller", "33123456789") == (told["scope"], told["caller"])
    clock.advance(901)
    assert (await channel(callerid="33123456789").authorize(right)).allowed


async def test_a_lock_out_survives_a_redis_flush_and_a_new_daemon(
    business: Business, channel: NewChannel, start_daemon: StartDaemon
) -> None:
    account = await business.customer()
    for _ in range(10):
        await channel(callerid="33123456789").authorize(WRONG)
    async with Redis.from_url(business.redis_url) as redis:
        await redis.flushall()
    caller = channel(callerid="33123456789")
    caller.port = (await start_daemon()).port
    answer = await caller.authorize(f"?account={account.account_number}")
    assert "too_many_attempts" == answer.reason


async def test_wrong_numbers_from_one_source_lock_the_source_out_for_typed_numbers_only(
    business: Business, start_daemon: StartDaemon, channel: NewChannel, events: EventLog
) -> None:
    port = (await start_daemon(accounts={"failures_per_source": 5})).port
    account = await business.customer(callerids=("33555",))
    right = f"?account={account.account_number}"

    async def reason(query: str = "", **about: str) -> str:
        caller = channel(**about)
        caller.port = port
        return (await caller.authorize(query)).reason

    for number in range(5):
        forged = f"3312345678{number}"
        assert "account_not_found" == await reason(WRONG, callerid=forged, endpoint="PJSIP/gw")
    assert "too_many_attempts" == await reason(right, callerid="33777", endpoint="PJSIP/gw")
    assert "" == await reason(right, callerid="33777", endpoint="PJSIP/other")
    assert "" == await reason(callerid="33555", endpoint="PJSIP/gw")
    assert "" == await reason(accountcode=account.account_number, endpoint="PJSIP/gw")
    (told,) = events.of("auth.locked_out")
    assert ("source", "PJSIP/gw") == (told["scope"], told["source"])


async def test_callers_without_a_number_do_not_lock_each_other_out(
    business: Business, channel: NewChannel, events: EventLog
) -> None:
    account = await business.customer(100 * MICROS)
    right = f"?account={account.account_number}"
    for nobody in ("unknown", "", "anonymous", "Restricted"):
        for _ in range(12):
            answer = await channel(callerid=nobody).authorize(WRONG)
            assert "account_not_found" == answer.reason
        assert (await channel(callerid=nobody).authorize(right)).allowed
    assert [] == events.of("auth.locked_out")


async def test_an_accountcode_neither_counts_nor_is_locked_out(
    business: Business, channel: NewChannel, events: EventLog
) -> None:
    account = await business.customer()
    for _ in range(12):
        stranger = channel(callerid="33123456789", accountcode="999999999")
        assert "account_not_found" == (await stranger.authorize()).reason
    assert [] == events.of("auth.locked_out")
    for _ in range(10):
        await channel(callerid="33123456789").authorize(WRONG)
    phone = channel(callerid="33123456789", accountcode=account.account_number)
    assert (await phone.authorize()).allowed


async def test_typed_numbers_count_and_the_right_one_comes_too_late_once_locked_out(
    business: Business, channel: NewChannel
) -> None:
    account = await business.customer()
    for _ in range(3):
        caller = channel(callerid="33123456789", digits=["999999999"] * 3)
        assert "account_not_found" == (await caller.authorize("?ask=missing")).reason
    last = channel(callerid="33123456789", digits=["999999999", account.account_number])
    assert "too_many_attempts" == (await last.authorize("?ask=missing")).reason
