"""What fields of an account do to its calls (docs/account-fields.md); further ones in test_checks,
test_expiry, test_parallel_calls and test_priced_calls."""

import asyncio
from datetime import timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from agi_server.accounts import groups
from agi_server.accounts.account import AccountStatus
from agi_server.accounts.audit import Editor, list_changes
from agi_server.accounts.callerids import remove_callerid, switch_callerid
from agi_server.accounts.changes import update_account
from agi_server.accounts.confirmation import (
    ConfirmationError,
    confirm_signup,
    confirmation_token,
)
from agi_server.calls.traffic_targets import traffic_targets
from agi_server.tariffs import plans
from support.business import MICROS, PER_MINUTE, Business
from support.channel import Channel, Dialled
from support.clock import Clock
from support.fixtures import NewChannel, StartDaemon

DEAR = PER_MINUTE + "20794600"
"""One unit for each begun minute."""


def editor(business: Business) -> Editor:
    return Editor(changed_by="cli:ann", at=business.now())


async def test_each_change_of_status_counts_at_once_and_is_logged_with_time_and_who(
    business: Business, channel: NewChannel, clock: Clock
) -> None:
    account = await business.customer()
    reasons = []
    for status in (*list(AccountStatus), AccountStatus.ACTIVE):
        clock.advance(60)
        await update_account(business.pool, account.id, {"status": status}, editor(business))
        answer = await channel(accountcode=account.account_number).authorize()
        reasons.append(answer.reason)
    assert [
        "account_cancelled",
        "",
        "account_new",
        "account_unconfirmed",
        "account_reserved",
        "account_expired",
        "account_suspended",
        "account_suspended_litigation",
        "account_waiting_payment",
        "",
    ] == reasons
    log = await list_changes(business.pool, account.id, field="status")
    assert [("active", "waiting_payment"), ("active", "cancelled"), ("cancelled", "active")] == [
        (each.new, each.old) for each in (log[0], log[-2], log[-1])
    ]
    assert 10 == len(log)
    assert {"cli:ann"} == {each.changed_by for each in log}
    assert sorted((each.changed_at for each in log), reverse=True) == [
        each.changed_at for each in log
    ]


async def test_a_group_may_use_only_its_call_plans_even_where_the_dialplan_forces_another(
    business: Business, channel: NewChannel
) -> None:
    await plans.create_plan(business.pool, "night", ["retail"])
    editor = Editor(changed_by="test", at=business.now())
    await groups.create_group(business.pool, "sleepers")
    refused = await business.customer(group="sleepers")
    await groups.update_group(business.pool, "sleepers", plans=["night"], editor=editor)
    allowed = await business.customer(group="sleepers", plan="night")

    async def reason(number: str, query: str = "") -> str:
        return (await channel(accountcode=number).authorize(query)).reason

    assert "group_forbidden" == await reason(refused.account_number)
    assert "" == await reason(refused.account_number, "?plan=night")
    assert "" == await reason(allowed.account_number)
    assert "group_forbidden" == await reason(allowed.account_number, "?plan=standard")
    await groups.update_group(business.pool, "sleepers", plans=[], editor=editor)
    assert "" == await reason(refused.account_number)


async def test_the_language_is_that_of_prompts_and_of_the_channel(
    business: Business, channel: NewChannel
) -> None:
    account = await business.customer(language="pt-BR")
    phone = channel(accountcode=account.account_number)
    assert "pt_BR" == (await phone.authorize()).language
    asked = channel(
        digits=[account.account_number, "442079460000"],
        extension="s",
        dials=[Dialled(talk_ms=1000)],
    )
    await asked.call("?ask=always")
    assert "pt_BR" == asked.variables["CHANNEL(language)"]


@pytest.mark.parametrize(
    ("presented", "set_by_us"),
    [
        ("33123456789", {"CALLERID(num)": "33123456789"}),
        ("withheld", {"CALLERID(pres)": "prohib"}),
        (None, {}),
    ],
)
async def test_the_presented_callerid_is_one_of_the_accounts_own_or_withheld(
    business: Business, channel: NewChannel, presented: str | None, set_by_us: dict[str, str]
) -> None:
    account = await business.customer(callerids=["33123456789"], presented_callerid=presented)
    authorized = channel(accountcode=account.account_number)
    assert (presented or "") == (await authorized.authorize()).callerid
    called = channel(accountcode=account.account_number, dials=[Dialled(talk_ms=1000)])
    await called.call()
    assert set_by_us == {
        name: value for name, value in called.variables.items() if name.startswith("CALLERID(")
    }


async def test_a_number_that_is_taken_away_is_no_longer_presented(
    business: Business, channel: NewChannel
) -> None:
    account = await business.customer(callerids=["33123456789"], presented_callerid="33123456789")
    await remove_callerid(business.pool, "33123456789", editor(business))
    assert "" == (await channel(accountcode=account.account_number).authorize()).callerid


async def test_a_callerid_finds_its_account_unless_it_is_switched_off(
    business: Business, channel: NewChannel
) -> None:
    await business.customer(callerids=["33123456789"])
    reasons = []
    for active in (True, False, True):
        await switch_callerid(business.pool, "33123456789", active, editor(business))
        reasons.append((await channel(callerid="+33123456789").authorize()).reason)
    assert ["", "account_not_found", ""] == reasons


async def test_no_call_costs_more_than_the_cap_of_a_call(
    business: Business, channel: NewChannel, clock: Clock
) -> None:
    clock.freeze()
    account = await business.customer(max_cost_micros_per_call=3 * MICROS - 1)
    phone = channel(accountcode=account.account_number, extension=DEAR)
    assert 120_000 == (await phone.authorize()).limit_ms
    clock.advance(130)
    await phone.settle(120_000)
    assert [("customer", 2 * MICROS)] == await business.charges(account)
    await business.set(account, max_cost_micros_per_call=MICROS - 1)
    phone = channel(accountcode=account.account_number, extension=DEAR)
    assert "fraud_guard" == (await phone.authorize()).reason


async def test_an_account_without_funds_is_told_so_whatever_its_caps(
    business: Business, channel: NewChannel
) -> None:
    account = await business.customer(0, max_cost_micros_per_call=MICROS)
    phone = channel(accountcode=account.account_number, extension=DEAR)
    assert "no_credit" == (await phone.authorize()).reason


@pytest.mark.parametrize(("window", "length_s"), [("hour", 3600), ("day", 86_400)])
async def test_calls_of_an_hour_and_of_a_day_cost_together_no_more_than_their_cap(
    business: Business, channel: NewChannel, clock: Clock, window: str, length_s: int
) -> None:
    clock.freeze()
    account = await business.customer(**{f"max_cost_micros_per_{window}": 5 * MICROS})

    async def authorize() -> tuple[str, int]:
        phone = channel(accountcode=account.account_number, extension=DEAR)
        answer = await phone.authorize()
        if answer.allowed:
            phones.append(phone)
        return answer.reason, answer.limit_ms // 60_000

    phones: list[Channel] = []
    assert ("", 5) == await authorize()
    assert ("fraud_guard", 0) == await authorize()  # what is held counts as spent
    clock.advance(120)
    await phones[0].settle(120_000)
    assert ("", 3) == await authorize()
    clock.advance(60)
    await phones[1].settle(60_000)
    assert ("", 2) == await authorize()
    await phones[2].settle()  # not answered: costs nothing
    clock.advance(length_s - 60 - 1)
    assert ("", 2) == await authorize()
    await phones[3].settle()
    clock.advance(1)
    assert ("", 5) == await authorize()  # another hour has begun
    await phones[4].settle()


async def test_calls_at_once_on_several_daemons_keep_to_the_cap_of_an_hour(
    business: Business, start_daemon: StartDaemon, clock: Clock
) -> None:
    """Each daemon has read the account before any of the others held for it."""
    daemons = [await start_daemon() for _ in range(2)]
    account = await business.customer(100 * MICROS, max_cost_micros_per_hour=4 * MICROS)
    await business.set(account, max_cost_micros_per_call=MICROS)
    phones = [
        Channel(daemon.port, clock, accountcode=account.account_number, extension=DEAR)
        for daemon in daemons * 5
    ]
    reasons = [answer.reason for answer in await asyncio.gather(*(p.authorize() for p in phones))]
    assert ["", "", "", "", *["fraud_guard"] * 6] == sorted(reasons)
    assert 4 * MICROS == (await business.account(account)).held_micros
    await asyncio.gather(*(phone.settle() for phone in phones if phone.answer.allowed))


async def test_a_free_call_may_go_when_the_caps_are_used_up(
    business: Business, channel: NewChannel
) -> None:
    account = await business.customer(max_cost_micros_per_hour=0, max_cost_micros_per_call=0)
    assert (
        await channel(accountcode=account.account_number, extension="180055501").authorize()
    ).allowed
    refused = channel(accountcode=account.account_number, extension=DEAR)
    assert "fraud_guard" == (await refused.authorize()).reason


async def test_an_account_that_waits_for_the_link_in_its_mail_calls_once_it_was_followed(
    business: Business, channel: NewChannel, clock: Clock
) -> None:
    now = clock.freeze()
    fields: dict[str, Any] = {"status": AccountStatus.UNCONFIRMED, "email": "ann@example.com"}
    account, other = [await business.customer(**fields) for _ in range(2)]
    hour = timedelta(hours=1)
    token = await confirmation_token(business.pool, account, at=now, valid=hour)
    assert "account_unconfirmed" == (
        (await channel(accountcode=account.account_number).authorize()).reason
    )
    signature = token.rpartition("-")[2]
    forged = [f"{other.id}-{token.split('-', 1)[1]}", token[:-2] + "xx", "", "1-1-" + "a" * 43]
    forged.append(f"{account.id}-{int(now.timestamp()) + 99_999}-{signature}")
    for wrong in forged:
        with pytest.raises(ConfirmationError, match="not valid"):
            await confirm_signup(business.pool, wrong, at=now)
    with pytest.raises(ConfirmationError, match="expired"):
        await confirm_signup(business.pool, token, at=now + hour + timedelta(seconds=1))
    confirmed = await confirm_signup(business.pool, token, at=now + hour)
    assert (True, AccountStatus.ACTIVE) == (confirmed.signup_confirmed, confirmed.status)
    assert confirmed == await confirm_signup(business.pool, token, at=now + hour * 9)
    assert (await channel(accountcode=account.account_number).authorize()).allowed
    (change,) = await list_changes(business.pool, account.id, field="status")
    assert ("confirmation link", "unconfirmed", "active") == (
        change.changed_by,
        change.old,
        change.new,
    )


async def test_a_link_to_an_address_that_was_changed_or_an_account_suspended_confirms_nothing(
    business: Business, clock: Clock
) -> None:
    now = clock.freeze()
    account = await business.customer(status=AccountStatus.UNCONFIRMED, email="ann@example.com")
    token = await confirmation_token(business.pool, account, at=now, valid=timedelta(hours=1))
    change: dict[str, Any] = {"email": "bob@example.com"}
    await update_account(business.pool, account.id, change, editor(business))
    with pytest.raises(ConfirmationError, match="not valid"):
        await confirm_signup(business.pool, token, at=now)
    change = {"email": "ann@example.com", "status": AccountStatus.SUSPENDED}
    suspended, _ = await update_account(business.pool, account.id, change, editor(business))
    with pytest.raises(ConfirmationError, match="waits for no"):
        await confirm_signup(business.pool, token, at=now)
    with pytest.raises(ConfirmationError, match="waits for no"):
        await confirmation_token(business.pool, suspended, at=now, valid=timedelta(hours=1))


async def test_minutes_of_a_month_in_the_accounts_zone_stand_beside_those_expected(
    business: Business, channel: NewChannel, clock: Clock
) -> None:
    now = clock.freeze()
    tokyo = ZoneInfo("Asia/Tokyo")
    begin = (now.astimezone(tokyo).replace(day=1, hour=0, minute=0, second=0, microsecond=0)
             + timedelta(days=32)).replace(day=1)  # fmt: skip
    end = (begin + timedelta(days=32)).replace(day=1)
    account = await business.customer(
        timezone="Asia/Tokyo", traffic_minutes_per_month=2, target_traffic="United Kingdom"
    )
    await business.customer()
    for start in (begin - timedelta(seconds=1), begin, end - timedelta(seconds=1)):
        clock.advance((start - clock()).total_seconds())
        phone = channel(accountcode=account.account_number)
        await phone.authorize()
        clock.advance(60)
        await phone.settle(45_000)
    (month,) = await traffic_targets(business.pool, begin.date())
    assert (account.id, 1, 2, "United Kingdom", False) == (
        month.account_id,
        month.minutes,
        month.expected_minutes,
        month.target_traffic,
        month.reached,
    )
    await update_account(
        business.pool, account.id, {"traffic_minutes_per_month": 1}, editor(business)
    )
    (month,) = await traffic_targets(business.pool, begin.date())
    assert month.reached
