"""A whole exchange: real Asterisk, the daemon as a process, and the business it bills."""

import asyncio
import json
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

from asterisk_server import PHONES, AsteriskServer
from redis.asyncio import Redis
from sipp import LOOK_AGAIN_SECONDS, PATIENCE_SECONDS, SipCall

from agi_server.accounts.account import Account
from agi_server.calls.records import CallRecord, list_calls
from agi_server.tariffs import plans, trunks
from rating.price import billable_seconds, price_call
from rating.rate import Rate
from support.business import MICROS, Business, nothing_reserved
from support.daemons import DaemonProcess
from support.fixtures import StartProcess

# How far the talk time may be from what the callee saw.
TALK_TOLERANCE_MS = 300
SECOND_MICROS = 1_000
"""What a second to PER_SECOND costs: the balance says for how long one may call."""
PER_SECOND, ODD, PER_MINUTE, ONE_TRUNK = "33", "44", "49", "55"
RATES = (
    Rate(prefix=PER_SECOND, price_micros_per_minute=60 * SECOND_MICROS),
    # No two talk times cost the same, and none costs what another rule would make of it.
    Rate(
        prefix=ODD,
        price_micros_per_minute=123_457,
        initial_s=2,
        increment_s=1,
        connection_fee_micros=7_001,
    ),
    Rate(prefix=PER_MINUTE, price_micros_per_minute=MICROS, initial_s=60, increment_s=60),
)
RING_TIMEOUT_S = 3
DECISION, CALL = "", "c"
"""The modes, as the first letter of a phone's name: who dials, the dialplan or the daemon."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Customer:
    """A customer, the phone that calls at their expense, and the number that only they call."""

    account: Account
    user: str
    number: str
    balance_micros: int

    @property
    def mode(self) -> str:
        return "call" if self.user.startswith(CALL) else "decision"


Kept = TypeVar("Kept")
Scene = Callable[[Customer], Awaitable[None]]


@dataclass(slots=True, kw_only=True)
class Exchange:
    """Asterisk asks `daemon`, which bills `business`: plan `exchange`, trunks `gw`, then `gw2`."""

    asterisk: AsteriskServer
    business: Business
    start_process: StartProcess
    fastagi_port: int
    differences_ms: list[int]
    daemon: DaemonProcess = field(init=False)
    events_before: list[dict[str, Any]] = field(default_factory=list)
    settings: dict[str, str] = field(default_factory=dict)
    """Of the daemon, as environment variables, beside those of `start_daemon`."""
    expected_faults: set[str] = field(default_factory=set)
    """Events that a test brings about: they are no fault of the daemon."""

    async def open(self) -> None:
        """Trunks, rates and plan; then the daemon, which Asterisk asks from now on."""
        pool = self.business.pool
        await trunks.create_trunk(pool, "gw2", "PJSIP/{number}@gw2")
        await self.business.card("exchange", list(RATES), trunks=("gw", "gw2"))
        one_trunk = Rate(prefix=ONE_TRUNK, price_micros_per_minute=60 * SECOND_MICROS)
        await self.business.card("one-trunk", [one_trunk], trunks=("gw",))
        await plans.create_plan(pool, "exchange", ["exchange", "one-trunk", "unrouted"])
        await self.start_daemon()
        self.asterisk.point_to(self.fastagi_port)

    async def start_daemon(self) -> None:
        """Start it, or start it again where it listened before."""
        self.daemon = await self.start_process(
            **{
                "AGI_SERVER_FASTAGI__PORT": str(self.fastagi_port),
                "AGI_SERVER_FASTAGI__DRAIN_TIMEOUT_S": "5",
                # Two cores that also run everything else may take long for a hundred calls at once.
                "AGI_SERVER_FASTAGI__DEADLINE_MS": "10000",
                "AGI_SERVER_REDIS__TIMEOUT_MS": "10000",
                "AGI_SERVER_CALLS__RING_TIMEOUT_S": str(RING_TIMEOUT_S),
                # Every call of these tests has a second witness, which must tell the same.
                "AGI_SERVER_CALLS__RECOVER_EVERY_S": "2",
                "AGI_SERVER_AMI": json.dumps([ami_of(self.asterisk)]),
                **self.settings,
            }
        )

    async def kill_daemon(self) -> None:
        """SIGKILL; what it had logged stays known."""
        await self.daemon.kill()
        self.events_before += self.daemon.events

    def events(self, name: str, **values: Any) -> list[dict[str, Any]]:
        """What the daemons have logged, those that were killed included."""
        return self._events_before(name, values) + self.daemon.of(name, **values)

    def _events_before(self, name: str, values: dict[str, Any]) -> list[dict[str, Any]]:
        return [
            event
            for event in self.events_before
            if event["event"] == name and values.items() <= event.items()
        ]

    def assert_log_is_clean(self) -> None:
        """No fault, nobody accused of one, and no account number."""
        log = self.events_before + self.daemon.events
        # Calls that come at once may overtake each other on their way to Redis: that is mended.
        expected = {"slot.reconciled", *self.expected_faults}
        told = [event for event in log if event["event"] not in expected]
        assert [] == [event for event in told if event["level"] != "info"]
        assert [] == [number for number in PHONES.values() if number in json.dumps(log)]

    async def customer(
        self,
        line: int = 1,
        mode: str = DECISION,
        *,
        prefix: str = ODD,
        balance_micros: int = 10 * MICROS,
        **fields: Any,
    ) -> Customer:
        """The customer of the phone with the number 1000 + `line`."""
        phone = str(1000 + line)
        account = await self.business.customer(
            balance_micros, account_number=PHONES[phone], plan="exchange", **fields
        )
        return Customer(
            account=account,
            user=mode + phone,
            number=f"{prefix}207946{line:04}",
            balance_micros=balance_micros,
        )

    async def in_both_modes(self, scene: Scene, **about: Any) -> None:
        """Play a scene in both modes at the same time, with a customer of its own each."""
        customers = [
            await self.customer(line, mode, **about) for line, mode in ((1, DECISION), (2, CALL))
        ]
        await self.play(scene, customers)

    async def play(self, scene: Scene, customers: Sequence[Customer]) -> None:
        """Play a scene with several customers at the same time."""

        async def play(customer: Customer) -> None:
            try:
                await scene(customer)
            except Exception as failure:
                failure.add_note(f"in {customer.mode} mode, called by {customer.user}")
                raise

        async with asyncio.TaskGroup() as scenes:
            for customer in customers:
                scenes.create_task(play(customer))

    async def logged(self, name: str, count: int = 1, **values: Any) -> None:
        """Wait until the daemons have logged so many such events."""
        async with asyncio.timeout(PATIENCE_SECONDS):
            await self.daemon.logged(name, count - len(self._events_before(name, values)), **values)

    async def settled(self, customer: Customer, count: int = 1) -> list[CallRecord]:
        """The CDRs of all calls of a customer, in their order, once so many are settled.

        By then each was debited once, by its price and at this customer's expense, and nothing of
        them is reserved any more.
        """
        account_id = customer.account.id
        await self.logged("call.settled", count, account_id=account_id)
        records = await list_calls(self.business.pool, account_id=account_id, state="settled")
        records.reverse()
        assert count == len(records)
        assert [(1, 0)] * count == [
            (
                len(self.events("call.settled", call_id=record.call_id)),
                len(self.events("call.settle_repeated", call_id=record.call_id)),
            )
            for record in records
        ]
        assert [price_of(record) for record in records] == [
            (record.billed_seconds, record.cost_micros) for record in records
        ]
        # Calls that end at once may be debited in another order than they were authorized in.
        costs = sorted(record.cost_micros for record in records if record.cost_micros)
        assert [("customer", cost) for cost in costs] == sorted(
            await self.business.charges(customer.account)
        )
        now = await self.business.account(customer.account)
        assert customer.balance_micros - sum(costs) == now.balance_micros
        await self.assert_nothing_reserved(customer)
        return records

    async def assert_nothing_reserved(self, customer: Customer) -> None:
        """No hold, no open call and soon no slot; and the books balance."""
        assert await nothing_reserved(self.business, customer.account)
        async with Redis.from_url(self.business.redis_url) as redis:

            async def given_back() -> bool:
                return 0 == await redis.zcard(f"{{{customer.account.id}}}:slots")

            await soon(given_back)
        assert [] == await self.business.mismatches()

    async def refused(self, account_id: int, count: int) -> list[str]:
        """Why calls of an account (0: of nobody's) were refused, once there are so many CDRs."""

        async def kept() -> list[CallRecord]:
            records = await list_calls(
                self.business.pool, account_id=account_id, state="denied", limit=1000
            )
            return records if len(records) >= count else []

        return [record.reason or "" for record in await soon(kept)]

    def assert_talk(self, record: CallRecord, seen_by_callee: SipCall) -> None:
        """The talk time is what the callee saw."""
        assert record.talk_ms is not None
        assert seen_by_callee.talk_ms is not None
        self.differences_ms.append(record.talk_ms - seen_by_callee.talk_ms)
        assert abs(self.differences_ms[-1]) <= TALK_TOLERANCE_MS


def ami_of(asterisk: AsteriskServer) -> dict[str, Any]:
    """How to reach its AMI, as the settings say it."""
    return {
        "host": "127.0.0.1",
        "port": asterisk.ami_port,
        "user": "agi-server",
        "secret": "loopback",
    }


async def soon(is_there: Callable[[], Awaitable[Kept]]) -> Kept:
    """What is true in the end: the daemon answers Asterisk and logs first, and tidies up later."""
    async with asyncio.timeout(PATIENCE_SECONDS):
        while True:
            if answer := await is_there():
                return answer
            await asyncio.sleep(LOOK_AGAIN_SECONDS)


def price_of(record: CallRecord) -> tuple[int, int]:
    """Billed seconds and cost, as rating makes them of a talk time and a limit."""
    if not record.talk_ms:
        return 0, 0
    rate = {rate.prefix: rate for rate in RATES}[record.prefix or ""]
    price = price_call(rate, billable_seconds(record.talk_ms, record.limit_ms))
    return price.billed_seconds, price.total_micros
