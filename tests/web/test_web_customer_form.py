"""Creating and changing customers on the page: every field, every error in its place."""

import asyncio
import re
from collections.abc import Callable

import pytest
from web_client import Browser, Web, typed_in

from agi_server.accounts.account import FIELDS, AccountStatus
from agi_server.accounts.campaigns import create_campaign
from agi_server.accounts.fields import Section, Settable
from agi_server.accounts.groups import create_group
from agi_server.tariffs.plans import create_plan
from agi_server.web.auth.roles import Role
from support.channel import Channel
from support.clock import Clock
from support.event_log import EventLog

Browse = Callable[[], Browser]

VALID = {
    "account_number": "7000000001", "web_login": "ann.smith", "web_password": "a long password",
    "group": "offices", "last_name": "Smith", "first_name": "Ann", "email": "ann@example.com",
    "address": "1 High Street", "city": "London", "state": "Greater London", "country": "GB",
    "postal_code": "N1 9GU", "phone": "020 7946 0000", "fax": "020 7946 0001",
    "company_name": "Smith & Sons", "company_website": "www.example.com",
    "payment_type": "postpaid", "plan": "standard", "timezone": "Europe/London", "language": "en",
    "currency": "EUR", "status": "active", "simultaneous_access": "2", "run_service": "yes",
    "run_autorefill": "yes", "initial_balance": "5.00", "credit_limit": "20.00",
    "credit_limit_notification": "2.50", "mail_permitted": "no",
    "notification_email": "billing@example.com", "expiry": "after_creation", "expiry_days": "30",
    "create_sip": "no", "create_iax": "no", "mac_address": "00-08-74-4C-7F-1D",
    "invoice_day": "15", "vat": "20", "vat_number": "GB123456789", "discount": "7.5",
    "traffic_per_month": "1000", "target_traffic": "more to Spain", "restriction": "blacklist",
    "restricted_numbers": "4490*\n_44[12]XXXX.", "callerids": "442079460002",
    "note": "met at the fair", "locked": "no", "lock_pin": "4711",
    "presented_callerid": "442079460002", "calls_per_second": "3", "max_price_per_minute": "1.00",
    "max_cost_per_call": "5.00", "max_cost_per_hour": "10.00", "max_cost_per_day": "20.00",
}  # fmt: skip

WRONG = {
    "account_number": "12", "web_password": "short", "email": "ann", "country": "XX",
    "phone": "call me", "fax": "x", "company_website": "no site", "payment_type": "barter",
    "timezone": "Mars/Base", "language": "?", "currency": "EURO", "status": "asleep",
    "simultaneous_access": "-1", "initial_balance": "-5", "credit_limit": "much",
    "credit_limit_notification": "x", "notification_email": "@", "expiry": "soon",
    "expiry_days": "0", "mac_address": "00-08", "invoice_day": "31", "vat": "200",
    "discount": "100", "traffic_per_month": "x", "restriction": "grey",
    "restricted_numbers": "44x", "callerids": "12", "lock_pin": "1",
    "presented_callerid": "x", "calls_per_second": "x", "max_price_per_minute": "x",
    "max_cost_per_call": "x", "max_cost_per_hour": "x", "max_cost_per_day": "x", "refill": "x",
}  # fmt: skip


@pytest.fixture
async def admin(web: Web, browse: Browse) -> Browser:
    """Signed in as an administrator; there is a group `offices`."""
    await create_group(web.business.pool, "offices")
    await web.operator()
    browser = browse()
    await browser.sign_in()
    return browser


def names_in(page: str) -> set[str]:
    """Fields of the form."""
    return set(re.findall(r'id="f-([a-z_]+)"', page))


def wrong_in(page: str) -> set[str]:
    """Fields that are marked as wrong."""
    return set(re.findall(r'id="f-([a-z_]+)" [^>]*aria-invalid="true"', page))


async def test_the_form_has_every_field_of_the_model(web: Web, admin: Browser) -> None:
    page = (await admin.get("/customers/new")).text
    settable = {field.name for field in FIELDS if field.settable is not Settable.NEVER}
    assert settable | {"refill"} == names_in(page)
    for field in FIELDS:
        if field.name in settable:
            assert f'id="h-{field.name}"' in page
    account = await web.business.customer()
    page = (await admin.get(f"/customers/{account.id}/edit")).text
    always = {field.name for field in FIELDS if field.settable is Settable.ALWAYS}
    assert always | {"reason"} == names_in(page)


async def test_a_customer_is_created_with_every_field_and_the_number_shown_once(
    web: Web, admin: Browser
) -> None:
    created = await admin.post("/customers/new", {**VALID, "refill": "12.50"})
    assert 201 == created.status_code, wrong_in(created.text)
    assert "7000000001" in created.text
    account_id = re.search(r"/customers/(\d+)", created.text)
    assert account_id
    shown = (await admin.get(account_id[0])).text
    assert "7000000001" not in shown
    for text in ("Smith &amp; Sons", "€12.50", "Europe/London", "4490*", "postpaid", "7.5 %"):
        assert text in shown
    edited = (await admin.get(f"{account_id[0]}/edit")).text
    for name, value in VALID.items():
        if name not in ("account_number", "web_password", "lock_pin", "note", "phone", "fax",
                        "currency", "restricted_numbers", "credit_limit_notification"):  # fmt: skip
            assert value.replace("&", "&amp;") in edited, name
    assert "a long password" not in edited
    assert "met at the fair" in (await admin.get(f"{account_id[0]}/history")).text


async def test_what_is_known_of_a_customer_is_shown_on_its_page(web: Web, admin: Browser) -> None:
    created = await admin.post("/customers/new", VALID)
    path = re.search(r"/customers/(\d+)", created.text)
    assert path
    page = (await admin.get(path[0])).text
    shown = dict(re.findall(r"<dt>([^<]+)</dt><dd>([^<]*)</dd>", page))
    told = {
        "run_service": "yes", "run_autorefill": "yes", "initial_balance": "€5.00",
        "credit_limit": "€20.00", "credit_limit_notification": "€2.50", "mail_permitted": "no",
        "vat": "20 %", "discount": "7.5 %", "status": "active", "payment_type": "postpaid",
        "company_name": "Smith &amp; Sons", "phone": "+442079460000", "fax": "+442079460001",
        "traffic_per_month": "1,000", "language": "English (en)",
    }  # fmt: skip
    others = {"notification_email", "invoice_day", "vat_number", "target_traffic", "plan"}
    for field in FIELDS:
        if field.section is Section.PERSON or field.name in told.keys() | others:
            value = told.get(field.name, VALID[field.name])
            assert (field.label, value) == (field.label, shown.get(field.label))


async def test_the_minutes_of_the_month_stand_beside_those_expected_on_the_page(
    web: Web, admin: Browser, clock: Clock
) -> None:
    account = await web.business.customer(traffic_minutes_per_month=100)
    phone = Channel(web.fastagi_port, clock, accountcode=account.account_number)
    await phone.authorize()
    clock.advance(130)
    await phone.settle(120_000)
    assert "2 of 100 minutes this month" in (await admin.get(f"/customers/{account.id}")).text
    other = await web.business.customer()
    assert "minutes this month" not in (await admin.get(f"/customers/{other.id}")).text


async def test_every_wrong_field_is_told_beside_it_and_nothing_is_stored(
    web: Web, admin: Browser
) -> None:
    refused = await admin.post("/customers/new", WRONG)
    assert 422 == refused.status_code
    assert set(WRONG) - {"presented_callerid"} <= wrong_in(refused.text)
    assert 'value="Mars/Base"' in refused.text
    assert 0 == await web.business.pool.fetchval("SELECT count(*) FROM account")


async def test_a_change_with_every_field_wrong_is_told_as_a_whole_too(
    web: Web, admin: Browser
) -> None:
    account = await web.business.customer()
    always = {field.name for field in FIELDS if field.settable is Settable.ALWAYS}
    refused = await admin.post(f"/customers/{account.id}/edit", {**WRONG, "seen": ""})
    assert 422 == refused.status_code
    assert (set(WRONG) & always) - {"presented_callerid"} <= wrong_in(refused.text)
    assert account == await web.business.account(account)


async def test_a_far_expiry_date_is_told_beside_it(web: Web, admin: Browser) -> None:
    account = await web.business.customer()
    form = {"expiry": "at_date", "expiry_date": "9999-12-31 23:59:59", "timezone": "America/Lima"}
    for path in ("/customers/new", f"/customers/{account.id}/edit"):
        refused = await admin.post(path, {**form, "seen": ""})
        assert (422, {"expiry_date"}) == (refused.status_code, wrong_in(refused.text))


async def test_a_taken_number_login_or_callerid_is_told_beside_it(web: Web, admin: Browser) -> None:
    assert 201 == (await admin.post("/customers/new", VALID)).status_code
    for name in ("account_number", "web_login", "callerids", "mac_address"):
        again = await admin.post("/customers/new", {name: VALID[name]})
        assert {name} == wrong_in(again.text)
    assert {"group"} == wrong_in((await admin.post("/customers/new", {"group": "nope"})).text)


async def test_the_form_begins_with_the_defaults_of_the_group(web: Web, admin: Browser) -> None:
    await web.business.pool.execute(
        "UPDATE account_group SET defaults = $1 WHERE name = 'offices'",
        {"timezone": "Europe/Madrid", "simultaneous_access": "4"},
    )
    page = (await admin.get("/customers/new?group=offices")).text
    assert 'value="Europe/Madrid"' in page
    assert re.search(r'name="simultaneous_access"[^>]* value="4"', page)
    assert "Europe/Madrid" not in (await admin.get("/customers/new")).text.replace(
        '<option value="Europe/Madrid">', ""
    )


async def test_what_is_emptied_in_the_form_is_empty_though_the_group_has_a_default(
    web: Web, admin: Browser
) -> None:
    await web.business.pool.execute(
        "UPDATE account_group SET defaults = $1 WHERE name = 'offices'",
        {"plan": "standard", "invoice_day": "5", "restriction": "blacklist",
         "restricted_numbers": ["4490*"], "expiry": "at_date", "expiry_date": "2027-12-31"},
    )  # fmt: skip
    emptied = {"group": "offices", "plan": "", "invoice_day": "", "expiry": "never",
               "restriction": "none", "restricted_numbers": "", "expiry_date": ""}  # fmt: skip
    page = (await admin.get("/customers/new?group=offices")).text
    filled = re.search(r'name="filled_from" value="([^"]*)"', page)
    assert filled
    # The second form never showed the defaults: what is empty in it was not emptied.
    for number, filled_from in (("7000000001", filled[1]), ("7000000002", "")):
        form = {**emptied, "account_number": number, "filled_from": filled_from}
        created = await admin.post("/customers/new", form)
        assert 201 == created.status_code, wrong_in(created.text)
    rows = await web.business.pool.fetch(
        "SELECT plan_id IS NULL AS no_plan, invoice_day FROM account"
        " JOIN customer ON account_id = id ORDER BY id"
    )
    assert [(True, None), (False, 5)] == [tuple(row) for row in rows]


async def test_a_change_is_stored_with_who_made_it_and_a_stale_page_changes_nothing(
    web: Web, admin: Browser
) -> None:
    account = await web.business.customer()
    path = f"/customers/{account.id}/edit"
    changed = await admin.post(path, {"city": "Paris", "seen": ""})
    assert f"/customers/{account.id}?done=changed" == changed.headers["location"]
    stale = await admin.post(path, {"city": "Rome", "seen": ""})
    assert 422 == stale.status_code
    assert "meanwhile" in stale.text
    assert 'name="seen" value=""' in stale.text
    history = (await admin.get(f"/customers/{account.id}/history")).text
    for text in ("City", "Paris", "web:alice"):
        assert text in history
    assert "Paris" == (await web.business.account(account)).city


@pytest.mark.parametrize(
    ("field", "value"),
    [
        *(("simultaneous_access", each) for each in ("1.0", "+3", "٣", "true")),
        ("run_service", "y"),
        ("status", "Active"),
        ("payment_type", "POSTPAID"),
        ("restriction", "BLACKLIST"),
    ],
)
async def test_a_value_of_another_spelling_than_documented_is_refused_beside_its_field(
    web: Web, admin: Browser, field: str, value: str
) -> None:
    account = await web.business.customer()
    for path in ("/customers/new", f"/customers/{account.id}/edit"):
        refused = await admin.post(path, {field: value, "seen": ""})
        assert (422, {field}) == (refused.status_code, wrong_in(refused.text))


@pytest.mark.parametrize("field", ["balance", "in_use", "serial", "currency", "account_number"])
async def test_a_field_that_the_form_does_not_have_is_refused_by_its_name(
    web: Web, admin: Browser, field: str
) -> None:
    account = await web.business.customer()
    label = next(each.label for each in FIELDS if each.name == field)
    form = {field: "5", "city": "Paris", "seen": ""}
    refused = await admin.post(f"/customers/{account.id}/edit", form)
    assert 422 == refused.status_code
    assert re.search(f"{label}: [a-z ]*(cannot be set|on creation only)", refused.text)
    assert None is (await web.business.account(account)).city


async def test_why_a_status_is_changed_and_a_customer_deleted_is_typed_beside_it_and_shown(
    web: Web, admin: Browser
) -> None:
    account = await web.business.customer()
    path = f"/customers/{account.id}"
    change = {"status": "suspended", "seen": ""}
    assert "reason" in names_in((await admin.get(f"{path}/edit")).text)
    refused = await admin.post(f"{path}/edit", {**change, "reason": "two\nlines"})
    assert (422, {"reason"}) == (refused.status_code, wrong_in(refused.text))
    await admin.post(f"{path}/edit", {**change, "reason": "unpaid <invoice>"})
    assert "unpaid &lt;invoice&gt;" in (await admin.get(f"{path}/history")).text
    assert 'id="reason"' in (await admin.get(f"{path}/delete")).text
    refused = await admin.post(f"{path}/delete", {"reason": "x" * 201})
    assert (422, "x" * 201) == (refused.status_code, typed_in(refused.text)["reason"])
    assert 'id="e-reason" role="alert">must have at most 200' in refused.text
    await admin.post(f"{path}/delete", {"reason": "went bankrupt"})
    assert AccountStatus.CANCELLED == (await web.business.account(account)).status
    assert "went bankrupt" in (await admin.get(f"{path}/history")).text


async def test_a_reseller_creates_customers_in_the_own_group_only(
    web: Web, admin: Browser, browse: Browse, events: EventLog
) -> None:
    await create_group(web.business.pool, "others")
    await web.operator("bob", Role.RESELLER, group="offices")
    reseller = browse()
    await reseller.sign_in("bob")
    credit = {"payment_type": "postpaid", "credit_limit": "9", "discount": "99"}
    offered = names_in((await reseller.get("/customers/new")).text)
    assert set() == offered & {"group", *credit}
    form = {"account_number": "7000000001"}
    assert 201 == (await reseller.post("/customers/new", form)).status_code
    account_id = await web.business.pool.fetchval("SELECT max(id) FROM account")
    for path in ("/customers/new", f"/customers/{account_id}/edit"):
        for group in ("others", ""):
            moved = await reseller.post(path, {"group": group, "seen": ""})
            assert 403 == moved.status_code
        refused = events.of("web.refused", operator="bob", reason="sets group", path=path)
        assert 2 == len(refused)
        for name, text in credit.items():
            assert 403 == (await reseller.post(path, {name: text, "seen": ""})).status_code
    page = (await reseller.get(f"/customers/{account_id}")).text
    assert ("/pay" in page, "/correct" in page) == (True, False)
    assert 403 == (await reseller.post(f"/customers/{account_id}/correct")).status_code
    group = await web.business.pool.fetchval(
        "SELECT g.name FROM account a JOIN account_group g ON g.id = a.group_id"
    )
    assert "offices" == group


async def test_the_number_is_shown_in_full_to_those_who_may_and_it_is_logged(
    web: Web, admin: Browser, browse: Browse
) -> None:
    account = await web.business.customer()
    shown = await admin.post(f"/customers/{account.id}/number")
    assert account.account_number in shown.text
    await web.operator("carol", Role.SUPPORT)
    support = browse()
    await support.sign_in("carol")
    assert 403 == (await support.post(f"/customers/{account.id}/number")).status_code


async def test_a_form_sent_twice_creates_one_customer_and_gives_the_first_credit_once(
    web: Web, admin: Browser
) -> None:
    page = (await admin.get("/customers/new")).text
    reference = re.search(r'name="reference" value="([0-9a-f]{32})"', page)
    assert reference
    form = {
        "last_name": "Smith", "refill": "5", "web_password": "a long password",
        "create_sip": "yes", "reference": reference[1],
    }  # fmt: skip
    answers = await asyncio.gather(*(admin.post("/customers/new", form) for _ in range(3)))
    (created,) = (answer for answer in answers if answer.status_code == 201)
    assert "SIP secret" in created.text
    row = await web.business.pool.fetchrow("SELECT id, balance_micros FROM account")
    assert 5_000_000 == row["balance_micros"]
    assert 1 == await web.business.pool.fetchval("SELECT count(*) FROM account")
    for answer in answers:
        if answer is not created:
            there = answer.headers["location"]
            assert (303, f"/customers/{row['id']}?done=created-before") == (
                answer.status_code, there,
            )  # fmt: skip
            assert "no second customer was created" in (await admin.get(there)).text


async def test_a_page_gone_back_to_creates_another_customer_only_when_sent_again(
    web: Web, admin: Browser
) -> None:
    form = {"last_name": "Smith", "reference": "form-1"}
    assert 201 == (await admin.post("/customers/new", form)).status_code
    again = await admin.post("/customers/new", {**form, "last_name": "Jones"})
    assert 422 == again.status_code
    assert "has created another customer already" in again.text
    assert 'value="Jones"' in again.text
    reference = re.search(r'name="reference" value="([0-9a-f]{32})"', again.text)
    assert reference
    sent = {"last_name": "Jones", "reference": reference[1]}
    assert 201 == (await admin.post("/customers/new", sent)).status_code
    without = await admin.post("/customers/new", {"last_name": "Brown", "reference": ""})
    assert (422, True) == (without.status_code, "load the page anew" in without.text)
    assert 2 == await web.business.pool.fetchval("SELECT count(*) FROM account")


async def test_only_the_call_plans_of_the_group_are_offered_and_taken(
    web: Web, admin: Browser, browse: Browse, events: EventLog
) -> None:
    pool = web.business.pool
    await create_plan(pool, "secretplan", ["retail"])
    await create_campaign(pool, "secretcampaign", "")
    await create_group(pool, "north", plans=["standard"])
    await web.operator("bob", Role.RESELLER, group="north")
    reseller = browse()
    await reseller.sign_in("bob")
    account = await web.business.customer(group="north")
    for path in ("/customers", "/customers/new", f"/customers/{account.id}/edit", "/dids"):
        page = (await reseller.get(path)).text
        assert ("secretplan" in page, "secretcampaign" in page) == (False, False), path
    assert {"group", "series", "did_group", "campaign"}.isdisjoint(
        names_in((await reseller.get("/customers/new")).text)
    )
    assert "secretplan" in (await admin.get("/customers/new")).text
    assert "secretplan" not in (await admin.get("/customers/new?group=north")).text
    taken = {"group": "north", "plan": "secretplan", "seen": ""}
    for browser in (reseller, admin):
        for path in ("/customers/new", f"/customers/{account.id}/edit"):
            answer = await browser.post(path, taken)
            assert (422, {"plan"}) == (answer.status_code, wrong_in(answer.text))
            assert "group north may not use secretplan, only standard" in answer.text
    bulk = {"whom": "selected", "id": str(account.id), "plan": "=secretplan"}
    assert 422 == (await admin.post("/customers/bulk", bulk)).status_code
    for path in ("/customers/new", f"/customers/{account.id}/edit"):
        answer = await reseller.post(path, {"campaign": "secretcampaign", "seen": ""})
        assert 403 == answer.status_code
        assert events.of("web.refused", operator="bob", reason="sets campaign", path=path)
    assert account == await web.business.account(account)
