"""One change for many customers: looked at first, done for all or for none, each in its history."""

import re
from collections.abc import Callable

import pytest
from web_client import Browser, Web, typed_in

from agi_server.accounts.account import AccountStatus
from agi_server.accounts.audit import list_changes
from agi_server.accounts.campaigns import create_campaign
from agi_server.accounts.groups import create_group
from agi_server.web.auth.roles import Role
from support.event_log import EventLog

Browse = Callable[[], Browser]


@pytest.fixture
async def admin(web: Web, browse: Browse) -> Browser:
    """Signed in as an administrator."""
    await web.operator()
    browser = browse()
    await browser.sign_in()
    return browser


def confirmed(page: str) -> dict[str, str]:
    """The hidden fields of the page that shows what changes."""
    return dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)">', page))


async def test_a_change_of_all_found_is_shown_and_then_done_for_each_with_its_audit(
    web: Web, admin: Browser
) -> None:
    await create_group(web.business.pool, "offices")
    found = [await web.business.customer(group="offices") for _ in range(3)]
    other = await web.business.customer()
    await web.business.set(found[2], status=AccountStatus.SUSPENDED)
    shown = await admin.post(
        "/customers/bulk",
        {"whom": "found", "found_group": "offices", "status": "=suspended", "plan": "="},
    )
    assert 200 == shown.status_code
    assert "3 customers were chosen." in shown.text
    assert AccountStatus.ACTIVE == (await web.business.account(found[0])).status
    assert 'name="reason"' in shown.text
    wrong = {**confirmed(shown.text), "reason": "x" * 201}
    refused = await admin.post("/customers/bulk/do", wrong)
    assert (422, confirmed(shown.text)) == (refused.status_code, confirmed(refused.text))
    assert "x" * 201 == typed_in(refused.text)["reason"]
    assert 'id="e-reason" role="alert">must have at most 200' in refused.text
    why = {**confirmed(shown.text), "reason": "the office is closed"}
    done = await admin.post("/customers/bulk/do", why)
    assert "/customers?done=bulk-changed" == done.headers["location"]
    for account in found:
        now = await web.business.account(account)
        assert (AccountStatus.SUSPENDED, None) == (now.status, now.plan)
        changes = await list_changes(web.business.pool, account.id)
        assert ("plan", "standard", None, "web:alice", "the office is closed") in [
            (each.field, each.old, each.new, each.changed_by, each.reason) for each in changes
        ]
    assert [] == await list_changes(web.business.pool, found[2].id, field="status")
    assert other == await web.business.account(other)
    again = await admin.post("/customers/bulk/do", confirmed(shown.text))
    assert "/customers?done=bulk-changed-before" == again.headers["location"]
    assert 2 == len(await list_changes(web.business.pool, found[2].id))  # created, plan


async def test_what_was_changed_after_it_was_looked_at_is_left_alone_and_so_are_the_others(
    web: Web, admin: Browser
) -> None:
    accounts = [await web.business.customer() for _ in range(2)]
    form = {"whom": "selected", "id": [each.id for each in accounts], "status": "=suspended"}
    shown = await admin.post("/customers/bulk", form)
    await web.business.set(accounts[1], status=AccountStatus.CANCELLED)
    assert 409 == (await admin.post("/customers/bulk/do", confirmed(shown.text))).status_code
    assert AccountStatus.ACTIVE == (await web.business.account(accounts[0])).status


async def test_a_change_that_cannot_be_is_refused(web: Web, admin: Browser) -> None:
    account = await web.business.customer()
    own = str(account.id)
    for form, status in (
        ({"status": "=suspended"}, 409),
        ({"id": own}, 409),
        ({"id": "999999", "status": "=suspended"}, 404),
        ({"id": "x", "status": "=suspended"}, 400),
        ({"id": own, "status": "=asleep"}, 422),
        ({"id": own, "status": "="}, 422),
        ({"id": own, "plan": "=nothing"}, 404),
    ):
        assert status == (await admin.post("/customers/bulk", form)).status_code, form
    assert account == await web.business.account(account)


async def test_a_reseller_changes_customers_of_the_own_group_only_and_neither_group_nor_campaign(
    web: Web, browse: Browse, events: EventLog
) -> None:
    await create_group(web.business.pool, "offices")
    await create_campaign(web.business.pool, "spring")
    own = await web.business.customer(group="offices")
    other = await web.business.customer()
    await web.operator("bob", Role.RESELLER, group="offices")
    reseller = browse()
    await reseller.sign_in("bob")
    found = await reseller.post("/customers/bulk", {"whom": "found", "status": "=suspended"})
    assert "1 customer was chosen." in found.text
    fields = confirmed(found.text)
    for path in ("/customers/bulk", "/customers/bulk/do"):
        both = {**fields, "id": [own.id, other.id], "ids": f"{own.id},{other.id}"}
        assert 404 == (await reseller.post(path, both)).status_code
    for name, text in (("group", "="), ("campaign", "=spring")):
        for path in ("/customers/bulk", "/customers/bulk/do"):
            by_hand = {**fields, "id": own.id, name: text}
            assert 403 == (await reseller.post(path, by_hand)).status_code
        assert 2 == len(events.of("web.refused", operator="bob", reason=f"sets {name}"))
    assert (own, other) == (
        await web.business.account(own),
        await web.business.account(other),
    )
