"""Which call plans the customers of a group may use: their calls on others are refused."""

from typing import Any

from agi_server.refused import InvalidFieldError
from agi_server.storage.postgres.statements import statement


async def plans_of_group(db: Any, group: str) -> tuple[str, ...]:
    """By name; empty: all that there are."""
    return tuple(row["name"] for row in await db.fetch(statement("accounts/group_plans"), group))


async def check_plan(db: Any, group: str | None, plan: str | None) -> None:
    """Raises InvalidFieldError for a plan that a customer of this group may not use."""
    if group is None or plan is None:
        return
    allowed = await plans_of_group(db, group)
    if allowed and plan not in allowed:
        raise InvalidFieldError(
            "plan", f"group {group} may not use {plan}, only {', '.join(allowed)}"
        )
