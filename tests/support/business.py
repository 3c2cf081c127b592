"""A seeded business: what it sells and its customers, made by the services an operator uses."""

import asyncio
import itertools
from typing import Any

import asyncpg

from agi_server.accounts import customers
from agi_server.accounts.account import Account, new_account
from agi_server.accounts.audit import Editor
from agi_server.accounts.dids import Did
from agi_server.accounts.new_dids import NewDid, add_did
from agi_server.accounts.phones import PhoneOwner, Technology, create_phone
from agi_server.asterisk.link import AsteriskLinks
from agi_server.calls.recover import Recovery
from agi_server.calls.sessions import SessionMemory
from agi_server.calls.settle import Settler
from agi_server.calls.witnesses import UnseenEnd
from agi_server.ledger.refills import refill
from agi_server.ledger.verify import verify
from agi_server.settings import PhonesSettings
from agi_server.storage.postgres.pool import open_pool
from agi_server.storage.redis.slots import open_slots
from agi_server.tariffs import plans, rate_cards, trunks
from rating.rate import Rate
from support.clock import Clock

MICROS = 1_000_000

PER_SECOND = "44"
"""Costs 1,000 micros for each second: what is billed is easy to see in what it costs."""
PER_MINUTE = "49"
"""Costs one unit for each begun minute."""
FREE = "1800"
NO_ROUTE = "7"
"""Has a price, but no trunk carries it."""
NO_RATE = "99"

_NUMBERS = itertools.count(2_000_000_001)


class Business:
    """One business. Its card `retail`, in USD, goes out over the trunks `gw`, then `backup`."""

    def __init__(self, pool: Any, now: Clock, postgres_dsn: str, redis_url: str) -> None:
        self.pool = pool
        self.now = now
        self.postgres_dsn = postgres_dsn
        self.redis_url = redis_url

    async def open(self) -> None:
        """Trunks, rate cards and call plans."""
        await trunks.create_trunk(self.pool, "gw", "PJSIP/{number}@gw")
        await trunks.create_trunk(self.pool, "backup", "PJSIP/{number}@backup")
        retail = [
            Rate(prefix=PER_SECOND, price_micros_per_minute=60_000),
            Rate(prefix=PER_MINUTE, price_micros_per_minute=MICROS, initial_s=60, increment_s=60),
            Rate(prefix=FREE, price_micros_per_minute=0),
        ]
        await self.card("retail", retail, trunks=("gw", "backup"))
        await self.card("unrouted", [Rate(prefix=NO_ROUTE, price_micros_per_minute=60_000)])
        await plans.create_plan(self.pool, "standard", ["retail", "unrouted"])

    async def card(
        self, name: str, rates: list[Rate], trunks: tuple[str, ...] = (), **options: Any
    ) -> None:
        """Store and activate a version of a rate card, in USD unless said otherwise."""
        source = rate_cards.Source(name=f"{name}.csv", sha256=str(hash(tuple(rates))))
        await rate_cards.store_version(
            self.pool, name, rates, source,
            default_currency="USD", trunks=trunks, activate=True, at=self.now(),
            **{"currency": "USD", **options},
        )  # fmt: skip

    async def customer(self, refill_micros: int = 10 * MICROS, **fields: Any) -> Account:
        """A customer on plan `standard`, with no limit of calls unless said otherwise."""
        fields = {
            "account_number": str(next(_NUMBERS)),
            "currency": "USD",
            "plan": "standard",
            "simultaneous_access": 0,
            **fields,
        }
        account, _ = await customers.create_account(
            self.pool,
            new_account(**fields),
            number_length=10,
            max_callerids=5,
            refill_micros=refill_micros,
            created_by="test",
            at=self.now(),
        )
        return account

    async def refill(self, account: Account, amount_micros: int, movement_id: str) -> int | None:
        """Give credit."""
        return await refill(
            self.pool,
            account_id=account.id,
            amount_micros=amount_micros,
            movement_id=movement_id,
            created_by="test",
            note="",
            at=self.now(),
        )

    async def account(self, account: Account) -> Account:
        """The account as it is now."""
        return await customers.find_by_id(self.pool, account.id)

    async def set(self, account: Account, **columns: Any) -> None:
        """What an operator changes in the account's row."""
        changes = ", ".join(f"{name} = ${number}" for number, name in enumerate(columns, 2))
        sql = f"UPDATE account SET {changes} WHERE id = $1"  # noqa: S608 - names of ours
        await self.pool.execute(sql, account.id, *columns.values())

    async def as_owner(self, *statements: str) -> None:
        """What only the owner of the tables may do, not the role of daemons and commands."""
        owner = await asyncpg.connect(self.postgres_dsn)
        try:
            for sql in statements:
                await owner.execute(sql)
        finally:
            await owner.close()

    async def tamper(self, *statements: str) -> None:
        """What only somebody can do who has switched the database's own guards off."""
        await self.as_owner("SET session_replication_role = replica", *statements)

    async def did(self, number: str, owner: Account | None = None, **fields: Any) -> Did:
        """A DID; its destinations are `sip`, `iax` or numbers."""
        new = NewDid(number=number, account_id=owner.id if owner else None, **fields)
        async with self.pool.acquire() as db, db.transaction():
            return await add_did(db, new, Editor(changed_by="test", at=self.now()))

    async def phone(self, account: Account, technology: Technology = Technology.SIP) -> str:
        """A phone of an account; returns its user name."""
        async with self.pool.acquire() as db, db.transaction():
            made = await create_phone(
                db, PhoneOwner.of(account), technology, PhonesSettings(), at=self.now()
            )
        return made.user_name

    async def session(self, call_id: str) -> Any:
        """One call session."""
        return await self.pool.fetchrow("SELECT * FROM call_session WHERE call_id = $1", call_id)

    async def denied(self, call_id: str) -> Any:
        """The record of a refused call, which is written after Asterisk has its answer."""
        while (record := await self.session(call_id)) is None:
            pass  # each look waits for the database
        return record

    async def states(self, account: Account) -> dict[str, int]:
        """How many sessions of an account are in each state."""
        rows = await self.pool.fetch(
            "SELECT state, count(*) FROM call_session WHERE account_id = $1 GROUP BY state",
            account.id,
        )
        return {row["state"]: row["count"] for row in rows}

    async def price_lines(self, call_id: str) -> list[tuple[str, int, int]]:
        """The lines of a CDR, which add up to its cost and to what was debited."""
        record = await self.session(call_id)
        found = [
            (line["kind"], line["seconds"], line["amount_micros"]) for line in record["price_lines"]
        ]
        assert record["cost_micros"] == sum(amount for _, _, amount in found)
        assert record["cost_micros"] <= record["held_micros"]
        return found

    async def charges(self, account: Account) -> list[tuple[str, int]]:
        """Who paid for calls, and how much, call by call: (debit, amount in micros)."""
        rows = await self.pool.fetch(
            "SELECT debit, amount_micros FROM ledger_entry WHERE account_id = $1 AND kind = 'call'"
            " ORDER BY created_at, movement_id, part",
            account.id,
        )
        return [(row["debit"], row["amount_micros"]) for row in rows]

    async def recover(
        self, account: Account | None = None, *, unseen_end: UnseenEnd = "last_seen"
    ) -> int:
        """One round of recovery, by the business's clock; returns how many calls it ended."""
        async with open_slots(self.redis_url, timeout_ms=1000) as slots:
            links = AsteriskLinks([], now=self.now)
            settler = Settler(
                db=self.pool, slots=slots, sessions=SessionMemory(), links=links, now=self.now
            )
            recovery = Recovery(
                db=self.pool, settler=settler, links=links, unseen_end=unseen_end, now=self.now
            )
            return await recovery.settle_overdue(account.id if account else None)

    async def mismatches(self) -> list[Any]:
        """What `ledger verify` finds."""
        async with self.pool.acquire() as db:
            return await verify(db)


async def until_waiting_for_a_lock(db: Any, work: asyncio.Task[Any], *, behind: int = 0) -> None:
    """Until `work` waits for a row that somebody else has locked, as so many others do already."""
    while await db.fetchval("SELECT count(*) FROM pg_locks WHERE NOT granted") <= behind:
        assert not work.done(), "it ended without having to wait"


async def nothing_reserved(business: Business, account: Account) -> bool:
    """Whether no hold, no unit of simultaneous access and no open session is left."""
    now = await business.account(account)
    return (0, 0, 0) == (
        now.held_micros,
        now.in_use,
        (await business.states(account)).get("open", 0),
    )


__all__ = [
    "FREE",
    "MICROS",
    "NO_RATE",
    "NO_ROUTE",
    "PER_MINUTE",
    "PER_SECOND",
    "Business",
    "nothing_reserved",
    "open_pool",
    "until_waiting_for_a_lock",
]
