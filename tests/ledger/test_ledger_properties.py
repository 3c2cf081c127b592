"""Whatever is asked in whatever order and however often: the books balance after each step."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st

from agi_server.accounts.account import Account, PaymentType
from agi_server.background import Background
from agi_server.calls.authorize import Authorizer
from agi_server.calls.call_end import ReportedEnd, UnbelievableEndError
from agi_server.calls.decision import Denial, Grant
from agi_server.calls.identify import Lookup, Method
from agi_server.calls.reasons import Reason
from agi_server.calls.request import CallRequest
from agi_server.calls.sessions import SessionMemory
from agi_server.calls.settle import Settler, Witness
from agi_server.calls.slot_repair import SlotRepair
from agi_server.calls.void import Voider
from agi_server.settings import AccountsSettings, CallsSettings
from agi_server.storage.redis.slots import Slots, open_slots
from agi_server.tariffs.tables import TariffStore
from support.business import PER_MINUTE, PER_SECOND, Business
from support.clock import Clock


@dataclass(frozen=True, slots=True, kw_only=True)
class Refill:
    amount_micros: int
    movement: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Authorize:
    prefix: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Settle:
    call: int
    talk_ms: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Void:
    call: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Recover:
    pass


Step = Refill | Authorize | Settle | Void | Recover

calls = st.integers(0, 4)
authorize = st.builds(Authorize, prefix=st.sampled_from([PER_SECOND, PER_MINUTE]))
steps = st.one_of(
    authorize,
    st.builds(Refill, amount_micros=st.integers(1, 2_000_000), movement=st.integers(0, 3)),
    st.builds(Settle, call=calls, talk_ms=st.none() | st.integers(0, 200_000)),
    st.builds(Void, call=calls),
    st.builds(Recover),
)
# The steps of a round are taken at the same time, by two daemons in turn; then time passes.
rounds = st.tuples(st.lists(steps, min_size=2, max_size=8), st.sampled_from([1, 300, 8000]))


class Shop:
    """One account, and the use cases of two daemons on one database."""

    def __init__(self, business: Business, slots: Slots, tariffs: TariffStore, clock: Clock):
        self._business = business
        self._clock = clock
        self._tariffs = tariffs
        self._background = Background()
        self._daemons = [self._daemon(slots) for _ in range(2)]
        self.account: Account
        self.grants: list[Grant] = []
        self.movements: dict[int, int] = {}

    def _daemon(self, slots: Slots) -> tuple[Authorizer, Settler, Voider]:
        db: Any = self._business.pool
        now = self._clock
        sessions = SessionMemory()
        voider = Voider(
            db=db,
            slots=slots,
            sessions=sessions,
            background=self._background,
            statement_timeout_ms=1000,
            now=now,
        )
        authorizer = Authorizer(
            db=db,
            slots=slots,
            tariffs=self._tariffs,
            sessions=sessions,
            repair=SlotRepair(db=db, slots=slots, background=self._background, now=now),
            voider=voider,
            calls=CallsSettings(),
            accounts=AccountsSettings(),
            now=now,
        )
        return authorizer, Settler(db=db, slots=slots, sessions=sessions, now=now), voider

    async def take(self, steps: Sequence[Step]) -> None:
        await asyncio.gather(*(self._take(number, step) for number, step in enumerate(steps)))
        await self._background.finish(10)

    async def _take(self, number: int, step: Step) -> None:
        authorizer, settler, voider = self._daemons[number % 2]
        match step:
            case Refill():
                # The same id with another amount does nothing either: it is the same movement.
                done = await self._business.refill(
                    self.account, step.amount_micros, f"refill:{step.movement}"
                )
                if done is not None:
                    assert step.movement not in self.movements
                    self.movements[step.movement] = step.amount_micros
            case Authorize():
                request = CallRequest(
                    server="127.0.0.1",
                    uniqueid="1.1",
                    channel="PJSIP/phone-00000001",
                    callerid="",
                    accountcode=self.account.account_number,
                    dialled=step.prefix + "20794600",
                )
                lookup = Lookup(
                    method=Method.ACCOUNTCODE, account_number=self.account.account_number
                )
                found = await authorizer.find(request, lookup)
                decision = await authorizer.decide(request, found)
                event(decision.reason if isinstance(decision, Denial) else "granted")
                if isinstance(decision, Grant):
                    self.grants.append(decision)
            case Settle() if step.call < len(self.grants):
                reported = ReportedEnd(
                    dialstatus="CANCEL" if step.talk_ms is None else "ANSWER",
                    answeredtime_ms="" if step.talk_ms is None else str(step.talk_ms),
                    hangupcause="16",
                )
                call = self.grants[step.call].call_id
                try:
                    await settler.settle(call, "1.1", reported, Witness.HANDLER, lambda: 0)
                    event("settled")
                except UnbelievableEndError:
                    event("left to recovery")
            case Void() if step.call < len(self.grants):
                grant = self.grants[step.call]
                await voider.void(grant.account_id, grant.call_id, Reason.CANCELLED)
            case Recover():
                event(f"recovered {await self._business.recover(self.account)}")

    async def check(self, credit_limit_micros: int) -> None:
        assert [] == await self._business.mismatches()
        now = await self._business.account(self.account)
        assert now.available_micros >= 0
        assert now.balance_micros >= -credit_limit_micros
        states = await self._business.states(self.account)
        assert now.in_use == states.get("open", 0)
        assert len(self.grants) == sum(states.values())
        charged = sum(
            amount
            for debit, amount in await self._business.charges(self.account)
            if debit == "customer"
        )
        assert now.balance_micros == sum(self.movements.values()) - charged


@settings(
    max_examples=100,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(
    history=st.lists(rounds, min_size=2, max_size=8),
    funds_micros=st.integers(0, 8_000_000),
    simultaneous_access=st.integers(0, 3),
    credit_limit_micros=st.sampled_from([0, 100_000, 3_000_000]),
)
async def test_books_balance_and_no_funds_fall_below_the_limit_whatever_happens_at_once(
    business: Business,
    clock: Clock,
    history: list[tuple[list[Step], int]],
    funds_micros: int,
    simultaneous_access: int,
    credit_limit_micros: int,
) -> None:
    tariffs = TariffStore()
    await tariffs.reload(business.pool)
    async with open_slots(business.redis_url, timeout_ms=5000) as slots:
        shop = Shop(business, slots, tariffs, clock)
        shop.movements[-1] = funds_micros
        shop.account = await business.customer(
            funds_micros,
            payment_type=PaymentType.POSTPAID if credit_limit_micros else PaymentType.PREPAID,
            credit_limit_micros=credit_limit_micros,
            simultaneous_access=simultaneous_access,
        )
        for at_once, seconds in history:
            await shop.take(at_once)
            await shop.check(credit_limit_micros)
            if simultaneous_access:
                assert (await business.account(shop.account)).in_use <= simultaneous_access
            clock.advance(seconds)
        clock.advance(100_000)
        await business.recover(shop.account)
        await shop.check(credit_limit_micros)
        assert 0 == (await business.account(shop.account)).held_micros
