"""Peers that break the protocol, are silent, endless or many: each harms only itself."""

import asyncio
import os
from collections.abc import Awaitable, Callable

import pytest

from support.business import MICROS, Business
from support.channel import Channel
from support.clock import Clock
from support.event_log import EventLog
from support.fixtures import StartDaemon

# Ends a test whose peer would wait for ever; nothing is measured by it.
PATIENCE_S = 60

Peer = tuple[asyncio.StreamReader, asyncio.StreamWriter]
ENVIRONMENT = Channel(0, Clock(), accountcode="999999999").environment("authorize")


async def connect(port: int, local: str = "127.0.0.1") -> Peer:
    return await asyncio.open_connection("127.0.0.1", port, local_addr=(local, 0))


async def heard_until_closed(peer: Peer) -> bytes:
    """What the daemon says until it closes."""
    reader, writer = peer
    async with asyncio.timeout(PATIENCE_S):
        try:
            return await reader.read()
        except ConnectionError:
            return b""
        finally:
            writer.close()


async def says(peer: Peer, *parts: bytes) -> None:
    for part in parts:
        peer[1].write(part)
        try:
            await peer[1].drain()
        except ConnectionError:
            return


async def connects_and_closes(peer: Peer) -> None:
    peer[1].close()


async def connects_and_resets(peer: Peer) -> None:
    peer[1].transport.abort()


async def half_an_environment(peer: Peer) -> None:
    await says(peer, ENVIRONMENT[: len(ENVIRONMENT) // 2])
    peer[1].close()


async def is_silent(peer: Peer) -> None:
    await heard_until_closed(peer)


async def is_silent_after_its_environment(peer: Peer) -> None:
    await says(peer, ENVIRONMENT)
    await heard_until_closed(peer)


async def trickles(peer: Peer) -> None:
    async def bytes_by_bytes() -> None:
        for byte in ENVIRONMENT * 100:
            await says(peer, bytes([byte]))
            await asyncio.sleep(0.05)

    trickle = asyncio.create_task(bytes_by_bytes())
    await heard_until_closed(peer)
    trickle.cancel()


async def never_ends_its_environment(peer: Peer) -> None:
    await says(peer, *[b"agi_more: %d\n" % number for number in range(100_000)])
    await heard_until_closed(peer)


async def sends_a_line_of_a_megabyte(peer: Peer) -> None:
    await says(peer, b"agi_network: " + b"x" * 1_000_000, b"\n\n")
    await heard_until_closed(peer)


async def sends_noise(peer: Peer) -> None:
    await says(peer, os.urandom(10_000))
    await heard_until_closed(peer)


async def speaks_http(peer: Peer) -> None:
    await says(peer, b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
    await heard_until_closed(peer)


async def replies_to_nothing(peer: Peer) -> None:
    await says(peer, ENVIRONMENT, b"200 result=1\n" * 10_000)
    await heard_until_closed(peer)


async def hangs_up_for_ever(peer: Peer) -> None:
    await says(peer, ENVIRONMENT, *[b"HANGUP\n" * 1000] * 100)
    await heard_until_closed(peer)


async def never_reads(peer: Peer) -> None:
    peer[0]._transport.pause_reading()  # type: ignore[attr-defined]
    await says(peer, ENVIRONMENT)
    await asyncio.sleep(1.5)
    peer[1].close()


HOSTILE: list[Callable[[Peer], Awaitable[None]]] = [
    connects_and_closes,
    connects_and_resets,
    half_an_environment,
    is_silent,
    is_silent_after_its_environment,
    trickles,
    never_ends_its_environment,
    sends_a_line_of_a_megabyte,
    sends_noise,
    speaks_http,
    replies_to_nothing,
    hangs_up_for_ever,
    never_reads,
]


async def test_normal_calls_are_decided_beside_every_kind_of_hostile_peer(
    business: Business, start_daemon: StartDaemon, clock: Clock, events: EventLog
) -> None:
    crowd = HOSTILE * 4
    daemon = await start_daemon(
        fastagi={"idle_timeout_s": 1, "max_connections": len(crowd) + 10, "deadline_ms": 20_000}
    )
    account = await business.customer(1000 * MICROS)

    async def normal_calls() -> None:
        for _ in range(10):
            phone = Channel(daemon.port, clock, accountcode=account.account_number)
            assert (await phone.authorize()).allowed
            await phone.settle(1000)

    async with asyncio.timeout(PATIENCE_S), asyncio.TaskGroup() as peers:
        for behave in crowd:
            peers.create_task(behave(await connect(daemon.port)))
        for _ in range(5):
            peers.create_task(normal_calls())
    assert [("customer", 1000)] * 50 == await business.charges(account)
    assert [] == events.of("agi.failed")

    # None of them left a connection behind: as many as may be still can be.
    idle = [await connect(daemon.port) for _ in range(len(crowd) + 9)]
    phone = Channel(daemon.port, clock, accountcode=account.account_number)
    assert (await phone.authorize()).allowed
    for _, writer in idle:
        writer.close()


async def test_500_idle_connections_hold_up_nobody_and_are_closed_in_time(
    business: Business, start_daemon: StartDaemon, clock: Clock, events: EventLog
) -> None:
    daemon = await start_daemon(fastagi={"idle_timeout_s": 3})
    account = await business.customer()
    idle = await asyncio.gather(*(connect(daemon.port) for _ in range(500)))
    phone = Channel(daemon.port, clock, accountcode=account.account_number)
    assert (await phone.authorize()).allowed
    assert [b""] * 500 == await asyncio.gather(*(heard_until_closed(peer) for peer in idle))
    assert 500 == len(events.of("agi.bad_peer"))


async def test_connections_beyond_the_limit_are_closed_at_once_until_one_is_free(
    business: Business, start_daemon: StartDaemon, clock: Clock, events: EventLog
) -> None:
    daemon = await start_daemon(fastagi={"max_connections": 3})
    account = await business.customer()
    idle = [await connect(daemon.port) for _ in range(3)]
    assert b"" == await heard_until_closed(await connect(daemon.port))
    await events.wait("agi.bad_peer", error="too many connections")
    phone = Channel(daemon.port, clock, accountcode=account.account_number)
    assert not (await phone.authorize()).allowed
    idle.pop()[1].close()
    async with asyncio.timeout(PATIENCE_S):
        while not (await phone.authorize()).allowed:
            pass
    for _, writer in idle:
        writer.close()


async def test_only_allowed_networks_are_listened_to(
    business: Business, start_daemon: StartDaemon, events: EventLog
) -> None:
    daemon = await start_daemon(fastagi={"allow": ["127.0.0.2/32", "10.0.0.0/8"]})
    stranger = await connect(daemon.port)
    await says(stranger, ENVIRONMENT)
    assert b"" == await heard_until_closed(stranger)
    await events.wait("agi.bad_peer", peer="127.0.0.1", error="not in fastagi.allow")
    friend = await connect(daemon.port, local="127.0.0.2")
    await says(friend, ENVIRONMENT)
    async with asyncio.timeout(PATIENCE_S):
        assert (await friend[0].readline()).startswith(b"EXEC MSet")
    friend[1].close()


@pytest.mark.parametrize("pieces", [1, 2, 7, len(ENVIRONMENT)])
async def test_an_environment_in_any_number_of_pieces_is_one(
    business: Business, start_daemon: StartDaemon, clock: Clock, pieces: int
) -> None:
    daemon = await start_daemon()
    account = await business.customer()
    environment = Channel(0, clock, accountcode=account.account_number).environment("authorize")
    size = -(-len(environment) // pieces)
    peer = await connect(daemon.port)
    await says(peer, *[environment[at : at + size] for at in range(0, len(environment), size)])
    async with asyncio.timeout(PATIENCE_S):
        assert b"AUTH_DECISION=allow" in await peer[0].readline()
    peer[1].close()


async def test_a_fault_of_ours_ends_one_call_denied_and_no_other(
    business: Business, start_daemon: StartDaemon, clock: Clock, events: EventLog
) -> None:
    daemon = await start_daemon()
    broken, sound = await business.customer(), await business.customer()
    await business.set(broken, restriction=1)
    await business.pool.execute(
        "INSERT INTO account_restriction VALUES ($1, 'no rule at all')", broken.id
    )
    phone = Channel(daemon.port, clock, accountcode=broken.account_number)
    assert "deny" == (await phone.authorize()).decision
    assert 1 == len(events.of("agi.failed"))
    other = Channel(daemon.port, clock, accountcode=sound.account_number)
    assert (await other.authorize()).allowed
