"""`rates quote`: what a call would cost, by which steps, and why it would be refused."""

import json
from collections.abc import Callable
from pathlib import Path

from command_line import Finished

Command = Callable[..., Finished]


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
    ):
        assert step in shop(*quote, *credit).json["steps"]
    refused = shop(*quote, "--credit", "0.0001")
    assert (1, "no_credit") == (refused.exit_code, json.loads(refused.out)["refused"])
    assert dropped + "a second" in json.loads(refused.out)["steps"]
    enough = shop(*quote, "--credit", "1000").json["steps"]
    assert [] == [step for step in enough if "not given" in step or step == all_given]


def test_a_quote_by_the_routes_own_prices_is_that_of_the_first_route_a_call_gets(
    shop: Command, tmp_path: Path
) -> None:
    """Routes in the order of what they cost to buy; the first takes a fee to connect."""
    for trunk, row in (("free", "44,0.30,0.02,0,60,6"), ("fee", "4420,0.25,0.01,5,1,1")):
        header = "prefix,price_per_minute,buy_price_per_minute,connection_fee,initial,increment"
        (tmp_path / "sheet.csv").write_text(f"{header}\n{row}\n")
        assert 0 == shop("trunk", "create", trunk, "--dial", "PJSIP/{number}@x").exit_code
        line = ("rates", "import", "sheet.csv", "--card", trunk, "--trunk", trunk, "--activate")
        assert 0 == shop(*line).exit_code
    cards = ("--card", "free", "--card", "fee", "--route-order", "lcr")
    assert 0 == shop("plan", "create", "own", *cards, "--sell-price", "route").exit_code
    quote = ("rates", "quote", "442079460000", "--plan", "own", "--seconds", "60", "--json")
    for credit, card, prefix, cost, routes in (
        ((), "fee", "4420", "5.25", ["fee", "free"]),
        (("--credit", "1"), "free", "44", "0.30", ["free"]),
    ):
        told = shop(*quote, *credit).json
        assert (card, 1, prefix, cost, routes) == (
            told["card"], told["version"], told["prefix"], told["cost"], told["routes"],
        )  # fmt: skip
        sold = [step for step in told["steps"] if " is tried first" in step]
        assert 1 == len(sold)
        assert f"sold by card {card} version 1, prefix {prefix}" in sold[0]


def test_a_quote_of_a_call_that_its_credit_does_not_pay_is_refused_as_the_call(
    shop: Command,
) -> None:
    refused = shop("rates", "quote", "449012345678", "--credit", "0.01", "--json")
    assert (1, "no_credit") == (refused.exit_code, json.loads(refused.out)["refused"])


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
