"""Rules on which numbers an account or a group may call. Pure: no I/O.

Three kinds (shared/accounts.md): an exact number `442079460000`; a prefix `4420*`; an Asterisk
pattern `_44[12]XXXX.`, where X is 0-9, Z is 1-9, N is 2-9, [12] or [1-3] one of a set, a final `.`
one or more further characters and a final `!` none or more.
"""

import re
from collections.abc import Callable
from functools import lru_cache

LONGEST_RULE = 80
_EXACT = re.compile(r"[0-9]{1,15}")
_PREFIX = re.compile(r"([0-9]{1,15})\*")
_CLASSES = {"X": "[0-9]", "Z": "[1-9]", "N": "[2-9]"}
_SET = re.compile(r"\[(?:[0-9]-[0-9]|[0-9])+\]")
_ENDINGS = {".": "(?s:.+)", "!": "(?s:.*)"}


class RestrictionRuleError(ValueError):
    """The text is not a rule; the message says what is allowed."""


def check_rule(text: str) -> str:
    """The rule as it is stored: blanks and a leading `+` gone, letters in capitals.

    Raises RestrictionRuleError.
    """
    rule = text.strip()
    rule = rule.upper() if rule.startswith("_") else rule.removeprefix("+")
    if len(rule) > LONGEST_RULE:
        raise RestrictionRuleError(f"a rule has at most {LONGEST_RULE} characters")
    _matcher(rule)
    return rule


def matches(rule: str, number: str) -> bool:
    """Does a stored rule cover this number? Raises RestrictionRuleError for what is no rule."""
    return _matcher(rule)(number)


# Enough for the rules of many accounts; one compiled pattern takes about 1 KB.
@lru_cache(maxsize=8192)
def _matcher(rule: str) -> Callable[[str], bool]:
    if _EXACT.fullmatch(rule):
        return rule.__eq__
    if prefix := _PREFIX.fullmatch(rule):
        begins = prefix[1]
        return lambda number: number.startswith(begins)
    if rule.startswith("_"):
        pattern = re.compile(_expression(rule))
        return lambda number: pattern.fullmatch(number) is not None
    raise RestrictionRuleError(
        f"{rule[:LONGEST_RULE]!r} is no rule: allowed are a number (442079460000), a prefix (4420*)"
        " or an Asterisk pattern (_44[12]XXXX.)"
    )


def _expression(rule: str) -> str:
    """The regular expression of an Asterisk pattern."""
    parts = []
    position = 1
    while position < len(rule):
        sign = rule[position]
        if sign in _ENDINGS and position == len(rule) - 1:
            parts.append(_ENDINGS[sign])
        elif sign in _CLASSES:
            parts.append(_CLASSES[sign])
        elif sign in "0123456789+*#":
            parts.append(re.escape(sign))
        elif sign == "[":
            choice = _SET.match(rule, position)
            if choice is None or not _ascends(choice[0]):
                raise RestrictionRuleError(
                    f"{rule!r}: a set holds digits or ranges of digits, like [125] or [1-3]"
                )
            parts.append(choice[0])
            position = choice.end() - 1
        else:
            raise RestrictionRuleError(
                f"{rule!r}: {sign!r} is not allowed there; a pattern consists of digits, X, Z, N, "
                "sets like [1-3], and ends in . or ! where more may follow"
            )
        position += 1
    if not parts:
        raise RestrictionRuleError(f"{rule!r}: the pattern is empty")
    return "".join(parts)


def _ascends(choice: str) -> bool:
    return all(low <= high for low, high in re.findall(r"([0-9])-([0-9])", choice))
