"""Whatever is asked in whatever order and however often: the books balance after each step."""

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass

import pytest
from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st

from agi_server.accounts.account import Account, PaymentType
from agi_server.ledger.booking import BookingRefusedError
from agi_server.tariffs.packages import create_package
from agi_server.tariffs.plans import create_plan
from rating.package import PackageUnit
from support.business import PER_MINUTE, PER_SECOND, Business
from support.channel import Channel
from support.clock import Clock
from support.daemons import Daemon
from support.fixtures import StartDaemon


@dataclass(frozen=True, slots=True, kw_only=True)
class Refill:
    amount_micros: int
    movement: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Authorize:
    """A caller who has hung up already has the hold taken back at once."""

    prefix: str
    hung_up: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Settle:
    call: int
    talk_ms: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Recover:
    pass


Step = Refill | Authorize | Settle | Recover

FREE_SECONDS, FREE_CALLS = 100, 2
"""A month's package for PER_SECOND, and another for PER_MINUTE."""

authorize = st.builds(
    Authorize,
    prefix=st.sampled_from([PER_SECOND, PER_MINUTE]),
    hung_up=st.sampled_from([False, False, True]),
)
settle = st.builds(Settle, call=st.integers(0, 4), talk_ms=st.none() | st.integers(0, 200_000))
refill = st.builds(Refill, amount_micros=st.integers(1, 2_000_000), movement=st.integers(0, 3))
steps = st.one_of(authorize, settle, settle, refill, st.builds(Recover))
# The steps of a round are taken at the same time, by two daemons in turn; then time passes.
rounds = st.tuples(st.lists(steps, min_size=2, max_size=8), st.sampled_from([1, 300, 8000]))


class Shop:
    """One account whose calls come in over two daemons."""

    def __init__(
        self, business: Business, daemons: Sequence[Daemon], clock: Clock, account: Account
    ) -> None:
        self._business = business
        self._daemons = daemons
        self._clock = clock
        self._account = account
        self._allowed: list[Channel] = []
        self._refilled: dict[int, int] = {}

    async def take(self, steps: Sequence[Step]) -> None:
        await asyncio.gather(*(self._take(number, step) for number, step in enumerate(steps)))

    async def _take(self, number: int, step: Step) -> None:
        port = self._daemons[number % len(self._daemons)].port
        match step:
            case Refill():
                # The same id with another amount is refused: it is the same movement.
                done = None
                with suppress(BookingRefusedError):
                    done = await self._business.refill(
                        self._account, step.amount_micros, f"refill:{step.movement}"
                    )
                if done is not None:
                    assert step.movement not in self._refilled
                    self._refilled[step.movement] = step.amount_micros
            case Authorize():
                phone = Channel(
                    port,
                    self._clock,
                    accountcode=self._account.account_number,
                    extension=step.prefix + "20794600",
                )
                phone.hung_up = step.hung_up
                answer = await phone.authorize()
                event(answer.reason or "allowed")
                if answer.allowed:
                    self._allowed.append(phone)
            case Settle() if step.call < len(self._allowed):
                phone = self._allowed[step.call]
                handler = Channel(port, self._clock, uniqueid=phone.uniqueid)
                await handler.settle(step.talk_ms, call=phone.answer.call)
                event("settled")
            case Recover():
                event(f"recovered {await self._business.recover(self._account)}")

    async def check(self, funds_micros: int) -> None:
        """Nothing is lost, nothing is held twice, no funds are below the limit, and no part of a
        package is given to two calls."""
        assert [] == await self._business.mismatches()
        now = await self._business.account(self._account)
        assert now.available_micros >= 0
        assert now.balance_micros >= -now.credit_limit_micros
        states = await self._business.states(self._account)
        assert now.in_use == states.get("open", 0)
        assert not now.simultaneous_access or now.in_use <= now.simultaneous_access
        assert len(self._allowed) == states.get("open", 0) + states.get("settled", 0)
        charged = sum(
            amount
            for debit, amount in await self._business.charges(self._account)
            if debit == "customer"
        )
        assert now.balance_micros == funds_micros + sum(self._refilled.values()) - charged
        for use in await self._business.pool.fetch(
            "SELECT k.unit, u.begins_on, u.taken, sum(s.package_held) AS held,"
            " sum(s.package_used) AS used, bool_or(s.state = 'open') AS in_progress"
            " FROM package_use u JOIN package k ON k.id = u.package_id JOIN call_session s"
            " ON (s.account_id, s.package_id, s.package_begins_on)"
            " = (u.account_id, u.package_id, u.begins_on)"
            " WHERE u.account_id = $1 GROUP BY k.unit, u.begins_on, u.taken",
            self._account.id,
        ):
            event(f"took of a package of {use['unit']}")
            most = FREE_SECONDS if use["unit"] == "seconds" else FREE_CALLS
            assert 0 <= use["taken"] <= most
            if not use["in_progress"]:
                assert use["taken"] == use["used"]


@pytest.fixture
async def daemons(business: Business, start_daemon: StartDaemon) -> list[Daemon]:
    """Two, for all histories; half of the accounts have packages."""
    pool = business.pool
    for name, unit, amount, prefix in (
        ("seconds", PackageUnit.SECONDS, FREE_SECONDS, PER_SECOND),
        ("calls", PackageUnit.CALLS, FREE_CALLS, PER_MINUTE),
    ):
        await create_package(pool, name, unit, amount, prefixes=[prefix])
    await create_plan(pool, "packages", ["retail"], packages=["seconds", "calls"])
    return [await start_daemon(fastagi={"deadline_ms": 30_000}) for _ in range(2)]


@settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(
    history=st.lists(rounds, min_size=2, max_size=8),
    funds_micros=st.integers(0, 8_000_000),
    simultaneous_access=st.integers(0, 3),
    credit_limit_micros=st.sampled_from([0, 100_000, 3_000_000]),
    plan=st.sampled_from(["standard", "packages"]),
)
async def test_books_balance_and_no_funds_fall_below_the_limit_whatever_happens_at_once(
    business: Business,
    daemons: list[Daemon],
    clock: Clock,
    history: list[tuple[list[Step], int]],
    funds_micros: int,
    simultaneous_access: int,
    credit_limit_micros: int,
    plan: str,
) -> None:
    account = await business.customer(
        funds_micros,
        plan=plan,
        payment_type=PaymentType.POSTPAID if credit_limit_micros else PaymentType.PREPAID,
        credit_limit_micros=credit_limit_micros,
        simultaneous_access=simultaneous_access,
    )
    shop = Shop(business, daemons, clock, account)
    for at_once, seconds in history:
        await shop.take(at_once)
        await shop.check(funds_micros)
        clock.advance(seconds)
    clock.advance(100_000)
    await business.recover(account)
    await shop.check(funds_micros)
    assert 0 == (await business.account(account)).held_micros
