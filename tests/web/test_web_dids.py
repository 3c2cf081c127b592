"""DIDs by console and API: who may see and change which, and what is said where there is none."""

import re
from collections.abc import Callable
from datetime import UTC, datetime

import httpx
import pytest
from web_client import Browser, Web, typed_in

from agi_server.accounts.account import Account
from agi_server.accounts.audit import list_changes
from agi_server.accounts.did_groups import create_did_group
from agi_server.accounts.dids import find_did, list_did_changes
from agi_server.accounts.groups import create_group
from agi_server.web.auth.roles import Role
from support.event_log import EventLog

Browse = Callable[[], Browser]

NUMBER = "442079460000"


@pytest.fixture
async def admin(web: Web, browse: Browse) -> Browser:
    """Signed in as an administrator."""
    await web.operator(timezone="Europe/Paris")
    browser = browse()
    await browser.sign_in()
    return browser


async def targets(web: Web) -> list[tuple[int, str, bool]]:
    did = await find_did(web.business.pool, NUMBER)
    return [(each.priority, each.target, each.active) for each in did.destinations]


async def seen_by(browser: Browser) -> str:
    """The last change, as the form of the DID's page has it."""
    found = re.search(r'name="seen" value="(\d*)"', (await browser.get(f"/dids/{NUMBER}")).text)
    assert found
    return found[1]


async def change(browser: Browser, form: dict[str, str]) -> httpx.Response:
    form = {"seen": await seen_by(browser), **form}
    return await browser.post(f"/dids/{NUMBER}/change", form)


async def test_a_did_is_added_given_to_a_customer_changed_and_taken_away(
    web: Web, admin: Browser
) -> None:
    pool = web.business.pool
    assert "There is no DID yet" in (await admin.get("/dids")).text
    await create_did_group(pool, "london")
    account = await web.business.customer(last_name="Smith")
    added = await admin.post(
        "/dids", {"number": f"+{NUMBER}", "group": "london", "valid_until": "2030-06-01T12:00"}
    )
    assert (303, f"/dids/{NUMBER}?done=did-added") == (
        added.status_code, added.headers["location"],
    )  # fmt: skip
    did = await find_did(pool, NUMBER)
    assert did.valid_until is not None
    assert "2030-06-01T10:00:00" == did.valid_until.isoformat()[:19]  # it was noon in Paris
    assert "Nobody's: calls to it are refused." in (await admin.get(f"/dids/{NUMBER}")).text
    await admin.post(f"/dids/{NUMBER}/assign", {"customer": f"id:{account.id}"})
    for form in (
        {"kind": "sip"},
        {"kind": "number", "destination": "+33123456789", "priority": "9"},
        {"kind": "iax"},
    ):
        assert 303 == (await admin.post(f"/dids/{NUMBER}/destinations", form)).status_code
    await admin.post(f"/dids/{NUMBER}/destinations/9/switch", {"active": "no"})
    await admin.post(f"/dids/{NUMBER}/destinations/1/remove")
    assert [(9, "33123456789", False), (10, "iax", True)] == await targets(web)
    shown = (await admin.get(f"/dids/{NUMBER}")).text
    for text in ("Smith", "+33123456789", "IAX phone", '"2030-06-01T12:00:00"', "web:alice"):
        assert text in shown
    assert account.account_number not in shown
    listed = (await admin.get("/dids?search=%2B4420&group=london")).text
    assert f"/dids/{NUMBER}" in listed
    assert f"/dids/{NUMBER}" in (await admin.get(f"/customers/{account.id}")).text
    for nothing in ("?search=49", f"?search={'4' * 300}", "?unassigned=yes", "?search=%25"):
        assert "No DID matches" in (await admin.get(f"/dids{nothing}")).text
    await change(admin, {"plan": "standard"})
    did = await find_did(pool, NUMBER)
    assert ("standard", None, None, False) == (did.plan, did.group, did.valid_until, did.active)
    await admin.post(f"/dids/{NUMBER}/release")
    assert (await find_did(pool, NUMBER)).account_id is None
    assert 303 == (await admin.post(f"/dids/{NUMBER}/delete")).status_code
    changes = await list_did_changes(pool, NUMBER)
    assert {"web:alice"} == {each.changed_by for each in changes}
    told = await list_changes(pool, account.id, field="dids")
    assert [(NUMBER, None), (None, NUMBER)] == [(each.old, each.new) for each in told]


async def test_what_is_wrong_with_a_did_is_said_beside_its_form(web: Web, admin: Browser) -> None:
    account = await web.business.customer()
    await web.business.did(NUMBER, account)
    seen = await seen_by(admin)
    dates = {
        "valid_from": "2031-01-01T00:00",
        "valid_until": "2030-01-01T00:00",
        "plan": "standard",
    }
    ringing = {"kind": "number", "destination": "x", "priority": "4"}
    for path, form, expected in (
        ("/dids", {"number": "twelve"}, "Number: must be 3 to 15 digits"),
        ("/dids", {"number": NUMBER}, f"DID {NUMBER} exists already"),
        ("/dids", {"number": "4412", "customer": "1234567"}, "no customer has account number"),
        ("/dids", {"number": "4412", "destinations": "sip"}, "Destination: needs a customer"),
        ("/dids", {"number": "4412", "valid_from": "soon"}, "Valid from: must be a date"),
        ("/dids", {"number": "4412", "valid_from": "9999-12-31T23:59"}, "Valid from: must be in"),
        (f"/dids/{NUMBER}/change", {"plan": "none", "seen": seen}, "there is no call plan none"),
        (f"/dids/{NUMBER}/change", {**dates, "seen": seen}, "Valid until: must be after"),
        (f"/dids/{NUMBER}/assign", {"customer": "x"}, "no customer has account number"),
        (f"/dids/{NUMBER}/assign", {"customer": "id:-1"}, "no customer has id -1"),
        (f"/dids/{NUMBER}/destinations", ringing, "must be sip"),
        (f"/dids/{NUMBER}/destinations", {"kind": "sip", "priority": "x"}, "must be 1 to 99"),
    ):
        answer = await admin.post(path, form)
        assert 422 == answer.status_code, path
        assert expected in answer.text
        if "valid_until" in form or form is ringing:
            assert form.items() <= typed_in(answer.text).items()
            assert ("active" in typed_in(answer.text)) == (form is ringing)
    for path in ("/dids/123456", "/dids/abc", f"/dids/{NUMBER}/destinations/x"):
        assert (await admin.get(path)).status_code in (404, 422)
    assert 404 == (await admin.post(f"/dids/{NUMBER}/destinations/5/remove")).status_code
    assert 409 == (await admin.post(f"/dids/{NUMBER}/delete")).status_code


@pytest.fixture
async def two_groups(web: Web) -> tuple[Account, Account]:
    """A customer of the group `offices`, and another."""
    await create_group(web.business.pool, "offices")
    own = await web.business.customer(group="offices")
    other = await web.business.customer()
    await web.business.did(NUMBER, own)
    await web.business.did("442079460001", other)
    await web.business.did("442079460002")
    return own, other


async def test_a_reseller_sees_the_dids_of_own_customers_and_says_where_they_ring(
    web: Web, browse: Browse, two_groups: tuple[Account, Account], events: EventLog
) -> None:
    await web.operator("bob", Role.RESELLER, group="offices")
    reseller = browse()
    await reseller.sign_in("bob")
    listed = (await reseller.get("/dids")).text
    assert [True, False, False] == [f"/dids/44207946000{n}" in listed for n in range(3)]
    assert 303 == (await reseller.post(f"/dids/{NUMBER}/destinations", {"kind": "sip"})).status_code
    assert [(1, "sip", True)] == await targets(web)
    for number in ("442079460001", "442079460002"):
        assert 404 == (await reseller.get(f"/dids/{number}")).status_code
        for path in ("destinations", "destinations/1/remove", "destinations/1/switch"):
            answer = await reseller.post(f"/dids/{number}/{path}", {"kind": "sip"})
            assert 404 == answer.status_code
    for path in ("change", "assign", "release", "delete"):
        assert 403 == (await reseller.post(f"/dids/{NUMBER}/{path}")).status_code
    assert 403 == (await reseller.post("/dids", {"number": "4412345"})).status_code
    assert 8 == len(events.of("web.refused", reason="another group's DID"))


async def test_dids_live_their_life_by_api(web: Web, two_groups: tuple[Account, Account]) -> None:
    own, other = two_groups
    await web.operator()
    await web.operator("sue", Role.SUPPORT)
    await web.operator("bob", Role.RESELLER, group="offices")

    async def ask(who: str, method: str, path: str, status: int = 200, **about: object) -> object:
        answer = await clients[who].request(method, f"/api/v1{path}", **about)  # type: ignore[arg-type]
        assert status == answer.status_code, answer.text
        return answer.json() if answer.content else None

    clients = {
        name: httpx.AsyncClient(
            base_url=web.url, headers={"Authorization": f"Bearer {await web.token(name)}"}
        )
        for name in ("alice", "sue", "bob")
    }
    new = {"number": "+4412345", "customer": own.id, "destinations": ["sip", "33123456789"]}
    made = await ask("alice", "POST", "/dids", 201, json=new)
    assert isinstance(made, dict)
    assert ("4412345", "active", own.id) == (made["number"], made["state"], made["customer"])
    await ask("alice", "POST", "/dids", 409, json=new)
    await ask("alice", "POST", "/dids", 404, json={**new, "customer": 999})
    await ask("alice", "POST", "/dids", 422, json={**new, "number": "x"})
    await ask("sue", "POST", "/dids", 403, json=new)
    assert {"dids": [], "next": None} == await ask("sue", "GET", "/dids?search=99")
    page = await ask("sue", "GET", "/dids?limit=2")
    assert isinstance(page, dict)
    rest = await ask("sue", "GET", f"/dids?after={page['next']}")
    assert isinstance(rest, dict)
    assert ["4412345", NUMBER, "442079460001", "442079460002"] == [
        each["number"] for each in (*page["dids"], *rest["dids"])
    ]
    seen = await ask("bob", "GET", "/dids")
    assert isinstance(seen, dict)
    assert ["4412345", NUMBER] == [each["number"] for each in seen["dids"]]
    await ask("bob", "GET", "/dids/442079460001", 404)
    await ask("bob", "POST", f"/dids/{NUMBER}/destinations", 201, json={"destination": "iax"})
    await ask("bob", "PATCH", f"/dids/{NUMBER}/destinations/1", json={"active": False})
    assert [(1, "iax", False)] == await targets(web)
    await ask("bob", "DELETE", f"/dids/{NUMBER}/destinations/1", 204)
    await ask("bob", "DELETE", f"/dids/{NUMBER}", 403)
    until = "2031-01-01T00:00:00Z"
    changed = await ask("alice", "PATCH", f"/dids/{NUMBER}", json={"valid_until": until})
    assert isinstance(changed, dict)
    assert "2031-01-01T00:00:00.000Z" == changed["valid_until"]
    await ask("alice", "PATCH", f"/dids/{NUMBER}", 422, json={"active": None})
    await ask("alice", "POST", f"/dids/{NUMBER}/assign", 409, json={"customer": other.id})
    await ask("alice", "POST", f"/dids/{NUMBER}/release")
    await ask("alice", "POST", f"/dids/{NUMBER}/assign", json={"customer": other.id})
    await ask("alice", "DELETE", f"/dids/{NUMBER}", 409)
    await ask("alice", "POST", f"/dids/{NUMBER}/release")
    await ask("alice", "DELETE", f"/dids/{NUMBER}", 204)
    for client in clients.values():
        await client.aclose()


async def test_saving_a_did_keeps_its_dates_to_the_last_fraction_and_records_no_change(
    web: Web, admin: Browser
) -> None:
    pool = web.business.pool
    # In Paris 2:30 comes twice in this night; the second is meant.
    valid_from = datetime(2030, 10, 27, 1, 30, 15, tzinfo=UTC)
    valid_until = datetime(2031, 12, 31, 22, 59, 59, 999_999, tzinfo=UTC)
    await web.business.did(NUMBER, valid_from=valid_from, valid_until=valid_until)
    shown = (await admin.get(f"/dids/{NUMBER}")).text
    sent = dict(re.findall(r'name="(valid_\w+)" value="([^"]*)"', shown))
    assert {"valid_from": "2030-10-27T02:30:15", "valid_until": "2031-12-31T23:59:59"} == sent
    recorded = await list_did_changes(pool, NUMBER)
    assert 303 == (await change(admin, {**sent, "active": "yes"})).status_code
    did = await find_did(pool, NUMBER)
    assert (valid_from, valid_until) == (did.valid_from, did.valid_until)
    assert recorded == await list_did_changes(pool, NUMBER)
    await change(admin, {"valid_until": "2031-12-31T23:59", "active": "yes"})
    until = (await find_did(pool, NUMBER)).valid_until
    assert datetime(2031, 12, 31, 22, 59, tzinfo=UTC) == until


async def test_a_stale_page_of_a_did_changes_nothing(web: Web, admin: Browser) -> None:
    await web.business.did(NUMBER)
    seen = await seen_by(admin)
    assert 303 == (await change(admin, {"plan": "standard"})).status_code
    stale = await change(admin, {"plan": "", "seen": seen})
    assert (422, True) == (stale.status_code, "meanwhile" in stale.text)
    again = await change(admin, {"plan": "", "seen": typed_in(stale.text)["seen"]})
    assert 422 == again.status_code
    assert "standard" == (await find_did(web.business.pool, NUMBER)).plan


async def test_a_reseller_sees_nothing_of_a_did_from_before_it_was_the_own_customers(
    web: Web, admin: Browser, browse: Browse, two_groups: tuple[Account, Account]
) -> None:
    own, other = two_groups
    private, number = "33699999999", "442079460002"
    for path, form in (
        ("assign", {"customer": f"id:{other.id}"}),
        ("destinations", {"kind": "number", "destination": private}),
        ("release", {}),
        ("assign", {"customer": f"id:{own.id}"}),
        ("destinations", {"kind": "number", "destination": "442079460099"}),
    ):
        assert 303 == (await admin.post(f"/dids/{number}/{path}", form)).status_code
    await web.operator("bob", Role.RESELLER, group="offices")
    reseller = browse()
    await reseller.sign_in("bob")
    for browser, sees in ((admin, True), (reseller, False)):
        history = (await browser.get(f"/dids/{number}")).text.partition("<h2>Changes</h2>")[2]
        assert [sees, sees, True, True] == [
            text in history for text in (private, f"id:{other.id}<", f"id:{own.id}<", "0099")
        ]


async def test_a_destination_sent_twice_rings_once(web: Web, admin: Browser) -> None:
    await web.business.did(NUMBER, await web.business.customer())
    for form in ({"kind": "sip"}, {"kind": "number", "destination": "+33123456789"}):
        assert 303 == (await admin.post(f"/dids/{NUMBER}/destinations", form)).status_code
        again = await admin.post(f"/dids/{NUMBER}/destinations", form)
        assert (422, True) == (again.status_code, "rings there already" in again.text)
    assert [(1, "sip", True), (2, "33123456789", True)] == await targets(web)


async def test_the_history_of_a_did_is_told_in_the_words_and_the_time_of_the_operator(
    web: Web, browse: Browse
) -> None:
    await web.operator("chloe", language="fr", timezone="Europe/Paris")
    browser = browse()
    await browser.sign_in("chloe")
    account = await web.business.customer()
    until = datetime(2030, 6, 1, 10, 0, tzinfo=UTC)
    await web.business.did(NUMBER, account, valid_until=until, destinations=("33123456789",))
    await browser.post(f"/dids/{NUMBER}/destinations/1/switch", {"active": "no"})
    history = (await browser.get(f"/dids/{NUMBER}")).text.partition("<tbody>")[2]
    for text in ("1 juin 2030, 12:00:00", ">oui<", "+33123456789: désactivé", f"+{NUMBER}"):
        assert text in history.replace("\u202f", " ")
    for raw in ("2030-06-01T", ">yes<", "33123456789 off"):
        assert raw not in history
