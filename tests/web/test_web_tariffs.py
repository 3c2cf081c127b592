"""Call plans and trunks on the pages: made and changed, what is wrong said at its field."""

import re
from collections.abc import Callable

import pytest
from web_client import Browser, Web, typed_in

from agi_server.business_audit import list_changes
from agi_server.tariffs.packages import create_package
from agi_server.tariffs.plans import StoredPlan, create_plan, find_plan, list_plans
from agi_server.tariffs.trunks import StoredTrunk, list_trunks
from agi_server.web.auth.roles import Role
from rating.country_rules import Dialling
from rating.package import PackageUnit
from rating.routing import RouteOrder, SellPrice
from support.channel import Channel
from support.checker import until
from support.clock import Clock

Browse = Callable[[], Browser]

PLAN = {
    "name": "london", "card": ["unrouted", "retail"], "route_order": "lcr", "sell_price": "route",
    "allow_loss": "yes", "package": ["bundle"], "hold_mode": "rolling", "country": "gb",
    "area_code": "20", "local_digits": "7, 8", "short_codes": "77XX",
}  # fmt: skip
TRUNK = {
    "name": "uk", "dial": "PJSIP/{number}@uk", "strip": "44", "add_prefix": "0", "capacity": "30"
}  # fmt: skip


@pytest.fixture
async def admin(web: Web, browse: Browse) -> Browser:
    """Signed in as an administrator."""
    await web.operator()
    browser = browse()
    await browser.sign_in()
    return browser


async def seen(admin: Browser, path: str) -> dict[str, str]:
    """What the form of a page sends to say what it showed."""
    found = re.search(r'name="seen" value="(\d*)"', (await admin.get(path)).text)
    assert found
    return {"seen": found[1]}


async def trunk_named(web: Web, name: str) -> StoredTrunk:
    (found,) = [each for each in await list_trunks(web.business.pool) if each.name == name]
    return found


async def test_a_call_plan_is_created_with_all_of_its_terms(web: Web, admin: Browser) -> None:
    await create_package(web.business.pool, "bundle", PackageUnit.SECONDS, 60)
    assert 303 == (await admin.post("/plans/new", PLAN)).status_code
    created = await find_plan(web.business.pool, "london")
    assert created == StoredPlan(
        id=created.id, name="london", cards=("unrouted", "retail"), route_order=RouteOrder.LCR,
        sell_price=SellPrice.ROUTE, allow_loss=True, packages=("bundle",), hold_mode="rolling",
        accounts=0, dialling=Dialling(
            country="GB", area_code="20", local_lengths=(7, 8), short_codes=("77XX",)
        ),
    )  # fmt: skip
    changes = await list_changes(web.business.pool, "plan", "london")
    assert {"web:alice"} == {change.changed_by for change in changes}
    assert ("unrouted, retail", "7, 8") == tuple(
        change.new for field in ("cards", "local_digits") for change in changes
        if change.field == field
    )  # fmt: skip


async def is_allowed(phone: Channel, dial: str = "") -> bool:
    """Whether a call is put through, and so; one that is not answered is over. The daemon learns of
    a change from the database, a moment after the page."""
    answer = await phone.authorize()
    if answer.allowed:
        await phone.settle()
    return answer.allowed and dial in ("", answer.dial)


async def test_a_call_plan_is_changed_and_calls_heed_it_at_once(
    web: Web, admin: Browser, clock: Clock
) -> None:
    pool = web.business.pool
    plan = await create_plan(pool, "sold", ["unrouted"])
    account = await web.business.customer(10_000_000, plan="sold")
    phone = Channel(web.fastagi_port, clock, accountcode=account.account_number)
    assert "no_rate" == (await phone.authorize()).reason
    path = f"/plans/{plan.id}"
    form = {**PLAN, "card": ["retail", ""], "package": "", "country": "", "area_code": "",
            "local_digits": "", "short_codes": "", "hold_mode": "default"}  # fmt: skip
    assert 303 == (await admin.post(path, {**form, **await seen(admin, path)})).status_code
    await until(lambda: is_allowed(phone))
    changes = await list_changes(pool, "plan", "sold")
    assert ("unrouted", "retail") == next(
        (each.old, each.new) for each in changes if each.field == "cards"
    )
    page = (await admin.get(path)).text
    assert "cheapest trunk first" in page[page.index("<h2>Changes") :]


async def test_a_trunk_is_created_changed_and_switched(
    web: Web, admin: Browser, clock: Clock
) -> None:
    assert 303 == (await admin.post("/trunks/new", TRUNK)).status_code
    trunk = await trunk_named(web, "uk")
    assert ("PJSIP/{number}@uk", "44", "0", 30) == (
        trunk.dial, trunk.strip, trunk.add_prefix, trunk.capacity
    )  # fmt: skip
    path = f"/trunks/{trunk.id}"
    form = {**TRUNK, "capacity": "60", "strip": ""}
    assert 303 == (await admin.post(path, {**form, **await seen(admin, path)})).status_code
    assert 303 == (await admin.post(f"{path}/switch", {"enabled": "no"})).status_code
    changed = await trunk_named(web, "uk")
    assert ("", 60, False) == (changed.strip, changed.capacity, changed.enabled)
    told = [
        (each.field, each.old, each.new)
        for each in await list_changes(web.business.pool, "trunk", "uk", 3)
    ]
    assert [("enabled", "yes", "no"), ("capacity", "30", "60"), ("strip", "44", None)] == told
    account = await web.business.customer(10_000_000)
    phone = Channel(web.fastagi_port, clock, accountcode=account.account_number)
    gateway = await trunk_named(web, "gw")
    form = {"dial": "PJSIP/{number}@elsewhere", "capacity": "0", "seen": ""}
    assert 303 == (await admin.post(f"/trunks/{gateway.id}", form)).status_code
    await until(lambda: is_allowed(phone, "PJSIP/442079460000@elsewhere"))


async def test_what_a_plan_cannot_be_is_said_at_its_field_and_nothing_changes(
    web: Web, admin: Browser
) -> None:
    pool = web.business.pool
    plan = await create_plan(pool, "sold", ["retail"])
    before = await list_plans(pool)
    for path in ("/plans/new", f"/plans/{plan.id}"):
        form = {**PLAN, "package": "", **(await seen(admin, path) if path != "/plans/new" else {})}
        for field, wrong in (
            ("card", ["retail", "retail"]), ("card", [""]), ("card", ["none"]),
            ("package", ["none"]), ("route_order", "best"), ("hold_mode", "half"),
            ("country", "XX"), ("area_code", "2a"), ("local_digits", "16"),
            ("local_digits", ""), ("short_codes", "7"),
        ):  # fmt: skip
            answer = await admin.post(path, {**form, field: wrong})
            assert 422 == answer.status_code, (path, field, wrong)
            assert re.search(rf'class="field wrong">\s*<label for="f-{field}"', answer.text), field
    for name in ("", "a b", "sold"):
        answer = await admin.post("/plans/new", {**PLAN, "package": "", "name": name})
        assert 'class="field wrong">\n  <label for="f-name"' in answer.text
    assert before == await list_plans(pool)
    assert [] == await list_changes(pool, "plan", "sold")


async def test_what_a_trunk_cannot_be_is_said_at_its_field_and_nothing_changes(
    web: Web, admin: Browser
) -> None:
    before = await list_trunks(web.business.pool)
    gateway = await trunk_named(web, "gw")
    for path in ("/trunks/new", f"/trunks/{gateway.id}"):
        form = {**TRUNK, "seen": ""}
        for field, wrong in (
            ("dial", "PJSIP/gw"), ("dial", "PJSIP/{number}@gw&SIP/x"), ("strip", "+44"),
            ("add_prefix", "x"), ("capacity", "many"), ("capacity", "9999999"),
        ):  # fmt: skip
            answer = await admin.post(path, {**form, field: wrong})
            assert 422 == answer.status_code, (path, field, wrong)
            assert re.search(rf'class="field wrong">\s*<label for="f-{field}"', answer.text), field
    for name in ("", "a b", "gw"):
        answer = await admin.post("/trunks/new", {**TRUNK, "name": name})
        assert 'class="field wrong">\n  <label for="f-name"' in answer.text
    assert before == await list_trunks(web.business.pool)


async def test_who_saves_what_somebody_else_changed_meanwhile_is_told(
    web: Web, admin: Browser
) -> None:
    plan = await create_plan(web.business.pool, "sold", ["retail"])
    path = f"/plans/{plan.id}"
    form = {**PLAN, "package": "", **await seen(admin, path)}
    assert 303 == (await admin.post(path, form)).status_code
    late = await admin.post(path, {**form, "route_order": "lcd"})
    assert 422 == late.status_code
    assert "somebody has changed this meanwhile" in late.text
    assert ("lcd", form["seen"]) == tuple(
        typed_in(late.text)[name] for name in ("route_order", "seen")
    )
    assert RouteOrder.LCR is (await find_plan(web.business.pool, "sold")).route_order


async def test_support_reads_plans_and_trunks_and_changes_none(web: Web, browse: Browse) -> None:
    plan = await find_plan(web.business.pool, "standard")
    trunk = await trunk_named(web, "gw")
    await web.operator("carol", Role.SUPPORT)
    support = browse()
    await support.sign_in("carol")
    for path in (f"/plans/{plan.id}", f"/trunks/{trunk.id}"):
        shown = await support.get(path)
        assert 200 == shown.status_code
        assert "Save" not in shown.text
        assert 403 == (await support.post(path, {**PLAN, **TRUNK})).status_code
    for path in ("/plans/new", "/trunks/new"):
        assert 403 == (await support.get(path)).status_code
        assert 403 == (await support.post(path, {**PLAN, **TRUNK})).status_code


async def test_a_refusal_is_told_in_french(web: Web, browse: Browse) -> None:
    await web.operator("chloe", language="fr")
    browser = browse()
    await browser.sign_in("chloe")
    plan = {**PLAN, "package": ""}
    for path, form, told in (
        ("/plans/new", {**plan, "country": "XX"}, "aucune règle de numérotation"),
        ("/plans/new", {**plan, "local_digits": "x"}, "de 1 à 15"),
        ("/dids", {"number": "twelve"}, "doit avoir 3 à 15 chiffres"),
        ("/rates", {"card": "retail"}, "choisissez un fichier"),
    ):
        answer = await browser.post(path, form)
        assert 422 == answer.status_code
        assert told in answer.text
