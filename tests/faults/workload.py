"""Random calls of several accounts over two daemons, while what they rest on is killed.

The seed decides what every caller does, step by step, and after how many steps what is killed:
the same seed gives the same schedule, on whatever machine.
"""

import asyncio
import random
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import asyncpg
from auditor import SECOND_MICROS, Auditor, Call
from doomed import PATIENCE_S, QUICK, Doomed, Forge
from kill_points import KillSwitch

from agi_server.accounts.account import Account
from support.business import Business
from support.channel import Channel
from support.checker import until, violations
from support.postgres_server import PostgresServer
from support.redis_server import RedisServer

DAEMONS = ("first", "second")
VICTIMS = (*DAEMONS, "redis", "postgres")
_DATABASE_FAULTS = (OSError, asyncpg.PostgresError, asyncpg.InterfaceError, TimeoutError)
_ALL_OVER_S = 12 * 3600


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """What a caller does next."""

    account: int
    does: str
    daemon: str
    talk_s: int
    times: int
    """How often the end is told, or the refill asked for."""


def step(dice: random.Random, accounts: int) -> Step:
    """One throw of the dice."""
    return Step(
        account=dice.randrange(accounts),
        does=dice.choices(("call", "abandon", "hang up", "refill"), (12, 1, 2, 2))[0],
        daemon=dice.choice(DAEMONS),
        talk_s=dice.randint(1, 9),
        times=dice.choice((1, 1, 1, 2, 3)),
    )


class Workload:
    """Callers, the daemons they call, and the auditor that looks on."""

    def __init__(
        self,
        seed: int,
        forge: Forge,
        business: Business,
        postgres: PostgresServer,
        redis: RedisServer,
        switch: KillSwitch,
        folder: Path,
    ) -> None:
        self.seed = seed
        self.auditor = Auditor()
        self.business = business
        self.steps_done = 0
        self.kills = 0
        self._forge = forge
        self._postgres, self._redis = postgres, redis
        self._clock = switch.clock()
        self._folder = folder
        self._alive: dict[str, tuple[Doomed, int]] = {}
        self._accounts: list[Account] = []
        self._progress = asyncio.Condition()
        business.now = self._clock

    async def run(self, *, callers: int, steps: int, kills: int) -> None:
        """So many steps of each caller, with kills in between, then the checks."""
        dice = random.Random(self.seed)
        for _ in range(3):
            limit, funds = dice.randint(1, 4), dice.choice((2, 5, 9)) * 1000 * SECOND_MICROS
            account = await self.business.customer(funds, simultaneous_access=limit)
            self.auditor.account(account.id, funds, limit)
            self._accounts.append(account)
        for name in DAEMONS:
            await self._start(name)
        async with asyncio.TaskGroup() as tasks:
            for number in range(callers):
                tasks.create_task(self._caller(random.Random(f"{self.seed}/{number}"), steps))
            await self._killer(dice, callers * steps, callers * steps // (kills + 1))
        await self._check()
        for daemon, _ in self._alive.values():
            daemon.kill()

    # What callers do.

    async def _caller(self, dice: random.Random, steps: int) -> None:
        for number in range(steps):
            await self._do(step(dice, len(self._accounts)), f"{dice.random()}-{number}")
            async with self._progress:
                self.steps_done += 1
                self._progress.notify_all()

    async def _do(self, step: Step, name: str) -> None:
        account = self._accounts[step.account]
        if step.does == "refill":
            await self._refill(account, step, name)
            return
        phone = Channel(0, self._clock, accountcode=account.account_number)
        phone.hung_up = step.does == "hang up"
        call = await self._authorize(account, phone, step)
        if call is None or step.does == "abandon":
            return
        self._clock.advance(step.talk_s)
        for number in range(step.times):
            told = await self._settle(call, phone, step, number)
            self.auditor.ended(call, sure=told)

    async def _authorize(self, account: Account, phone: Channel, step: Step) -> Call | None:
        """The call, if Asterisk was told to dial."""
        call = self.auditor.asks(account.id, step.daemon)
        daemon = self._alive.get(step.daemon)
        if daemon is None:
            self.auditor.never_reached(call)
            return None
        phone.port = daemon[1]
        with suppress(ConnectionError):
            await phone.authorize()
        answer = phone.answer
        if not answer.allowed and not answer.reason:
            if self._alive.get(step.daemon) is daemon:
                self.auditor.wrong.append(f"a daemon that lives did not answer {call}")
            return None
        self.auditor.answer(account.id, call, answer, hung_up=phone.hung_up)
        return call if answer.allowed else None

    async def _settle(self, call: Call, phone: Channel, step: Step, number: int) -> bool:
        """Tell the end once, asking until somebody listens; whether it was heard for sure."""
        self.auditor.end_begins(call, step.talk_s * SECOND_MICROS)
        names = DAEMONS if number % 2 else DAEMONS[::-1]
        while True:
            for name in names:
                if (daemon := self._alive.get(name)) is None:
                    continue
                phone.port = daemon[1]
                phone.variables["AGISTATUS"] = "FAILURE"
                with suppress(ConnectionError):
                    await phone.settle(step.talk_s * 1000)
                if phone.variables["AGISTATUS"] == "SUCCESS":
                    return self._alive.get(name) is daemon
            await asyncio.sleep(0.05)

    async def _refill(self, account: Account, step: Step, name: str) -> None:
        amount = step.talk_s * 100 * SECOND_MICROS
        number = self.auditor.refill_begins(account.id, amount)
        done = 0
        while done < step.times:
            try:
                await self.business.refill(account, amount, f"refill:{name}")
                done += 1
            except _DATABASE_FAULTS:
                await asyncio.sleep(0.05)
        self.auditor.refilled(account.id, number)

    # What befalls them.

    async def _killer(self, dice: random.Random, total: int, apart: int) -> None:
        """Kill something each time that about so many steps are done, until all are."""
        next_one = 0
        while (next_one := next_one + dice.randint(apart // 2, apart + apart // 2)) < total:
            async with self._progress:
                await self._progress.wait_for(lambda due=next_one: self.steps_done >= due)
            await self._kill(dice.choice(VICTIMS))

    async def _kill(self, victim: str) -> None:
        """SIGKILL it, let a few steps happen without it, and start it again."""
        self.kills += 1
        if victim in DAEMONS:
            daemon, _ = self._alive.pop(victim)
            daemon.kill()
            await daemon.dead()
            await self._start(victim)
        elif victim == "redis":
            self._redis.kill()
            await asyncio.sleep(0.1)
            await self._redis.start()
        else:
            self.auditor.postgres_dies(list(DAEMONS))
            self._postgres.kill()
            await self._postgres.start()
            self.auditor.postgres_is_back()

    async def _start(self, name: str) -> None:
        settings: dict[str, Any] = {
            **QUICK,
            "fastagi": {"port": 0, "deadline_ms": 5_000},
            "postgres": {"pool_size": 5},
        }
        daemon = await self._forge.make(
            settings=settings,
            postgres_dsn=self._postgres.dsn,
            redis_url=self._redis.url,
            switch=str(self._folder / "workload.switch"),
            roots=(),
            log=str(self._folder / "workload.log"),
        )
        port = await daemon.says()
        assert port, (self._folder / "workload.log").read_text()[-2000:]
        self._alive[name] = daemon, port

    # What must be true in the end.

    async def _check(self) -> None:
        found = list(self.auditor.wrong)
        self._clock.advance(_ALL_OVER_S)
        left: list[str] = []

        async def tidy() -> bool:
            left[:] = await violations(
                self.business.pool, self._redis.url, answered=self.auditor.costs
            )
            return not left

        with suppress(TimeoutError):
            await until(tidy, PATIENCE_S)
        found += left
        rows = await self.business.pool.fetch(
            "SELECT account_id, call_id, cost_micros, review FROM call_session"
            " WHERE state = 'settled'"
        )
        settled = {row["call_id"]: row for row in rows}
        found += [f"dialled, but never held: {c}" for c in self.auditor.allowed - settled.keys()]
        found += [
            f"{call} was told to cost {cost} and cost {settled[call]['cost_micros']}"
            for call, cost in self.auditor.sure.items()
            if call in settled
            and (cost, None) != (settled[call]["cost_micros"], settled[call]["review"])
        ]
        for account in self._accounts:
            spent = sum(r["cost_micros"] for r in rows if r["account_id"] == account.id)
            now = await self.business.account(account)
            if now.balance_micros != self.auditor.credit(account.id) - spent:
                found.append(f"account {account.id} has {now.balance_micros}, spent {spent}")
        if found:
            raise AssertionError("\n".join(found))
