"""A daemon told to stop: accepts no more, finishes what it has, waits for nobody for ever."""

import asyncio

from support.business import Business, nothing_reserved
from support.channel import Channel
from support.clock import Clock
from support.event_log import EventLog
from support.fixtures import StartDaemon


async def until_refused(port: int) -> None:
    while True:
        try:
            _, writer = await asyncio.open_connection("127.0.0.1", port)
        except ConnectionRefusedError:
            return
        writer.close()


async def test_a_draining_daemon_accepts_no_more_and_finishes_what_it_has(
    business: Business, start_daemon: StartDaemon, clock: Clock
) -> None:
    daemon = await start_daemon()
    account = await business.customer()
    phone = Channel(daemon.port, clock, accountcode=account.account_number)
    asked, go_on = asyncio.Event(), asyncio.Event()

    async def slowly(command: list[str]) -> bytes:
        asked.set()
        await go_on.wait()
        return phone.react(command)

    phone.on("EXEC MSet", slowly)
    deciding = asyncio.create_task(phone.authorize())
    await asked.wait()
    stopping = asyncio.create_task(daemon.stop())
    await until_refused(daemon.port)
    assert not stopping.done()
    go_on.set()
    assert (await deciding).allowed
    await stopping
    assert "open" == (await business.session(phone.answer.call))["state"]


async def test_a_call_that_was_connected_before_the_drain_is_still_decided(
    business: Business, start_daemon: StartDaemon, clock: Clock
) -> None:
    """Its environment was on the way: closing it would refuse a call for nothing."""
    daemon = await start_daemon()
    account = await business.customer()
    phone = Channel(daemon.port, clock, accountcode=account.account_number)
    environment = phone.environment("authorize")
    reader, writer = await asyncio.open_connection("127.0.0.1", daemon.port)
    writer.write(environment[:100])
    another = Channel(daemon.port, clock, accountcode=account.account_number)
    assert (await another.authorize()).allowed  # so the first one has been accepted
    stopping = asyncio.create_task(daemon.stop())
    await until_refused(daemon.port)
    writer.write(environment[100:])
    assert b"AUTH_DECISION=allow" in await reader.readline()
    writer.write(b"200 result=0\n")
    assert b"" == await reader.read()
    writer.close()
    await stopping


async def test_idle_connections_do_not_hold_up_a_drain(
    business: Business, start_daemon: StartDaemon
) -> None:
    daemon = await start_daemon(fastagi={"idle_timeout_s": 1, "drain_timeout_s": 600})
    peers = [await asyncio.open_connection("127.0.0.1", daemon.port) for _ in range(20)]
    async with asyncio.timeout(60):
        await daemon.stop()
        for reader, writer in peers:
            assert b"" == await reader.read()
            writer.close()


async def test_a_session_longer_than_the_drain_is_closed_and_its_call_settled_by_the_handler(
    business: Business, start_daemon: StartDaemon, clock: Clock, events: EventLog
) -> None:
    daemon, another = await start_daemon(fastagi={"drain_timeout_s": 0}), await start_daemon()
    account = await business.customer()
    phone = Channel(daemon.port, clock, accountcode=account.account_number)
    dialling, ended = asyncio.Event(), asyncio.Event()

    async def talks(command: list[str]) -> None:
        dialling.set()
        await ended.wait()

    phone.on("EXEC Dial", talks)
    calling = asyncio.create_task(phone.call())
    await dialling.wait()
    await daemon.stop()
    ended.set()
    await calling
    clock.advance(30)
    phone.port = another.port
    await phone.settle(5000)
    assert [("customer", 5000)] == await business.charges(account)
    assert await nothing_reserved(business, account)
