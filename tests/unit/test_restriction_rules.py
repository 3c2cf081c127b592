import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agi_server.accounts.restriction_rules import RestrictionRuleError, check_rule, matches


@pytest.mark.parametrize(
    ("rule", "number", "expected"),
    [
        ("442079460000", "442079460000", True),
        ("442079460000", "4420794600001", False),
        ("442079460000", "44207946000", False),
        ("4420*", "442079460000", True),
        ("4420*", "4420", True),
        ("4420*", "4421", False),
        ("_44[12]XXXX.", "4427946000", True),
        ("_44[12]XXXX.", "44179460", True),
        ("_44[12]XXXX.", "4417946", False),
        ("_44[12]XXXX.", "4437946000", False),
        ("_44!", "44", True),
        ("_44!", "4411", True),
        ("_44.", "44", False),
        ("_[1-35]Z", "51", True),
        ("_[1-35]Z", "41", False),
        ("_[1-35]Z", "10", False),
        ("_N", "1", False),
        ("_N", "2", True),
        ("_00X.", "0044", True),
        ("_+44X", "+441", True),
        ("_*21#", "*21#", True),
        ("_X.", "1\n2", True),
        ("442079460000", "", False),
        ("_X", "٣", False),
    ],
)
def test_a_rule_covers_exactly_its_numbers(rule: str, number: str, expected: bool) -> None:
    assert expected is matches(check_rule(rule), number)


@pytest.mark.parametrize(
    ("typed", "stored"),
    [(" 4420* ", "4420*"), ("+442079", "442079"), ("_44x.", "_44X."), ("_nz", "_NZ")],
)
def test_rules_are_stored_in_one_spelling(typed: str, stored: str) -> None:
    assert stored == check_rule(typed)


REFUSED = ["", "*", "_", "abc", "44 20", "44**", "*44", "4" * 16, "٣٣", "_44A", "_44.5", "_44!5"]
REFUSED += ["_[", "_[]", "_[a]", "_[3-1]", "_44[12", "_" + "X" * 80, "_4\n4", "_4-4", "_(a+)+$"]


@pytest.mark.parametrize("typed", REFUSED)
def test_what_is_no_rule_is_refused_with_what_is_allowed(typed: str) -> None:
    with pytest.raises(RestrictionRuleError, match=r"rule|pattern|set"):
        check_rule(typed)


@given(st.text(alphabet="0123456789XZN[]-.!_*+#x", max_size=20), st.text(max_size=20))
def test_any_text_is_a_rule_or_refused_and_a_rule_answers_for_any_number(
    typed: str, number: str
) -> None:
    try:
        rule = check_rule(typed)
    except RestrictionRuleError:
        return
    assert rule == check_rule(rule)
    assert matches(rule, number) in (True, False)


@given(st.from_regex(re.compile(r"_[0-9XZN]{1,8}"), fullmatch=True), st.data())
def test_a_pattern_without_an_ending_covers_numbers_of_its_own_length_only(
    rule: str, data: st.DataObject
) -> None:
    digits = {"X": "0123456789", "Z": "123456789", "N": "23456789"}
    number = "".join(data.draw(st.sampled_from(digits.get(sign, sign))) for sign in rule[1:])
    assert matches(rule, number)
    assert not matches(rule, number + "1")
