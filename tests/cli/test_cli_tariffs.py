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
    refused = shop("rates", "import", "new.csv", "--card", "retail", "--currency", "EUR")
    assert (1, "agi-server: rate card retail is in USD, not in EUR\n") == (
        refused.exit_code,
        refused.err,
    )
    unrouted = shop("rates", "import", "new.csv", "--card", "other", "--currency", "EUR")
    assert 0 == unrouted.exit_code
    assert "other has no trunk: its calls are refused (no_route)" in unrouted.err


def test_a_quote_shows_price_line_by_line_and_the_limit_of_a_credit(shop: Command) -> None:
    quote = shop(
        *("rates", "quote", "+449012345678", "--seconds", "61", "--credit", "4", "--json")
    ).json
    assert {
        "number": "449012345678",
        "card": "retail",
        "currency": "USD",
        "prefix": "4490",
        "price_per_minute": "1.50",
        "routes": ["gw"],
        "dial": ["PJSIP/449012345678@gw"],
        "billed_seconds": 120,
        "cost": "3.00",
        "limit_seconds": 120,
        "lines": [
            {
                "line": "talk",
                "seconds": 120,
                "price_per_minute": "1.50",
                "amount": "3.00",
                "price_currency": "USD",
                "currency": "USD",
            }
        ],
    }.items() <= quote.items()
    assert "United Kingdom premium" in shop("rates", "quote", "449012345678").out


def test_a_quote_by_the_routes_own_prices_says_which_of_them_a_call_does_not_get(
    shop: Command, tmp_path: Path
) -> None:
    header = "prefix,price_per_minute,initial,increment\n"
    for trunk, price in (("cheap", "0.06"), ("dear", "0.60")):
        (tmp_path / "sheet.csv").write_text(f"{header}44,{price},1,1\n")
        assert 0 == shop("trunk", "create", trunk, "--dial", "PJSIP/{number}@x").exit_code
        line = ("rates", "import", "sheet.csv", "--card", trunk, "--trunk", trunk, "--activate")
        assert 0 == shop(*line).exit_code
    cards = ("--card", "cheap", "--card", "dear")
    assert 0 == shop("plan", "create", "own", *cards, "--sell-price", "route").exit_code
    quote = ("rates", "quote", "442079460000", "--plan", "own", "--json")
    all_given = "a call gets those of these routes that its funds pay for as long as the first"
    dropped = "route 2 is not given: the credit does not pay it for "
    for credit, step in (
        ((), all_given),
        (("--credit", "1"), dropped + "1000 s"),
        (("--credit", "0.0001"), dropped + "a second"),
    ):
        assert step in shop(*quote, *credit).json["steps"]
    enough = shop(*quote, "--credit", "1000").json["steps"]
    assert [] == [step for step in enough if "not given" in step or step == all_given]


def test_a_quote_that_cannot_be_gives_the_reason_a_call_would_get(shop: Command) -> None:
    for number, expected in (
        ("15551234", "no_rate: "),
        ("44x", "number_invalid: "),
        ("1", "number_invalid: "),
    ):
        done = shop("rates", "quote", number)
        assert 1 == done.exit_code
        assert done.err.startswith(f"agi-server: {expected}")
    assert 1 == shop("rates", "quote", "44123", "--plan", "none").exit_code
    shop("plan", "create", "other", "--card", "retail")
    unclear = shop("rates", "quote", "44123")
    assert 2 == unclear.exit_code
    assert "other, standard" in unclear.err


def test_a_refused_quote_shows_its_steps_up_to_what_refuses_it(
    shop: Command, tmp_path: Path
) -> None:
    (tmp_path / "more.csv").write_text(
        "prefix,destination,price_per_minute,initial,buy_price_per_minute,blocked\n"
        "44,United Kingdom,0.06,1,0.07,\n4490,Premium,1,1,0,yes\n"
    )
    shop("rates", "import", "more.csv", "--card", "retail", "--activate")
    steps = {}
    for number, why in (
        ("*44x#", "number_invalid: not digits only"),
        ("0033123456789", "no_rate: No rate card of the call plan prices this destination."),
        ("449012345678", "no_rate: card retail blocks the prefix 4490 Premium"),
        (
            "442079460000",
            "no_route: gw costs more than it brings, sold at 0.06 USD (buys_above_sell)",
        ),
    ):
        done = shop("rates", "quote", number)
        assert (1, f"agi-server: {why}\n") == (done.exit_code, done.err)
        assert "cost" not in done.out.split()
        steps[number] = [line.partition(". ")[2] for line in done.out.splitlines()]
        told = json.loads(shop("rates", "quote", number, "--json").out)
        assert (steps[number], why) == (told["steps"], f"{told['refused']}: {told['why']}")
    card, no_country = "card retail version 2: ", "by the rules of no country"
    assert {
        "*44x#": [
            f"dialled *44x#, {no_country}", "trimmed # and *", "no number: not digits only",
            "refused: number_invalid",
        ],
        "0033123456789": [
            f"dialled 0033123456789, {no_country}", "removed international prefix 00",
            "the number is 33123456789", card + "no prefix in force is for this number",
            "refused: no_rate",
        ],
        "449012345678": [
            f"dialled 449012345678, {no_country}", "the number is 449012345678",
            card + "longest prefix 4490 Premium is blocked", "refused: no_rate",
        ],
        "442079460000": [
            f"dialled 442079460000, {no_country}", "the number is 442079460000",
            "plan standard: sell price by first_card, routes by priority",
            card + "longest prefix 44 United Kingdom",
            "not gw, bought by retail at 0.07 USD a minute: costs more than it brings, "
            "sold at 0.06 USD (buys_above_sell)",
            "refused: no_route",
        ],
    } == steps  # fmt: skip


def test_a_refused_quote_tells_a_card_without_a_version_or_a_rate_of_exchange(
    shop: Command, tmp_path: Path
) -> None:
    early = shop("rates", "quote", "442079460000", "--at", "2001-01-01")
    (tmp_path / "later.csv").write_text("Code,Rate,Increments\n33,0.01,1/1\n")
    later = ("--card", "later", "--currency", "EUR", "--activate", "--at", "2098-01-01")
    assert 0 == early.exit_code  # the first version of a card was there always
    shop("rates", "import", "later.csv", *later)
    shop("plan", "create", "abroad", "--card", "later")
    quote = ("rates", "quote", "33123456789", "--plan", "abroad")
    assert "plan abroad: none of its cards has a version in force at 20" in shop(*quote).out
    assert 1 == shop(*quote).exit_code
    customer = shop("customer", "create", "--plan", "abroad", "--json").json["account_number"]
    done = shop(*quote, "--customer", customer, "--at", "2099-01-01")
    assert "longest prefix 33, in EUR, has no exchange rate" in done.out
    assert "agi-server: no_rate: card later is in EUR, which has no exchange rate\n" == done.err


def test_a_quote_knows_emergency_numbers_and_short_codes_as_a_call_does(
    shop: Command, tmp_path: Path
) -> None:
    (tmp_path / "world.csv").write_text("Code,Rate,Increments\n1,0.01,1/1\n116123,0,1/1\n")
    shop("rates", "import", "world.csv", "--card", "retail", "--activate")
    emergency = {"AGI_SERVER_EMERGENCY__NUMBERS": "112"}
    emergency["AGI_SERVER_EMERGENCY__DIAL"] = "PJSIP/{number}@police"
    quote = shop("rates", "quote", "112#", "--json", **emergency).json
    assert (True, "0.00", ["PJSIP/112@police"], 36_000) == (
        quote["emergency"], quote["cost"], quote["dial"], quote["limit_seconds"],
    )  # fmt: skip
    shown = shop("rates", "quote", "112", **emergency).out
    assert "2. 112 is in emergency.numbers: put through for everybody, for nothing" in shown
    assert "116123" == shop("rates", "quote", "116123", "--json").json["prefix"]
    for number in ("112", "100"):
        refused = shop("rates", "quote", number)
        assert 1 == refused.exit_code
        assert f"the number is {number}: only a rate of exactly this number" in refused.out


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


def test_a_quote_explains_each_step_from_what_was_dialled_to_the_price(shop: Command) -> None:
    shop("currency", "set", "EUR", "0.5", "--from", "2020-01-01")
    dial = ("--dial", "PJSIP/{number}@gw-{account_id}")
    shop("trunk", "update", "gw", "--strip", "44", "--add-prefix", "0", *dial)
    shop("plan", "update", "standard", "--route-order", "lcr")
    customer = ("--currency", "EUR", "--discount", "7.5", "--country", "GB", "--plan", "standard")
    created = shop("customer", "create", *customer, "--json").json
    number = created["account_number"]
    done = shop("rates", "quote", "0123456789", "--customer", number, "--seconds", "60")
    assert [
        "1. dialled 0123456789, by the rules of GB",
        "2. national: replaced 0 by country code 44",
        "3. the number is 44123456789",
        "4. plan standard: sell price by first_card, routes by lcr",
        "5. card retail version 1: longest prefix 44 United Kingdom",
    ] == [line for line in done.out.splitlines() if line[:2] in ("1.", "2.", "3.", "4.", "5.")]
    assert "the account's discount is 7.5 %" in done.out
    assert "one USD is 0.5 EUR" in done.out
    quote = shop("rates", "quote", "0123456789", "--customer", number, "--json").json
    assert ("EUR", "0.02775", [f"PJSIP/0123456789@gw-{created['id']}"]) == (
        quote["currency"], quote["cost"], quote["dial"],
    )  # fmt: skip
    # Prices a minute are the card's, amounts the account's: neither may be taken for the other.
    assert ("USD", "0.06") == (quote["card_currency"], quote["price_per_minute"])
    assert ("USD", "0.06", "EUR", "0.03") == tuple(
        quote["lines"][0][name]
        for name in ("price_currency", "price_per_minute", "currency", "amount")
    )
    told = [" ".join(line.split()) for line in done.out.splitlines()]
    for line in (
        "price per minute USD 0.06",
        "cost EUR 0.02775",
        "line seconds price per minute USD amount EUR",
        "talk 60 0.06 0.03",
    ):
        assert line in told


def test_digits_are_taken_off_and_put_before_independently_of_each_other(shop: Command) -> None:
    shop("trunk", "update", "gw", "--strip", "4420", "--add-prefix", "0")
    bought = "route 1: gw, bought by retail at 0.00 USD a minute"
    for number, step in (
        ("442079460000", f"{bought}, 4420 taken off, 0 put before, dials PJSIP/079460000@gw"),
        ("441234567890", f"{bought}, no 4420 to take off, 0 put before, dials PJSIP/0{{}}@gw"),
    ):
        assert step.format(number) in shop("rates", "quote", number, "--json").json["steps"]
    assert "whether anything was" in shop("trunk", "create", "--help").out


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
