"""The budget of design.md, counted on the wires: what a call costs in steady state."""

from dataclasses import dataclass

import pytest

from agi_server.tariffs.packages import create_package
from agi_server.tariffs.plans import change_plan
from rating.package import PackageUnit
from support.business import Business
from support.channel import Channel
from support.clock import Clock
from support.fixtures import StartDaemon
from support.wire_proxy import Proxy


@dataclass(frozen=True, slots=True, kw_only=True)
class Trips:
    agi: int
    postgres: int
    redis: int


class Meter:
    """Counts between two readings."""

    def __init__(self, postgres: Proxy, redis: Proxy) -> None:
        self._postgres, self._redis = postgres, redis

    def start(self, channel: Channel) -> None:
        self._channel = channel
        self._before = len(channel.commands), self._postgres.rounds, self._redis.rounds

    def read(self) -> Trips:
        agi, postgres, redis = self._before
        return Trips(
            agi=len(self._channel.commands) - agi,
            postgres=self._postgres.rounds - postgres,
            redis=self._redis.rounds - redis,
        )


@pytest.mark.parametrize("identified_by", ["accountcode", "callerid", "account", "with a package"])
async def test_a_call_in_steady_state_keeps_to_the_budget(
    business: Business,
    start_daemon: StartDaemon,
    clock: Clock,
    postgres_proxy: Proxy,
    redis_proxy: Proxy,
    identified_by: str,
) -> None:
    daemon = await start_daemon(
        postgres_proxy.address, redis_proxy.address, postgres={"pool_size": 1}
    )
    if identified_by == "with a package":
        await create_package(business.pool, "bundle", PackageUnit.SECONDS, 60)
        await change_plan(business.pool, "standard", packages=["bundle"])
    account = await business.customer(callerids=("33123456789",), simultaneous_access=5)
    number = account.account_number
    query = f"?account={number}" if identified_by == "account" else ""
    meter = Meter(postgres_proxy, redis_proxy)
    for _ in range(3):  # the first time statements are prepared and scripts loaded
        phone = Channel(
            daemon.port,
            clock,
            accountcode="" if identified_by in ("callerid", "account") else number,
            callerid="33123456789",
        )
        meter.start(phone)
        assert (await phone.authorize(query)).allowed
        authorize = meter.read()
        clock.advance(30)
        meter.start(phone)
        await phone.settle(5000)
        settle = meter.read()
    assert Trips(agi=1, postgres=2, redis=1) == authorize
    assert Trips(agi=0, postgres=1, redis=1) == settle


@pytest.mark.parametrize("call", ["from outside", "on-net"])
async def test_a_call_to_a_did_keeps_to_the_budget(
    business: Business,
    start_daemon: StartDaemon,
    clock: Clock,
    postgres_proxy: Proxy,
    redis_proxy: Proxy,
    call: str,
) -> None:
    daemon = await start_daemon(
        postgres_proxy.address,
        redis_proxy.address,
        postgres={"pool_size": 1},
        calls={"on_net": "plan"},
    )
    owner = await business.customer(simultaneous_access=5)
    await business.phone(owner)
    await business.did("442079460000", owner, plan="standard", destinations=("sip", "33123456789"))
    meter = Meter(postgres_proxy, redis_proxy)
    for _ in range(3):
        channel = Channel(daemon.port, clock, accountcode=owner.account_number)
        meter.start(channel)
        answer = await (channel.did() if call == "from outside" else channel.authorize())
        authorize = meter.read()
        assert answer.dial.startswith("PJSIP/" if call == "from outside" else "Local/")
        clock.advance(30)
        meter.start(channel)
        await channel.settle(5000)
        settle = meter.read()
    assert Trips(agi=1, postgres=2, redis=1) == authorize
    assert Trips(agi=0, postgres=1, redis=1) == settle


async def test_a_call_that_another_daemon_settles_costs_one_read_more(
    business: Business,
    start_daemon: StartDaemon,
    clock: Clock,
    postgres_proxy: Proxy,
    redis_proxy: Proxy,
) -> None:
    authorizes = await start_daemon()
    settles = await start_daemon(
        postgres_proxy.address, redis_proxy.address, postgres={"pool_size": 1}
    )
    account = await business.customer()
    meter = Meter(postgres_proxy, redis_proxy)
    for _ in range(3):
        phone = Channel(authorizes.port, clock, accountcode=account.account_number)
        await phone.authorize()
        phone.port = settles.port
        clock.advance(30)
        meter.start(phone)
        await phone.settle(5000)
        settle = meter.read()
    assert Trips(agi=0, postgres=2, redis=1) == settle
