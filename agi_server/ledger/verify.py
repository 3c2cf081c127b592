"""Recompute every figure the business rests on from what it is made of, and name what differs."""

import secrets
from collections.abc import AsyncIterator
from dataclasses import dataclass
from itertools import zip_longest
from typing import Any

from agi_server.storage.postgres.statements import statement
from rating.money import format_money

# For the one statement that reads all: processes beside the first, and memory for its groups.
_FAST = (
    "SET LOCAL max_parallel_workers_per_gather = 4",
    "SET LOCAL work_mem = '256MB'",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Mismatch:
    """One figure that is not what its parts add up to. Money as decimal strings."""

    account_id: int
    what: str
    stored: str
    recomputed: str


async def verify(db: Any) -> list[Mismatch]:
    """All mismatches; an empty list proves the books. `db` is an asyncpg connection.

    Reads one snapshot, so it may run while calls are settled. All accounts are compared in one
    pass; only those that differ are then looked at row by row. Raises asyncpg.PostgresError.
    """
    async with db.transaction(isolation="repeatable_read", readonly=True):
        for setting in _FAST:
            await db.execute(setting)
        accounts = await db.fetch(statement("ledger/verify"), secrets.randbits(62))
        found = [mismatch for row in accounts for mismatch in _account_mismatches(row)]
        for row in accounts:
            mixed = row["first_currency"] != row["last_currency"]
            if row["unbalanced"] or mixed:
                found += [each async for each in _wrong_entries(db, row["account_id"], mixed)]
            if row["chain_broken"]:
                found += [each async for each in _breaks(db, row["account_id"])]
        differ = [row["account_id"] for row in accounts if row["charges_differ"]]
        for row in await db.fetch(statement("ledger/verify_calls"), differ):
            found.append(
                Mismatch(
                    account_id=row["account_id"],
                    what=f"charge of call {row['call_id']}",
                    stored=format_money(row["cost_micros"]),
                    recomputed=format_money(row["charged_micros"]),
                )
            )
        differ = [row["account_id"] for row in accounts if row["packages_differ"]]
        for row in await db.fetch(statement("ledger/verify_packages"), differ):
            found.append(
                Mismatch(
                    account_id=row["account_id"],
                    what=f"taken of package {row['package']} from {row['begins_on']}",
                    stored=str(row["taken"]),
                    recomputed=str(row["calls_taken"]),
                )
            )
    return found


def _account_mismatches(row: Any) -> list[Mismatch]:
    pairs = [
        ("account", "there" if row["there"] else "missing", "there"),
        ("balance", format_money(row["balance_micros"]), format_money(row["entries_micros"])),
        ("held", format_money(row["held_micros"]), format_money(row["sessions_held_micros"])),
        ("calls in progress", str(row["open_calls"]), str(row["open_sessions"])),
        ("forwarded calls", str(row["open_forwards"]), str(row["forward_sessions"])),
    ]
    if row["first_currency"] == row["last_currency"]:
        # All its entries agree, so it is the account that does not.
        pairs.append(("currency", row["currency"], row["first_currency"]))
    found = [
        Mismatch(account_id=row["account_id"], what=what, stored=stored, recomputed=recomputed)
        for what, stored, recomputed in pairs
        if stored != recomputed
    ]
    funds_micros = row["balance_micros"] - row["held_micros"] + row["credit_limit_micros"]
    if funds_micros < 0:
        found.append(
            Mismatch(
                account_id=row["account_id"],
                what="funds below the credit limit",
                stored=format_money(funds_micros),
                recomputed="at least 0",
            )
        )
    return found


async def _wrong_entries(db: Any, account_id: int, mixed: bool) -> AsyncIterator[Mismatch]:
    """Entries that move nothing, and where some of the account's are `mixed` in, of a currency that
    is not its own."""
    for row in await db.fetch(statement("ledger/verify_entries"), account_id):
        what = f"entry {row['movement_id']} part {row['part']}"
        if row["unbalanced"]:
            amount = format_money(row["amount_micros"])
            yield Mismatch(
                account_id=account_id,
                what=what,
                stored=f"{amount} from {row['debit']} to {row['credit']}",
                recomputed="an amount from one side to another",
            )
        if mixed and row["currency"] != row["account_currency"]:
            yield Mismatch(
                account_id=account_id,
                what=f"currency of {what}",
                stored=row["currency"],
                recomputed=row["account_currency"] or "that of an account",
            )


async def _breaks(db: Any, account_id: int) -> AsyncIterator[Mismatch]:
    """Where an entry does not begin with the balance that the one before it has left."""
    rows = await db.fetch(statement("ledger/verify_chain"), account_id)
    left = [row for row in rows if row["left_behind"]]
    begun = [row for row in rows if not row["left_behind"]]
    for before, after in zip_longest(left, begun):
        names = [
            f"{word} entry {row['movement_id']}"
            for word, row in (("after", before), ("before", after))
            if row is not None and row["movement_id"] is not None
        ]
        yield Mismatch(
            account_id=account_id,
            what=f"running balance {' and '.join(names)}",
            stored="none" if before is None else format_money(before["micros"]),
            recomputed="none" if after is None else format_money(after["micros"]),
        )
