"""The API: who may, what is refused, and that money moves once."""

import asyncio
import sys
from typing import Any

import pytest
from web_client import Client, Web

from agi_server.accounts.groups import create_group
from agi_server.web.auth import operators
from agi_server.web.auth.roles import Role
from support.business import MICROS
from support.channel import Channel
from support.clock import Clock
from support.event_log import EventLog


async def test_why_a_customer_is_changed_and_deleted_is_kept_and_listed(
    web: Web, admin: Client
) -> None:
    customer = f"/customers/{(await web.business.customer()).id}"
    for wrong in ("two\nlines", "x" * 201):
        change = {"status": "suspended", "reason": wrong}
        await admin.ask("PATCH", customer, 422, json=change)
        await admin.ask("DELETE", customer, 422, params={"reason": wrong})
    (made,) = (await admin.ask("GET", f"{customer}/changes"))["changes"]
    assert ("account", None, "created") == (made["field"], made["old"], made["new"])
    await admin.ask("PATCH", customer, json={"status": "suspended", "reason": "unpaid"})
    await admin.ask("PATCH", customer, json={"city": "Rome"})
    await admin.ask("DELETE", customer, params={"reason": "went bankrupt"})
    about = {"field": "status", "limit": "1"}
    newest = await admin.ask("GET", f"{customer}/changes", params=about)
    before = {**about, "before": newest["next"]}
    oldest = await admin.ask("GET", f"{customer}/changes", params=before)
    assert None is oldest["next"]
    assert [
        ("api:alice", "suspended", "cancelled", "went bankrupt"),
        ("api:alice", "active", "suspended", "unpaid"),
    ] == [
        (each["changed_by"], each["old"], each["new"], each["reason"])
        for each in newest["changes"] + oldest["changes"]
    ]
    told = (await admin.ask("GET", f"{customer}/changes"))["changes"]
    assert [("city", None), ("account", None)] == [
        (each["field"], each["reason"]) for each in told if each["field"] != "status"
    ]


async def test_without_a_token_in_use_nothing_is_answered(
    web: Web, admin: Client, events: EventLog
) -> None:
    for client in (Client(web.url), Client(web.url, "wrong"), Client(web.url, "x" * 5000)):
        await client.ask("GET", "/customers", 401)
    await admin.ask("GET", "/customers")
    await operators.revoke_token(web.business.pool, "alice", "test", at=web.business.now())
    await admin.ask("GET", "/customers", 401)
    assert 4 == len(events.of("web.refused", reason="token"))


async def test_a_customer_lives_its_life(web: Web, admin: Client) -> None:
    made = await admin.ask(
        "POST", "/customers", 201,
        json={"last_name": "Smith", "plan": "standard", "callerids": ["442079460003"],
              "create_sip": True, "simultaneous_access": 2},
    )  # fmt: skip
    customer, (phone,) = made["customer"], made["phones"]
    assert customer["account_number"].isdigit()
    assert "sip" == phone["technology"]
    path = f"/customers/{customer['id']}"
    (found,) = (await admin.ask("GET", "/customers?search=smi"))["customers"]
    assert customer["id"] == found["id"]
    assert "*" in found["account_number"]
    await admin.ask("PATCH", path, json={"last_name": None, "discount": "7.5"})
    changed = await admin.ask("GET", path)
    assert (None, "7.5") == (changed["last_name"], changed["discount"])
    wrong = {"discount": "100", "timezone": "Mars/Base", "vat": "x", "credit_limit": "5"}
    refused = await admin.ask("PATCH", path, 422, json=wrong)
    assert set(wrong) == {each["field"] for each in refused["errors"]}
    await admin.ask("PATCH", path, 422, json={"balance": "1000"})
    for method, where in (("PATCH", path), ("POST", "/customers")):
        refused = await admin.ask(method, where, 422, json={"group": "nope"})
        assert [{"field": "group", "message": "there is no group nope"}] == refused["errors"]
    other = await web.business.customer(web_login="taken")
    refused = await admin.ask("PATCH", path, 409, json={"web_login": other.web_login})
    message = "belongs to a customer already"
    assert [{"field": "web_login", "message": message}] == refused["errors"]
    far = {"expiry": "at_date", "expiry_date": "0001-01-01", "timezone": "Asia/Tokyo"}
    for method, where in (("PATCH", path), ("POST", "/customers")):
        refused = await admin.ask(method, where, 422, json=far)
        assert ["expiry_date"] == [each["field"] for each in refused["errors"]]
    assert "cancelled" == (await admin.ask("DELETE", path))["status"]


async def test_what_is_null_is_empty_though_the_group_has_a_default(
    web: Web, admin: Client
) -> None:
    defaults = {"plan": "standard", "expiry": "at_date", "expiry_date": "2027-12-31"}
    await admin.ask("POST", "/groups", 201, json={"name": "offices", "defaults": defaults})
    for given, expected in (
        ({}, ("standard", "at_date", "2027-12-31 23:59:59")),
        ({"plan": None, "expiry": "never"}, (None, "never", None)),
    ):
        made = await admin.ask("POST", "/customers", 201, json={"group": "offices", **given})
        assert expected == tuple(made["customer"][name] for name in defaults)


async def test_a_refill_asked_for_again_is_answered_the_same_and_given_once(
    web: Web, admin: Client
) -> None:
    account = await web.business.customer(MICROS)
    answers = await asyncio.gather(*(admin.refill(account.id, "order-1", "2.50") for _ in range(5)))
    assert [{"customer": account.id, "amount": "2.50", "balance": "3.50", "currency": "USD"}] * 5 \
        == answers  # fmt: skip
    await admin.refill(account.id, "order-2", "1")
    assert "3.50" == (await admin.refill(account.id, "order-1", "2.50"))["balance"]
    await admin.refill(account.id, "order-1", "2.51", 409)
    await admin.refill(account.id, "order-3", "-1", 422)
    await admin.ask("POST", f"/customers/{account.id}/refills", 422, json={"amount": "1"})
    assert 4_500_000 == (await web.business.account(account)).balance_micros


async def test_payments_and_corrections_are_booked_once_and_take_no_more_than_there_is(
    web: Web, admin: Client
) -> None:
    account = await web.business.customer(MICROS)

    async def move(what: str, key: str, status: int = 201, **asked: Any) -> Any:
        path = f"/customers/{account.id}/{what}"
        headers = {"Idempotency-Key": key}
        return await admin.ask("POST", path, status, json=asked, headers=headers)

    for _ in range(2):
        assert "1.00" == (await move("payments", "bank-1", amount="5"))["balance"]
        paid = await move("payments", "bank-2", amount="5", with_refill=True, note="cash")
        assert "6.00" == paid["balance"]
        taken = await move("corrections", "t-1", direction="take", amount="2", reason="twice")
        assert "4.00" == taken["balance"]
        given = await move("corrections", "t-2", direction="give", amount="0.5", reason="dropped")
        assert "4.50" == given["balance"]
    await move("payments", "bank-1", 409, amount="6")
    await move("corrections", "t-1", 409, direction="give", amount="2", reason="twice")
    much = await move("corrections", "t-3", 422, direction="take", amount="4.51", reason="much")
    assert ["amount"] == [each["field"] for each in much["errors"]]
    await move("corrections", "t-4", 422, direction="take", amount="1", reason=" ")
    await move("corrections", "t-5", 422, direction="take", amount="1", reason="a\nb")
    await move("payments", "bank-4", 422, amount="1", note="a\nb")
    for amount in ("0", "-5"):
        none = await move("payments", "bank-3", 422, amount=amount)
        assert ["amount"] == [each["field"] for each in none["errors"]]
    ledger = await admin.ask("GET", f"/customers/{account.id}/ledger")
    kinds = sorted(each["kind"] for each in ledger["entries"])
    assert ["correction", "correction", "payment", "payment", "refill", "refill"] == kinds
    assert 4_500_000 == (await web.business.account(account)).balance_micros


async def test_lists_are_paged_and_each_thing_stands_on_one_page(
    web: Web, admin: Client, clock: Clock
) -> None:
    accounts = [await web.business.customer(MICROS) for _ in range(5)]
    phone = Channel(web.fastagi_port, clock, accountcode=accounts[0].account_number)
    for _ in range(3):
        await phone.authorize()
        clock.advance(30)
        await phone.settle(10_000)
    for path, name, count in (
        ("/customers", "customers", 5),
        ("/calls", "calls", 3),
        (f"/customers/{accounts[0].id}/calls", "calls", 3),
        (f"/customers/{accounts[0].id}/ledger", "entries", 4),
    ):
        seen, after = [], ""
        while after is not None:
            shown = await admin.ask("GET", path, params={"limit": 2, "after": after})
            seen += [str(each) for each in shown[name]]
            after = shown["next"]
        assert count == len(set(seen)) == len(seen)


@pytest.mark.parametrize(
    ("field", "value", "told"),
    [
        *(
            ("simultaneous_access", each, "must be a whole number")
            for each in ("1.0", "+3", "٣", "3", True, 1.5)
        ),
        *(("run_service", each, "must be true or false") for each in ("y", "yes", "on", 1)),
        ("status", "Active", "must be one of cancelled, "),
        ("payment_type", "POSTPAID", "must be one of prepaid, postpaid"),
        ("restriction", "BLACKLIST", "must be one of none, "),
        ("last_name", 5, "must be a text"),
        ("last_name", "a\0", "must not hold NUL"),
        ("credit_limit", 5, "must be a text"),
        ("balance", "5", "cannot be set: it is changed by refills, payments and corrections"),
        ("colour", "red", "is no field of this request"),
        ("web_login", "x" * 300, "must be 3 to 64 letters"),
        ("callerids", ["442079460000", 5], "must be a text"),
    ],
)
async def test_a_value_of_another_type_or_spelling_than_documented_is_refused_by_its_field(
    web: Web, admin: Client, field: str, value: object, told: str
) -> None:
    account = await web.business.customer()
    for method, path in (("POST", "/customers"), ("PATCH", f"/customers/{account.id}")):
        refused = await admin.ask(method, path, 422, json={field: value})
        assert [field] == [each["field"] for each in refused["errors"]]
        assert refused["errors"][0]["message"].startswith(told)


@pytest.mark.parametrize(
    ("path", "asked"),
    [
        ("/groups", {"name": "offices", "may_call": "y"}),
        ("/series", {"name": "cards", "digits": "7"}),
        ("/trunks", {"name": "way", "dial": "PJSIP/{number}@way", "capacity": "+3"}),
    ],
)
async def test_numbers_and_flags_of_other_things_are_those_of_json_too(
    web: Web, admin: Client, path: str, asked: dict[str, str]
) -> None:
    refused = await admin.ask("POST", path, 422, json=asked)
    assert [list(asked)[-1]] == [each["field"] for each in refused["errors"]]


async def test_other_roles_get_what_is_theirs(web: Web, admin: Client, events: EventLog) -> None:
    await create_group(web.business.pool, "offices")
    own = await web.business.customer(MICROS, group="offices")
    other = await web.business.customer(MICROS)
    await web.operator("bob", Role.RESELLER, group="offices")
    await web.operator("carol", Role.SUPPORT)
    reseller = Client(web.url, await web.token("bob"))
    support = Client(web.url, await web.token("carol"))

    (found,) = (await reseller.ask("GET", "/customers"))["customers"]
    assert own.id == found["id"]
    assert [] == (await reseller.ask("GET", "/customers?group=others"))["customers"]
    for path in ("", "/calls", "/ledger", "/callerids", "/restriction"):
        await reseller.ask("GET", f"/customers/{other.id}{path}", 404)
    await reseller.ask("PATCH", f"/customers/{other.id}", 404, json={"city": "Rome"})
    await reseller.refill(other.id, "a", "5", 404)
    await reseller.refill(own.id, "b", "5")
    theirs = {"group": None, "campaign": "spring", "did_group": "london"}
    credit = {"payment_type": "postpaid", "credit_limit": "1000000", "discount": "99"}
    for name, text in (theirs | credit).items():
        await reseller.ask("PATCH", f"/customers/{own.id}", 403, json={name: text})
        await reseller.ask("POST", "/customers", 403, json={name: text or "others"})
        assert 2 == len(events.of("web.refused", operator="bob", reason=f"sets {name}"))
    await reseller.ask("POST", "/customers", 403, json={"series": "cards"})
    same = {name: found[name] for name in theirs | credit}
    await reseller.ask("PATCH", f"/customers/{own.id}", json={**same, "city": "Rome"})
    for path in ("/rate-cards", "/plans", "/trunks", "/groups", "/series", "/campaigns"):
        await reseller.ask("GET", path, 403)
        await support.ask("GET", path)
    await support.refill(own.id, "c", "5", 403)
    for what in ("payments", "corrections"):
        path, headers = f"/customers/{other.id}/{what}", {"Idempotency-Key": "d"}
        body = {"amount": "5", "direction": "give", "reason": "x"}
        asked = {name: body[name] for name in (("amount",) if what == "payments" else body)}
        hidden = 404 if what == "payments" else 403
        await reseller.ask("POST", path, hidden, json=asked, headers=headers)
        await support.ask("POST", path, 403, json=asked, headers=headers)
    await support.ask("POST", "/customers", 403, json={})
    await support.ask("POST", f"/customers/{own.id}/callerids", 403, json={"number": "44207946"})
    await reseller.ask("POST", f"/customers/{other.id}/callerids", 404, json={"number": "44207946"})
    await support.ask("DELETE", "/groups/offices", 403)
    await support.ask("PATCH", "/trunks/gw", 403, json={"enabled": False})
    assert MICROS == (await web.business.account(other)).balance_micros
    assert events.of("web.refused", operator="bob", account_id=other.id)
    assert 7 == len(events.of("web.refused", operator="carol"))


async def test_callerids_and_the_restriction_of_a_customer_are_resources_of_its_own(
    web: Web, admin: Client
) -> None:
    account = await web.business.customer()
    other = await web.business.customer(callerids=("442079460009",))
    path = f"/customers/{account.id}/callerids"
    given = await admin.ask("POST", path, 201, json={"number": "+442079460001"})
    assert {"number": "442079460001", "active": True} == given
    await admin.ask("POST", path, 422, json={"number": "x"})
    taken = await admin.ask("POST", path, 409, json={"number": "442079460009"})
    assert ["number"] == [each["field"] for each in taken["errors"]]
    wrong = await admin.ask("POST", path, 422, json={"number": "abc"})
    assert ["number"] == [each["field"] for each in wrong["errors"]]
    await admin.ask("PATCH", f"{path}/442079460001", json={"active": False})
    assert [{**given, "active": False}] == await admin.ask("GET", path)
    for method, about in (("PATCH", {"json": {"active": False}}), ("DELETE", {})):
        await admin.ask(method, f"{path}/442079460009", 404, **about)
    await admin.ask("DELETE", f"{path}/442079460001", 204)
    assert [] == await admin.ask("GET", path)
    assert ("442079460009",) == (await web.business.account(other)).callerids

    path = f"/customers/{account.id}/restriction"
    rules = {"restriction": "blacklist", "restricted_numbers": ["4490*", "_44[12]XXXX."]}
    assert rules == await admin.ask("PUT", path, json=rules)
    assert rules == await admin.ask("GET", path)
    await admin.ask("PUT", path, 422, json={**rules, "restriction": "none"})
    await admin.ask("PUT", path, 422, json={**rules, "restricted_numbers": ["_4[2-1]"]})
    assert rules == await admin.ask("GET", path)


async def test_a_sheet_is_compared_then_stored_then_activated(web: Web, admin: Client) -> None:
    head = "prefix,destination,price_per_minute,initial,increment\n"
    path = "/rate-cards/retail/sheet"
    broken = await admin.ask("PUT", path, content=head + "44,UK,x,1,1\n")
    assert [2] == [each["line"] for each in broken["errors"]]
    compared = await admin.ask("PUT", f"{path}?dry_run=true", content=head + "44,UK,0.07,1,1\n")
    assert (1, 2, None) == (
        compared["counts"]["up"], compared["counts"]["removed"], compared["version"]
    )  # fmt: skip
    stored = await admin.ask("PUT", path, content=head + "44,UK,0.07,1,1\n")
    assert 2 == stored["version"]
    await admin.ask("POST", "/rate-cards/retail/versions/2/activate", 204)
    cards = {each["name"]: each["in_force"] for each in await admin.ask("GET", "/rate-cards")}
    assert 2 == cards["retail"]


async def test_a_sheet_says_from_when_it_changes_what(web: Web, admin: Client) -> None:
    head = "prefix,destination,price_per_minute,initial,effective_from,effective_until\n"
    rows = "44,UK,0.07,1,2099-01-01T00:00:00Z,\n33,F,1,1,,2050-12-31\n33,F,1,1,2060-01-01,\n"
    compared = await admin.ask("PUT", "/rate-cards/retail/sheet?dry_run=true", content=head + rows)
    assert {"44": "2099-01-01T00:00:00Z"} == {
        each["prefix"]: each["begins"] for each in compared["changes"] if each["prefix"] == "44"
    }
    assert [{
        "prefix": "33", "begins": "2051-01-01T00:00:00Z", "ends": "2060-01-01T00:00:00Z"
    }] == compared["gaps"]  # fmt: skip


@pytest.mark.timeout(300)
async def test_every_answer_is_a_documented_one_and_none_is_a_fault(
    web: Web, admin: Client, events: EventLog
) -> None:
    await web.business.customer()
    token = await operators.create_token(web.business.pool, "alice", "fuzz", at=web.business.now())
    checks = ("not_a_server_error", "status_code_conformance", "content_type_conformance",
              "response_schema_conformance")  # fmt: skip
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "schemathesis.cli", "run", f"{web.url}/api/v1/openapi.json",
        "--header", f"Authorization: Bearer {token}", "--checks", ",".join(checks),
        "--max-examples", "6", "--phases", "examples,fuzzing", "--seed", "1",
        "--generation-database", "none",
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
    )  # fmt: skip
    output, _ = await process.communicate()
    assert 0 == process.returncode, output.decode()[-6000:]
    assert [] == events.of("web.failed")
