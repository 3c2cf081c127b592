"""A customer that is deleted while others change what it has."""

import asyncio
from datetime import UTC, datetime, timedelta

from agi_server.accounts.audit import list_changes
from agi_server.accounts.dids import find_did, release_did
from agi_server.accounts.ending import delete_account
from agi_server.editor import Editor
from agi_server.ledger.refills import refill
from agi_server.storage.postgres.statements import statement
from support.business import Business, until_waiting_for_a_lock

EDITOR = Editor(changed_by="test", at=datetime(2026, 3, 2, tzinfo=UTC))


async def test_dids_that_came_meanwhile_go_too_and_who_changes_one_just_then_is_not_in_the_way(
    business: Business,
) -> None:
    pool = business.pool
    account = await business.customer()
    numbers = ("442079460000", "442079460001")
    booked_at = max(business.now(), EDITOR.at) + timedelta(milliseconds=5)
    for number in numbers:
        await business.did(number)
    async with pool.acquire() as db, db.transaction():
        await db.execute(statement("accounts/lock_row"), account.id)
        deletion = asyncio.create_task(delete_account(pool, account.id, EDITOR))
        await until_waiting_for_a_lock(db, deletion)
        await db.execute("UPDATE did SET account_id = $1", account.id)
        # It has the DID first, and then wants the account: with both locked in the other order,
        # one of the two would end in a deadlock.
        release = asyncio.create_task(release_did(pool, numbers[0], EDITOR))
        await until_waiting_for_a_lock(db, release, behind=1)
        # Asked for later than the deletion, and booked before it.
        await refill(
            db, account_id=account.id, amount_micros=1, movement_id="refill:meanwhile",
            created_by="test", note="", at=booked_at,
        )  # fmt: skip
    (deleted, _), _ = await asyncio.gather(deletion, release)
    assert booked_at == deleted.deleted_at
    changes = await list_changes(pool, account.id)
    assert {booked_at} == {each.changed_at for each in changes if each.field == "status"}
    assert [None, None] == [(await find_did(pool, each)).account_id for each in numbers]
