"""The business that the scripts call, and the daemon that they are played against."""

import asyncio
import json
from collections.abc import Mapping
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any

import redis
from sessions_effect import Effect, described

from agi_server.accounts import customers, groups
from agi_server.accounts.account import AccountStatus, ExpiryMode, PaymentType, Restriction
from agi_server.accounts.audit import Editor
from agi_server.accounts.callerids import switch_callerid
from agi_server.calls.records import list_calls
from agi_server.tariffs import plans, rate_cards, trunks
from agi_server.tariffs.exchange_rates import set_exchange_rate
from rating.rate import Rate
from rating.rate import Stage as RateStage
from rating.routing import RouteOrder
from support.business import MICROS, Business
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
    "penny_for_the_limit": {"refill_micros": 1_000},
    "penny_for_the_overrun": {"refill_micros": 1_000},
    "ivr": {"refill_micros": 12_500_000},
    "spoken": {"refill_micros": 12_500_000, "callerids": ("33612345678",)},
    "french_in_euros": {
        "refill_micros": 12_500_000,
        "currency": "EUR",
        "plan": "european",
        "language": "fr",
    },
    "single": {"simultaneous_access": 1},
    "french": {"language": "fr"},
    "brazilian": {"language": "pt-BR"},
    "european": {"currency": "EUR", "plan": "european", "refill_micros": 12_500_000},
    "without_plan": {"plan": None},
    # What rates and routes can say.
    "discounted": {"discount_basis_points": 1_000},
    "british": {"country": "GB"},
    "staged": {"plan": "staged"},
    "converted": {"plan": "european"},
    "cheapest": {"plan": "cheapest"},
    "full_trunk": {"plan": "full"},
    # Who locks the own calls by telephone.
    "locking": {"lock_pin": "4711"},
    # Who is called from outside.
    "called": {},
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
    "locked": {"locked": True},
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
        self.defines = {"megabyte": "x" * 1_000_000, "nul": "\0"}
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
        await self._seed_rating()
        await groups.create_group(pool, "no-calls", may_call=False)
        await groups.create_group(
            pool, "no-premium", restriction=Restriction.BLACKLIST, restricted_numbers=["49*"]
        )
        business.now.advance(-timedelta(days=2).total_seconds())
        for name, fields in _ACCOUNTS.items():
            account = await business.customer(**fields)
            self.defines[name] = account.account_number
            self.names[account.id] = name
        business.now.advance(timedelta(days=2).total_seconds())
        await self._seed_dids()
        await switch_callerid(
            pool, "34917654321", False, Editor(changed_by="test", at=business.now())
        )

    async def _seed_dids(self) -> None:
        """DIDs of `called`, who has a phone, and one that is nobody's."""
        business = self.business
        by_name = {name: id_ for id_, name in self.names.items()}
        called = await customers.find_by_id(business.pool, by_name["called"])
        self.defines["called_phone"] = await business.phone(called)
        await business.did("442079461000", called, plan="standard", destinations=("sip",))
        await business.did("442079461001", called, destinations=("sip", "442079460009"))
        await business.did("442079461002")
        ended = datetime(2026, 1, 1, tzinfo=UTC)
        await business.did("442079461003", called, valid_until=ended, destinations=("sip",))
        await business.did("442079461004", called)

    async def _seed_rating(self) -> None:
        """Stages and fees, two carriers of which the second is cheaper, a trunk for one call."""
        business, pool = self.business, self.business.pool
        await set_exchange_rate(pool, "USD", "EUR", "0.8", datetime(2020, 1, 1, tzinfo=UTC))
        stage = RateStage(length_s=60, price_micros_per_minute=600_000, increment_s=60)
        staged = Rate(
            prefix="44",
            price_micros_per_minute=60_000,
            connection_fee_micros=50_000,
            stages=(stage,),
        )
        blocked = Rate(prefix="4470", blocked=True)
        await business.card("staged", [staged, blocked], ("gw",))
        await plans.create_plan(pool, "staged", ["staged"])
        for name, buys, trunk in (("dear", 30_000, "gw"), ("cheap", 6_000, "national")):
            if trunk == "national":
                await trunks.create_trunk(
                    pool, trunk, "PJSIP/{number}@national", strip="44", add_prefix="0"
                )
            rate = Rate(
                prefix="44", price_micros_per_minute=60_000, buy_price_micros_per_minute=buys
            )
            await business.card(name, [rate], (trunk,))
        await plans.create_plan(pool, "cheapest", ["dear", "cheap"], route_order=RouteOrder.LCR)
        await trunks.create_trunk(pool, "narrow", "PJSIP/{number}@narrow", capacity=1)
        plain = Rate(prefix="44", price_micros_per_minute=60_000)
        await business.card("narrow", [plain], ("narrow",))
        await plans.create_plan(pool, "full", ["narrow"])

    async def logged(self, wanted: tuple[str, ...]) -> tuple[str, ...]:
        """The events since the last time, once all that are wanted have come (or in vain)."""
        at = len(self.daemon.events)
        with suppress(TimeoutError):
            async with asyncio.timeout(_PATIENCE_S):
                for event in wanted:
                    await self.daemon.wait(event)
        events = self.daemon.events[at:]
        for name in self.names.values():
            assert self.defines[name] not in json.dumps(events)
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

    async def tidy(self) -> None:
        """After a script that failed: end what it left open, so that others are not hit."""
        await self.business.pool.execute("UPDATE call_session SET expires_at = authorized_at")
        await self.business.recover(unseen_end="nothing")
        with suppress(TimeoutError):
            async with asyncio.timeout(1):
                await self.daemon.wait("nothing")  # reads what the daemon still has to say

    async def reserved(self) -> list[str]:
        """Who still has money held, a call open, or a slot taken."""
        accounts = await customers.list_accounts(self.business.pool)
        reserved = [self.names[a.id] for a in accounts if a.held_micros or a.in_use]
        with redis.Redis.from_url(self.business.redis_url) as slots:
            return reserved + [key.decode() for key in slots.keys("*")]
