"""Daemons killed at any moment: what was answered is debited once, what was reserved is free."""

import asyncio
import signal
from contextlib import suppress

from redis.asyncio import Redis

from agi_server.accounts.account import Account
from support.business import MICROS, Business, nothing_reserved
from support.channel import Channel
from support.clock import Clock
from support.daemons import DaemonProcess
from support.fixtures import StartProcess


async def test_a_daemon_killed_during_the_talk_and_started_again_settles_once(
    business: Business, start_process: StartProcess, clock: Clock
) -> None:
    account = await business.customer(simultaneous_access=1)
    first = await start_process()
    phone = Channel(first.port, clock, accountcode=account.account_number)
    assert (await phone.authorize()).allowed
    await first.kill()
    second = await start_process()
    another = Channel(second.port, clock, accountcode=account.account_number)
    assert "too_many_calls" == (await another.authorize()).reason
    phone.port = second.port
    await phone.settle(1000)
    assert [("customer", 1000)] == await business.charges(account)
    assert await nothing_reserved(business, account)
    assert (await another.authorize()).allowed
    assert 0 == await second.terminate()
    assert ["call.settled"] == [
        event["event"] for event in second.events if event["event"].startswith("call.settle")
    ]
    assert account.account_number not in str(first.events + second.events)


class Burst:
    """Callers that start one call after the other while their daemon is killed and replaced."""

    def __init__(self, business: Business, start: StartProcess, clock: Clock) -> None:
        self.business, self.start, self.clock = business, start, clock
        self.daemon: DaemonProcess
        self.accounts: list[Account] = []
        self.settled: list[Account] = []
        """The account of every call that was allowed, and settled for sure."""
        self._alive = asyncio.Event()
        self._progress = asyncio.Semaphore(0)
        self._stopping = False

    async def run(self, *, callers: int, kills: int, calls_between_kills: int) -> None:
        self.accounts = [await self.business.customer(1000 * MICROS) for _ in range(4)]
        await self._replace()
        async with asyncio.TaskGroup() as tasks:
            for number in range(callers):
                tasks.create_task(self._call(self.accounts[number % len(self.accounts)]))
            for _ in range(kills):
                for _ in range(calls_between_kills):
                    await self._progress.acquire()
                self._alive.clear()
                await self.daemon.kill()
                await self._replace()
            self._stopping = True

    async def _replace(self) -> None:
        self.daemon = await self.start()
        self._alive.set()

    async def _call(self, account: Account) -> None:
        while not self._stopping:
            await self._alive.wait()
            phone = Channel(self.daemon.port, self.clock, accountcode=account.account_number)
            with suppress(ConnectionError):
                if (await phone.authorize()).allowed:
                    await self._settle(phone)
                    self.settled.append(account)
            self._progress.release()

    async def _settle(self, phone: Channel) -> None:
        """Ask again until a daemon has outlived its answer.

        AGI knows no positive end: to Asterisk, a daemon that died in the middle of a settle looks
        like one that is done. Here we know better, and ask again.
        """
        asked = None
        while asked is not self.daemon or not self._alive.is_set():
            await self._alive.wait()
            asked = self.daemon
            phone.port = asked.port
            with suppress(ConnectionError):
                await phone.settle(1000)


async def test_a_daemon_killed_in_a_burst_leaves_books_that_balance_and_every_answer_debited_once(
    business: Business, start_process: StartProcess, clock: Clock
) -> None:
    burst = Burst(business, start_process, clock)
    await burst.run(callers=12, kills=3, calls_between_kills=40)
    assert len(burst.settled) > 100
    assert [] == await business.mismatches()
    clock.advance(100_000)
    for account in burst.accounts:
        calls = burst.settled.count(account)
        assert [("customer", 1000)] * calls == await business.charges(account)
        # What a daemon held when it died, and told nobody, ends by itself.
        await business.recover(account, unseen_end="nothing")
        assert await nothing_reserved(business, account)


async def test_a_daemon_told_to_stop_accepts_no_more_finishes_and_exits_0(
    business: Business, start_process: StartProcess, clock: Clock
) -> None:
    account = await business.customer()
    daemon = await start_process()
    phone = Channel(daemon.port, clock, accountcode=account.account_number)
    asked = asyncio.Event()
    answer = asyncio.Event()

    async def slowly(command: list[str]) -> bytes:
        asked.set()
        await answer.wait()
        return phone.react(command)

    phone.on("EXEC MSet", slowly)
    deciding = asyncio.create_task(phone.authorize())
    await asked.wait()
    daemon.send_signal(signal.SIGTERM)
    await daemon.wait("server.draining")
    # Refused; reset, when it stood in the backlog of the listener that was just closing.
    with suppress(ConnectionRefusedError, ConnectionResetError):
        while True:
            (await asyncio.open_connection("127.0.0.1", daemon.port))[1].close()
    answer.set()
    assert (await deciding).allowed
    assert 0 == await daemon.ended()
    assert "server.stopped" == daemon.events[-1]["event"]
    assert 1 == (await business.account(account)).in_use


async def test_a_stopped_daemon_that_is_continued_decides_by_what_is_true_then(
    business: Business, start_process: StartProcess, clock: Clock
) -> None:
    account = await business.customer(simultaneous_access=1)
    frozen, other = await start_process(), await start_process()
    frozen.send_signal(signal.SIGSTOP)
    late = Channel(frozen.port, clock, accountcode=account.account_number)
    deciding = asyncio.create_task(late.authorize())
    phone = Channel(other.port, clock, accountcode=account.account_number)
    assert (await phone.authorize()).allowed
    frozen.send_signal(signal.SIGCONT)
    assert "too_many_calls" == (await deciding).reason
    await phone.settle(500)
    assert [("customer", 1000)] == await business.charges(account)


async def test_slots_are_free_after_a_kill_although_redis_was_flushed_too(
    business: Business, start_process: StartProcess, clock: Clock
) -> None:
    account = await business.customer(simultaneous_access=2)
    first = await start_process()
    phones = [Channel(first.port, clock, accountcode=account.account_number) for _ in range(3)]
    assert [True, True, False] == [(await phone.authorize()).allowed for phone in phones]
    await first.kill()
    async with Redis.from_url(business.redis_url) as redis:
        await redis.flushall()
    second = await start_process()
    for phone in phones:
        phone.port = second.port
    assert "too_many_calls" == (await phones[2].authorize()).reason
    await phones[0].settle()
    assert (await phones[2].authorize()).allowed
