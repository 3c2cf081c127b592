"""The own lock by telephone: the route `lock`."""

import asyncio

from agi_server.accounts.audit import list_changes
from support.business import Business
from support.channel import Channel
from support.clock import Clock
from support.event_log import EventLog
from support.fixtures import NewChannel, StartDaemon

PIN, WRONG = "4711", "4712"


async def test_a_customer_locks_and_unlocks_calls_by_telephone_with_the_pin(
    business: Business, channel: NewChannel
) -> None:
    account = await business.customer(lock_pin=PIN, language="fr")
    for locked, sound, allowed in (("yes", "activated", False), ("no", "de-activated", True)):
        phone = channel(accountcode=account.account_number, digits=[WRONG, PIN])
        await phone.run("lock")
        assert (locked, "") == (phone.variables["AUTH_LOCKED"], phone.variables["AUTH_REASON"])
        assert ["agent-pass", "auth-incorrect", "agent-pass", sound] == phone.heard()
        assert "fr" == phone.variables["CHANNEL(language)"]
        answer = await channel(accountcode=account.account_number).authorize()
        assert (allowed, "" if allowed else "account_locked") == (answer.allowed, answer.reason)
    changes = await list_changes(business.pool, account.id, field="locked")
    why = "the customer typed the PIN of the lock"
    assert [("telephone", "no", why), ("telephone", "yes", why)] == [
        (each.changed_by, each.new, each.reason) for each in changes
    ]


async def test_without_the_right_pin_the_lock_stays_and_whether_there_is_one_is_not_told(
    business: Business, channel: NewChannel
) -> None:
    heard = []
    for fields in ({"lock_pin": PIN}, {}):
        account = await business.customer(locked=True, **fields)
        phone = channel(accountcode=account.account_number, digits=[WRONG, "", WRONG])
        await phone.run("lock")
        assert ("", "too_many_attempts") == (
            phone.variables["AUTH_LOCKED"],
            phone.variables["AUTH_REASON"],
        )
        assert (await business.account(account)).locked
        heard.append(phone.heard())
    assert heard[0] == heard[1]


async def test_pins_are_not_guessed_from_many_phones_at_once(
    business: Business, start_daemon: StartDaemon, clock: Clock, events: EventLog
) -> None:
    account = await business.customer(locked=True, lock_pin=PIN)
    daemon = await start_daemon(accounts={"failures_per_caller": 4})

    def phone(*digits: str) -> Channel:
        return Channel(daemon.port, clock, accountcode=account.account_number, digits=digits)

    phones = [phone(WRONG, WRONG, WRONG) for _ in range(4)]
    await asyncio.gather(*(each.run("lock") for each in phones))
    assert 1 == len(events.of("auth.locked_out", scope="lock_pin", account_id=account.id))
    late = phone(PIN)
    await late.run("lock")
    assert "too_many_attempts" == late.variables["AUTH_REASON"]
    assert (await business.account(account)).locked
    clock.advance(24 * 3600)
    later = phone(PIN)
    await later.run("lock")
    assert "no" == later.variables["AUTH_LOCKED"]


async def test_who_may_not_call_for_another_reason_is_not_asked(
    business: Business, channel: NewChannel
) -> None:
    account = await business.customer(lock_pin=PIN, status=6)
    for number, reason in (
        (account.account_number, "account_suspended"),
        ("999999", "account_not_found"),
    ):
        phone = channel(accountcode=number, digits=[PIN])
        await phone.run("lock")
        assert ("", reason) == (phone.variables["AUTH_LOCKED"], phone.variables["AUTH_REASON"])
        assert "agent-pass" not in phone.heard()
    assert not (await business.account(account)).locked
