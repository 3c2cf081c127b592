"""A deleted customer: what is gone, what is refused from then on, and what still happens."""

from datetime import UTC, datetime

import asyncpg
import pytest
from web_client import Client, Web

from agi_server.accounts.account import AccountStatus
from agi_server.accounts.bulk_change import look_at_change
from agi_server.accounts.dids import assign_did, list_dids
from agi_server.accounts.ending import delete_account, erase_person
from agi_server.editor import Editor
from agi_server.refused import RefusedError
from support.business import MICROS
from support.channel import Channel
from support.clock import Clock

EDITOR = Editor(changed_by="test", at=datetime(2026, 3, 2, tzinfo=UTC))


async def test_a_deleted_customer_never_comes_back_and_gives_its_dids_back_at_once(
    web: Web, admin: Client, clock: Clock
) -> None:
    pool = web.business.pool
    account = await web.business.customer(MICROS)
    customer = f"/customers/{account.id}"
    assert None is (await admin.ask("GET", customer))["deleted_at"]
    for number in ("442079460000", "442079460001"):
        await admin.ask("POST", "/dids", 201, json={"number": number})
    await assign_did(pool, "442079460000", account.id, EDITOR)
    await web.business.as_owner(
        "CREATE FUNCTION no() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN RAISE 'no'; END$$",
        "CREATE TRIGGER no BEFORE UPDATE ON did FOR EACH ROW EXECUTE FUNCTION no()",
    )
    with pytest.raises(asyncpg.RaiseError):
        await delete_account(pool, account.id, EDITOR)
    assert account == await web.business.account(account)
    await web.business.as_owner("DROP FUNCTION no CASCADE")
    call = Channel(web.fastagi_port, clock, accountcode=account.account_number)
    assert (await call.authorize()).allowed
    await admin.ask("DELETE", customer)
    clock.advance(30)
    for _ in range(2):
        await call.settle(30_000)
    assert 1 == len(await web.business.charges(account))
    deleted = await admin.ask("GET", customer)
    assert None is not deleted["deleted_at"]
    assert () == tuple(await list_dids(pool, account_id=account.id))
    history = (await admin.ask("GET", f"{customer}/changes"))["changes"]

    for change in ({"status": "active"}, {"callerids": ["33123456789"]}, {"city": "Rome"}):
        problem = await admin.ask("PATCH", customer, 409, json=change)
        assert "this customer was deleted" in problem["detail"]
    refused = await admin.refill(account.id, "k" * 16, "5", 409)
    assert "this customer was deleted" in refused["detail"]
    paid = {"amount": "5", "with_refill": True}
    key = {"Idempotency-Key": "p" * 16}
    await admin.ask("POST", f"{customer}/payments", 409, json=paid, headers=key)
    assert deleted["balance"] == (await admin.ask("GET", customer))["balance"]
    assert 0 == (
        await web.business.pool.fetchval(
            "SELECT count(*) FROM ledger_entry WHERE account_id = $1 AND kind = 'payment'",
            account.id,
        )
    )
    with pytest.raises(RefusedError, match="this customer was deleted"):
        await assign_did(pool, "442079460001", account.id, EDITOR)
    new = {"number": "442079460002", "customer": account.id}
    problem = await admin.ask("POST", "/dids", 409, json=new)
    assert "this customer was deleted" in problem["detail"]
    with pytest.raises(RefusedError, match="these customers were deleted"):
        await look_at_change(pool, [account.id], {"status": "active"}, lambda *_: None)
    other = await web.business.customer()
    both = [account.id, other.id]
    look = await look_at_change(pool, both, {"status": "suspended"}, lambda *_: None)
    assert (other.id,) == look.differ
    with pytest.raises(asyncpg.CheckViolationError, match="account_deleted_is_cancelled"):
        await web.business.set(account, status=AccountStatus.ACTIVE)
    phone = Channel(web.fastagi_port, clock, accountcode=account.account_number)
    assert "account_cancelled" == (await phone.authorize()).reason
    assert deleted == await admin.ask("DELETE", customer)
    assert history == (await admin.ask("GET", f"{customer}/changes"))["changes"]
    await erase_person(pool, account.id, EDITOR)

    await admin.ask("PATCH", f"/customers/{other.id}", json={"status": "cancelled"})
    await admin.ask("PATCH", f"/customers/{other.id}", json={"status": "active"})
