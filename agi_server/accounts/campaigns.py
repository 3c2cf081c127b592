"""Campaigns: customers that are reported on and acted on together."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

from agi_server.accounts.changes import update_account
from agi_server.accounts.membership import without_deleted
from agi_server.business_audit import record_changes
from agi_server.editor import Editor
from agi_server.ledger.refills import refill
from agi_server.one_line import check_line
from agi_server.refused import DeletedError, NotFoundError, RefusedError
from agi_server.storage.postgres.statements import statement
from agi_server.tariffs.trunks import check_name

_PAGE = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Campaign:
    """`accounts` is how many are in it, cancelled ones included, deleted ones not."""

    id: int
    name: str
    description: str
    accounts: int


async def create_campaign(
    pool: Any, name: str, description: str = "", editor: Editor | None = None
) -> Campaign:
    """Raises InvalidFieldError, RefusedError (the name is taken)."""
    check_name(name)
    description = check_line("description", description)
    async with pool.acquire() as db, db.transaction():
        if await db.fetchval(statement("accounts/insert_campaign"), name, description) is None:
            raise RefusedError(f"a campaign {name} exists already", field="name")
        created = await find_campaign(db, name)
        await record_changes(db, "campaign", name, {}, _shown(created), editor)
    return created


async def find_campaign(db: Any, name: str) -> Campaign:
    """Raises NotFoundError."""
    found = await list_campaigns(db, name)
    if not found:
        raise NotFoundError(f"there is no campaign {name}")
    return found[0]


async def list_campaigns(db: Any, name: str | None = None) -> list[Campaign]:
    """All campaigns by name, or the one of a name."""
    rows = await db.fetch(statement("accounts/list_campaigns"), name)
    return [Campaign(**row) for row in rows]


async def delete_campaign(pool: Any, name: str, editor: Editor) -> None:
    """Deleted customers leave it. Raises NotFoundError, RefusedError when others are in it."""
    has_customers = RefusedError(f"customers are in the campaign {name}")
    async with pool.acquire() as db, db.transaction():
        campaign = await find_campaign(db, name)
        async with without_deleted(db, "campaign", campaign.id, name, editor, in_use=has_customers):
            if await db.fetchval(statement("accounts/delete_campaign"), name) is None:
                raise has_customers
        await record_changes(db, "campaign", name, _shown(campaign), {}, editor)


async def refill_campaign(
    pool: Any, name: str, amount_micros: int, editor: Editor, *, reference: str, note: str = ""
) -> AsyncIterator[bool]:
    """Credit each account of a campaign that is not cancelled; for each, whether it was now.

    The same `reference` credits each account once, so what broke off is completed by doing it
    again. Raises NotFoundError, InvalidFieldError for a note of more than a line.
    """
    note = check_line("note", note)
    async for account_id in _accounts(pool, name):
        try:
            balance_micros = await refill(
                pool,
                account_id=account_id,
                amount_micros=amount_micros,
                movement_id=f"refill:campaign:{name}:{reference}",
                created_by=editor.changed_by,
                note=note or f"campaign {name}",
                at=editor.at,
            )
        except DeletedError:
            continue  # meanwhile: the others get theirs
        yield balance_micros is not None


async def move_campaign_to_plan(
    pool: Any, name: str, plan: str, editor: Editor
) -> AsyncIterator[bool]:
    """Give each account of a campaign that is not cancelled a call plan; for each, whether it had
    another. Raises NotFoundError for the campaign or the plan."""
    async for account_id in _accounts(pool, name):
        try:
            _, changes = await update_account(pool, account_id, {"plan": plan}, editor)
        except DeletedError:
            continue
        yield bool(changes)


def _shown(campaign: Campaign) -> dict[str, object]:
    """What is told of a campaign that is created or deleted."""
    return {"name": campaign.name, "description": campaign.description}


async def _accounts(pool: Any, name: str) -> AsyncIterator[int]:
    """The ids, a page at a time."""
    campaign = await find_campaign(pool, name)
    after_id = 0
    while rows := await pool.fetch(
        statement("accounts/campaign_accounts"), campaign.id, after_id, _PAGE
    ):
        for row in rows:
            yield row["id"]
        after_id = rows[-1]["id"]
