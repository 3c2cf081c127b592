"""A customer from creation, alone or with a thousand others, through changes to deletion."""

import csv
import re
import stat
from collections.abc import Callable
from pathlib import Path

import psycopg
import pytest
from command_line import Finished

Command = Callable[..., Finished]


CREATED = ("account", None, "created")


def history(shop: Command, *options: str) -> list[tuple[str, ...]]:
    done = shop("customer", "history", "1000000001", "--json", *options)
    return [(each["field"], each["old"], each["new"]) for each in done.json]


def test_an_update_changes_what_is_named_and_keeps_who_changed_what_from_what(
    shop: Command,
) -> None:
    update = ("customer", "update", "1000000001", "--json")
    changed = shop(
        *update,
        *("--last-name", "Dupont", "--country", "fr", "--phone", "01 23 45 67 89"),
        *("--vat", "5.5", "--mac-address", "0008.744c.7f1d", "--no-mail-permitted"),
        *("--callerid", "33123456789", "--callerid", "442079460000", "--lock-pin", "4711"),
    ).json
    expected = {
        "last_name": (None, "Dupont"),
        "country": (None, "FR"),
        "phone": (None, "+33123456789"),
        "mail_permitted": ("yes", "no"),
        "mac_address": (None, "00-08-74-4C-7F-1D"),
        "vat": ("0", "5.5"),
        "callerids": ("442079460000", "33123456789, 442079460000"),
        "lock_pin": (None, "(secret)"),
    }
    assert expected == {each["field"]: (each["old"], each["new"]) for each in changed}
    assert [] == shop(*update, "--vat", "5.5").json
    shop(*update, "--clear", "phone", "--clear", "callerids")
    assert [("callerids", "33123456789, 442079460000", None), ("phone", "+33123456789", None)] == (
        history(shop)[:2]
    )
    assert [("vat", "0", "5.5")] == history(shop, "--field", "vat")
    assert "4711" not in shop("customer", "history", "1000000001").out
    assert "noted\n" == shop("customer", "note", "1000000001", "asked for a discount").out
    newest, *_ = shop("customer", "history", "1000000001", "--json").json
    assert "asked for a discount" == newest["note"]
    assert newest["by"].startswith("cli:")


def test_why_the_status_was_changed_and_the_customer_deleted_stands_in_the_history(
    shop: Command,
) -> None:
    update = ("customer", "update", "1000000001")
    shop(*update, "--status", "suspended", "--reason", "invoice 12 is unpaid")
    shop(*update, "--status", "active")
    for wrong in ("two\nlines", "x" * 201):
        done = shop(*update, "--status", "expired", "--reason", wrong)
        assert (2, True) == (done.exit_code, "agi-server: reason: " in done.err)
        done = shop("customer", "delete", "1000000001", "--yes", "--reason", wrong)
        assert (2, True) == (done.exit_code, "agi-server: reason: " in done.err)
    shop("customer", "delete", "1000000001", "--yes", "--reason", "moved to another carrier")
    told = shop("customer", "history", "1000000001", "--field", "status", "--json").json
    assert [
        ("cancelled", "moved to another carrier"),
        ("active", None),
        ("suspended", "invoice 12 is unpaid"),
    ] == [(each["new"], each["reason"]) for each in told]
    assert "moved to another carrier" in shop("customer", "history", "1000000001").out
    shop("customer", "erase", "1000000001", "--yes")
    told = shop("customer", "history", "1000000001", "--field", "status", "--json").json
    assert [None] * 3 == [each["reason"] for each in told]


def test_everything_that_is_wrong_is_told_at_once_and_nothing_is_changed(shop: Command) -> None:
    before = shop("customer", "show", "1000000001", "--json").json
    done = shop(
        *("customer", "update", "1000000001", "--email", "nobody", "--vat", "100"),
        *("--credit-limit", "5", "--country", "XX", "--city", "Paris", "--expiry", "at-date"),
        *("--invoice-day", "29", "--web-password", "1000000001", "--mac-address", "00-08"),
    )
    assert 2 == done.exit_code
    named = re.findall(r"^agi-server: (\w+): ", done.err, re.MULTILINE)
    assert [
        *("country", "credit_limit", "email", "expiry_date", "invoice_day", "mac_address"),
        *("vat", "web_password"),
    ] == sorted(named)
    assert before == shop("customer", "show", "1000000001", "--json").json
    assert [CREATED] == history(shop)


@pytest.mark.parametrize(
    ("option", "text"),
    [
        *(("--simultaneous-access", each) for each in ("1.0", "+3", "٣", "true")),
        ("--status", "Active"),
        ("--payment-type", "POSTPAID"),
        ("--restriction", "BLACKLIST"),
    ],
)
def test_a_value_of_another_spelling_than_documented_is_refused(
    shop: Command, option: str, text: str
) -> None:
    before = shop("customer", "show", "1000000001", "--json").json
    done = shop("customer", "update", "1000000001", option, text)
    assert (2, True) == (done.exit_code, option.strip("-").replace("-", "_") in
                         done.err.replace("-", "_"))  # fmt: skip
    assert before == shop("customer", "show", "1000000001", "--json").json


@pytest.mark.parametrize(
    ("option", "expected"),
    [
        (("--balance", "5"), "No such option"),
        (("--currency", "EUR"), "No such option"),
        (("--account-number", "2000000002"), "No such option"),
        (("--web-login", "taken"), "web_login: belongs to a customer already"),
        (("--mac-address", "00-08-74-4C-7F-1D"), "mac_address: belongs to a customer already"),
        (
            ("--callerid", "33123456789"),
            "callerids: CallerID 33123456789 belongs to a customer already",
        ),
        (("--plan", "none"), "plan: there is no call plan none"),
        (("--group", "none"), "group: there is no group none"),
        (("--presented-callerid", "33123456789"), "must be one of the account's CallerIDs"),
        ((), "name at least one field to change"),
    ],
)
def test_what_is_taken_unknown_or_not_to_be_changed_is_refused(
    shop: Command, option: tuple[str, ...], expected: str
) -> None:
    other = ("--web-login", "taken", "--mac-address", "00-08-74-4C-7F-1D", "--callerid")
    assert 0 == shop("customer", "create", *other, "33123456789").exit_code
    done = shop("customer", "update", "1000000001", *option)
    assert done.exit_code in (1, 2)
    assert expected in done.err
    assert [CREATED] == history(shop)


def test_a_credit_limit_cannot_fall_below_what_is_used(shop: Command, env: dict[str, str]) -> None:
    postpaid = ("customer", "update", "1000000001", "--payment-type", "postpaid")
    assert 0 == shop(*postpaid, "--credit-limit", "50").exit_code
    with psycopg.connect(env["AGI_SERVER_POSTGRES__DSN"], autocommit=True) as connection:
        connection.execute("UPDATE account SET held_micros = 30000000")
    done = shop("customer", "update", "1000000001", "--credit-limit", "19.99")
    assert (1, True) == (done.exit_code, "credit_limit: the balance and the calls" in done.err)
    assert 0 == shop("customer", "update", "1000000001", "--credit-limit", "20").exit_code


def test_a_customer_is_found_by_what_an_operator_remembers(shop: Command) -> None:
    shop("series", "create", "cards", "--first", "817")
    shop(
        *("customer", "create", "--last-name", "Dupont-Moretti", "--first-name", "Anne"),
        *("--email", "anne@example.com", "--country", "FR", "--phone", "01 23 45 67 89"),
        *("--fax", "01 34 56 78 90"),
        *("--callerid", "33199999999", "--mac-address", "00:08:74:4C:7F:1D", "--series", "cards"),
        *("--company-name", "O'Hara & Sons", "--city", "Paris", "--account-number", "2000000002"),
    )

    def found(text: str) -> list[str]:
        listed = shop("customer", "list", "--search", text, "--json").json
        return [each["account_number"] for each in listed]

    anne = "200*****02"
    for text in (
        *("dupont", "DUPONT-M", "moretti anne", "anne@ex", "example.com", "o'hara", "paris anne"),
        *(
            "+33 1 23 45 67 89",
            "331234",
            "33134567",
            "33199",
            "0000817",
            "00-08-74-4c",
            "0008744C7F1D",
        ),
        "2000000002",
    ):
        assert [anne] == found(text), text
    # A part of an account number finds nobody: a search must not help to guess it.
    for text in ("200000000", "dupond", "anne dupond", "' | ''", "\\", "000081"):
        assert anne not in found(text) or text == "000081", text
    assert 2 == len(found(""))


def test_a_deleted_customer_is_cancelled_and_gives_back_all_but_its_number(shop: Command) -> None:
    shop("customer", "update", "1000000001", "--mac-address", "00-08-74-4C-7F-1D", "--create-sip")
    asked = shop("customer", "delete", "1000000001", answer="n\n")
    assert (1, "active") == (
        asked.exit_code,
        shop("customer", "show", "1000000001", "--json").json["status"],
    )
    assert "deleted" in shop("customer", "delete", "1000000001", answer="y\n").out
    account = shop("customer", "show", "1000000001", "--json").json
    assert ("cancelled", [], None, False, "10.00") == tuple(
        account[name] for name in ("status", "callerids", "mac_address", "create_sip", "balance")
    )
    for verb in (
        ("phone", "create"),
        ("customer", "lock"),
        ("customer", "refill", "5"),
        ("customer", "pay", "--refill", "5"),
    ):
        refused = shop(*verb[:2], "1000000001", *verb[2:])
        assert (1, "agi-server: this customer was deleted\n") == (refused.exit_code, refused.err)
    again = shop("customer", "create", "--account-number", "1000000001")
    assert (1, True) == (again.exit_code, "belongs to a customer already" in again.err)
    other = ("--mac-address", "00-08-74-4C-7F-1D", "--callerid", "442079460000")
    assert 0 == shop("customer", "create", *other).exit_code
    assert 0 == shop("ledger", "verify").exit_code


def test_an_erased_person_is_nowhere_and_the_ledger_stays(
    shop: Command, env: dict[str, str]
) -> None:
    person = ("--last-name", "Dupont", "--email", "dupont@example.com", "--web-login", "dupont")
    shop("customer", "update", "1000000001", *person)
    shop("customer", "update", "1000000001", "--last-name", "Dupont-Moretti")
    shop("customer", "note", "1000000001", "Mrs Dupont called")
    assert "erased" in shop("customer", "erase", "1000000001", "--yes").out
    shown = shop("customer", "show", "1000000001", "--json")
    assert "dupont" not in shown.out.lower()
    assert "10.00" == shown.json["balance"]
    with psycopg.connect(env["AGI_SERVER_POSTGRES__DSN"], autocommit=True) as connection:
        for table in ("account", "customer", "account_audit", "account_note"):
            rows = connection.execute(f"SELECT * FROM {table}").fetchall()  # noqa: S608
            assert "dupont" not in repr(rows).lower(), table
    assert ("person", None, "erased") == history(shop)[0]
    assert 0 == shop("ledger", "verify").exit_code


def test_everything_that_is_wrong_with_a_change_is_told_at_once(shop: Command) -> None:
    wrong = ("--email", "x", "--vat", "x", "--country", "XX", "--discount", "200")
    done = shop("customer", "update", "1000000001", *wrong)
    told = [line.split(": ")[1] for line in done.err.splitlines()]
    assert (2, {"email", "vat", "country", "discount"}) == (done.exit_code, set(told))
    assert [CREATED] == history(shop)


def test_a_thousand_customers_are_created_from_a_file_with_generated_numbers(
    shop: Command, tmp_path: Path
) -> None:
    shop("series", "create", "cards")
    lines = [f"Name{number},{number}.50" for number in range(1000)]
    (tmp_path / "new.csv").write_text("\n".join(["last_name,refill", *lines]))
    create = ("customer", "create", "--from", "new.csv", "--plan", "standard", "--series", "cards")
    done = shop(*create, "--result", "numbers.csv")
    assert (0, "1000 customers created\n") == (done.exit_code, done.err)
    result = tmp_path / "numbers.csv"
    assert 0o600 == stat.S_IMODE(result.stat().st_mode)
    rows = list(csv.DictReader(result.open()))
    assert 1000 == len({row["account_number"] for row in rows})
    assert [f"{number:07}" for number in range(1, 1001)] == [row["serial"] for row in rows]
    last = shop("customer", "show", rows[-1]["account_number"], "--json").json
    assert ("Name999", "999.50", "standard") == (last["last_name"], last["balance"], last["plan"])
    assert 2 == shop(*create, "--result", "numbers.csv").exit_code
    assert 0 == shop("ledger", "verify").exit_code


def test_a_file_with_mistakes_creates_nobody_and_names_all_of_them_by_line(
    shop: Command, tmp_path: Path
) -> None:
    (tmp_path / "new.csv").write_text(
        "account_number,email,phone,callerids,refill,group\n"
        "2000000002,ann@example.com,,33111111111,5,\n"
        "12,nobody,,,5,nope\n"
        "2000000003,,,33111111111,,\n"
        "1000000001,,,,,\n"
        ",,12345,,many,\n"
        "2000000004,x\n"
    )
    done = shop("customer", "create", "--from", "new.csv")
    assert 1 == done.exit_code
    told = [tuple(line.split(": ")[:2]) for line in done.err.splitlines()]
    assert [
        ("new.csv:3", "account_number"),
        ("new.csv:3", "email"),
        ("new.csv:3", "group"),
        ("new.csv:4", "callerids"),
        ("new.csv:5", "account_number"),
        ("new.csv:6", "phone"),
        ("new.csv:6", "refill"),
        ("new.csv:7", "has not as many cells as the header"),
        ("agi-server", "nobody was created"),
    ] == told
    assert "1000000001" not in done.err
    assert 1 == len(shop("customer", "list", "--json").json)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", "the file is empty"),
        ("last_name\n", "there is no customer"),
        ("last_name,colour\nx,red\n", "new.csv:1: colour: is no field of an account"),
        ("last_name,last_name\nx,y\n", "a column stands twice"),
        ("last_name,city\nx\n", "new.csv:2: has not as many cells"),
        ("balance\n5\n", "new.csv:1: balance: is no field"),
    ],
)
def test_what_is_no_file_of_customers_is_refused(
    agi_server: Command, tmp_path: Path, text: str, expected: str
) -> None:
    (tmp_path / "new.csv").write_text(text)
    done = agi_server("customer", "create", "--from", "new.csv")
    assert 1 == done.exit_code
    assert expected in done.err


def test_a_drawn_password_is_shown_once_and_kept_as_a_hash(
    agi_server: Command, env: dict[str, str]
) -> None:
    created = agi_server("customer", "create", "--generate-password", "--json").json
    assert 12 == len(created["web_password"])
    assert created["web_password"] not in agi_server("customer", "show", "id:1", "--json").out
    with psycopg.connect(env["AGI_SERVER_POSTGRES__DSN"], autocommit=True) as connection:
        ((stored,),) = connection.execute("SELECT web_password_hash FROM customer").fetchall()
    assert stored.startswith("$argon2id$")
    assert created["web_password"] not in stored


def test_numbers_have_a_check_digit_where_the_setting_wants_one(agi_server: Command) -> None:
    luhn = {"AGI_SERVER_ACCOUNTS__NUMBER_LUHN": "true"}
    for _ in range(3):
        number = agi_server("customer", "create", "--json", **luhn).json["account_number"]
        doubled = [int(digit) * (2 if at % 2 else 1) for at, digit in enumerate(reversed(number))]
        assert 0 == sum(value - 9 if value > 9 else value for value in doubled) % 10
    refused = agi_server("customer", "create", "--account-number", "1000000001", **luhn)
    assert (2, True) == (refused.exit_code, "check digit" in refused.err)
    assert 0 == agi_server("customer", "create", "--account-number", "1000000008", **luhn).exit_code


def test_a_whole_mail_address_finds_its_owner_alone(shop: Command) -> None:
    for name in ("c", "n5", "n50", "cy.com"):
        shop("customer", "create", "--email", f"{name}@example.com")

    def found(text: str) -> list[str]:
        listed = shop("customer", "list", "--search", text, "--json").json
        ids = [str(each["id"]) for each in listed]
        return [shop("customer", "show", f"id:{each}", "--json").json["email"] for each in ids]

    for whole in ("c@example.com", "N5@example.com", "n50@example.com"):
        assert [whole.lower()] == found(whole)
    assert ["n5@example.com", "n50@example.com"] == found("n5")
    assert ["c@example.com"] == found("c@exam")
