"""Rolling holds as dialplan and books see them: the first slice, and the end of the call."""

import asyncio
import re

import pytest

from agi_server.storage.postgres.statements import statement
from agi_server.tariffs import plans
from support.business import MICROS, PER_MINUTE, Business, nothing_reserved
from support.channel import Channel, Dialled
from support.clock import Clock
from support.fixtures import NewChannel, StartDaemon

ROLLING = {"calls": {"hold_mode": "rolling", "slice_s": 60, "ring_timeout_s": 20}}
SECOND = 1_000
"""Micros of a second to the default number."""


def limit_in(options: str) -> int:
    match = re.match(r"L\((\d+)", options)
    assert match is not None
    return int(match[1])


async def test_the_first_slice_is_held_and_the_channel_ends_with_it(
    business: Business, start_daemon: StartDaemon, clock: Clock
) -> None:
    daemon = await start_daemon(**ROLLING)
    account = await business.customer(10 * MICROS)
    phone = Channel(daemon.port, clock, accountcode=account.account_number)
    answer = await phone.authorize()
    assert ("allow", 61_000, 3_600_000) == (
        answer.decision,
        answer.limit_ms,
        limit_in(answer.dial_options),
    )
    # Both routes may ring for 20 s before the slice begins.
    assert ("61", "101") == (phone.variables["AUTH_SLICE"], phone.variables["TIMEOUT(absolute)"])
    assert 1 == len(phone.commands)
    assert 61 * SECOND == (await business.account(account)).held_micros
    clock.advance(30)
    await phone.settle(10_000)
    assert [("customer", 10 * SECOND)] == await business.charges(account)
    assert await nothing_reserved(business, account)


async def test_the_slice_comes_after_the_initial_increment(
    business: Business, start_daemon: StartDaemon, clock: Clock
) -> None:
    daemon = await start_daemon(**ROLLING)
    account = await business.customer(10 * MICROS)
    phone = Channel(
        daemon.port, clock, accountcode=account.account_number, extension=PER_MINUTE + "2079460000"
    )
    assert 120_000 == (await phone.authorize()).limit_ms
    assert 2 * MICROS == (await business.account(account)).held_micros
    await phone.settle()


async def test_a_call_that_ends_with_its_slice_costs_what_was_held(
    business: Business, start_daemon: StartDaemon, clock: Clock
) -> None:
    daemon = await start_daemon(**ROLLING)
    account = await business.customer(61 * SECOND)
    phone = Channel(daemon.port, clock, accountcode=account.account_number)
    assert 61_000 == (await phone.authorize()).limit_ms
    clock.advance(100)
    await phone.settle(61_900)
    assert [("customer", 61 * SECOND)] == await business.charges(account)
    assert 0 == (await business.account(account)).balance_micros


@pytest.mark.parametrize(
    ("setting", "plan", "rolling"),
    [
        ("full", None, False),
        ("full", "rolling", True),
        ("rolling", None, True),
        ("rolling", "full", False),
    ],
)
async def test_the_call_plan_overrides_the_setting(
    business: Business,
    start_daemon: StartDaemon,
    clock: Clock,
    setting: str,
    plan: str | None,
    rolling: bool,
) -> None:
    await plans.create_plan(business.pool, "own", ["retail"], hold_mode=plan)  # type: ignore[arg-type]
    daemon = await start_daemon(calls={"hold_mode": setting, "slice_s": 60})
    account = await business.customer(10 * MICROS, plan="own")
    phone = Channel(daemon.port, clock, accountcode=account.account_number)
    answer = await phone.authorize()
    assert (61_000 if rolling else 3_600_000) == answer.limit_ms
    assert rolling is ("TIMEOUT(absolute)" in phone.variables)
    await phone.settle()


async def test_calls_at_once_leave_each_other_a_share(
    business: Business, start_daemon: StartDaemon, clock: Clock
) -> None:
    daemon = await start_daemon(**ROLLING)
    account = await business.customer(150 * SECOND, simultaneous_access=5)
    phones = [Channel(daemon.port, clock, accountcode=account.account_number) for _ in range(5)]
    limits = [(await phone.authorize()).limit_ms for phone in phones]
    # The first ones leave something for two more; nobody gets less than a third of a slice.
    assert [30_000, 30_000, 30_000, 21_000, 21_000] == limits
    assert 18 * SECOND == (await business.account(account)).available_micros
    for phone in phones:
        await phone.settle()
    assert await nothing_reserved(business, account)


async def test_the_cap_ends_with_the_validity_of_the_account_not_with_its_funds(
    business: Business, start_daemon: StartDaemon, clock: Clock
) -> None:
    daemon = await start_daemon(calls={"hold_mode": "rolling", "max_grant_s": 500})
    account = await business.customer(10 * SECOND)
    phone = Channel(daemon.port, clock, accountcode=account.account_number)
    answer = await phone.authorize()
    assert (10_000, 500_000) == (answer.limit_ms, limit_in(answer.dial_options))
    await phone.settle()


async def test_a_daemon_that_did_not_see_an_extension_settles_by_what_is_held_now(
    business: Business, start_daemon: StartDaemon, clock: Clock
) -> None:
    daemon = await start_daemon(**ROLLING)
    account = await business.customer(10 * MICROS)
    phone = Channel(daemon.port, clock, accountcode=account.account_number)
    call = (await phone.authorize()).call
    await business.pool.execute(
        "UPDATE call_session SET limit_ms = 100000, held_micros = 100000 WHERE call_id = $1", call
    )
    await business.set(account, held_micros=100 * SECOND)
    clock.advance(200)
    await phone.settle(100_700)
    assert [("customer", 100 * SECOND)] == await business.charges(account)
    assert 100_000 == (await business.session(call))["limit_ms"]


async def test_after_a_rolling_call_the_channel_has_no_timeout_of_it_any_more(
    business: Business, start_daemon: StartDaemon, clock: Clock
) -> None:
    daemon = await start_daemon(**ROLLING)
    account = await business.customer(10 * MICROS)
    phone = Channel(
        daemon.port, clock, accountcode=account.account_number, dials=[Dialled(talk_ms=5_000)]
    )
    await phone.call()
    assert ("", "0", "") == (
        phone.variables["AUTH_SLICE"],
        phone.variables["TIMEOUT(absolute)"],
        phone.variables["AUTH_CALL"],
    )
    assert await nothing_reserved(business, account)


async def test_a_full_call_after_a_rolling_one_that_was_not_settled_is_not_cut_at_its_slice(
    business: Business, start_daemon: StartDaemon, clock: Clock
) -> None:
    await plans.create_plan(business.pool, "whole", ["retail"], hold_mode="full")
    daemon = await start_daemon(**ROLLING)
    account = await business.customer(10 * MICROS)
    phone = Channel(daemon.port, clock, accountcode=account.account_number)
    await phone.authorize()
    assert 3_600_000 == (await phone.authorize("?plan=whole")).limit_ms
    assert ("", "0") == (phone.variables["AUTH_SLICE"], phone.variables["TIMEOUT(absolute)"])
    await phone.settle()
    assert {"void": 1, "settled": 1} == await business.states(account)


async def test_a_caller_who_is_asked_hears_how_long_the_funds_last(
    business: Business, channel: NewChannel, start_daemon: StartDaemon, clock: Clock
) -> None:
    daemon = await start_daemon(**ROLLING)
    account = await business.customer(600 * SECOND)
    heard = []
    for port in (daemon.port, channel().port):
        phone = Channel(
            port, clock, digits=[account.account_number, "442079460000", ""],
            dials=[Dialled(status="BUSY", cause=17)], extension="s",
        )  # fmt: skip
        await phone.call()
        heard.append(phone.heard())
    assert heard[0] == heard[1]


async def test_of_many_that_extend_a_hold_at_once_one_does(
    business: Business, start_daemon: StartDaemon, clock: Clock
) -> None:
    daemon = await start_daemon(**ROLLING)
    account = await business.customer(100 * SECOND)
    phone = Channel(daemon.port, clock, accountcode=account.account_number)
    call = (await phone.authorize()).call

    async def extend(held_micros: int) -> int | None:
        limit_ms: int | None = await business.pool.fetchval(
            statement("calls/extend_hold"),
            account.id, call, 61_000, held_micros, held_micros, clock(), clock(),
        )  # fmt: skip
        return limit_ms

    assert None is await extend(101 * SECOND)  # more than there is
    extended = await asyncio.gather(*[extend(80 * SECOND) for _ in range(20)])
    assert [80_000] == [limit_ms for limit_ms in extended if limit_ms]
    assert 80 * SECOND == (await business.account(account)).held_micros
    assert 80 * SECOND == (await business.session(call))["held_micros"]
    clock.advance(100)
    await phone.settle(80_500)
    assert [("customer", 80 * SECOND)] == await business.charges(account)
    assert None is await extend(90 * SECOND)  # it has ended
    assert await nothing_reserved(business, account)


@pytest.mark.parametrize(
    "stop",
    [
        {"status": 6},
        {"locked": True},
        {"max_cost_micros_per_hour": 79 * SECOND},
        {"max_cost_micros_per_day": 79 * SECOND},
    ],
)
async def test_the_hold_of_an_account_that_may_not_call_or_spend_more_is_not_extended(
    business: Business, start_daemon: StartDaemon, clock: Clock, stop: dict[str, object]
) -> None:
    daemon = await start_daemon(**ROLLING)
    account = await business.customer(100 * SECOND)
    phone = Channel(daemon.port, clock, accountcode=account.account_number)
    call = (await phone.authorize()).call
    await business.set(account, **stop)
    sql = statement("calls/extend_hold")
    assert None is await business.pool.fetchval(
        sql, account.id, call, 61_000, 80_000, 80 * SECOND, clock(), clock()
    )
    await phone.settle()
