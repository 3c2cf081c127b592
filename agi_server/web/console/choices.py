"""The names that a form or a filter offers: to a reseller none that are others' business."""

from collections.abc import Mapping, Sequence
from typing import Any

from agi_server.accounts.group_plans import plans_of_group
from agi_server.storage.postgres.statements import statement
from agi_server.web.auth.roles import Operator


async def names_for(
    db: Any, operator: Operator, group: str | None = None
) -> Mapping[str, Sequence[str]]:
    """Names by `plans`, `groups`, `series`, `did_groups` and `campaigns`; the plans of a group (a
    reseller's own) where it may use only some."""
    names: dict[str, Sequence[str]] = dict(await db.fetchrow(statement("web/names")))
    group = operator.group or group
    if group:
        names["plans"] = await plans_of_group(db, group) or names["plans"]
    if operator.group is not None:
        names.update(groups=[], series=[], did_groups=[], campaigns=[])
    return names
