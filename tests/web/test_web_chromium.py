"""The console in a real Chromium: what an operator does, from signing in to hanging up."""

import os
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from chromium import ChromiumUnavailableError, browser_window, find_chromium
from playwright.async_api import Page, expect
from test_web_customer_form import VALID, WRONG
from web_client import PASSWORD, Web

from agi_server.accounts.account import FIELDS
from agi_server.accounts.campaigns import create_campaign
from agi_server.accounts.fields import Kind
from agi_server.accounts.groups import create_group
from agi_server.tariffs.plans import find_plan
from agi_server.web.console import calls as console_calls
from support.business import MICROS
from support.channel import Channel
from support.clock import Clock
from support.event_log import EventLog

pytestmark = pytest.mark.timeout(600)
_KINDS = {field.name: field for field in FIELDS}
_PATIENCE_MS = 60_000
expect.set_options(timeout=_PATIENCE_MS)


@pytest.fixture(scope="session")
def chromium() -> str:
    try:
        return find_chromium()
    except ChromiumUnavailableError as reason:
        if os.environ.get("CI") == "true":
            pytest.fail(f"no Chromium to test the console with: {reason}")
        pytest.skip(f"THE CONSOLE WAS NOT TESTED IN A BROWSER: {reason}")


@pytest.fixture
async def page(web: Web, chromium: str) -> AsyncIterator[Page]:
    """A window in which the administrator alice has signed in, by the form; no script may fail."""
    await create_group(web.business.pool, "offices")
    await web.operator()
    async with browser_window(chromium) as context:
        page = await context.new_page()
        faults: list[str] = []
        page.on("pageerror", lambda error: faults.append(str(error)))
        page.on("console", lambda said: faults.append(said.text) if "Content Security" in said.text
                else None)  # fmt: skip
        await sign_in(web, page)
        yield page
        await shoot(page, "last")
        assert [] == faults


async def sign_in(web: Web, page: Page) -> None:
    """By the form."""
    await page.goto(web.url)
    await page.get_by_label("Name", exact=True).fill("alice")
    await page.get_by_label("Password").fill(PASSWORD)
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("heading", name="Customers")).to_be_visible()


async def shoot(page: Page, name: str) -> None:
    """Keep what it looks like, wide and on a phone, where AGI_SERVER_SCREENSHOTS says; nothing may
    be cut off at the right."""
    for width, height in ((1280, 900), (390, 844)):
        await page.set_viewport_size({"width": width, "height": height})
        overflow = await page.evaluate(
            "document.documentElement.scrollWidth - document.documentElement.clientWidth"
        )
        assert overflow <= 0, f"{name} is {overflow} px too wide at {width} px"
        if folder := os.environ.get("AGI_SERVER_SCREENSHOTS"):
            await page.screenshot(path=Path(folder) / f"{name}-{width}.png", full_page=True)
    await page.set_viewport_size({"width": 1280, "height": 900})


async def fill(page: Page, values: dict[str, str]) -> None:
    """Type into the form, as its fields want it."""
    for name, value in values.items():
        field = page.locator(f"#f-{name}")
        kind = _KINDS[name].kind if name in _KINDS else Kind.TEXT
        if kind is Kind.FLAG:
            await field.set_checked(value == "yes")
        elif await field.evaluate("each => each.tagName") == "SELECT":
            await field.select_option(value)
        else:
            await field.fill(value)


async def test_a_customer_is_created_refilled_and_found(web: Web, page: Page) -> None:
    await shoot(page, "customers-empty")
    await page.get_by_role("link", name="Create customer").click()
    await shoot(page, "customer-new")
    chosen = {name for name in WRONG if await page.locator(f"select#f-{name}").count()}
    wrong = {name: value for name, value in WRONG.items() if name not in chosen}
    await fill(page, wrong)
    await page.get_by_role("button", name="Create customer").click()
    for name in set(wrong) - {"presented_callerid"}:
        await expect(page.locator(f".field.wrong:has(#f-{name})")).to_have_count(1)
    await shoot(page, "customer-wrong")
    await page.goto(f"{web.url}/customers/new")
    await fill(page, {**VALID, "refill": "12.50"})
    await page.get_by_role("button", name="Create customer").click()
    await expect(page.locator("#account-number")).to_have_text("7000000001")
    await shoot(page, "customer-created")
    await page.get_by_role("link", name="To the customer").click()
    await expect(page.get_by_role("heading", name="Smith & Sons, Ann Smith")).to_be_visible()
    await page.get_by_label("Amount in EUR").fill("7.50")
    await page.get_by_role("button", name="Give credit").click()
    await expect(page.locator(".funds")).to_contain_text("€20.00")
    await shoot(page, "customer")
    await page.get_by_role("link", name="Customers", exact=True).first.click()
    await page.get_by_label("Search").press_sequentially("smi")
    await expect(page.locator("#results tbody tr")).to_have_count(1)
    await shoot(page, "customers")


async def test_a_live_call_appears_and_ends_by_itself_and_is_hung_up(
    web: Web, page: Page, clock: Clock, events: EventLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    account = await web.business.customer(10 * MICROS)
    await page.get_by_role("link", name="Live calls").click()
    await expect(page.get_by_text("Nobody is on the phone")).to_be_visible()
    await shoot(page, "live-empty")
    await page.evaluate("window.notReloaded = true")
    phone = Channel(web.fastagi_port, clock, accountcode=account.account_number)
    await phone.authorize()
    await expect(page.locator("#live tbody tr")).to_have_count(1)
    await expect(page.get_by_text("442079460000")).to_be_visible()
    await shoot(page, "live")
    assert await page.evaluate("window.notReloaded")

    asked: list[str] = []

    async def ended(_: object, call: dict[str, str], __: object) -> None:
        asked.append(call["uniqueid"])
        clock.advance(30)
        await phone.settle(10_000)

    monkeypatch.setattr(console_calls, "hang_up", ended)
    await page.get_by_role("button", name="Hang up").click()
    await expect(page.get_by_text("The call is being hung up.")).to_be_visible()
    await expect(page.get_by_text("Nobody is on the phone")).to_be_visible()
    assert [phone.uniqueid] == asked

    await page.evaluate("window.notReloaded = true")
    await phone.authorize()
    await expect(page.locator("#live tbody tr")).to_have_count(1)
    clock.advance(30)
    await phone.settle(10_000)
    await expect(page.get_by_text("Nobody is on the phone")).to_be_visible()
    assert await page.evaluate("window.notReloaded")
    await page.get_by_role("link", name="Calls", exact=True).click()
    await shoot(page, "calls")
    await page.locator("tbody a").first.click()
    await shoot(page, "call")


async def test_a_rate_sheet_is_uploaded_compared_and_activated(
    web: Web, page: Page, tmp_path: Path
) -> None:
    sheet = tmp_path / "carrier.csv"
    head = "prefix,destination,price_per_minute,initial,increment\n"
    await page.get_by_role("link", name="Rates").click()
    await shoot(page, "rates")
    for content, told in (
        (head + "44,United Kingdom,cheap,60,1\n", "1 error: nothing was stored."),
        (head + "44,United Kingdom,0.07,1,1\n49,Germany,0.90,60,60\n33,France,0.05,1,1\n",
         "Compared with version 1"),
    ):  # fmt: skip
        sheet.write_text(content)
        await page.goto(f"{web.url}/rates")
        await page.locator("input[name=sheet]").set_input_files(sheet)
        await page.locator("input[name=card]").fill("retail")
        await page.get_by_role("button", name="Upload and compare").click()
        await expect(page.get_by_text(told)).to_be_visible()
        await shoot(page, "sheet-" + told[:1])
    for kind in ("dearer", "cheaper", "new", "removed"):
        await expect(page.locator("tbody .badge", has_text=kind)).to_have_count(1)
    await page.get_by_role("button", name="Activate version 2").click()
    await expect(page.get_by_text("The version is active")).to_be_visible()
    await shoot(page, "card")
    for name in ("Plans", "Trunks", "Series", "Campaigns", "Operators", "Settings", "Groups"):
        await page.get_by_role("link", name=name, exact=True).click()
        await shoot(page, name.lower())
    await page.get_by_role("link", name="offices").click()
    await page.get_by_text("Customer status").click()
    await page.locator("#f-default_language").fill("tlh!")
    await page.get_by_role("button", name="Save the defaults").click()
    await expect(page.locator(".field.wrong:has(#f-default_language)")).to_be_visible()
    await shoot(page, "group-wrong")
    await page.locator("#f-default_language").fill("fr")
    await page.get_by_role("button", name="Save the defaults").click()
    await expect(page.get_by_text("Language: fr")).to_be_visible()
    await expect(page.locator("#f-default_language")).to_have_value("fr")
    await page.get_by_label("Listed numbers are a").select_option(
        "blacklist: may not call the listed numbers"
    )
    await page.get_by_label("Listed numbers", exact=True).fill("4490*")
    await shoot(page, "group")
    await page.get_by_role("button", name="Save the restriction").click()
    await expect(page.get_by_label("Listed numbers", exact=True)).to_have_value("4490*")


async def test_what_a_sheet_does_not_say_is_said_in_the_form(
    web: Web, page: Page, tmp_path: Path
) -> None:
    sheet = tmp_path / "offer.csv"
    sheet.write_text("Digits;Who;Cost\n44;United Kingdom;0,07\n")
    await page.goto(f"{web.url}/rates")
    await page.locator("input[name=card]").fill("retail")
    await page.get_by_text("What the sheet does not say itself").click()
    await page.get_by_label("What columns are").fill("Digits=prefix,Who=destination,Cost=rate")
    for increments, told in (("a minute", "'a minute' is not like 60/6"), ("60/1", "Activate")):
        await page.locator("input[name=sheet]").set_input_files(sheet)
        await page.get_by_label("Increments of all rates").fill(increments)
        await page.get_by_role("button", name="Upload and compare").click()
        await expect(page.get_by_text(told).first).to_be_visible()
        await shoot(page, "sheet-said-" + told[:3])


async def test_selected_customers_are_changed_together_after_a_look_at_what_changes(
    web: Web, page: Page
) -> None:
    accounts = [await web.business.customer(last_name=name) for name in ("Abel", "Baker", "Cole")]
    await page.goto(f"{web.url}/customers")
    await page.locator("#search").press_sequentially(accounts[1].account_number)
    await expect(page.locator("#results tbody tr")).to_have_count(1)
    assert f"{web.url}/customers" == page.url
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("heading", name="Baker")).to_be_visible()
    assert f"{web.url}/customers/{accounts[1].id}" == page.url
    await page.go_back()
    await page.locator("#search").fill("bak")
    await expect(page.locator("#results tbody tr")).to_have_count(1)
    await expect(page).to_have_url(f"{web.url}/customers?search=bak")
    await page.locator("#search").fill("")
    await expect(page.locator("#results tbody tr")).to_have_count(len(accounts))
    for name in ("Abel", "Cole"):
        await page.get_by_label(f"Select {name}").check()
    await page.get_by_text("Change several customers").click()
    bulk = page.locator("#bulk")
    await bulk.get_by_label("Status").select_option("suspended (underpayment)")
    await bulk.get_by_label("Group").select_option("offices")
    await shoot(page, "bulk-list")
    await page.get_by_role("button", name="Show what changes").click()
    await expect(page.get_by_text("2 customers were chosen.")).to_be_visible()
    await shoot(page, "bulk")
    await page.get_by_role("button", name="Change 2 customers").dblclick()
    await expect(page.get_by_role("heading", name="Customers")).to_be_visible()
    states = [
        (now.status.name, now.group)
        for now in [await web.business.account(account) for account in accounts]
    ]
    assert [("SUSPENDED", "offices"), ("ACTIVE", None), ("SUSPENDED", "offices")] == states


async def test_money_is_received_and_corrected_once_and_the_customer_deleted_after_a_confirmation(
    web: Web, page: Page
) -> None:
    account = await web.business.customer(MICROS, first_name="Ann", last_name="Smith")
    await page.goto(f"{web.url}/customers/{account.id}")
    await page.get_by_role("link", name="Record a payment").click()
    await page.get_by_label("Amount in USD").fill("25.50")
    await page.get_by_label("Note").fill("bank transfer 817")
    await page.get_by_label("Give as much credit, too").check()
    await shoot(page, "pay")
    await page.get_by_role("button", name="Continue").click()
    await expect(page.locator("dl")).to_contain_text("$26.50")
    await shoot(page, "pay-confirm")
    await page.get_by_role("button", name="Book it").dblclick()
    await expect(page.get_by_role("status")).to_be_visible()
    await expect(page.locator(".funds")).to_contain_text("$26.50")
    await page.get_by_role("link", name="Correct the balance").click()
    await page.get_by_label("Take").check()
    await page.get_by_label("Amount in USD").fill("6.50")
    await page.get_by_label("Reason").fill("refilled twice")
    await shoot(page, "correct")
    await page.get_by_role("button", name="Continue").click()
    await page.get_by_role("button", name="Book it").dblclick()
    await expect(page.locator(".funds")).to_contain_text("$20.00")
    assert 20 * MICROS == (await web.business.account(account)).balance_micros
    await shoot(page, "customer-money")
    await page.get_by_role("link", name="Erase the person").click()
    await shoot(page, "erase")
    await page.get_by_role("button", name="Erase the person").click()
    await expect(page.get_by_role("status")).to_contain_text("erased")
    await page.get_by_role("link", name="Delete the customer").click()
    await shoot(page, "delete")
    await page.get_by_role("button", name="Delete the customer").click()
    await expect(page.locator(".heading")).to_contain_text("cancelled")
    assert (None, "CANCELLED") == (
        (now := await web.business.account(account)).last_name,
        now.status.name,
    )


async def test_a_report_is_chosen_drawn_and_downloaded(
    web: Web, page: Page, clock: Clock, tmp_path: Path
) -> None:
    file = tmp_path / "report.csv"
    for name, talk_ms in (("Smith", 65_000), ("Jones", 600_000), ("Brown", None)):
        account = await web.business.customer(100 * MICROS, last_name=name, group="offices")
        phone = Channel(web.fastagi_port, clock, accountcode=account.account_number)
        await phone.authorize()
        clock.advance(700)
        await phone.settle(talk_ms)
        clock.advance(24 * 3600)
    await sign_in(web, page)  # a session does not last for days
    await page.get_by_role("link", name="Reports").click()
    await expect(page.locator("svg rect")).to_have_count(3)
    await shoot(page, "reports-day")
    await page.get_by_label("Calls by").select_option("customer")
    await page.get_by_label("Chart of").select_option("revenue")
    await page.get_by_role("button", name="Show").click()
    await expect(page.locator(".bars li").first).to_contain_text("Jones")
    await expect(page.locator(".bars li").first).to_contain_text("$0.60")
    await shoot(page, "reports-account")
    async with page.expect_download() as download:
        await page.get_by_role("link", name="Download CSV").click()
    await (await download.value).save_as(file)
    assert "account,dialled,answered" in file.read_text()


async def test_a_did_is_added_given_to_a_customer_and_rings_at_two_places(
    web: Web, page: Page
) -> None:
    account = await web.business.customer(last_name="Smith")
    await page.get_by_role("link", name="DIDs", exact=True).click()
    await expect(page.get_by_text("There is no DID yet.")).to_be_visible()
    await shoot(page, "dids-empty")
    for number in ("twelve", "+442079460000"):
        await page.locator("input[name=number]").fill(number)
        await page.get_by_role("button", name="Add", exact=True).click()
        if number == "twelve":
            await expect(page.get_by_role("alert")).to_contain_text("must be 3 to 15 digits")
    await expect(page.get_by_role("heading", name="+442079460000")).to_be_visible()
    await shoot(page, "did-unassigned")
    await page.locator("#customer").fill(f"id:{account.id}")
    await page.get_by_role("button", name="Give", exact=True).click()
    for kind, number in (("sip", ""), ("number", "33123456789")):
        await page.locator("select[name=kind]").select_option(kind)
        await page.locator("input[name=destination]").fill(number)
        await page.get_by_role("button", name="Add", exact=True).click()
    await expect(page.locator(".list li")).to_have_count(2)
    await shoot(page, "did")
    await page.get_by_role("link", name="Smith").click()
    await expect(page.get_by_role("link", name="+442079460000")).to_be_visible()
    await page.get_by_role("link", name="DIDs", exact=True).click()
    await page.locator("#search").press_sequentially("4420")
    await expect(page.locator("#results tbody tr")).to_have_count(1)
    await shoot(page, "dids")


async def test_a_call_plan_and_a_trunk_are_created_and_changed(web: Web, page: Page) -> None:
    for noun, create, wrong, right, change in (
        ("Trunks", "Create a trunk", ("dial", "PJSIP/uk"), "PJSIP/{number}@uk", ("capacity", "30")),
        ("Plans", "Create a call plan", ("country", "XX"), "GB", ("short_codes", "77XX")),
    ):
        await page.get_by_role("link", name=noun, exact=True).click()
        await page.get_by_role("link", name=create).click()
        await shoot(page, f"{noun}-new".lower())
        await page.get_by_label("Name").fill("uk")
        if noun == "Plans":
            await page.get_by_label("Rate cards", exact=True).select_option("retail")
            await page.get_by_label("Rate cards 2").select_option("unrouted")
        await page.locator(f"#f-{wrong[0]}").fill(wrong[1])
        await page.get_by_role("button", name="Create").click()
        await expect(page.locator(f".field.wrong:has(#f-{wrong[0]}) .wrong")).to_have_count(1)
        await shoot(page, f"{noun}-wrong".lower())
        await page.locator(f"#f-{wrong[0]}").fill(right)
        await page.get_by_role("button", name="Create").click()
        await expect(page.get_by_role("status")).to_contain_text("Saved")
        await page.get_by_role("link", name="uk", exact=True).click()
        await page.locator(f"#f-{change[0]}").fill(change[1])
        await page.get_by_role("button", name="Save").click()
        await expect(page.locator(f"#f-{change[0]}")).to_have_value(change[1])
        await expect(page.locator("tbody tr").first).to_contain_text(change[1])
        await shoot(page, f"{noun}-one".lower())
    plan = await find_plan(web.business.pool, "uk")
    assert (("retail", "unrouted"), "GB") == (plan.cards, plan.dialling.country)


async def test_a_campaign_is_refilled_and_calls_that_are_over_are_ended_after_a_confirmation(
    web: Web, page: Page, clock: Clock
) -> None:
    await create_campaign(web.business.pool, "spring", "Cards sold at fairs in March and April")
    await create_campaign(web.business.pool, "summer")
    account = await web.business.customer(MICROS, campaign="spring", simultaneous_access=1)
    await page.get_by_role("link", name="Campaigns", exact=True).click()
    await shoot(page, "campaigns-filled")
    await page.get_by_role("link", name="Refill all").click()
    await page.get_by_label("Amount for each").fill("2.50")
    await page.get_by_role("button", name="Continue").click()
    await expect(page.get_by_text("1 customer gets a credit of 2.50")).to_be_visible()
    await shoot(page, "campaign-confirm")
    await page.get_by_role("button", name="Give credit").click()
    await expect(page.get_by_text("1 customer got the credit now")).to_be_visible()
    phone = Channel(web.fastagi_port, clock, accountcode=account.account_number)
    await phone.authorize()
    await page.goto(f"{web.url}/customers/{account.id}")
    await page.get_by_role("link", name="Reset calls in use").click()
    await expect(page.get_by_text("No call is over")).to_be_visible()
    clock.advance(4 * 3600)
    await sign_in(web, page)  # a session does not last for hours
    await page.goto(f"{web.url}/customers/{account.id}/reset-in-use")
    await shoot(page, "reset")
    await page.get_by_role("button", name="End 1 call").click()
    await expect(page.get_by_role("status")).to_contain_text("ended")
    await shoot(page, "customer-reset")
    assert 0 == (await web.business.account(account)).in_use
