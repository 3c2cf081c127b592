"""Groups, series and campaigns on the pages: made, changed, and gone when nobody needs them."""

import re
from collections.abc import Callable

import pytest
from web_client import Browser, Web

from agi_server.accounts.campaigns import create_campaign, list_campaigns
from agi_server.accounts.codes import Restriction
from agi_server.accounts.groups import create_group, find_group, list_groups
from agi_server.accounts.series import list_series
from agi_server.web.auth.roles import Role
from support.business import MICROS
from support.channel import Channel
from support.clock import Clock

Browse = Callable[[], Browser]


@pytest.fixture
async def admin(web: Web, browse: Browse) -> Browser:
    """Signed in as an administrator."""
    await web.operator()
    browser = browse()
    await browser.sign_in()
    return browser


async def test_a_group_is_changed_and_calls_heed_it_at_once(
    web: Web, admin: Browser, clock: Clock
) -> None:
    group = await create_group(web.business.pool, "offices")
    account = await web.business.customer(group="offices")
    phone = Channel(web.fastagi_port, clock, accountcode=account.account_number)
    path = f"/groups/{group.id}"
    assert 200 == (await admin.get(path)).status_code
    rules = {"restriction": "blacklist", "restricted_numbers": "49*\r\n44*"}
    assert 303 == (await admin.post(f"{path}/restriction", rules)).status_code
    assert "number_restricted" == (await phone.authorize()).reason
    lifted = {"restriction": "none", "restricted_numbers": ""}
    assert 303 == (await admin.post(f"{path}/restriction", lifted)).status_code
    assert (await phone.authorize()).allowed
    form = {"may_top_up": "yes", "plan": "standard", "defaults": "language=fr\r\nvat=20\r\n"}
    assert 303 == (await admin.post(path, form)).status_code
    changed = await find_group(web.business.pool, "offices")
    assert (False, True, ("standard",), {"language": "fr", "vat": "20"}, Restriction.NONE) == (
        changed.may_call, changed.may_top_up, changed.plans, changed.defaults, changed.restriction
    )  # fmt: skip
    assert "group_forbidden" == (await phone.authorize()).reason


async def test_what_a_group_cannot_be_is_said_in_place_and_nothing_changes(
    web: Web, admin: Browser
) -> None:
    group = await create_group(web.business.pool, "offices")
    await web.business.customer(group="offices")
    before = await find_group(web.business.pool, "offices")
    for path, form in (
        ("", {"defaults": "language"}),
        ("", {"defaults": "colour=red"}),
        ("", {"defaults": "vat=much"}),
        ("", {"plan": "nothing"}),
        ("/restriction", {"restriction": "none", "restricted_numbers": "44*"}),
        ("/restriction", {"restriction": "blacklist", "restricted_numbers": "_4[2-1]"}),
        ("/restriction", {"restriction": "grey"}),
        ("/delete", {}),
    ):
        answer = await admin.post(f"/groups/{group.id}{path}", {"may_call": "yes", **form})
        assert 422 == answer.status_code, form
        assert 'role="alert"' in answer.text
    assert before == await find_group(web.business.pool, "offices")


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
        "/series", "/campaigns", "/campaigns/spring/delete", "/campaigns/spring/refill",
    ):  # fmt: skip
        assert 403 == (await support.post(path, {"name": "x"})).status_code
    assert 403 == (await support.get("/campaigns/spring/refill")).status_code
