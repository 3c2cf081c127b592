"""PostgreSQL away, slow, half open or cut: a denial in time, and nothing stays reserved for it."""

import asyncio
import socket
from collections.abc import Awaitable
from pathlib import Path

import asyncpg
import pytest
from redis.asyncio import Redis

from agi_server import app
from agi_server.accounts.account import Account
from agi_server.routes import settle as settle_route
from agi_server.tariffs.trunks import switch_trunk
from support.business import Business, nothing_reserved
from support.channel import Answer, Channel
from support.clock import Clock
from support.daemons import Daemon
from support.event_log import EventLog
from support.fixtures import StartDaemon
from support.wire_proxy import (
    Action,
    Connection,
    Proxy,
    cut_at_answer,
    cut_before,
    cut_client_after,
    half_open_after,
)

DEADLINE_MS = 400
# Generous: two cores may be busy with other tests.
SLACK_S = 1.0
# The first statement of a call that names its session is the hold; afterwards settle or void.
NAMES_A_CALL = rb"\d+-[0-9a-f]{32}"
BEGINS_A_CONNECTION = rb"\0user\0"


@pytest.fixture
async def daemon(start_daemon: StartDaemon, postgres_proxy: Proxy) -> Daemon:
    return await start_daemon(
        postgres_proxy.address,
        fastagi={"deadline_ms": DEADLINE_MS},
        postgres={"pool_size": 2},
    )


async def in_time(decision: Awaitable[Answer]) -> Answer:
    """The answer, which must come within the deadline."""
    loop = asyncio.get_running_loop()
    began = loop.time()
    answer = await decision
    assert loop.time() - began < DEADLINE_MS / 1000 + SLACK_S
    return answer


async def allowed_again(daemon: Daemon, clock: Clock, account: Account) -> Channel:
    """The first channel that is let through, however many are refused before."""
    while True:
        phone = Channel(daemon.port, clock, accountcode=account.account_number)
        answer = await in_time(phone.authorize())
        if answer.allowed:
            return phone
        assert "unavailable" == answer.reason


async def no_slots(business: Business, account: Account) -> bool:
    async with Redis.from_url(business.redis_url) as redis:
        return 0 == await redis.zcard(f"{{{account.id}}}:slots")


async def test_a_database_that_does_not_answer_is_a_denial_within_the_deadline(
    business: Business, daemon: Daemon, clock: Clock, postgres_proxy: Proxy, events: EventLog
) -> None:
    account = await business.customer()
    postgres_proxy.stall()
    phones = [Channel(daemon.port, clock, accountcode=account.account_number) for _ in range(10)]
    answers = await asyncio.gather(*(in_time(phone.authorize()) for phone in phones))
    assert {("deny", "unavailable")} == {(each.decision, each.reason) for each in answers}
    assert 1 == len(events.of("backend.down", backend="postgres"))
    postgres_proxy.flow()
    phone = await allowed_again(daemon, clock, account)
    assert 1 == len(events.of("backend.up", backend="postgres"))
    await phone.settle()
    await daemon.stop()
    assert await nothing_reserved(business, account)
    assert await no_slots(business, account)


async def test_a_database_that_is_gone_is_a_denial_and_back_again_without_a_restart(
    business: Business, daemon: Daemon, clock: Clock, postgres_proxy: Proxy
) -> None:
    account = await business.customer()
    await postgres_proxy.stop()
    for _ in range(3):
        phone = Channel(daemon.port, clock, accountcode=account.account_number)
        assert "unavailable" == (await in_time(phone.authorize())).reason
    await postgres_proxy.start()
    assert await allowed_again(daemon, clock, account)


@pytest.mark.parametrize("warm", [False, True], ids=["cold", "warm"])
@pytest.mark.parametrize("fault", [cut_before, cut_at_answer, cut_client_after, half_open_after])
async def test_a_hold_whose_answer_is_lost_does_not_stay(
    business: Business,
    daemon: Daemon,
    clock: Clock,
    postgres_proxy: Proxy,
    fault: Action,
    warm: bool,
) -> None:
    account = await business.customer(simultaneous_access=1)
    if warm:
        await (await allowed_again(daemon, clock, account)).settle()
    postgres_proxy.at(NAMES_A_CALL, fault)
    phone = Channel(daemon.port, clock, accountcode=account.account_number)
    answer = await in_time(phone.authorize())
    assert postgres_proxy.happened.is_set()
    assert ("deny", "unavailable", "") == (answer.decision, answer.reason, answer.call)
    await daemon.stop()
    assert await nothing_reserved(business, account)
    assert await no_slots(business, account)
    assert [] == await business.charges(account)


@pytest.mark.parametrize("fault", [cut_at_answer, half_open_after])
async def test_a_daemon_goes_on_with_new_connections_after_a_fault(
    business: Business, daemon: Daemon, clock: Clock, postgres_proxy: Proxy, fault: Action
) -> None:
    account = await business.customer()
    postgres_proxy.at(NAMES_A_CALL, fault)
    await Channel(daemon.port, clock, accountcode=account.account_number).authorize()
    phone = await allowed_again(daemon, clock, account)
    await phone.settle()
    await daemon.stop()
    assert await nothing_reserved(business, account)


async def test_connections_that_are_half_open_for_good_are_given_up(
    business: Business, daemon: Daemon, clock: Clock, postgres_proxy: Proxy
) -> None:
    account = await business.customer()
    first = [Channel(daemon.port, clock, accountcode=account.account_number) for _ in range(4)]
    await asyncio.gather(*(phone.authorize() for phone in first))
    await asyncio.gather(*(phone.settle() for phone in first))
    postgres_proxy.deafen()
    phone = await allowed_again(daemon, clock, account)
    await phone.settle()
    await daemon.stop()
    assert await nothing_reserved(business, account)


@pytest.mark.parametrize("cut", [False, True], ids=["connected", "cut"])
async def test_a_row_that_an_operator_keeps_locked_is_a_denial_in_time_and_leaves_nothing(
    business: Business,
    daemon: Daemon,
    clock: Clock,
    postgres_proxy: Proxy,
    cut: bool,
) -> None:
    account = await business.customer()
    if cut:
        postgres_proxy.at(NAMES_A_CALL, cut_client_after)
    async with business.pool.acquire() as operator:
        async with operator.transaction():
            await operator.execute("SELECT FROM account WHERE id = $1 FOR UPDATE", account.id)
            phone = Channel(daemon.port, clock, accountcode=account.account_number)
            answer = await in_time(phone.authorize())
            assert ("deny", "unavailable") == (answer.decision, answer.reason)
        # Released while the hold may still be waiting in the server.
        await daemon.stop()
    assert await nothing_reserved(business, account)
    assert await no_slots(business, account)


async def test_tables_that_an_operator_keeps_locked_are_a_denial_and_a_settle_waits_for_them(
    business: Business, daemon: Daemon, clock: Clock, events: EventLog
) -> None:
    account = await business.customer()
    phone = await allowed_again(daemon, clock, account)
    clock.advance(30)
    operator = await asyncpg.connect(business.postgres_dsn)
    try:
        async with operator.transaction():
            await operator.execute("LOCK TABLE account, call_session, ledger_entry")
            settling = asyncio.create_task(phone.settle(5000))
            await events.wait("backend.down", work=None)
            another = Channel(daemon.port, clock, accountcode=account.account_number)
            assert "unavailable" == (await in_time(another.authorize())).reason
        await settling
    finally:
        await operator.close()
    assert "SUCCESS" == phone.variables["AGISTATUS"]
    assert [("customer", 5000)] == await business.charges(account)
    await daemon.stop()
    assert await nothing_reserved(business, account)


async def test_a_locked_row_holds_up_no_other_account_longer_than_its_deadline(
    business: Business, start_daemon: StartDaemon, clock: Clock
) -> None:
    daemon = await start_daemon(fastagi={"deadline_ms": DEADLINE_MS}, postgres={"pool_size": 1})
    locked, other = await business.customer(), await business.customer()
    async with business.pool.acquire() as operator, operator.transaction():
        await operator.execute("SELECT FROM account WHERE id = $1 FOR UPDATE", locked.id)
        phones = [
            Channel(daemon.port, clock, accountcode=account.account_number)
            for account in (locked, other, other)
        ]
        answers = await asyncio.gather(*(in_time(phone.authorize()) for phone in phones))
        assert "unavailable" == answers[0].reason
        assert {"unavailable", ""} >= {answer.reason for answer in answers}
        assert await allowed_again(daemon, clock, other)


@pytest.mark.parametrize("fault", [cut_before, cut_at_answer, cut_client_after, half_open_after])
async def test_a_settle_whose_answer_is_lost_debits_once(
    business: Business,
    daemon: Daemon,
    clock: Clock,
    postgres_proxy: Proxy,
    events: EventLog,
    fault: Action,
) -> None:
    account = await business.customer()
    phone = await allowed_again(daemon, clock, account)
    clock.advance(30)
    postgres_proxy.at(NAMES_A_CALL, fault)
    await phone.settle(5000)
    assert postgres_proxy.happened.is_set()
    assert "SUCCESS" == phone.variables["AGISTATUS"]
    assert [("customer", 5000)] == await business.charges(account)
    assert await nothing_reserved(business, account)
    assert await no_slots(business, account)
    told = events.of("call.settled") + events.of("call.settle_repeated")
    assert 1 == len(told)


async def test_a_settle_waits_for_the_database_to_come_back(
    business: Business, daemon: Daemon, clock: Clock, postgres_proxy: Proxy, events: EventLog
) -> None:
    account = await business.customer()
    phone = await allowed_again(daemon, clock, account)
    clock.advance(30)
    await postgres_proxy.stop()
    settling = asyncio.create_task(phone.settle(5000))
    await events.wait("backend.down", work=None)
    await postgres_proxy.start()
    await settling
    assert "SUCCESS" == phone.variables["AGISTATUS"]
    assert [("customer", 5000)] == await business.charges(account)


async def test_a_settle_that_waited_in_vain_tells_asterisk_to_ask_again(
    business: Business,
    daemon: Daemon,
    clock: Clock,
    postgres_proxy: Proxy,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(settle_route, "_PAUSES_S", (0.01,))
    account = await business.customer()
    phone = await allowed_again(daemon, clock, account)
    clock.advance(30)
    await postgres_proxy.stop()
    await phone.settle(5000)
    assert "FAILURE" == phone.variables["AGISTATUS"]
    await postgres_proxy.start()
    await phone.settle(5000)
    assert "SUCCESS" == phone.variables["AGISTATUS"]
    assert [("customer", 5000)] == await business.charges(account)


async def test_a_settle_that_waits_when_its_daemon_stops_tells_asterisk_to_ask_again(
    business: Business,
    start_daemon: StartDaemon,
    clock: Clock,
    postgres_proxy: Proxy,
    events: EventLog,
) -> None:
    daemon = await start_daemon(
        postgres_proxy.address, fastagi={"deadline_ms": DEADLINE_MS, "drain_timeout_s": 0}
    )
    account = await business.customer()
    phone = await allowed_again(daemon, clock, account)
    clock.advance(30)
    await postgres_proxy.stop()
    settling = asyncio.create_task(phone.settle(5000))
    await events.wait("backend.down", work=None)
    await daemon.stop()
    await settling
    assert "FAILURE" == phone.variables["AGISTATUS"]


async def test_a_first_host_that_was_switched_off_keeps_nobody_from_the_second(
    business: Business, start_daemon: StartDaemon, clock: Clock, proxy_directory: Path
) -> None:
    dsn, _, there = business.postgres_dsn.partition("host=")
    with socket.socket(socket.AF_UNIX) as silent:
        silent.bind(str(proxy_directory / ".s.PGSQL.5432"))
        silent.listen(100)  # the kernel takes connections that nobody ever answers
        daemon = await start_daemon(
            f"{dsn}host={proxy_directory},{there}&target_session_attrs=primary",
            fastagi={"deadline_ms": DEADLINE_MS},
        )
        account = await business.customer()
        phone = await allowed_again(daemon, clock, account)
        await phone.settle()
        await daemon.stop()
    assert await nothing_reserved(business, account)


async def test_ping_tells_in_time_that_the_database_does_not_answer(
    business: Business, daemon: Daemon, clock: Clock, postgres_proxy: Proxy
) -> None:
    monitor = Channel(daemon.port, clock)
    await monitor.run("ping")
    assert "ok" == monitor.variables["AUTH_PING"]
    postgres_proxy.stall()

    async def ping() -> Answer:
        await monitor.run("ping")
        return monitor.answer

    await in_time(ping())
    assert "unavailable" == monitor.variables["AUTH_PING"]


async def test_an_outage_is_told_once_by_each_periodic_job_and_so_is_its_end(
    daemon: Daemon, postgres_proxy: Proxy, events: EventLog
) -> None:
    tries = asyncio.Semaphore(0)

    async def refuse(connection: Connection, data: bytes) -> bool:
        refuse_the_next()
        tries.release()
        return await cut_before(connection, data)

    def refuse_the_next() -> None:
        postgres_proxy.at(BEGINS_A_CONNECTION, refuse)

    refuse_the_next()
    postgres_proxy.cut()
    for _ in range(3):
        await tries.acquire()
    postgres_proxy.forget()
    await events.wait("backend.up", work="tariffs")
    assert 1 == len(events.of("backend.down", work="tariffs"))


async def test_a_change_of_tariffs_while_the_listener_was_cut_off_is_heeded_afterwards(
    business: Business, daemon: Daemon, clock: Clock, postgres_proxy: Proxy, events: EventLog
) -> None:
    account = await business.customer()
    await postgres_proxy.stop()
    await switch_trunk(business.pool, "gw", enabled=False)
    await events.wait("backend.down", work="tariffs")
    await postgres_proxy.start()
    while (phone := await allowed_again(daemon, clock, account)).answer.routes > 1:
        await phone.settle()


async def test_the_database_refusing_a_statement_shows_no_account_number(
    business: Business, daemon: Daemon, clock: Clock, events: EventLog
) -> None:
    account = await business.customer()
    phone = await allowed_again(daemon, clock, account)
    await business.set(account, open_calls=0)
    monkey = Channel(daemon.port, clock, uniqueid=phone.uniqueid)
    settling = asyncio.create_task(monkey.settle(call=phone.answer.call))
    await events.wait("backend.down", work=None)
    await business.set(account, open_calls=1)
    await settling
    assert account.account_number not in str(events.events)
    assert await nothing_reserved(business, account)


async def test_a_listener_that_is_half_open_for_good_is_noticed(
    business: Business,
    postgres_proxy: Proxy,
    start_daemon: StartDaemon,
    clock: Clock,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(app, "_TARIFFS_CHECK_S", 0.1)
    monkeypatch.setattr(app, "_LISTEN_PATIENCE_S", 0.3)
    daemon = await start_daemon(postgres_proxy.address, fastagi={"deadline_ms": DEADLINE_MS})
    account = await business.customer()
    await allowed_again(daemon, clock, account)
    postgres_proxy.deafen()
    await switch_trunk(business.pool, "gw", enabled=False)
    while (phone := await allowed_again(daemon, clock, account)).answer.routes > 1:
        await phone.settle()
