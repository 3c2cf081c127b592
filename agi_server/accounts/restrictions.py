"""Restricted numbers of accounts and groups: stored rules, and whether they forbid or allow."""

from collections.abc import Sequence
from enum import StrEnum
from typing import Any

import structlog

from agi_server.accounts.account import Restriction
from agi_server.accounts.restriction_rules import RestrictionRuleError, check_rule
from agi_server.refused import InvalidFieldError, NotFoundError, RefusedError
from agi_server.storage.postgres.statements import statement

log = structlog.get_logger()


class RuleOwner(StrEnum):
    """Whose rules: the group's are checked first, then the account's own."""

    ACCOUNT = "account"
    GROUP = "group"


async def restrict(
    pool: Any,
    owner: RuleOwner,
    owner_id: int,
    rules: Sequence[str],
    *,
    current: Restriction,
    mode: Restriction | None = None,
    changed_by: str,
) -> list[str]:
    """Add rules to those of an owner whose restriction is `current`; returns the new ones.

    `mode` changes what the rules mean; it must be given when nothing was restricted before, since
    a rule without a meaning would have no effect. Raises InvalidFieldError or RefusedError.
    """
    if current is Restriction.NONE and mode is None:
        raise RefusedError(
            f"the {owner} has no restriction yet: say whether the numbers are a blacklist or a"
            " whitelist"
        )
    async with pool.acquire() as db, db.transaction():
        added = await store_rules(db, owner, owner_id, rules)
        if mode is not None:
            await db.execute(statement(f"accounts/set_{owner}_restriction"), owner_id, mode)
    _log_change(owner, owner_id, f"{', '.join(added) or 'no rule'} added", changed_by)
    return added


async def store_rules(db: Any, owner: RuleOwner, owner_id: int, rules: Sequence[str]) -> list[str]:
    """Store rules on a connection in a transaction; returns those that were not there before.

    Raises InvalidFieldError.
    """
    checked = [_checked(rule) for rule in rules]
    sql = statement(f"accounts/restrict_{owner}")
    return [rule for rule in checked if await db.fetchval(sql, owner_id, rule) is not None]


async def remove_rules(
    pool: Any, owner: RuleOwner, owner_id: int, rules: Sequence[str], *, changed_by: str
) -> None:
    """Remove rules: all of them or, when one is not there (NotFoundError), none."""
    checked = [_checked(rule) for rule in rules]
    sql = statement(f"accounts/unrestrict_{owner}")
    async with pool.acquire() as db, db.transaction():
        for rule in checked:
            if await db.fetchval(sql, owner_id, rule) is None:
                raise NotFoundError(f"the {owner} has no rule {rule}")
    _log_change(owner, owner_id, f"{', '.join(checked)} removed", changed_by)


async def lift(pool: Any, owner: RuleOwner, owner_id: int, *, changed_by: str) -> None:
    """Remove all rules and the restriction itself."""
    async with pool.acquire() as db, db.transaction():
        await db.execute(statement(f"accounts/unrestrict_{owner}"), owner_id, None)
        await db.execute(statement(f"accounts/set_{owner}_restriction"), owner_id, Restriction.NONE)
    _log_change(owner, owner_id, "lifted", changed_by)


def _checked(rule: str) -> str:
    try:
        return check_rule(rule)
    except RestrictionRuleError as error:
        raise InvalidFieldError("rule", str(error)) from None


def _log_change(owner: RuleOwner, owner_id: int, change: str, changed_by: str) -> None:
    key = f"{owner}_id"
    log.info("account.changed", **{key: owner_id}, field="restriction", value=change, by=changed_by)
