"""An account is valid up to an instant, and no call of it lasts beyond."""

from datetime import timedelta

from agi_server.accounts.account import ExpiryMode
from support.business import Business
from support.channel import Answer
from support.clock import Clock
from support.fixtures import NewChannel

RING_S_OF_TWO_ROUTES = 2


def last_possible_end_s(answer: Answer) -> float:
    """Every route rings to its end, and the last one talks to the limit."""
    return int(answer.ring_timeout) * answer.routes + answer.limit_ms / 1000


async def test_a_call_ends_at_the_latest_when_the_account_expires(
    business: Business, channel: NewChannel, clock: Clock
) -> None:
    now = clock.freeze()
    account = await business.customer()
    for left_s, allowed in ((-1, False), (0, False), (2, False), (10, True), (100, True)):
        await business.set(account, expiry_mode=1, expires_at=now + timedelta(seconds=left_s))
        answer = await channel(accountcode=account.account_number).authorize()
        assert (allowed, "" if allowed else "account_expired") == (answer.allowed, answer.reason)
        if allowed:
            assert 0 < last_possible_end_s(answer) <= left_s
            assert int(answer.ring_timeout) > 0


async def test_an_expiry_far_away_shortens_nothing(
    business: Business, channel: NewChannel, clock: Clock
) -> None:
    account = await business.customer()
    await business.set(account, expiry_mode=1, expires_at=clock() + timedelta(days=1))
    answer = await channel(accountcode=account.account_number).authorize()
    assert ("60", 3_600_000) == (answer.ring_timeout, answer.limit_ms)


async def test_days_after_the_first_use_count_from_the_first_answered_call(
    business: Business, channel: NewChannel, clock: Clock
) -> None:
    account = await business.customer(expiry_mode=ExpiryMode.AFTER_FIRST_USE, expiry_days=2)
    clock.advance(86_400 * 30)
    unanswered = channel(accountcode=account.account_number)
    assert (await unanswered.authorize()).allowed
    await unanswered.settle()
    assert (await business.account(account)).first_use_at is None
    answered = channel(accountcode=account.account_number)
    await answered.authorize()
    clock.advance(10)
    used_at = clock.freeze()
    await answered.settle(1000)
    assert used_at == (await business.account(account)).first_use_at
    clock.advance(86_400 * 2 - 100)
    answer = await channel(accountcode=account.account_number).authorize()
    assert 0 < last_possible_end_s(answer) <= 100
    clock.advance(101)
    answer = await channel(accountcode=account.account_number).authorize()
    assert "account_expired" == answer.reason


async def test_days_after_the_creation_count_from_it(
    business: Business, channel: NewChannel, clock: Clock
) -> None:
    clock.freeze()
    account = await business.customer(expiry_mode=ExpiryMode.AFTER_CREATION, expiry_days=1)
    clock.advance(86_400 - 100)
    answer = await channel(accountcode=account.account_number).authorize()
    assert 0 < last_possible_end_s(answer) <= 100
    clock.advance(101)
    answer = await channel(accountcode=account.account_number).authorize()
    assert "account_expired" == answer.reason
