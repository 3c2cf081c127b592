"""Phones on the pages: made with a customer, and fetching their settings themselves."""

import re
from collections.abc import Callable

import httpx
from web_client import Browser, Web

from agi_server.accounts.audit import list_changes
from agi_server.accounts.phones import list_phones
from agi_server.web.auth.roles import Role

MAC = "00-08-74-4C-7F-1D"


async def test_a_customer_gets_a_phone_that_fetches_its_settings_until_it_is_taken_away(
    web: Web, browse: Callable[[], Browser]
) -> None:
    await web.operator()
    browser = browse()
    await browser.sign_in()
    form = {"plan": "standard", "create_sip": "yes", "mac_address": MAC}
    created = await browser.post("/customers/new", form)
    assert 201 == created.status_code
    found = dict(re.findall(r"<dt>(SIP \w+|Device token)</dt><dd><code>(\w+)<", created.text))
    (phone,) = await list_phones(web.business.pool)
    assert phone.user_name == found["SIP user"]

    path = f"/provisioning/{found['Device token']}/{MAC}.xml"
    async with httpx.AsyncClient(base_url=web.url) as device:
        settings = await device.get(path)
        assert (200, "application/xml") == (
            settings.status_code,
            settings.headers["content-type"].partition(";")[0],
        )
        assert f"<password>{found['SIP secret']}</password>" in settings.text
        for wrong in (
            path.replace(found["Device token"], "x" * 24),
            path.replace(MAC, "00-08-74-4C-7F-1E"),
            path.replace(MAC, "none"),
        ):
            assert 404 == (await device.get(wrong)).status_code

        edit = await browser.get(f"/customers/{phone.account_id}/edit")
        seen = re.search(r'name="seen" value="(\d*)"', edit.text)
        assert seen is not None
        changed = await browser.post(
            f"/customers/{phone.account_id}/edit", {"create_sip": "no", "seen": seen[1]}
        )
        assert 303 == changed.status_code
        assert 404 == (await device.get(path)).status_code
    assert [] == await list_phones(web.business.pool)


async def test_a_phone_that_cannot_be_stored_leaves_nothing_of_the_customer_or_the_change(
    web: Web, browse: Callable[[], Browser]
) -> None:
    business = web.business
    await business.as_owner(
        "CREATE FUNCTION no_phone() RETURNS trigger LANGUAGE plpgsql AS"
        " $$ BEGIN RAISE EXCEPTION 'the disk is full'; END $$",
        "CREATE TRIGGER no_phone BEFORE INSERT ON asterisk.ps_aors"
        " FOR EACH ROW EXECUTE FUNCTION no_phone()",
    )
    account = await business.customer()
    await web.operator()
    browser = browse()
    await browser.sign_in()
    headers = {"authorization": f"Bearer {await web.token()}"}
    api = "/api/v1/customers"
    form = {"plan": "standard", "create_sip": "yes", "refill": "5", "callerids": "442079460001"}
    asked = {"plan": "standard", "create_sip": True}
    for answer in (
        await browser.post("/customers/new", form),
        await browser.client.post(api, json=asked, headers=headers),
        await browser.post(f"/customers/{account.id}/edit", {"create_sip": "yes", "seen": ""}),
        await browser.client.patch(
            f"{api}/{account.id}", json={"create_sip": True, "last_name": "Smith"}, headers=headers
        ),
    ):
        assert 500 == answer.status_code
    assert 1 == await business.pool.fetchval("SELECT count(*) FROM account")
    assert 0 == await business.pool.fetchval("SELECT count(*) FROM callerid")
    assert account == await business.account(account)
    assert ["account"] == [each.field for each in await list_changes(business.pool, account.id)]
    assert [] == await list_phones(business.pool)
    await business.as_owner("DROP TRIGGER no_phone ON asterisk.ps_aors")
    assert 201 == (await browser.post("/customers/new", form)).status_code
    assert 1 == len(await list_phones(business.pool))


async def test_another_secret_of_a_phone_is_drawn_once_for_the_page_and_shown(
    web: Web, browse: Callable[[], Browser]
) -> None:
    business = web.business
    account = await business.customer(mac_address="00-08-74-4C-7F-1D")
    name = await business.phone(account)
    await web.operator()
    await web.operator("sue", Role.SUPPORT)
    browser, support = browse(), browse()
    await browser.sign_in()
    await support.sign_in("sue")
    path = f"/customers/{account.id}"
    for text in (name, "/00-08-74-4C-7F-1D.xml", "New secret"):
        assert text in (await browser.get(path)).text
    assert "New secret" not in (await support.get(path)).text
    digests = [await business.pool.fetchval("SELECT md5_cred FROM asterisk.ps_auths")]
    form = {"reference": "form-1"}
    renewed = await browser.post(f"{path}/phones/sip/secret", form)
    assert 201 == renewed.status_code
    assert "SIP secret" in renewed.text
    digests.append(await business.pool.fetchval("SELECT md5_cred FROM asterisk.ps_auths"))
    again = await browser.post(f"{path}/phones/sip/secret", form)
    assert f"{path}?done=secret-before" == again.headers["location"]
    digests.append(await business.pool.fetchval("SELECT md5_cred FROM asterisk.ps_auths"))
    assert digests[0] != digests[1] == digests[2]
    history = (await browser.get(f"{path}/history")).text
    assert ("SIP secret" in history, "another, not shown" in history) == (True, True)
    assert 404 == (await browser.post(f"{path}/phones/iax/secret")).status_code
    assert 403 == (await support.post(f"{path}/phones/sip/secret")).status_code
