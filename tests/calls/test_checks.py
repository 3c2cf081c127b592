"""Every check of a call, and that they run in the contract's order."""

from datetime import timedelta
from typing import Any

import pytest

from agi_server.accounts import groups
from agi_server.accounts.account import AccountStatus, ExpiryMode, Restriction
from support.business import (
    FREE,
    MICROS,
    NO_RATE,
    NO_ROUTE,
    PER_MINUTE,
    PER_SECOND,
    Business,
    nothing_reserved,
)
from support.clock import Clock
from support.event_log import EventLog
from support.fixtures import NewChannel

NUMBER = "20794600"


async def test_the_checks_run_in_the_order_of_the_contract(
    business: Business, channel: NewChannel, clock: Clock
) -> None:
    """One account on which everything is wrong: what is mended uncovers the next reason."""
    clock.freeze()
    await groups.create_group(
        business.pool,
        "silent",
        may_call=False,
        restriction=Restriction.BLACKLIST,
        restricted_numbers=[f"{NO_RATE}*"],
    )
    account = await business.customer(
        0,
        group="silent",
        restriction=Restriction.BLACKLIST,
        restricted_numbers=[f"{NO_RATE}1*"],
    )
    await business.pool.execute("UPDATE account_group SET may_call = true")
    phone = channel(accountcode=account.account_number, extension=FREE + NUMBER)
    assert (await phone.authorize()).allowed  # a call in progress
    guesser = channel(callerid="33123456789")
    for _ in range(10):
        assert "account_not_found" == (await guesser.authorize("?account=999999999")).reason
    await business.pool.execute("UPDATE account_group SET may_call = false")
    await business.set(
        account,
        status=6,
        expiry_mode=1,
        expires_at=clock() - timedelta(days=1),
        locked=True,
        max_price_micros_per_minute=1000,
        calls_per_second=1,
        simultaneous_access=1,
    )

    async def refused(extension: str) -> str:
        caller = channel(callerid="33123456789", extension=extension)
        return (await caller.authorize(f"?account={account.account_number}")).reason

    assert "too_many_attempts" == await refused("abc")
    clock.advance(901)
    assert "account_suspended" == await refused("abc")
    await business.set(account, status=1)
    assert "account_expired" == await refused("abc")
    await business.set(account, expires_at=clock() + timedelta(days=1))
    assert "account_locked" == await refused("abc")
    await business.set(account, locked=False)
    assert "number_invalid" == await refused("abc")
    assert "group_forbidden" == await refused(NO_RATE + "123")
    await business.pool.execute("UPDATE account_group SET may_call = true")
    assert "number_restricted" == await refused(NO_RATE + "223")  # the group's
    await business.pool.execute("UPDATE account_group SET restriction = 0")
    assert "number_restricted" == await refused(NO_RATE + "123")  # the account's
    assert "no_rate" == await refused(NO_RATE + "223")
    assert "no_route" == await refused(NO_ROUTE + NUMBER)
    assert "fraud_guard" == await refused(PER_MINUTE + NUMBER)
    await business.set(account, max_price_micros_per_minute=None)
    await business.set(account, second_started_at=clock(), calls_in_second=1)
    assert "too_fast" == await refused(PER_MINUTE + NUMBER)
    clock.advance(1)
    assert "too_many_calls" == await refused(PER_MINUTE + NUMBER)
    await business.set(account, simultaneous_access=2)
    assert "no_credit" == await refused(PER_MINUTE + NUMBER)
    await business.refill(account, MICROS, "refill:1")
    assert "" == await refused(PER_MINUTE + NUMBER)


@pytest.mark.parametrize(
    ("status", "reason"),
    [
        (AccountStatus.CANCELLED, "account_cancelled"),
        (AccountStatus.NEW, "account_new"),
        (AccountStatus.UNCONFIRMED, "account_unconfirmed"),
        (AccountStatus.RESERVED, "account_reserved"),
        (AccountStatus.EXPIRED, "account_expired"),
        (AccountStatus.SUSPENDED, "account_suspended"),
        (AccountStatus.SUSPENDED_LITIGATION, "account_suspended_litigation"),
        (AccountStatus.WAITING_PAYMENT, "account_waiting_payment"),
    ],
)
async def test_only_an_active_account_may_call(
    business: Business,
    channel: NewChannel,
    events: EventLog,
    status: AccountStatus,
    reason: str,
) -> None:
    account = await business.customer(status=status, language="es")
    phone = channel(accountcode=account.account_number)
    phone.variables |= {"AUTH_DIAL_2": "left over", "AUTH_CALL": "left over"}
    answer = await phone.authorize()
    assert ("deny", reason, "es", 0, "0") == (
        answer.decision,
        answer.reason,
        answer.language,
        answer.limit_ms,
        answer.ring_timeout,
    )
    assert answer.prompt
    assert {""} == {
        phone.variables[name]
        for name in ("AUTH_CALL", "AUTH_DIAL", "AUTH_DIAL_2", "AUTH_DIAL_OPTIONS")
    }
    assert await nothing_reserved(business, account)
    (denied,) = await events.wait("call.denied")
    assert (reason, account.id) == (denied["reason"], denied["account_id"])
    record = await business.denied(denied["call_id"])
    assert ("denied", reason, account.id, phone.uniqueid) == tuple(
        record[name] for name in ("state", "reason", "account_id", "uniqueid")
    )


@pytest.mark.parametrize(
    "dialled",
    ["", "s", "12", "4420794600000000", "44 20", "44x20", "44&PJSIP/evil", "++4420", "٤٤٢٠"],
)
async def test_what_is_no_number_is_refused(
    business: Business, channel: NewChannel, dialled: str
) -> None:
    account = await business.customer()
    phone = channel(accountcode=account.account_number, extension=dialled)
    assert "number_invalid" == (await phone.authorize()).reason


async def test_a_leading_plus_is_no_part_of_the_number(
    business: Business, channel: NewChannel
) -> None:
    account = await business.customer()
    phone = channel(accountcode=account.account_number, extension="+442079460000")
    assert "PJSIP/442079460000@gw" == (await phone.authorize()).dial


RULES: dict[str, Any] = {"restricted_numbers": ["442079460000", "4930*", "_1800N."]}


@pytest.mark.parametrize("owner", ["group", "account"])
@pytest.mark.parametrize(
    ("dialled", "listed"),
    [
        ("442079460000", True),
        ("+442079460000", True),
        ("442079460001", False),
        ("4930123456", True),
        ("4931123456", False),
        ("1800255", True),
        ("1800155", False),
    ],
)
async def test_restricted_numbers_forbid_or_alone_allow(
    business: Business, channel: NewChannel, owner: str, dialled: str, listed: bool
) -> None:
    for mode in (Restriction.BLACKLIST, Restriction.WHITELIST):
        fields: dict[str, Any] = {"restriction": mode, **RULES}
        if owner == "group":
            await groups.create_group(business.pool, mode.name, **fields)
            fields = {"group": mode.name}
        account = await business.customer(**fields)
        answer = await channel(accountcode=account.account_number, extension=dialled).authorize()
        refused = listed if mode is Restriction.BLACKLIST else not listed
        assert ("number_restricted" if refused else "") == answer.reason


async def test_a_price_above_the_accounts_cap_is_refused(
    business: Business, channel: NewChannel
) -> None:
    account = await business.customer(max_price_micros_per_minute=60_000)
    extensions = (PER_SECOND + NUMBER, PER_MINUTE + NUMBER)
    phones = [channel(accountcode=account.account_number, extension=each) for each in extensions]
    assert ["", "fraud_guard"] == [(await phone.authorize()).reason for phone in phones]


async def test_no_more_calls_a_second_than_the_account_may_start(
    business: Business, channel: NewChannel, clock: Clock
) -> None:
    clock.freeze()
    account = await business.customer(100 * MICROS, calls_per_second=2)

    async def reason() -> str:
        return (await channel(accountcode=account.account_number).authorize()).reason

    assert ["", "", "too_fast"] == [await reason() for _ in range(3)]
    clock.advance(0.999)
    assert "too_fast" == await reason()
    clock.advance(0.001)
    assert ["", "", "too_fast"] == [await reason() for _ in range(3)]


async def test_the_limit_is_what_the_funds_pay_exactly(
    business: Business, channel: NewChannel
) -> None:
    account = await business.customer(3 * MICROS - 1)
    phone = channel(accountcode=account.account_number, extension=PER_MINUTE + NUMBER)
    answer = await phone.authorize()
    assert (120_000, 2 * MICROS) == (
        answer.limit_ms,
        (await business.account(account)).held_micros,
    )


async def test_a_free_call_holds_nothing_and_ends_at_its_own_bound(
    business: Business, channel: NewChannel
) -> None:
    account = await business.customer(0)
    phone = channel(accountcode=account.account_number, extension=FREE + NUMBER)
    answer = await phone.authorize()
    assert (True, 3_600_000) == (answer.allowed, answer.limit_ms)
    assert 0 == (await business.account(account)).held_micros


async def test_a_plan_given_in_the_url_replaces_the_accounts_own(
    business: Business, channel: NewChannel
) -> None:
    account = await business.customer(plan=None)
    phone = channel(accountcode=account.account_number)
    assert "no_rate" == (await phone.authorize()).reason
    assert "no_rate" == (await phone.authorize("?plan=unknown")).reason
    assert (await phone.authorize("?plan=standard")).allowed


async def test_an_accountcode_decides_and_an_unknown_one_is_refused_in_spite_of_a_known_callerid(
    business: Business, channel: NewChannel
) -> None:
    account = await business.customer(callerids=("33123456789",))
    assert (await channel(callerid="+33123456789").authorize()).allowed
    stranger = channel(callerid="33123456789", accountcode="999999999")
    assert "account_not_found" == (await stranger.authorize()).reason
    only_accountcode = channel(callerid="33123456789")
    assert "account_not_found" == (
        (await only_accountcode.authorize("?identify=accountcode")).reason
    )
    switched_on = channel(callerid="33123456789", accountcode=account.account_number)
    assert (await switched_on.authorize("?identify=callerid")).allowed


async def test_a_trunk_switched_off_is_no_route_at_once_and_without_a_restart(
    business: Business, channel: NewChannel
) -> None:
    from agi_server.tariffs.trunks import switch_trunk

    account = await business.customer()
    await switch_trunk(business.pool, "gw", enabled=False)
    phone = channel(accountcode=account.account_number)
    while (answer := await phone.authorize()).dial != "PJSIP/442079460000@backup":
        assert answer.allowed
    assert 1 == answer.routes


async def test_the_expiry_of_an_account_in_mode_never_is_not_heeded(
    business: Business, channel: NewChannel
) -> None:
    account = await business.customer(expiry_mode=ExpiryMode.NEVER)
    assert (await channel(accountcode=account.account_number).authorize()).allowed
