"""Groups, series and campaigns on the pages: made, changed, and gone when nobody needs them."""

import re
from collections.abc import Callable

import pytest
from web_client import Browser, Client, Web, typed_in

from agi_server.accounts.audit import list_changes as list_audit
from agi_server.accounts.campaigns import create_campaign, list_campaigns, refill_campaign
from agi_server.accounts.codes import Restriction
from agi_server.accounts.did_groups import create_did_group, delete_did_group, list_did_groups
from agi_server.accounts.ending import delete_account
from agi_server.accounts.groups import create_group, find_group, list_groups, update_group
from agi_server.accounts.series import create_series, list_series
from agi_server.business_audit import Noun, list_changes
from agi_server.editor import Editor
from agi_server.refused import RefusedError
from agi_server.tariffs.plans import create_plan
from agi_server.web.auth.roles import Role
from support.business import MICROS
from support.channel import Channel
from support.clock import Clock
from support.event_log import EventLog

Browse = Callable[[], Browser]


@pytest.fixture
async def admin(web: Web, browse: Browse) -> Browser:
    """Signed in as an administrator."""
    await web.operator()
    browser = browse()
    await browser.sign_in()
    return browser


async def told(web: Web, noun: Noun, *, by: str) -> list[tuple[str, str | None, str | None]]:
    """What was changed, newest first: the field, its old and its new value."""
    changes = await list_changes(web.business.pool, noun, None)
    assert {by} == {each.changed_by for each in changes}
    return [(each.field, each.old, each.new) for each in changes]


async def seen(admin: Browser, path: str) -> dict[str, str]:
    """What a page's forms send of the state that it shows."""
    return {"seen": typed_in((await admin.get(path)).text)["seen"]}


async def test_a_group_is_changed_and_calls_heed_it_at_once(
    web: Web, admin: Browser, clock: Clock
) -> None:
    group = await create_group(web.business.pool, "offices")
    account = await web.business.customer(group="offices")
    phone = Channel(web.fastagi_port, clock, accountcode=account.account_number)
    path = f"/groups/{group.id}"
    assert 200 == (await admin.get(path)).status_code
    rules = {"restriction": "blacklist", "restricted_numbers": "49*\r\n44*", "seen": ""}
    assert 303 == (await admin.post(f"{path}/restriction", rules)).status_code
    assert "number_restricted" == (await phone.authorize()).reason
    lifted = {"restriction": "none", "restricted_numbers": "", **await seen(admin, path)}
    assert 303 == (await admin.post(f"{path}/restriction", lifted)).status_code
    assert (await phone.authorize()).allowed
    form = {"may_top_up": "yes", "plan": "standard"}
    assert 303 == (await admin.post(path, {**form, **await seen(admin, path)})).status_code
    changed = await find_group(web.business.pool, "offices")
    assert (False, True, ("standard",), Restriction.NONE) == (
        changed.may_call, changed.may_top_up, changed.plans, changed.restriction
    )  # fmt: skip
    assert "group_forbidden" == (await phone.authorize()).reason
    changes = await told(web, "group", by="web:alice")
    assert [
        ("plans", None, "standard"),
        ("may_request_services", "yes", "no"), ("may_self_care", "yes", "no"),
        ("may_call", "yes", "no"), ("restricted_numbers", "44*, 49*", None),
    ] == changes[:5]  # fmt: skip
    shown = (await admin.get(path)).text.partition("<h2>Changes</h2>")[2]
    for text in ("web:alice", "May call", "blacklist: may not call"):
        assert text in shown


async def test_defaults_of_a_group_are_chosen_by_the_words_of_the_customers_form(
    web: Web, admin: Browser
) -> None:
    group = await create_group(web.business.pool, "offices", defaults={"create_sip": "true"})
    path = f"/groups/{group.id}"
    page = (await admin.get(path)).text
    assert "yes" == typed_in(page)["default_create_sip"]
    assert {"default_balance", "default_web_password", "default_callerids"}.isdisjoint(
        typed_in(page)
    )
    assert "Simultaneous access" in page
    typed = {
        "default_payment_type": "postpaid", "default_credit_limit": "12,50",
        "default_run_service": "no", "default_restriction": "blacklist",
        "default_restricted_numbers": "49*\r\n44*", "default_plan": "standard",
    }  # fmt: skip
    wrong = {**typed, "default_vat": "much", "default_expiry_days": "soon", "default_language": "x"}
    refused = await admin.post(f"{path}/defaults", {**wrong, "seen": ""})
    assert 422 == refused.status_code
    assert {"default_vat", "default_expiry_days", "default_language"} == set(
        re.findall(r'class="field wrong">\s*<label for="f-(\w+)"', refused.text)
    )
    kept = {name: text.replace("\r", "") for name, text in wrong.items()}
    assert (
        kept.items()
        <= {name: text.replace("\r", "") for name, text in typed_in(refused.text).items()}.items()
    )
    assert {"create_sip": "true"} == (await find_group(web.business.pool, "offices")).defaults
    assert 303 == (await admin.post(f"{path}/defaults", {**typed, "seen": ""})).status_code
    stored = await find_group(web.business.pool, "offices")
    assert {
        "payment_type": "postpaid", "credit_limit": "12.50", "run_service": "no",
        "restriction": "blacklist", "restricted_numbers": ["49*", "44*"], "plan": "standard",
    } == stored.defaults  # fmt: skip
    assert stored.may_call
    new = typed_in((await admin.get("/customers/new?group=offices")).text)
    assert ("postpaid", "12.50", "standard") == (
        new["payment_type"], new["credit_limit"], new["plan"]
    )  # fmt: skip
    # What the page shows is what it stores: saved again, nothing changes.
    same = typed_in((await admin.get(path)).text)
    for action in ("", "/defaults"):
        assert 303 == (await admin.post(f"{path}{action}", same)).status_code
    assert stored == await find_group(web.business.pool, "offices")
    (change,) = [each for each in await told(web, "group", by="web:alice") if each[0] == "defaults"]
    assert "create_sip=true" == change[1]
    for text in ("Create SIP config: yes", "Payment type: postpaid", "Run service: no",
                 "Restriction: blacklist: may not call"):  # fmt: skip
        assert text in (await admin.get(path)).text.partition("<h2>Changes</h2>")[2]


async def test_what_a_group_gives_its_new_customers_is_there_and_may_be_used_by_them(
    web: Web, admin: Browser, clock: Clock
) -> None:
    pool, editor = web.business.pool, Editor(changed_by="test", at=clock())
    await create_series(pool, "cards")
    await create_campaign(pool, "spring")
    await create_did_group(pool, "london")
    await create_plan(pool, "night", ["retail"])
    group = await create_group(pool, "offices", plans=["standard"])
    api = Client(web.url, await web.token())
    told = "group offices may not use night, only standard"
    for asked in ({"defaults": {"plan": "night"}}, {"plans": ["night"]}):
        with_plan = {"defaults": {"plan": "standard"}} if "plans" in asked else {}
        if with_plan:
            await api.ask("PATCH", "/groups/offices", json=with_plan)
            told = "group offices may not use standard, only night"
        refused = await api.ask("PATCH", "/groups/offices", 422, json=asked)
        assert [{"field": "defaults.plan", "message": told}] == refused["errors"]
    path = f"/groups/{group.id}"
    typed = {"default_campaign": "nope", "default_plan": "night", **await seen(admin, path)}
    page = (await admin.post(f"{path}/defaults", typed)).text
    assert ["default_campaign"] == re.findall(r'class="field wrong">\s*<label for="f-(\w+)"', page)
    belongs = {"series": "cards", "campaign": "spring", "did_group": "london"}
    await update_group(pool, "offices", defaults=belongs, editor=editor)
    for name, action in (("/series/cards", "delete"), ("/campaigns/spring", "delete")):
        page = (await admin.post(f"{name}/{action}")).text
        assert "new customers of group offices get it: change its defaults first" in page
    with pytest.raises(RefusedError, match="new customers of group offices get it"):
        await delete_did_group(pool, "london", editor)
    await update_group(pool, "offices", defaults={}, editor=editor)
    await delete_did_group(pool, "london", editor)
    assert 303 == (await admin.post("/series/cards/delete")).status_code


async def test_a_group_that_somebody_else_has_changed_meanwhile_is_not_changed_back(
    web: Web, admin: Browser, clock: Clock
) -> None:
    group = await create_group(web.business.pool, "offices")
    path = f"/groups/{group.id}"
    shown = await seen(admin, path)
    other = Editor(changed_by="web:bob", at=clock())
    await update_group(web.business.pool, "offices", may_call=False, editor=other)
    before = await find_group(web.business.pool, "offices")
    rules = {"restriction": "whitelist", "restricted_numbers": "44*"}
    for to, form in ((path, {"may_call": "yes"}), (f"{path}/restriction", rules)):
        # Also when it is sent again: the page must be loaded anew.
        for _ in range(2):
            stale = await admin.post(to, {**form, **shown})
            assert (422, True) == (stale.status_code, "load the page anew" in stale.text)
            assert {**form, **shown}.items() <= typed_in(stale.text).items()
    assert before == await find_group(web.business.pool, "offices")
    assert (
        303 == (await admin.post(path, {"may_call": "yes", **await seen(admin, path)})).status_code
    )
    assert (await find_group(web.business.pool, "offices")).may_call


async def test_what_a_group_cannot_be_is_said_in_place_and_nothing_changes(
    web: Web, admin: Browser
) -> None:
    group = await create_group(web.business.pool, "offices")
    await web.business.customer(group="offices")
    before = await find_group(web.business.pool, "offices")
    for path, form in (
        ("/defaults", {"default_language": "much"}),
        ("/defaults", {"default_credit_limit": "1,000"}),
        ("", {"plan": "nothing"}),
        ("/restriction", {"restriction": "none", "restricted_numbers": "44*"}),
        ("/restriction", {"restriction": "blacklist", "restricted_numbers": "_4[2-1]"}),
        ("/delete", {}),
    ):
        answer = await admin.post(f"/groups/{group.id}{path}", form)
        assert 422 == answer.status_code, form
        assert 'role="alert"' in answer.text
        assert form.items() <= typed_in(answer.text).items() or form.get("plan") == "nothing"
        assert ("may_call" in typed_in(answer.text)) == bool(path)
    answer = await admin.post(f"/groups/{group.id}/restriction", {"restriction": "grey"})
    assert 422 == answer.status_code
    new = {"name": "a b", "restriction": "whitelist", "restricted_numbers": "44*"}
    answer = await admin.post("/groups", new)
    assert (422, new) == (answer.status_code, {each: typed_in(answer.text)[each] for each in new})
    assert "may_call" not in typed_in(answer.text)
    assert before == await find_group(web.business.pool, "offices")
    assert [] == await list_changes(web.business.pool, "group", None)


async def test_a_group_a_series_and_a_campaign_that_nobody_is_in_are_deleted(
    web: Web, admin: Browser
) -> None:
    pool = web.business.pool
    group = await create_group(pool, "offices")
    assert 303 == (await admin.post(f"/groups/{group.id}/delete")).status_code
    assert [] == await list_groups(pool)
    assert 404 == (await admin.get(f"/groups/{group.id}")).status_code
    series = {"name": "cards", "digits": "5", "first": "70"}
    assert 303 == (await admin.post("/series", series)).status_code
    assert "00070" in (await admin.get("/series")).text
    for wrong in ({**series, "digits": "x"}, series, {**series, "name": "c", "first": "999999"}):
        assert 422 == (await admin.post("/series", wrong)).status_code
    assert 303 == (await admin.post("/series/cards/delete")).status_code
    assert [] == await list_series(pool)
    campaign = {"name": "spring", "description": "of March"}
    assert 303 == (await admin.post("/campaigns", campaign)).status_code
    assert 422 == (await admin.post("/campaigns", campaign)).status_code
    assert 303 == (await admin.post("/campaigns/spring/delete")).status_code
    assert [] == await list_campaigns(pool)
    assert 404 == (await admin.post("/campaigns/spring/delete")).status_code
    assert ("name", "offices", None) in await told(web, "group", by="web:alice")
    assert [
        ("next_serial", "00070", None), ("digits", "5", None), ("name", "cards", None),
        ("next_serial", None, "00070"), ("digits", None, "5"), ("name", None, "cards"),
    ] == await told(web, "series", by="web:alice")  # fmt: skip
    assert [
        ("description", "of March", None), ("name", "spring", None),
        ("description", None, "of March"), ("name", None, "spring"),
    ] == await told(web, "campaign", by="web:alice")  # fmt: skip
    for path, gone in (("/groups", "offices"), ("/series", "00070"), ("/campaigns", "of March")):
        assert gone in (await admin.get(path)).text.partition("<summary>Changes</summary>")[2]


async def test_deleted_customers_keep_nothing_from_being_deleted_and_their_history_tells_it(
    web: Web, admin: Browser, clock: Clock, events: EventLog
) -> None:
    pool, editor = web.business.pool, Editor(changed_by="test", at=clock())
    group = await create_group(pool, "offices")
    await create_series(pool, "cards")
    await create_did_group(pool, "london")
    await create_campaign(pool, "spring")
    belongs = {"group": "offices", "series": "cards", "did_group": "london", "campaign": "spring"}
    gone, stays = [await web.business.customer(MICROS, **belongs) for _ in range(2)]
    await delete_account(pool, gone.id, editor)
    before = await web.business.account(gone)
    paths = (f"/groups/{group.id}/delete", "/series/cards/delete", "/campaigns/spring/delete")
    assert [422, 409, 409] == [(await admin.post(path)).status_code for path in paths]
    with pytest.raises(RefusedError, match="customers have the DID group london"):
        await delete_did_group(pool, "london", editor)
    assert belongs.items() <= {name: getattr(before, name) for name in belongs}.items()
    assert before == await web.business.account(gone)
    for shown in (await list_groups(pool), await list_series(pool), await list_campaigns(pool),
                  await list_did_groups(pool)):  # fmt: skip
        assert [1] == [each.accounts for each in shown]
    await delete_account(pool, stays.id, editor)
    assert [303, 303, 303] == [(await admin.post(path)).status_code for path in paths]
    await delete_did_group(pool, "london", editor)
    for account in (gone, stays):
        after = await web.business.account(account)
        assert dict.fromkeys(belongs) == {name: getattr(after, name) for name in belongs}
        assert account.serial == after.serial
        left = (await list_audit(pool, account.id))[:4]
        assert {name: (old, None) for name, old in belongs.items()} == {
            each.field: (each.old, each.new) for each in left
        }
        assert ["test", *["web:alice"] * 3] == [each.changed_by for each in left]
    assert [2] * 4 == [each["accounts"] for each in events.of("account.changed", value=None)
                       if each.get("accounts")]  # fmt: skip


async def test_a_group_that_resellers_work_with_is_not_deleted_and_the_page_says_why(
    web: Web, admin: Browser
) -> None:
    group = await create_group(web.business.pool, "offices")
    await web.operator("bob", Role.RESELLER, group="offices")
    answer = await admin.post(f"/groups/{group.id}/delete")
    assert (422, True) == (
        answer.status_code,
        "resellers work with the customers of group offices" in answer.text,
    )
    assert [group] == await list_groups(web.business.pool)


async def test_a_campaign_is_refilled_once_after_a_confirmation(web: Web, admin: Browser) -> None:
    await create_campaign(web.business.pool, "spring")
    accounts = [await web.business.customer(MICROS, campaign="spring") for _ in range(2)]
    other = await web.business.customer(MICROS)
    path = "/campaigns/spring/refill"
    form = {"amount": "2.50", "reference": "form-1"}
    asked = (await admin.post(path, form)).text
    assert "2 customers get a credit of 2.50 each" in asked
    confirmed = dict(re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', asked))
    assert MICROS == (await web.business.account(accounts[0])).balance_micros
    for told in ("2 customers got the credit now", "2 customers had it already"):
        assert told in (await admin.post(path, confirmed)).text
    for account in accounts:
        assert 3_500_000 == (await web.business.account(account)).balance_micros
    assert MICROS == (await web.business.account(other)).balance_micros
    assert 422 == (await admin.post(path, {**form, "amount": "0"})).status_code
    other_amount = await admin.post(path, {**confirmed, "amount": "3"})
    assert (422, True) == (
        other_amount.status_code,
        "sent with something else" in other_amount.text,
    )
    await create_campaign(web.business.pool, "autumn")
    assert 422 == (await admin.post("/campaigns/autumn/refill", confirmed)).status_code


async def test_who_is_deleted_while_a_campaign_is_refilled_keeps_nobody_from_the_credit(
    web: Web, clock: Clock
) -> None:
    pool = web.business.pool
    await create_campaign(pool, "spring")
    accounts = [await web.business.customer(0, campaign="spring") for _ in range(3)]
    editor = Editor(changed_by="test", at=clock())
    given = []
    async for each in refill_campaign(pool, "spring", MICROS, editor, reference="r"):
        if not given:
            await delete_account(pool, accounts[1].id, editor)
        given.append(each)
    assert [True, True] == given
    balances = [(await web.business.account(account)).balance_micros for account in accounts]
    assert [MICROS, 0, MICROS] == balances


async def test_support_reads_groups_series_and_campaigns_and_changes_none(
    web: Web, browse: Browse
) -> None:
    group = await create_group(web.business.pool, "offices")
    await create_campaign(web.business.pool, "spring")
    await web.operator("carol", Role.SUPPORT)
    support = browse()
    await support.sign_in("carol")
    for path in (f"/groups/{group.id}", "/series", "/campaigns"):
        assert 200 == (await support.get(path)).status_code
    for path in (
        f"/groups/{group.id}", f"/groups/{group.id}/restriction", f"/groups/{group.id}/delete",
        f"/groups/{group.id}/defaults",
        "/series", "/campaigns", "/campaigns/spring/delete", "/campaigns/spring/refill",
    ):  # fmt: skip
        assert 403 == (await support.post(path, {"name": "x"})).status_code
    assert 403 == (await support.get("/campaigns/spring/refill")).status_code


async def test_programs_make_change_and_delete_them_and_who_did_it_is_kept(web: Web) -> None:
    await web.operator()
    admin = Client(web.url, await web.token())
    new = {"name": "offices", "plans": ["standard"], "defaults": {"language": "fr"}}
    group = await admin.ask("POST", "/groups", 201, json=new)
    assert (True, "none", 0) == (group["may_call"], group["restriction"], group["customers"])
    changed = await admin.ask("PATCH", "/groups/offices", json={"may_call": False, "plans": []})
    assert {**group, "may_call": False, "plans": []} == changed
    rules = {"restriction": "whitelist", "restricted_numbers": ["44*"]}
    assert {**changed, **rules} == await admin.ask("PUT", "/groups/offices/restriction", json=rules)
    await admin.ask("PATCH", "/groups/offices", 422, json={"defaults": {"vat": "much"}})
    unknown = {name: "nope" for name in ("plan", "series", "campaign", "did_group")}
    refused = await admin.ask("PATCH", "/groups/offices", 422, json={"defaults": unknown})
    assert {"field": "defaults.plan", "message": "there is no call plan nope"} in refused["errors"]
    assert {f"defaults.{name}" for name in unknown} == {e["field"] for e in refused["errors"]}
    await admin.ask("POST", "/groups", 409, json=new)
    assert {**changed, **rules} == await admin.ask("GET", "/groups/offices")
    assert [
        ("restricted_numbers", None, "44*"), ("restriction", "none", "whitelist"),
        ("plans", "standard", None), ("may_call", "yes", "no"),
        ("restriction", None, "none"), ("defaults", None, "language=fr"),
        ("plans", None, "standard"), ("may_request_services", None, "yes"),
        ("may_top_up", None, "yes"), ("may_self_care", None, "yes"), ("may_call", None, "yes"),
        ("name", None, "offices"),
    ] == await told(web, "group", by="api:alice")  # fmt: skip
    series = await admin.ask("POST", "/series", 201, json={"name": "cards", "digits": 4})
    assert {"name": "cards", "digits": 4, "next_serial": "0001", "customers": 0} == series
    campaign = await admin.ask("POST", "/campaigns", 201, json={"name": "spring"})
    account = await web.business.customer(
        MICROS, group="offices", series="cards", campaign="spring"
    )
    assert 1 == (await admin.ask("GET", "/series"))[0]["customers"]
    for path in ("/groups/offices", "/series/cards", "/campaigns/spring"):
        await admin.ask("DELETE", path, 409)
    refilled = {"campaign": "spring", "amount": "2.50", "customers": 1}
    for _ in range(2):
        assert refilled == await admin.ask(
            "POST", "/campaigns/spring/refills", 201,
            json={"amount": "2.50"}, headers={"Idempotency-Key": "gift"},
        )  # fmt: skip
    for path, amount in (("campaigns/spring", "3"), (f"customers/{account.id}", "2.50")):
        problem = await admin.ask(
            "POST", f"/{path}/refills", 409,
            json={"amount": amount}, headers={"Idempotency-Key": "gift"},
        )  # fmt: skip
        assert "was used for another request" in problem["detail"]
    assert 3_500_000 == (await web.business.account(account)).balance_micros
    await admin.ask("PATCH", f"/customers/{account.id}", json={"group": None, "campaign": None})
    await admin.ask("DELETE", "/groups/offices", 204)
    await admin.ask("DELETE", "/campaigns/spring", 204)
    assert 12 + 8 == len(await told(web, "group", by="api:alice"))
    assert [("name", "spring", None), ("name", None, "spring")] == await told(
        web, "campaign", by="api:alice"
    )
    assert [
        ("next_serial", None, "0001"), ("digits", None, "4"), ("name", None, "cards")
    ] == await told(web, "series", by="api:alice")  # fmt: skip
    await admin.ask("GET", "/groups/offices", 404)
    assert [campaign["name"]] != [each["name"] for each in await admin.ask("GET", "/campaigns")]
