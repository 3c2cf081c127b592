"""The pages: each is shown, says what to do where there is nothing, and keeps hostile text text."""

import re
from collections.abc import Callable

import pytest
from web_client import Browser, Web, typed_in

from agi_server.accounts.campaigns import create_campaign
from agi_server.accounts.groups import create_group
from agi_server.accounts.notes import list_notes
from agi_server.observe.masking import mask_account_number
from agi_server.web.auth.roles import Role
from support.business import MICROS
from support.channel import Channel
from support.clock import Clock
from support.event_log import EventLog

Browse = Callable[[], Browser]

FOR_RESELLERS = ("/customers", "/calls/live", "/calls", "/dids", "/reports")
FOR_OTHERS = (
    "/rates", "/plans", "/trunks", "/groups", "/series", "/campaigns", "/operators", "/settings",
)  # fmt: skip


@pytest.fixture
async def admin(web: Web, browse: Browse) -> Browser:
    """Signed in as an administrator."""
    await web.operator()
    browser = browse()
    await browser.sign_in()
    return browser


@pytest.fixture
async def reseller(web: Web, browse: Browse) -> Browser:
    """Signed in as the reseller of the group `offices`."""
    await create_group(web.business.pool, "offices")
    await web.operator("bob", Role.RESELLER, group="offices")
    browser = browse()
    await browser.sign_in("bob")
    return browser


async def test_every_page_is_shown(web: Web, admin: Browser, clock: Clock) -> None:
    account = await web.business.customer(callerids=("442079460001",))
    phone = Channel(web.fastagi_port, clock, accountcode=account.account_number)
    call = (await phone.authorize()).call
    for path in (
        *FOR_RESELLERS,
        *FOR_OTHERS,
        f"/customers/{account.id}",
        f"/customers/{account.id}/calls",
        f"/customers/{account.id}/ledger",
        f"/customers/{account.id}/live",
        f"/calls/{call}",
        "/rates?card=retail",
        "/rates/retail",
        "/rates/retail/1",
        "/rates/retail/1?number=44",
    ):
        shown = await admin.get(path)
        assert 200 == shown.status_code, path
        assert account.account_number not in shown.text
    customer = (await admin.get(f"/customers/{account.id}")).text
    assert mask_account_number(account.account_number) in customer
    assert "$10.00" in customer
    clock.advance(30)
    await phone.settle(10_000)
    assert "$9.99" in (await admin.get(f"/customers/{account.id}")).text
    assert 200 == (await admin.get(f"/calls/{call}")).status_code


async def test_a_refill_is_given_once_however_often_the_form_is_sent(
    web: Web, admin: Browser
) -> None:
    account = await web.business.customer(MICROS)
    form = {"amount": "2.50", "reference": "form-1", "note": "cash"}
    for notice in ("refilled", "refilled-before"):
        answer = await admin.post(f"/customers/{account.id}/refill", form)
        assert f"/customers/{account.id}?done={notice}" == answer.headers["location"]
    assert 3_500_000 == (await web.business.account(account)).balance_micros
    ledger = (await admin.get(f"/customers/{account.id}/ledger")).text
    assert "cash" in ledger
    assert "web:alice" in ledger


async def test_payments_and_corrections_are_confirmed_and_then_booked_once(
    web: Web, admin: Browser
) -> None:
    for what, typed, done, balance_micros in (
        ("pay", {"amount": "5"}, "paid", MICROS),
        ("pay", {"amount": "5", "with_refill": "yes"}, "paid-refilled", 6 * MICROS),
        ("correct", {"amount": "0,5", "note": "x", "direction": "take"}, "corrected", 500_000),
        ("correct", {"amount": "2", "note": "x", "direction": "give"}, "corrected", 3 * MICROS),
    ):
        account = await web.business.customer(MICROS)
        path = f"/customers/{account.id}/{what}"
        assert 200 == (await admin.get(path)).status_code
        form = {**typed, "reference": "form-1"}
        asked = await admin.post(path, form)
        assert "Is this right?" in asked.text
        assert MICROS == (await web.business.account(account)).balance_micros
        confirmed = {**form, "confirmed": "yes"}
        before = f"{done.partition('-')[0]}-before"
        for notice in (done, before):
            answer = await admin.post(path, confirmed)
            assert f"/customers/{account.id}?done={notice}" == answer.headers["location"]
        assert balance_micros == (await web.business.account(account)).balance_micros
        assert "web:alice" in (await admin.get(f"/customers/{account.id}/ledger")).text


async def test_a_payment_or_correction_that_cannot_be_says_why_and_books_nothing(
    web: Web, admin: Browser
) -> None:
    account = await web.business.customer(MICROS)
    for what, typed in (
        ("pay", {"amount": "0"}),
        ("pay", {"amount": "ten"}),
        ("correct", {"amount": "1", "direction": "give"}),
        ("correct", {"amount": "1.01", "note": "x", "direction": "take", "confirmed": "yes"}),
    ):
        form = {**typed, "reference": "form-1"}
        answer = await admin.post(f"/customers/{account.id}/{what}", form)
        assert 422 == answer.status_code
        assert 'role="alert"' in answer.text
    assert MICROS == (await web.business.account(account)).balance_micros


async def test_a_customer_is_deleted_and_a_person_erased_after_a_page_that_says_what_goes(
    web: Web, admin: Browser, reseller: Browser
) -> None:
    account = await web.business.customer(last_name="Smith", callerids=("442079460001",))
    for what in ("erase", "delete"):
        path = f"/customers/{account.id}/{what}"
        assert "Smith" in (await admin.get(f"/customers/{account.id}")).text or what == "delete"
        assert 200 == (await admin.get(path)).status_code
        for _ in range(2):
            answer = await admin.post(path)
            assert f"?done={what}d" in answer.headers["location"]
        assert 404 == (await reseller.get(path)).status_code
        assert 404 == (await reseller.post(path)).status_code
    shown = (await admin.get(f"/customers/{account.id}")).text
    assert "A deleted customer gets no credit any more." in shown
    for action in ("edit", "refill", "lock", "delete", "callerids"):
        assert f'/customers/{account.id}/{action}"' not in shown
    moved = await admin.post(
        f"/customers/{account.id}/refill", {"amount": "1.00", "reference": "r" * 32}
    )
    assert (409, True) == (moved.status_code, "this customer was deleted" in moved.text)
    now = await web.business.account(account)
    assert (None, (), "CANCELLED") == (now.last_name, now.callerids, now.status.name)
    assert account.balance_micros == now.balance_micros


async def test_a_callerid_is_switched_off_and_on(web: Web, admin: Browser) -> None:
    account = await web.business.customer(callerids=("442079460001",))
    path = f"/customers/{account.id}/callerids/442079460001/switch"
    for active, word in (("no", "Switch on"), ("yes", "Switch off")):
        assert 303 == (await admin.post(path, {"active": active})).status_code
        assert word in (await admin.get(f"/customers/{account.id}")).text
    other = path.replace("442079460001", "442079460002")
    assert 404 == (await admin.post(other, {"active": "no"})).status_code


async def test_a_note_sent_twice_is_kept_once_and_another_of_the_same_page_too(
    web: Web, admin: Browser
) -> None:
    account = await web.business.customer()
    path = f"/customers/{account.id}/history"
    reference = re.search(r'name="reference" value="(\w{32})"', (await admin.get(path)).text)
    assert reference
    for note in ("called back", "called back", "paid cash"):
        form = {"note": note, "reference": reference[1]}
        answer = await admin.post(f"/customers/{account.id}/notes", form)
        assert f"{path}?done=note-added" == answer.headers["location"]
    notes = await list_notes(web.business.pool, account.id)
    assert ["paid cash", "called back"] == [each.note for each in notes]


async def test_a_wrong_callerid_or_note_is_told_in_place_with_what_was_typed(
    web: Web, admin: Browser
) -> None:
    account, other = await web.business.customer(), await web.business.customer()
    await admin.post(f"/customers/{other.id}/callerids", {"number": "442079460001"})
    for path, field, typed, told in (
        ("callerids", "number", "12ab", 'value="12ab"'),
        ("callerids", "number", "442079460001", 'value="442079460001"'),
        ("notes", "note", "", "<textarea"),
        ("notes", "note", "long" * 1001, ">longlong"),
    ):
        answer = await admin.post(f"/customers/{account.id}/{path}", {field: typed})
        assert 422 == answer.status_code
        assert '<p class="error" role="alert">' in answer.text
        assert told in answer.text
        assert mask_account_number(account.account_number) in answer.text


@pytest.mark.parametrize("amount", ["", "0", "-1", "1e3", "1.0000001", "ten"])
async def test_a_refill_of_a_wrong_amount_says_so_in_place_and_gives_nothing(
    web: Web, admin: Browser, amount: str
) -> None:
    account = await web.business.customer(MICROS)
    form = {"amount": amount, "note": "cash", "reference": "form-1"}
    answer = await admin.post(f"/customers/{account.id}/refill", form)
    assert 422 == answer.status_code
    assert 'id="e-amount" role="alert"' in answer.text
    assert (amount, "cash") == tuple(typed_in(answer.text)[name] for name in ("amount", "note"))
    anew = await admin.get(f"/customers/{account.id}/refill")
    assert (303, f"/customers/{account.id}") == (anew.status_code, anew.headers["location"])
    assert MICROS == (await web.business.account(account)).balance_micros


async def test_a_note_that_is_too_long_is_told_at_its_field_and_nothing_typed_is_lost(
    web: Web, admin: Browser
) -> None:
    await create_campaign(web.business.pool, "spring")
    account = await web.business.customer(MICROS, campaign="spring")
    own, typed = f"/customers/{account.id}", {"amount": "0", "note": "long" * 51}
    for path in (f"{own}/refill", f"{own}/pay", f"{own}/correct", "/campaigns/spring/refill"):
        answer = await admin.post(path, typed)
        kept = {name: typed_in(answer.text)[name] for name in typed}
        assert (422, typed) == (answer.status_code, kept)
        assert 'id="e-note" role="alert">must have at most 200 characters' in answer.text
        assert 'id="e-amount" role="alert">must be greater than 0' in answer.text
    assert MICROS == (await web.business.account(account)).balance_micros


async def test_a_form_without_the_token_of_its_session_is_refused_and_logged(
    web: Web, admin: Browser, browse: Browse, events: EventLog
) -> None:
    account = await web.business.customer(MICROS)
    form = {"amount": "5", "reference": "form-1"}
    path = f"/customers/{account.id}/refill"
    assert 403 == (await admin.post(path, form, csrf="")).status_code
    assert 403 == (await admin.post(path, form, csrf="0" * 64)).status_code
    assert 403 == (await admin.post(path, form, origin="https://evil.example")).status_code
    assert 403 == (await admin.post(path, form, sec_fetch_site="cross-site")).status_code
    assert 303 == (await browse().post(path, form)).status_code  # to the sign-in
    assert 4 == len(events.of("web.refused", operator="alice"))
    assert MICROS == (await web.business.account(account)).balance_micros


async def test_a_reseller_sees_and_changes_customers_of_one_group_only(
    web: Web, reseller: Browser, clock: Clock, events: EventLog
) -> None:
    own = await web.business.customer(MICROS, group="offices")
    other = await web.business.customer(MICROS)
    phone = Channel(web.fastagi_port, clock, accountcode=other.account_number)
    call = (await phone.authorize()).call
    shown = (await reseller.get("/customers")).text
    assert f"/customers/{own.id}" in shown
    assert f"/customers/{other.id}" not in shown
    for path in ("/calls", "/calls/live", f"/customers?search={other.account_number}"):
        page = await reseller.get(path)
        assert 200 == page.status_code
        assert f"/customers/{other.id}" not in page.text
    for path in ("", "/calls", "/ledger", "/live"):
        assert 404 == (await reseller.get(f"/customers/{other.id}{path}")).status_code
        assert 200 == (await reseller.get(f"/customers/{own.id}{path}")).status_code
    form = {"amount": "5", "reference": "form-1"}
    for path, fields in (("refill", form), ("lock", {"locked": "yes"})):
        answer = await reseller.post(f"/customers/{other.id}/{path}", fields)
        assert 404 == answer.status_code
        assert 303 == (await reseller.post(f"/customers/{own.id}/{path}", fields)).status_code
    assert 404 == (await reseller.get(f"/calls/{call}")).status_code
    assert 404 == (await reseller.post(f"/calls/{call}/hang-up")).status_code
    for path in FOR_OTHERS:
        assert 403 == (await reseller.get(path)).status_code
    assert events.of("web.refused", operator="bob", account_id=other.id)
    assert events.of("web.refused", operator="bob", path="/rates")
    await phone.settle()


async def test_support_sees_everything_and_changes_nothing(
    web: Web, browse: Browse, events: EventLog
) -> None:
    account = await web.business.customer(MICROS)
    await web.operator("carol", Role.SUPPORT)
    browser = browse()
    await browser.sign_in("carol")
    for path in ("/customers", f"/customers/{account.id}", "/rates", "/trunks"):
        assert 200 == (await browser.get(path)).status_code
    for path in (
        f"/customers/{account.id}/refill",
        f"/customers/{account.id}/lock",
        f"/customers/{account.id}/callerids",
        f"/calls/{account.id}-{'0' * 32}/hang-up",
        "/rates",
        "/rates/retail/1/activate",
        "/plans/new",
        "/trunks/new",
        "/trunks/1/switch",
        "/groups",
    ):
        assert 403 == (await browser.post(path)).status_code, path
    assert 10 == len(events.of("web.refused", operator="carol"))


async def test_what_does_not_exist_is_a_page_that_says_so(web: Web, admin: Browser) -> None:
    for path in ("/customers/99", "/customers/x", "/calls/x", "/calls/5-x", "/rates/x", "/x",
                 f"/customers/{2**70}", "/rates/retail/9"):  # fmt: skip
        shown = await admin.get(path)
        assert 404 == shown.status_code, path
        assert "There is nothing here" in shown.text
    assert 405 == (await admin.client.put("/customers")).status_code
    assert 400 == (await admin.get("/calls/0-%00")).status_code
    assert 422 == (await admin.get("/customers?after=nonsense")).status_code


async def test_hostile_names_stay_text(web: Web, admin: Browser, clock: Clock) -> None:
    hostile = "<script>alert(1)</script>\"'><img src=x onerror=alert(1)>"
    account = await web.business.customer(MICROS)
    phone = Channel(
        web.fastagi_port, clock, accountcode=account.account_number, callerid=hostile,
        extension="44" + hostile,
    )  # fmt: skip
    assert not (await phone.authorize()).allowed
    await web.business.refill(account, MICROS, "refill:x")
    await admin.post(
        f"/customers/{account.id}/refill", {"amount": "1", "reference": "1", "note": hostile}
    )
    for note in ("a\x01b", "a\nb"):
        form = {"amount": "1", "reference": "2", "note": note}
        refused = await admin.post(f"/customers/{account.id}/refill", form)
        assert (422, True) == (refused.status_code, "one line" in refused.text)
    assert 422 == (await admin.post("/groups", {"name": hostile})).status_code
    # A former release took any name.
    await web.business.pool.execute("INSERT INTO account_group (name) VALUES ($1)", hostile)
    for path in (
        f"/customers?search={hostile}", f"/customers/{account.id}", "/calls", "/groups",
        f"/customers/{account.id}/ledger", f"/sign-in?next={hostile}", f"/{hostile}",
    ):  # fmt: skip
        text = (await admin.get(path)).text
        assert "<script>alert" not in text
        assert "<img" not in text
    assert "&lt;script&gt;" in (await admin.get("/groups")).text


async def test_a_whole_account_number_leads_to_its_customer_and_stands_in_no_address(
    web: Web, admin: Browser, reseller: Browser
) -> None:
    account = await web.business.customer(last_name="Smith")
    own, whole = f"/customers/{account.id}", account.account_number
    spaced = f" {whole[:4]} {whole[4:]}"
    htmx = {"hx_request": "true"}
    for typed in (whole, spaced):
        assert own == (await admin.post("/customers", {"search": typed})).headers["location"]
        assert own == (await admin.get(f"/customers?search={typed}")).headers["location"]
        sent = await admin.post("/customers", {"search": typed, "show": "yes"}, **htmx)
        assert (200, own) == (sent.status_code, sent.headers["hx-redirect"])
    # While it is typed the list follows, and nothing of it is told to the browser's history.
    for digits in (whole[:-1], whole):
        listed = await admin.post("/customers", {"search": digits, "status": "active"}, **htmx)
        assert (200, "/customers?status=active", digits == whole) == (
            listed.status_code, listed.headers["hx-push-url"], f'"{own}"' in listed.text
        )  # fmt: skip
    # Anything else does stand there, and what is no account's is sought as before.
    by_name = {"search": "smi", "plan": "standard"}
    address = "/customers?search=smi&plan=standard"
    assert address == (await admin.post("/customers", by_name)).headers["location"]
    listed = await admin.post("/customers", {**by_name, "show": "yes"}, **htmx)
    assert (address, True) == (listed.headers["hx-push-url"], f'"{own}"' in listed.text)
    part = await admin.post("/customers", {"search": whole[:-1]})
    assert f"/customers?search={whole[:-1]}" == part.headers["location"]
    # Another group's is nobody's.
    assert "search=" in (await reseller.post("/customers", {"search": whole})).headers["location"]
    listed = await reseller.get(f"/customers?search={whole}")
    assert (200, False) == (listed.status_code, own in listed.text)


async def test_a_search_of_any_length_is_answered(web: Web, admin: Browser) -> None:
    answer = await admin.get(f"/customers?search={'long' * 50}")
    assert (200, True) == (answer.status_code, "No customer matches" in answer.text)
