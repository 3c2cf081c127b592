import json
from pathlib import Path
from typing import Any

import pytest

from rating.a2billing import A2BILLING_RULES, price_lines, rate_of_fields
from rating.money import parse_money
from rating.price import price_micros

VECTORS = Path(__file__).parents[2] / "rating_vectors" / "rating-vectors.jsonl"
LINES = VECTORS.read_text().splitlines()
CASES: list[dict[str, Any]] = [json.loads(line) for line in LINES]
ANSWERS: list[dict[str, Any]] = [json.loads(answer) for answer in price_lines(LINES)]
PEER_ERRS = {"limit_costs_more_than_credit", "peer_forgets_rest"}


def ask(**fields: object) -> dict[str, Any]:
    [answer] = price_lines([json.dumps({"rateinitial": "0.60", **fields})])
    return json.loads(answer)  # type: ignore[no-any-return]


def test_every_cost_is_the_peers_to_the_last_of_six_places() -> None:
    cases = [pair for pair in zip(CASES, ANSWERS, strict=True) if "cost" in pair[0]["expected"]]
    assert 800 == len(cases)
    for case, answer in cases:
        expected = case["expected"]
        assert (case["id"], expected["cost"], expected["billed_seconds"], None) == (
            answer["id"],
            answer["cost"],
            answer["billed_seconds"],
            answer["max_seconds"],
        )
        bought = parse_money(expected["buy_cost"][:-6])
        assert abs(bought - parse_money(answer["buy_cost"])) <= 1


def test_every_limit_is_the_peers_unless_the_peer_errs_and_always_the_exact_inverse() -> None:
    cases = [pair for pair in zip(CASES, ANSWERS, strict=True) if "credit" in pair[0]["in"]]
    assert 200 == len(cases)
    for case, answer in cases:
        fields, peer, limit = (
            case["in"],
            case["expected"]["peer_max_seconds"],
            answer["max_seconds"],
        )
        credit = parse_money(fields["credit"])
        rate = rate_of_fields("0", {k: v for k, v in fields.items() if "credit" not in k})
        if str(peer).startswith("ERROR"):
            assert (case["id"], 0, "no_credit") == (case["id"], limit, answer["refused"])
        elif not PEER_ERRS & set(case["tags"]):
            assert (case["id"], peer) == (case["id"], limit)
        if limit:
            assert "refused" not in answer
            assert price_micros(rate, limit, rules=A2BILLING_RULES) <= credit
        if fields["min_credit_2call"] * 1_000_000 <= credit:
            assert credit < price_micros(rate, limit + 1, rules=A2BILLING_RULES)


def test_a_flat_line_is_answered_like_a_nested_one() -> None:
    flat = [json.dumps({"id": case["id"], **case["in"]}) for case in CASES]
    assert ANSWERS == [json.loads(answer) for answer in price_lines(flat)]


def test_what_was_not_asked_for_is_null() -> None:
    assert {
        "id": None,
        "cost": "0.600000",
        "buy_cost": "0.000000",
        "billed_seconds": 60,
        "max_seconds": None,
    } == ask(duration=60)
    asked = ask(credit="1.00", duration=None)
    keys = ("cost", "buy_cost", "billed_seconds", "max_seconds")
    assert (None, None, None, 100) == tuple(asked[key] for key in keys)


def test_the_first_stage_is_reached_by_the_answer() -> None:
    staged = {"chargea": "0.05", "timechargea": 10, "stepchargea": "0.06", "duration": 0}
    assert "0.370000" == ask(connectcharge="0.31", **staged)["cost"]
    assert "0.060000" == ask(chargeb="0.05", timechargeb=10, stepchargeb="1", **staged)["cost"]


def test_a_call_that_costs_nothing_is_limited_to_ninety_minutes() -> None:
    assert 5_400 == ask(rateinitial="0", credit="0")["max_seconds"]


@pytest.mark.parametrize("credit", ["-1.00", "0.4999", 0])
def test_credit_below_the_least_is_refused(credit: object) -> None:
    answer = ask(credit=credit, min_credit_2call=0.5)
    assert (0, "no_credit") == (answer["max_seconds"], answer["refused"])


def test_credit_of_exactly_the_least_is_enough() -> None:
    assert 50 == ask(credit="0.5", min_credit_2call=0.5)["max_seconds"]


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("{", "line 1: not JSON"),
        ("[]", "line 1: not a JSON object"),
        ("[" * 100_000, "line 1: not JSON"),
        ('{"id": 1}', "rateinitial: missing"),
        ('{"rateinitial": "1"}', "duration: missing"),
        ('{"rateinitial": "1", "duration": -1}', "duration: -1 is not"),
        ('{"rateinitial": "1", "duration": 1.5}', "duration: '1.5' is not"),
        ('{"rateinitial": "1", "duration": true}', "duration: True is not"),
        ('{"rateinitial": "1e3", "duration": 1}', "rateinitial: '1e3' is not"),
        ('{"rateinitial": [], "duration": 1}', "rateinitial: [] is not"),
        ('{"rateinitial": "-1", "duration": 1}', "rateinitial: '-1' is negative"),
        ('{"rateinitial": "1", "duration": 1, "colour": 1}', "colour: unknown"),
        ('{"in": 7}', "in: not a JSON object"),
        ('{"rateinitial": "1", "duration": 99999999999999999999}', "duration: "),
    ],
)
def test_a_line_that_cannot_be_read_says_why_and_stops_nothing(line: str, message: str) -> None:
    good = '{"rateinitial": "1", "duration": 60}'
    bad, fine = (json.loads(answer) for answer in price_lines([line, good]))
    assert message in bad["error"]
    assert (None, "1.000000") == (bad["cost"], fine["cost"])
