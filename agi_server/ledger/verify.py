"""Recompute every figure the business rests on from what it is made of, and name what differs."""

from dataclasses import dataclass
from typing import Any

from agi_server.storage.postgres.statements import statement
from rating.money import format_money


@dataclass(frozen=True, slots=True, kw_only=True)
class Mismatch:
    """One figure that is not what its parts add up to. Money as decimal strings."""

    account_id: int
    what: str
    stored: str
    recomputed: str


async def verify(db: Any) -> list[Mismatch]:
    """All mismatches; an empty list proves the books. `db` is an asyncpg connection.

    Reads one snapshot, so it may run while calls are settled. Raises asyncpg.PostgresError.
    """
    async with db.transaction(isolation="repeatable_read", readonly=True):
        accounts = await db.fetch(statement("ledger/verify"))
        calls = await db.fetch(statement("ledger/verify_calls"))
        packages = await db.fetch(statement("ledger/verify_packages"))
    found: list[Mismatch] = []
    for row in accounts:
        found.extend(_account_mismatches(row))
    for row in calls:
        found.append(
            Mismatch(
                account_id=row["account_id"],
                what=f"charge of call {row['call_id']}",
                stored=format_money(row["cost_micros"]),
                recomputed=format_money(row["charged_micros"]),
            )
        )
    for row in packages:
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
        ("balance", format_money(row["balance_micros"]), format_money(row["entries_micros"])),
        ("held", format_money(row["held_micros"]), format_money(row["sessions_held_micros"])),
        ("calls in progress", str(row["open_calls"]), str(row["open_sessions"])),
    ]
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
