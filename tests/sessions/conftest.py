"""One daemon as operators run it, and one business, for all scripts of this folder."""

import asyncio
import json
import os
from collections.abc import AsyncIterator, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
import pytest
import pytest_asyncio
import redis
from effect import Effect, described

from agi_server.accounts import customers, groups
from agi_server.accounts.account import AccountStatus, ExpiryMode, PaymentType, Restriction
from agi_server.accounts.callerids import switch_callerid
from agi_server.calls.records import list_calls
from agi_server.storage.embedded import EmbeddedBackends
from agi_server.storage.postgres.pool import open_pool
from agi_server.tariffs import plans, rate_cards
from rating.rate import Rate
from support.business import MICROS, Business
from support.clock import Clock
from support.daemons import DaemonProcess

# Longer than any peer of the scripts needs that is not silent on purpose.
IDLE_TIMEOUT_S = 2
_PATIENCE_S = 5.0

# The accounts of the scripts, named by what they are there for.
_ACCOUNTS: Mapping[str, dict[str, Any]] = {
    "prepaid": {"callerids": ("33123456789",), "refill_micros": 1_000 * MICROS},
    "other": {"callerids": ("34911234567", "34917654321")},
    "tight": {"refill_micros": 345_000},
    "penny": {"refill_micros": 1_000},
    "postpaid": {
        "refill_micros": 0,
        "payment_type": PaymentType.POSTPAID,
        "credit_limit_micros": 5 * MICROS,
    },
    "indebted": {
        "refill_micros": 0,
        "payment_type": PaymentType.POSTPAID,
        "credit_limit_micros": 5 * MICROS,
    },
    "single": {"simultaneous_access": 1},
    "french": {"language": "fr"},
    "brazilian": {"language": "pt-BR"},
    "european": {"currency": "EUR", "plan": "european", "refill_micros": 12_500_000},
    "without_plan": {"plan": None},
    # One for each reason.
    "cancelled": {"status": AccountStatus.CANCELLED},
    "new": {"status": AccountStatus.NEW},
    "unconfirmed": {"status": AccountStatus.UNCONFIRMED},
    "reserved": {"status": AccountStatus.RESERVED},
    "expired": {"status": AccountStatus.EXPIRED},
    "suspended": {"status": AccountStatus.SUSPENDED},
    "suspended_litigation": {"status": AccountStatus.SUSPENDED_LITIGATION},
    "waiting_payment": {"status": AccountStatus.WAITING_PAYMENT},
    "past_its_date": {
        "expiry_mode": ExpiryMode.AT_DATE,
        "expiry_date": datetime(2020, 1, 1),
        "timezone": "Europe/Paris",
    },
    "past_its_days": {"expiry_mode": ExpiryMode.AFTER_CREATION, "expiry_days": 1},
    "locked": {},
    "group_without_calls": {"group": "no-calls"},
    "group_without_premium": {"group": "no-premium"},
    "blacklisting": {
        "restriction": Restriction.BLACKLIST,
        "restricted_numbers": ("4420*", "_00.", "491512345678"),
    },
    "whitelisting": {
        "restriction": Restriction.WHITELIST,
        "restricted_numbers": ("_442079ZXXXXX",),
    },
    "penniless": {"refill_micros": 0},
    "paced": {"calls_per_second": 1},
    "capped": {"max_price_micros_per_minute": 500_000},
}


class Stage:
    """The daemon, and what the scripts do to it."""

    def __init__(self, business: Business, daemon: DaemonProcess) -> None:
        self.business = business
        self.daemon = daemon
        self.defines: dict[str, str] = {}
        self.names: dict[int, str] = {}

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.daemon.port}"

    async def seed(self) -> None:
        """All accounts, by the services an operator uses."""
        business, pool = self.business, self.business.pool
        await business.open()
        await business.card(
            "premium", [Rate(prefix="44", price_micros_per_minute=3 * MICROS)], ("gw",)
        )
        await plans.create_plan(pool, "premium", ["premium"])
        await rate_cards.store_version(
            pool, "european", [Rate(prefix="44", price_micros_per_minute=60_000)],
            rate_cards.Source(name="european.csv", sha256="european"),
            currency="EUR", default_currency="USD", trunks=("gw",), activate=True,
            at=business.now(),
        )  # fmt: skip
        await plans.create_plan(pool, "european", ["european"])
        await groups.create_group(pool, "no-calls", may_call=False)
        await groups.create_group(
            pool, "no-premium", restriction=Restriction.BLACKLIST, restricted_numbers=["49*"]
        )
        business.now.advance(-timedelta(days=2).total_seconds())
        for name, fields in _ACCOUNTS.items():
            account = await business.customer(**fields)
            self.defines[name] = account.account_number
            self.names[account.id] = name
            if name == "locked":
                await customers.set_locked(pool, account, True, changed_by="test")
        business.now.advance(timedelta(days=2).total_seconds())
        await switch_callerid(pool, "34917654321", False, changed_by="test")

    async def logged(self, wanted: tuple[str, ...]) -> tuple[str, ...]:
        """The events since the last time, once all that are wanted have come (or in vain)."""
        at = len(self.daemon.events)
        try:
            async with asyncio.timeout(_PATIENCE_S):
                for event in wanted:
                    await self.daemon.wait(event)
        except TimeoutError:
            pass
        events = self.daemon.events[at:]
        for number in self.defines.values():
            assert number not in json.dumps(events)
        return tuple(event["event"] for event in events)

    async def balances(self) -> dict[str, int]:
        """In micros, by the names of the accounts."""
        accounts = await customers.list_accounts(self.business.pool)
        return {self.names[account.id]: account.balance_micros for account in accounts}

    async def effect(self, wanted: Effect, since: datetime, balances: Mapping[str, int]) -> Effect:
        """What has happened since; the log is awaited, for the rest the daemon has a moment: it
        answers Asterisk first and keeps the record of a refused call afterwards."""
        log = await self.logged(wanted.log)
        deadline = asyncio.get_running_loop().time() + _PATIENCE_S
        while True:
            records = await list_calls(self.business.pool, since=since, limit=1000)
            now = await self.balances()
            effect = Effect(
                log=log,
                calls=described(records[::-1], wanted.calls, self.names),
                charged_micros={
                    name: balance - now[name]
                    for name, balance in balances.items()
                    if balance != now[name]
                },
            )
            is_over = asyncio.get_running_loop().time() > deadline
            if is_over or (effect == wanted and not await self.reserved()):
                return effect
            await asyncio.sleep(0.01)

    async def reserved(self) -> list[str]:
        """Who still has money held, a call open, or a slot taken."""
        accounts = await customers.list_accounts(self.business.pool)
        reserved = [self.names[a.id] for a in accounts if a.held_micros or a.in_use]
        with redis.Redis.from_url(self.business.redis_url) as slots:
            return reserved + [key.decode() for key in slots.keys("*")]


@pytest.fixture(scope="module")
def sessions_dsn(backends: EmbeddedBackends, administration: psycopg.Connection) -> Iterator[str]:
    """A migrated database for all scripts."""
    administration.execute("CREATE DATABASE sessions TEMPLATE agi_server")
    yield backends.postgres_dsn.replace("/agi_server?", "/sessions?")
    administration.execute("DROP DATABASE sessions WITH (FORCE)")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def stage(backends: EmbeddedBackends, sessions_dsn: str) -> AsyncIterator[Stage]:
    """The seeded business, and `agi-server serve` on real PostgreSQL and Valkey."""
    with redis.Redis.from_url(backends.redis_url) as slots:
        slots.flushall()
    daemon = DaemonProcess(
        sessions_dsn,
        backends.redis_url,
        AGI_SERVER_FASTAGI__IDLE_TIMEOUT_S=str(IDLE_TIMEOUT_S),
    )
    async with open_pool(sessions_dsn) as pool:
        stage = Stage(Business(pool, Clock(), sessions_dsn, backends.redis_url), daemon)
        await stage.seed()
        await daemon.start()
        try:
            yield stage
        finally:
            at = len(daemon.events)
            assert 0 == await daemon.terminate()
        assert ["server.draining", "server.stopped"] == [e["event"] for e in daemon.events[at:]]
