"""Restricted numbers of accounts and groups: stored rules, and whether they forbid or allow."""

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from enum import StrEnum
from typing import Any

from agi_server.accounts.account import Account
from agi_server.accounts.audit import Editor
from agi_server.accounts.changes import change_account
from agi_server.accounts.codes import Restriction
from agi_server.accounts.restriction_rules import RestrictionRuleError, check_rule
from agi_server.business_audit import record_changes
from agi_server.refused import InvalidFieldError, NotFoundError, RefusedError
from agi_server.storage.postgres.statements import statement


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
    editor: Editor,
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
    checked = [_checked(rule) for rule in rules]
    added: list[str] = []

    def add(account: Account) -> dict[str, Any]:
        added[:] = (rule for rule in checked if rule not in account.restricted_numbers)
        meaning = {} if mode is None else {"restriction": mode}
        return {"restricted_numbers": (*account.restricted_numbers, *added), **meaning}

    if owner is RuleOwner.ACCOUNT:
        await change_account(pool, owner_id, add, editor)
        return added
    async with _changing_group(pool, owner_id, editor) as db:
        added = await store_group_rules(db, owner_id, checked)
        if mode is not None:
            await db.execute(statement("accounts/set_group_restriction"), owner_id, mode)
    return added


async def store_group_rules(db: Any, group_id: int, rules: Sequence[str]) -> list[str]:
    """Store rules on a connection in a transaction; returns those that were not there before.

    Raises InvalidFieldError.
    """
    sql = statement("accounts/restrict_group")
    checked = [_checked(rule) for rule in rules]
    return [rule for rule in checked if await db.fetchval(sql, group_id, rule) is not None]


async def remove_rules(
    pool: Any, owner: RuleOwner, owner_id: int, rules: Sequence[str], *, editor: Editor
) -> None:
    """Remove rules: all of them or, when one is not there (NotFoundError), none."""
    checked = [_checked(rule) for rule in rules]
    if owner is RuleOwner.ACCOUNT:
        await change_account(pool, owner_id, _without(checked), editor)
        return
    sql = statement("accounts/unrestrict_group")
    async with _changing_group(pool, owner_id, editor) as db:
        for rule in checked:
            if await db.fetchval(sql, owner_id, rule) is None:
                raise _no_rule(owner, rule)


async def lift(pool: Any, owner: RuleOwner, owner_id: int, *, editor: Editor) -> None:
    """Remove all rules and the restriction itself."""
    if owner is RuleOwner.ACCOUNT:
        await change_account(
            pool,
            owner_id,
            lambda _: {"restriction": Restriction.NONE, "restricted_numbers": ()},
            editor,
        )
        return
    await set_group_rules(pool, owner_id, Restriction.NONE, (), editor=editor)


async def set_group_rules(
    pool: Any, group_id: int, mode: Restriction, rules: Sequence[str], *, editor: Editor
) -> None:
    """Give a group this restriction and these rules, instead of what it has.

    Raises InvalidFieldError, also for rules without a meaning.
    """
    if rules and mode is Restriction.NONE:
        raise InvalidFieldError("restriction", "must say blacklist or whitelist for the numbers")
    async with _changing_group(pool, group_id, editor) as db:
        await db.execute(statement("accounts/unrestrict_group"), group_id, None)
        await store_group_rules(db, group_id, rules)
        await db.execute(statement("accounts/set_group_restriction"), group_id, mode)


def rules_shown(mode: Restriction, rules: Sequence[str]) -> dict[str, object]:
    """What is told of changes of a group's rules."""
    return {"restriction": mode.name.lower(), "restricted_numbers": tuple(rules)}


@asynccontextmanager
async def _changing_group(pool: Any, group_id: int, editor: Editor) -> AsyncIterator[Any]:
    """A connection in a transaction; what is changed of the group's rules on it leaves its rows.

    Raises NotFoundError when the group has been deleted.
    """
    async with pool.acquire() as db, db.transaction():
        name = await db.fetchval(statement("accounts/lock_group"), group_id)
        if name is None:
            raise NotFoundError(f"no group has id {group_id}")
        before = await _group_rules(db, name)
        yield db
        await record_changes(db, "group", name, before, await _group_rules(db, name), editor)


async def _group_rules(db: Any, name: str) -> dict[str, object]:
    row = await db.fetchrow(statement("accounts/list_groups"), name)
    return rules_shown(Restriction(row["restriction"]), row["restricted_numbers"])


def _without(rules: Sequence[str]) -> Callable[[Account], dict[str, Any]]:
    def remove(account: Account) -> dict[str, Any]:
        for rule in rules:
            if rule not in account.restricted_numbers:
                raise _no_rule(RuleOwner.ACCOUNT, rule)
        left = (rule for rule in account.restricted_numbers if rule not in rules)
        return {"restricted_numbers": tuple(left)}

    return remove


def _no_rule(owner: RuleOwner, rule: str) -> NotFoundError:
    return NotFoundError(f"the {owner} has no rule {rule}")


def _checked(rule: str) -> str:
    try:
        return check_rule(rule)
    except RestrictionRuleError as error:
        raise InvalidFieldError("rule", str(error)) from None
