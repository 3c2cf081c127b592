"""Rate sheets, trunks and plans by the command line: what is stored, listed and refused."""

import json
from collections.abc import Callable
from pathlib import Path

from command_line import Finished

Command = Callable[..., Finished]
DEARER = """prefix,destination,price_per_minute,initial,increment
44,United Kingdom,0.09,1,1
4490,United Kingdom premium,1.20,60,60
33,France,0.01,30,6
"""


def versions(command: Command) -> list[tuple[int, bool]]:
    return [(each["version"], each["active"]) for each in command("rates", "list", "--json").json]


def test_an_import_prints_what_changes_and_stays_inactive(shop: Command, tmp_path: Path) -> None:
    (tmp_path / "new.csv").write_text(DEARER)
    done = shop("rates", "import", "new.csv", "--card", "retail")
    assert 0 == done.exit_code
    assert "1 new, 1 up, 1 down, 0 removed, 0 other terms, 0 unchanged" in done.out
    assert [
        "up      44      United Kingdom          0.06 1/1    0.09 1/1",
        "down    4490    United Kingdom premium  1.50 60/60  1.20 60/60",
        "new     33      France                              0.01 30/6",
    ] == done.out.splitlines()[3:6]
    assert "retail: compared with version 1" == done.out.splitlines()[0]
    assert "retail version 2, 3 rates, not active: rates activate makes it so" in done.out
    assert [(2, False), (1, True)] == versions(shop)
    assert "0.06" == shop("rates", "quote", "441", "--json").json["price_per_minute"]

    assert "active" in shop("rates", "activate", "retail").out
    assert [(2, True), (1, False)] == versions(shop)
    assert "0.09" == shop("rates", "quote", "441", "--json").json["price_per_minute"]
    assert 0 == shop("rates", "activate", "retail", "--version", "1").exit_code
    assert [(2, False), (1, True)] == versions(shop)
    assert 1 == shop("rates", "activate", "retail", "--version", "7").exit_code


def test_a_dry_run_stores_nothing(shop: Command, tmp_path: Path) -> None:
    (tmp_path / "new.csv").write_text(DEARER)
    done = shop("rates", "import", "new.csv", "--card", "retail", "--dry-run", "--activate")
    assert "1 new, 1 up, 1 down" in done.out
    assert "dry run: nothing stored" in done.out
    printed = shop("rates", "import", "new.csv", "--card", "retail", "--dry-run", "--json").json
    assert (1, None) == (printed["diff"]["up"], printed["stored"])
    assert [(1, True)] == versions(shop)


def test_all_errors_of_a_sheet_are_named_by_line_and_nothing_is_stored(
    shop: Command, tmp_path: Path
) -> None:
    (tmp_path / "bad.csv").write_text(
        "prefix,destination,price_per_minute,initial,increment\n"
        "44,ok,0.01,1,1\n"
        "4x,bad,0.01,1,1\n"
        "33,bad,free,1,1\n"
        "49,bad,0.01,1,0\n"
    )
    done = shop("rates", "import", "bad.csv", "--card", "retail", "--activate")
    assert 1 == done.exit_code
    assert ["bad.csv:3: prefix", "bad.csv:4: price_per_minute", "bad.csv:5: increment"] == [
        ":".join(line.split(":")[:3]) for line in done.err.splitlines()[:-1]
    ]
    assert "3 errors: nothing stored" == done.err.splitlines()[-1]
    as_json = shop("rates", "import", "bad.csv", "--card", "retail", "--json")
    assert 1 == as_json.exit_code
    assert [3, 4, 5] == [error["line"] for error in json.loads(as_json.out)["errors"]]
    assert [(1, True)] == versions(shop)


def test_what_is_no_sheet_at_all_is_one_line(shop: Command, tmp_path: Path) -> None:
    (tmp_path / "image.csv").write_bytes(b"\x89PNG\r\n\x00\x01")
    (tmp_path / "empty.csv").write_text("prefix,destination,price_per_minute,initial\n")
    for name, expected in (
        ("image.csv", "image.csv:2: not text: has a byte 0\n1 error: nothing stored"),
        ("empty.csv", "empty.csv:1: no rates below the header\n1 error: nothing stored"),
        ("none.csv", "agi-server: none.csv: No such file or directory"),
    ):
        done = shop("rates", "import", name, "--card", "retail")
        assert (1, f"{expected}\n") == (done.exit_code, done.err)


def test_a_card_in_another_currency_or_without_a_trunk_is_told(
    shop: Command, tmp_path: Path
) -> None:
    (tmp_path / "new.csv").write_text(DEARER)
    for more in ([], ["--dry-run"], ["--activate", "--json"]):
        refused = shop("rates", "import", "new.csv", "--card", "retail", "--currency", "EUR", *more)
        told = "agi-server: currency: rate card retail is in USD, not in EUR\n"
        assert (2, "", told) == (refused.exit_code, refused.out, refused.err)
    assert [(1, True)] == versions(shop)
    unrouted = shop("rates", "import", "new.csv", "--card", "other", "--currency", "EUR")
    assert 0 == unrouted.exit_code
    assert "other has no trunk: its calls are refused (no_route)" in unrouted.err


def test_a_plan_says_how_its_customers_dial(shop: Command) -> None:
    london = ("--country", "gb", "--area-code", "20", "--local-digits", "8")
    made = ("plan", "create", "london", "--card", "retail", *london, "--short-codes", "100,77XX")
    assert 0 == shop(*made).exit_code
    quote = ("rates", "quote", "79460000", "--plan", "london")
    assert [
        "dialled 79460000, by the rules of GB",
        "local: added country and area code 4420",
        "the number is 442079460000",
    ] == shop(*quote, "--json").json["steps"][:3]
    assert "kept: short code" in shop("rates", "quote", "7712", "--plan", "london").out
    shop("plan", "update", "london", "--route-order", "lcr")
    (listed, _) = shop("plan", "list", "--json").json
    assert ("GB", "20", [8], ["100", "77XX"]) == tuple(
        listed[name] for name in ("country", "area_code", "local_digits", "short_codes")
    )
    none = shop("plan", "update", "london", "--area-code", "", "--local-digits", "", "--json").json
    assert ("GB", "", [], 2) == (
        none["country"], none["area_code"], none["local_digits"], len(none["short_codes"]),
    )  # fmt: skip
    assert 1 == shop(*quote).exit_code
    for options, part in (
        (("--area-code", "20"), "local_digits: needed with an area code"),
        (("--local-digits", "8"), "area_code: needed"),
        (("--local-digits", "8,x"), "--local-digits"),
        (("--area-code", "2x", "--local-digits", "8"), "area_code: '2x' is not digits"),
        (("--country", "XX"), "country: no dialling rules are known of XX"),
        (("--short-codes", "1-2"), "--short-codes"),
    ):
        refused = shop("plan", "update", "london", *options)
        assert (2, True) == (refused.exit_code, part in refused.err), refused.err
    assert 1 == shop("plan", "update", "none", "--country", "GB").exit_code


def test_trunks_and_plans_are_listed_and_trunks_switched(shop: Command) -> None:
    assert "trunk gw disabled\n" == shop("trunk", "disable", "gw").out
    (listed,) = shop("trunk", "list", "--json").json
    assert {
        "name": "gw",
        "dial": "PJSIP/{number}@gw",
        "enabled": False,
        "strip": "",
        "add_prefix": "",
        "capacity": 0,
    } == listed
    refused = shop("rates", "quote", "44123", "--json")
    assert (1, "no_route") == (refused.exit_code, json.loads(refused.out)["refused"])
    assert "card retail has no trunk in service" in json.loads(refused.out)["steps"]
    assert shop("trunk", "enable", "gw", "--json").json["enabled"]
    (listed,) = shop("plan", "list", "--json").json
    assert {
        "name": "standard",
        "cards": ["retail"],
        "route_order": "priority",
        "sell_price": "first_card",
        "allow_loss": False,
        "packages": [],
        "hold_mode": None,
        "country": None,
        "area_code": "",
        "local_digits": [],
        "short_codes": [],
        "customers": 1,
    } == listed
    for wanted, stored in (("rolling", "rolling"), ("full", "full"), ("default", None)):
        changed = shop("plan", "update", "standard", "--hold-mode", wanted, "--json")
        assert stored == changed.json["hold_mode"]
    bad = shop("trunk", "create", "bad", "--dial", "PJSIP/{number}@a&PJSIP/{number}@b")
    assert 2 == bad.exit_code
    assert "dial: must not contain &" in bad.err


def test_times_and_talks_beyond_all_reckoning_are_wrong_usage(shop: Command) -> None:
    years = "not in the years 1900 to 2999"
    for arguments, part in (
        (("rates", "quote", "441", "--at", "9999-12-31T23:59:59Z"), years),
        (("rates", "activate", "retail", "--at", "0001-01-01"), years),
        (("rates", "quote", "441", "--seconds", "9" * 24), "--seconds"),
        (("rates", "import", "rates.csv", "--card", "x", "--currency", "XXXX"), "three letters"),
        (("rates", "import", "rates.csv", "--card", "x", "--currency", "xxx", "--dry-run"),
         "three letters"),
    ):  # fmt: skip
        done = shop(*arguments)
        assert (2, "", True) == (done.exit_code, done.out, part in done.err), arguments
    assert 0 == shop("rates", "quote", "441", "--at", "2999-12-31").exit_code


def test_terms_that_cannot_be_are_refused(shop: Command) -> None:
    for arguments, field in (
        (("trunk", "update", "gw", "--strip", "4x"), "strip: "),
        (("trunk", "update", "gw", "--add-prefix", "0&1"), "add_prefix: "),
        (("currency", "set", "USD", "1"), "currency: "),
        (("currency", "set", "EUR", "1e3"), "rate: "),
        (("customer", "create", "--country", "XX"), "country: "),
        (("customer", "create", "--discount", "100"), "discount: "),
        (("calls", "rerate", "--from", "2026-01-01", "--to", "2026-02-01", "--apply"), "--reason"),
    ):
        done = shop(*arguments)
        assert 2 == done.exit_code, done
        assert field in done.err
    assert 1 == shop("trunk", "update", "nowhere", "--capacity", "1").exit_code
    assert 1 == shop("plan", "update", "none", "--allow-loss").exit_code
    assert shop("plan", "update", "standard", "--allow-loss", "--json").json["allow_loss"]
    rerated = shop(
        *("calls", "rerate", "--from", "2026-01-01", "--to", "2026-02-01", "--exchange-rates")
    )
    assert (0, "no call comes out differently\n") == (rerated.exit_code, rerated.err)
