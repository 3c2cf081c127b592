"""What an account has several of: CallerIDs and restricted numbers, each in a table of its own.

On a connection in a transaction that has the account's row locked.
"""

from collections.abc import Sequence
from typing import Any

from agi_server.refused import RefusedError
from agi_server.storage.postgres.statements import statement


async def replace_callerids(
    db: Any, account_id: int, old: Sequence[str], new: Sequence[str], *, max_callerids: int
) -> None:
    """Raises RefusedError for a number that belongs to somebody else, or too many."""
    for number in set(old) - set(new):
        await db.execute(statement("accounts/remove_callerid"), number)
    added = [number for number in new if number not in old]
    if added and len(new) > max_callerids:
        raise RefusedError(
            f"a customer has at most {max_callerids} CallerIDs (setting accounts.max_callerids)",
            field="callerids",
        )
    for number in added:
        if await db.fetchval(statement("accounts/add_callerid"), number, account_id) is None:
            raise RefusedError(
                f"CallerID {number} belongs to a customer already", field="callerids"
            )


async def replace_rules(db: Any, account_id: int, old: Sequence[str], new: Sequence[str]) -> None:
    """Rules as `check_rule` gives them."""
    for rule in set(old) - set(new):
        await db.execute(statement("accounts/unrestrict_account"), account_id, rule)
    for rule in new:
        await db.execute(statement("accounts/restrict_account"), account_id, rule)
