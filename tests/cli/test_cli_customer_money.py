"""Money by hand: credit given, money received, corrections; each once by its reference."""

from collections.abc import Callable
from typing import Any

import pytest
from command_line import Finished

Command = Callable[..., Finished]
ACCOUNT = "1000000001"


def balance(shop: Command) -> Any:
    return shop("customer", "show", ACCOUNT, "--json").json["balance"]


def totals(shop: Command) -> dict[str, tuple[str, str]]:
    """By side of the ledger: what went from it and to it."""
    shown = shop("ledger", "totals", ACCOUNT, "--json").json
    return {each["account"]: (each["from"], each["to"]) for each in shown}


def test_a_payment_is_recorded_once_and_leaves_the_balance(shop: Command) -> None:
    pay = ("customer", "pay", ACCOUNT, "4", "--reference", "bank-1", "--json")
    assert {"paid": True, "balance": "10.00"}.items() <= shop(*pay).json.items()
    assert {"paid": False, "balance": "10.00"}.items() <= shop(*pay).json.items()
    assert {"refills": ("10.00", "4.00"), "payments": ("4.00", "0.00")}.items() <= totals(
        shop
    ).items()
    assert 0 == shop("ledger", "verify").exit_code


def test_a_payment_with_a_refill_does_what_is_missing_of_both(shop: Command) -> None:
    pay = ("customer", "pay", ACCOUNT, "4", "--reference", "bank-1", "--json")
    assert shop(*pay).json["paid"]
    both = shop(*pay, "--refill").json
    assert (False, True, "14.00") == (both["paid"], both["refilled"], both["balance"])
    again = shop(*pay, "--refill").json
    assert (False, False, "14.00") == (again["paid"], again["refilled"], again["balance"])


def test_a_correction_goes_both_ways_once_and_keeps_its_reason(shop: Command) -> None:
    take = ("customer", "correct", ACCOUNT, "--take", "3", "--reason", "refilled twice")
    assert "balance 7.00" in shop(*take, "--reference", "t-1").out
    assert "nothing done" in shop(*take, "--reference", "t-1").out
    give = ("customer", "correct", ACCOUNT, "--give", "0.5", "--reason", "dropped call")
    assert "balance 7.50" in shop(*give).out
    assert ("0.50", "3.00") == totals(shop)["corrections"]
    notes = [entry["note"] for entry in shop("ledger", "show", ACCOUNT, "--json").json]
    assert {"refilled twice", "dropped call"} <= set(notes)
    assert 0 == shop("ledger", "verify").exit_code


def test_no_more_is_taken_than_is_available(shop: Command) -> None:
    take = ("customer", "correct", ACCOUNT, "--reason", "x", "--take")
    refused = shop(*take, "10.000001")
    assert (1, True) == (refused.exit_code, "less than 10.000001 available" in refused.err)
    assert "10.00" == balance(shop)
    assert 0 == shop(*take, "10").exit_code
    assert "0.00" == balance(shop)


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (("pay", ACCOUNT, "0"), "greater than 0"),
        (("pay", ACCOUNT, "1", "--reference", "a b"), "--reference"),
        (("pay", ACCOUNT, "1", "--reference", "x" * 101), "--reference"),
        (("correct", ACCOUNT, "--give", "1"), "--reason"),
        (("correct", ACCOUNT, "--give", "1", "--reason", " "), "--reason"),
        (("correct", ACCOUNT, "--reason", "x"), "--give and --take"),
        (("correct", ACCOUNT, "--give", "1", "--take", "1", "--reason", "x"), "--give and --take"),
        (("refill", ACCOUNT, "-1"), ""),
    ],
)
def test_what_makes_no_sense_is_wrong_usage_and_changes_nothing(
    shop: Command, arguments: tuple[str, ...], named: str
) -> None:
    done = shop("customer", *arguments)
    assert (2, True) == (done.exit_code, named in done.err)
    assert "10.00" == balance(shop)


def test_a_reference_used_for_another_amount_is_refused(shop: Command) -> None:
    refill = ("customer", "refill", ACCOUNT, "--reference", "r-1")
    assert 0 == shop(*refill, "1").exit_code
    again = shop(*refill, "2")
    assert (1, True) == (again.exit_code, "another amount: 1.00" in again.err)
    assert "11.00" == balance(shop)
