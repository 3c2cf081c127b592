from collections.abc import Callable
from typing import Any

import psycopg
import pytest
from command_line import Finished, daemon

Command = Callable[..., Finished]


def test_a_customer_is_created_with_every_option_and_shown(shop: Command) -> None:
    assert 0 == shop("group", "create", "offices").exit_code
    created = shop(
        *("customer", "create", "--json", "--plan", "standard", "--group", "offices"),
        *("--status", "new", "--currency", "EUR", "--payment-type", "postpaid"),
        *("--credit-limit", "5.50", "--refill", "2.5", "--simultaneous-access", "3"),
        *("--calls-per-second", "2", "--max-price-per-minute", "0.9"),
        *("--callerid", "+33123456789", "--callerid", "33123456780"),
        *("--restriction", "whitelist", "--restricted-number", "_33[1-5]X."),
        *("--language", "fr", "--timezone", "Europe/Paris"),
        *("--expiry", "at-date", "--expiry-date", "2030-07-01 23:59:59"),
    ).json
    number = created["account_number"]
    assert 10 == len(number)
    assert number.isdigit()
    shown = shop("customer", "show", number, "--json").json
    assert {**created, "packages": []} == shown
    assert {
        "status": "new",
        "plan": "standard",
        "group": "offices",
        "currency": "EUR",
        "balance": "2.50",
        "held": "0.00",
        "available": "8.00",
        "payment_type": "postpaid",
        "credit_limit": "5.50",
        "in_use": 0,
        "simultaneous_access": 3,
        "calls_per_second": 2,
        "max_price_per_minute": "0.90",
        "locked": False,
        "callerids": ["33123456780", "33123456789"],
        "restriction": "whitelist",
        "restricted_numbers": ["_33[1-5]X."],
        "language": "fr",
        "timezone": "Europe/Paris",
        "expiry": "at_date",
        "expires_at": "2030-07-01T21:59:59.000Z",
    }.items() <= created.items()
    assert "_33[1-5]X." in shop("customer", "show", number).out


def test_the_number_is_masked_unless_the_operator_typed_it(shop: Command) -> None:
    (listed,) = shop("customer", "list", "--json").json
    assert "100*****01" == listed["account_number"]
    by_id = shop("customer", "show", f"id:{listed['id']}", "--json").json
    assert "100*****01" == by_id["account_number"]
    typed = shop("customer", "show", "1000000001", "--json").json
    assert "1000000001" == typed["account_number"]
    everything = shop("customer", "list").out + shop("callerid", "list").out
    everything += shop("calls", "list").out + shop("ledger", "show").out
    assert "1000000001" not in everything


def test_customers_are_listed_by_filter_and_page(shop: Command) -> None:
    shop("customer", "create", "--status", "suspended_litigation")

    def ids(*filters: str) -> list[int]:
        return [each["id"] for each in shop("customer", "list", "--json", *filters).json]

    first, second = ids()
    assert [first] == ids("--plan", "standard")
    assert [first] == ids("--callerid", "442079460000")
    assert [second] == ids("--status", "suspended_litigation")
    assert [second] == ids("--after", str(first))
    assert f"--after {first}" in shop("customer", "list", "--limit", "1").err
    assert "no customers" in shop("customer", "list", "--group", "offices").err


def test_a_refill_with_a_reference_credits_once(shop: Command) -> None:
    refill = ("customer", "refill", "1000000001", "2.50", "--reference", "r1", "--note", "cash")
    assert "refilled 2.50 USD, balance 12.50" in shop(*refill).out
    assert "nothing done, asked before: refilled 2.50 USD, balance 12.50" in shop(*refill).out
    again = shop(*refill, "--json").json
    assert (False, "12.50") == (again["refilled"], again["balance"])
    assert "balance 15.00" in shop(*refill[:4]).out
    newest, cash, creation = shop("ledger", "show", "1000000001", "--json").json
    assert ("2.50", "15.00", "refill") == (newest["amount"], newest["balance"], newest["kind"])
    assert ("cash", "refill:r1") == (cash["note"], cash["movement_id"])
    assert ("10.00", "refills", "customer") == (
        creation["amount"],
        creation["debit"],
        creation["credit"],
    )
    assert newest["created_by"].startswith("cli:")


def test_locking_is_the_customers_own_lock(shop: Command) -> None:
    assert "locked\n" == shop("customer", "lock", "1000000001").out
    assert "locked already\n" == shop("customer", "lock", "1000000001").out
    assert shop("customer", "show", "1000000001", "--json").json["locked"]
    assert "unlocked\n" == shop("customer", "unlock", "1000000001").out


def test_callerids_are_added_switched_and_removed(shop: Command) -> None:
    assert "33123456789 added\n" == shop("callerid", "add", "1000000001", "+33123456789").out
    assert 0 == shop("callerid", "disable", "33123456789").exit_code
    listed = shop("callerid", "list", "1000000001", "--json").json
    assert [("33123456789", False), ("442079460000", True)] == [
        (each["number"], each["active"]) for each in listed
    ]
    assert 0 == shop("callerid", "enable", "33123456789").exit_code
    assert 0 == shop("callerid", "remove", "33123456789").exit_code
    refused = shop("callerid", "add", "1000000001", "442079460000")
    assert (1, "agi-server: number: CallerID 442079460000 belongs to a customer already\n") == (
        refused.exit_code,
        refused.err,
    )


def test_restrictions_of_customers_and_groups(shop: Command) -> None:
    assert 0 == shop("group", "create", "offices", "--may-not-call").exit_code
    for owner in (("--customer", "1000000001"), ("--group", "offices")):
        unclear = shop("restriction", "add", *owner, "4490*")
        assert 1 == unclear.exit_code
        assert "blacklist or a whitelist" in unclear.err
        added = shop("restriction", "add", *owner, "--restriction", "blacklist", "4490*", "_1X.")
        assert "2 added" in added.out
        assert {"restriction": "blacklist", "rules": ["4490*", "_1X."]} == shop(
            "restriction", "list", *owner, "--json"
        ).json
        assert 0 == shop("restriction", "remove", *owner, "4490*").exit_code
        assert 1 == shop("restriction", "remove", *owner, "4490*").exit_code
        assert 2 == shop("restriction", "remove", *owner).exit_code
        assert 0 == shop("restriction", "remove", *owner, "--all").exit_code
        assert {"restriction": "none", "rules": []} == shop(
            "restriction", "list", *owner, "--json"
        ).json
    assert 2 == shop("restriction", "list").exit_code
    (group,) = shop("group", "list", "--json").json
    assert {"name": "offices", "may_call": False, "customers": 0}.items() <= group.items()


@pytest.fixture
def overdue_call(shop: Command, env: dict[str, str], scripts: Any) -> str:
    """A call that was authorized, never settled, and is long past its limit."""
    with daemon(env, scripts) as port:
        played = shop("replay", "authorize.agi", "--to", f"127.0.0.1:{port}")
        assert 0 == played.exit_code, played.out + played.err
        (call,) = shop("calls", "live", "--json").json
    with psycopg.connect(env["AGI_SERVER_POSTGRES__DSN"], autocommit=True) as connection:
        connection.execute(
            "UPDATE call_session SET authorized_at = now() - interval '3 h',"
            " expires_at = now() - interval '1 h'"
        )
    return str(call["call_id"])


def test_reset_in_use_ends_what_is_past_its_limit_when_confirmed(
    shop: Command, overdue_call: str
) -> None:
    asked = shop("customer", "reset-in-use", "1000000001", answer="n\n")
    assert 1 == asked.exit_code
    assert "1 calls in progress, 1 of them over" in asked.out
    assert 1 == shop("customer", "show", "1000000001", "--json").json["in_use"]

    done = shop(
        "customer", "reset-in-use", "1000000001", answer="y\n", AGI_SERVER_LOG__LEVEL="info"
    )
    assert (0, True) == (done.exit_code, "ended 1" in done.out), done.err
    assert '"field":"in_use","value":"0","by":"cli:' in done.err
    account = shop("customer", "show", "1000000001", "--json").json
    assert (0, "0.00") == (account["in_use"], account["held"])
    call = shop("calls", "show", overdue_call, "--json").json
    assert ("settled", "orphan") == (call["state"], call["witness"])
    assert 0 == shop("ledger", "verify").exit_code


def test_reset_in_use_leaves_calls_within_their_limit_alone(
    shop: Command, env: dict[str, str], scripts: Any
) -> None:
    with daemon(env, scripts) as port:
        shop("replay", "authorize.agi", "--to", f"127.0.0.1:{port}")
        reset = shop("customer", "reset-in-use", "1000000001", "--yes")
    assert (0, "1 calls in progress, 0 of them over\n") == (
        reset.exit_code,
        reset.out,
    )
    assert 1 == shop("customer", "show", "1000000001", "--json").json["in_use"]
