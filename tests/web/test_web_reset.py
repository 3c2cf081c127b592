"""Calls that are over and still count: ended by an operator after a confirmation, never zeroed."""

from collections.abc import Callable

from web_client import Browser, Web

from agi_server.accounts.account import Account
from agi_server.accounts.audit import list_changes
from agi_server.accounts.groups import create_group
from agi_server.web.auth.roles import Role
from support.business import MICROS, nothing_reserved
from support.channel import Channel
from support.clock import Clock

Browse = Callable[[], Browser]


async def phone_and_overdue_call(web: Web, clock: Clock, account: Account) -> Channel:
    """A call whose end nobody told, past its limit, and a phone with one that goes on."""
    lost = Channel(web.fastagi_port, clock, accountcode=account.account_number)
    call = (await lost.authorize()).call
    async with web.business.pool.acquire() as db:
        await db.execute(
            "UPDATE call_session SET authorized_at = authorized_at - interval '3 h',"
            " expires_at = expires_at - interval '3 h' WHERE call_id = $1",
            call,
        )
    phone = Channel(web.fastagi_port, clock, accountcode=account.account_number)
    assert (await phone.authorize()).allowed
    return phone


async def test_what_is_over_is_ended_after_a_confirmation_and_what_goes_on_stays(
    web: Web, browse: Browse, clock: Clock
) -> None:
    account = await web.business.customer(100 * MICROS, simultaneous_access=2)
    await web.operator()
    admin = browse()
    await admin.sign_in()
    phone = await phone_and_overdue_call(web, clock, account)
    path = f"/customers/{account.id}"
    assert f'href="{path}/reset-in-use"' in (await admin.get(path)).text
    asked = (await admin.get(f"{path}/reset-in-use")).text
    assert "End 1 call<" in asked
    assert 2 == (await web.business.account(account)).in_use
    done = await admin.post(f"{path}/reset-in-use")
    assert f"{path}?done=reset" == done.headers["location"]
    now = await web.business.account(account)
    assert (1, True) == (now.in_use, now.held_micros > 0)
    (change,) = await list_changes(web.business.pool, account.id, field="in_use")
    assert ("web:alice", "2", "1") == (change.changed_by, change.old, change.new)
    assert "nothing to reset" in (await admin.get(f"{path}/reset-in-use")).text
    again = await admin.post(f"{path}/reset-in-use")
    assert f"{path}?done=reset-none" == again.headers["location"]
    assert 1 == len(await list_changes(web.business.pool, account.id, field="in_use"))
    clock.advance(10)
    await phone.settle(talk_ms=2500)
    assert await nothing_reserved(web.business, account)
    assert [] == await web.business.mismatches()


async def test_the_api_ends_what_is_over_as_well(web: Web, browse: Browse, clock: Clock) -> None:
    account = await web.business.customer(100 * MICROS, simultaneous_access=2)
    await web.operator()
    phone = await phone_and_overdue_call(web, clock, account)
    client = browse().client
    headers = {"authorization": f"Bearer {await web.token()}"}
    path = f"/api/v1/customers/{account.id}/reset-in-use"
    for ended in (1, 0):
        answer = await client.post(path, headers=headers)
        assert (200, {"ended": ended, "in_use": 1}) == (answer.status_code, answer.json())
    await phone.settle()


async def test_support_and_resellers_of_other_groups_reset_nothing(
    web: Web, browse: Browse
) -> None:
    account = await web.business.customer()
    await create_group(web.business.pool, "offices")
    await web.operator("carol", Role.SUPPORT)
    await web.operator("bob", Role.RESELLER, group="offices")
    for name, status in (("carol", 403), ("bob", 404)):
        browser = browse()
        await browser.sign_in(name)
        path = f"/customers/{account.id}/reset-in-use"
        assert status == (await browser.get(path)).status_code
        assert status == (await browser.post(path)).status_code
        headers = {"authorization": f"Bearer {await web.token(name)}"}
        answer = await browser.client.post(f"/api/v1{path}", headers=headers)
        assert status == answer.status_code
