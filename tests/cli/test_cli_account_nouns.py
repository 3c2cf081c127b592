"""What accounts refer to: groups and their defaults, series, DID groups, campaigns."""

import getpass
from collections.abc import Callable

import pytest
from command_line import Finished

Command = Callable[..., Finished]


def ok(done: Finished) -> str:
    assert 0 == done.exit_code, done.err
    return done.out


def test_a_new_customer_of_a_group_is_as_the_group_says_unless_told_otherwise(
    shop: Command,
) -> None:
    ok(
        shop(
            *("group", "create", "offices", "--plan", "standard", "--may-not-top-up"),
            *("--default", "plan=standard", "--default", "language=fr"),
            *("--default", "simultaneous-access=7", "--default", "payment_type=postpaid"),
            *("--default", "credit_limit=50", "--default", "timezone=Europe/Paris"),
        )
    )
    created = shop("customer", "create", "--group", "offices", "--language", "es", "--json").json
    assert {
        "plan": "standard",
        "language": "es",
        "simultaneous_access": 7,
        "payment_type": "postpaid",
        "credit_limit": "50.00",
        "timezone": "Europe/Paris",
    }.items() <= created.items()
    group = shop("group", "show", "offices", "--json").json
    assert (False, True, ["standard"], 1) == (
        group["may_top_up"],
        group["may_self_care"],
        group["plans"],
        group["customers"],
    )
    changed = shop("group", "update", "offices", "--all-plans", "--may-not-call", "--json").json
    assert ([], False, False) == (changed["plans"], changed["may_call"], changed["may_top_up"])
    assert 5 == len(changed["defaults"]) - 1
    refused = shop("group", "delete", "offices")
    assert (1, "agi-server: group offices has customers\n") == (refused.exit_code, refused.err)
    restricted = ("restriction", "add", "--group", "offices", "--restriction", "blacklist")
    assert 2 == shop(*restricted, "49*", "no rule").exit_code
    ok(shop(*restricted, "49*"))
    history = shop("group", "history", "offices", "--limit", "4", "--json").json
    assert [
        ("restricted_numbers", None, "49*"),
        ("restriction", "none", "blacklist"),
        ("plans", "standard", None),
        ("may_call", "yes", "no"),
    ] == [(each["field"], each["old"], each["new"]) for each in history]
    assert {f"cli:{getpass.getuser()}"} == {each["changed_by"] for each in history}


@pytest.mark.parametrize(
    ("default", "expected"),
    [
        ("language=x", "defaults.language: must be a language tag"),
        ("plan=nope", "defaults.plan: there is no call plan nope"),
        ("campaign=nope", "defaults.campaign: there is no campaign nope"),
        ("colour=red", "colour: is no field of an account"),
        ("account_number=1000000009", "account_number: is each customer's own"),
        ("web_password=longenough", "web_password: is each customer's own"),
        ("balance=5", "balance: cannot be set"),
        ("nothing", "must be FIELD=VALUE"),
    ],
)
def test_a_default_that_no_customer_could_have_is_refused(
    agi_server: Command, default: str, expected: str
) -> None:
    done = agi_server("group", "create", "offices", "--default", default)
    assert 2 == done.exit_code
    assert expected in done.err
    assert [] == agi_server("group", "list", "--json").json


def test_serials_are_given_one_after_the_other_each_once(agi_server: Command) -> None:
    ok(agi_server("series", "create", "cards", "--first", "41"))
    ok(agi_server("series", "create", "vouchers", "--digits", "3"))
    serials = [
        agi_server("customer", "create", "--series", name, "--json").json["serial"]
        for name in ("cards", "vouchers", "cards")
    ]
    assert ["0000041", "001", "0000042"] == serials
    (found,) = agi_server("customer", "list", "--search", "0000042", "--json").json
    assert ("cards", "0000042") == (found["series"], found["serial"])
    listed = agi_server("series", "list", "--json").json
    assert [("cards", "0000043", 2), ("vouchers", "002", 1)] == [
        (each["name"], each["next_serial"], each["customers"]) for each in listed
    ]
    assert 1 == agi_server("series", "delete", "cards").exit_code
    assert 1 == agi_server("customer", "create", "--series", "none").exit_code


def test_did_groups_are_created_listed_and_deleted_when_nobody_has_them(
    agi_server: Command,
) -> None:
    ok(agi_server("did-group", "create", "london"))
    ok(agi_server("customer", "create", "--did-group", "london"))
    assert [{"name": "london", "customers": 1, "dids": 0}] == agi_server(
        "did-group", "list", "--json"
    ).json
    assert "customers have the DID group london" in agi_server("did-group", "delete", "london").err
    ok(agi_server("customer", "update", "id:1", "--clear", "did_group"))
    ok(agi_server("did-group", "delete", "london"))
    assert [] == agi_server("did-group", "list", "--json").json
    history = agi_server("did-group", "history", "--json").json
    assert [("london", "london", None), ("london", None, "london")] == [
        (each["name"], each["old"], each["new"]) for each in history
    ]


def test_a_campaign_refills_each_customer_once_and_moves_all_to_another_plan(
    shop: Command,
) -> None:
    ok(shop("campaign", "create", "spring", "--description", "new in March"))
    ok(shop("plan", "create", "night", "--card", "retail"))
    for _ in range(2):
        ok(shop("customer", "create", "--campaign", "spring", "--plan", "standard"))
    ok(shop("customer", "create", "--campaign", "spring", "--status", "cancelled"))
    refill = ("campaign", "refill", "spring", "2.50", "--reference", "gift")
    assert "2 refilled with 2.50, 0 had it already\n" == ok(shop(*refill))
    assert "0 refilled with 2.50, 2 had it already\n" == ok(shop(*refill))
    assert "2 moved to night, 0 had it already\n" == ok(shop("campaign", "plan", "spring", "night"))
    listed = shop("customer", "list", "--campaign", "spring", "--json").json
    assert [("2.50", "night"), ("2.50", "night"), ("0.00", None)] == [
        (each["balance"], each["plan"]) for each in listed
    ]
    history = shop("customer", "history", f"id:{listed[0]['id']}", "--json").json
    assert [("plan", "standard", "night"), ("account", None, "created")] == [
        (each["field"], each["old"], each["new"]) for each in history
    ]
    assert 1 == shop("campaign", "plan", "spring", "none").exit_code
    assert 1 == shop("campaign", "delete", "spring").exit_code
    assert 0 == shop("ledger", "verify").exit_code
