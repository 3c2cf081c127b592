"""From what was dialled to the number that is rated and called, by rules that are data."""

from dataclasses import dataclass

MIN_DIGITS = 3
MAX_DIGITS = 15
"""E.164 allows at most 15 digits."""
MAX_SHORT_DIGITS = 6
"""No number with a country code is as short (that of Niue has seven digits)."""


class NumberRulesError(ValueError):
    """A field of the rules is not what it should be; the message begins with the field's name."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NumberRules:
    """How numbers are dialled somewhere. Empty fields do not apply.

    A number that begins with ``+`` or one of `international_prefixes` (the longest counts) is
    international without it. Else one that begins with `trunk_prefix` is national: the prefix
    gives way to `country_code` (or, with `trunk_kept` as in Italy, stays behind it). Else one of
    `national_lengths` digits is national, and one of `local_lengths` is local to `area_code`. If
    both a trunk prefix and national lengths are given, what follows the prefix has such a length
    (so that +84 is not taken for a Russian 8). Any other number is international as it stands.

    `emergency_numbers` and `short_codes` (an ``X`` is any digit) are kept as dialled, however
    short. So is everywhere what has at most `MAX_SHORT_DIGITS` digits of which the first is 0 or
    1: no country code begins with 0, and numbers of country code 1 have eleven digits.
    """

    country_code: str = ""
    international_prefixes: tuple[str, ...] = ("00", "011")
    trunk_prefix: str = ""
    trunk_kept: bool = False
    national_lengths: tuple[int, ...] = ()
    area_code: str = ""
    local_lengths: tuple[int, ...] = ()
    emergency_numbers: tuple[str, ...] = ()
    short_codes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        for name in ("country_code", "trunk_prefix", "area_code"):
            _check_digits(name, getattr(self, name), empty_allowed=True)
        for name in ("international_prefixes", "emergency_numbers"):
            for text in getattr(self, name):
                _check_digits(name, text, empty_allowed=False)
        for text in self.short_codes:
            _check_digits("short_codes", text.replace("X", "0"), empty_allowed=False)
        national = self.trunk_prefix or self.national_lengths or self.local_lengths
        if national and not self.country_code:
            raise NumberRulesError("country_code: needed to complete national numbers")
        if self.local_lengths and not self.area_code:
            raise NumberRulesError("area_code: needed to complete local numbers")


def _check_digits(name: str, text: str, *, empty_allowed: bool) -> None:
    if not (text.isascii() and text.isdigit()) and not (empty_allowed and not text):
        raise NumberRulesError(f"{name}: {text[:20]!r} is not digits")


INTERNATIONAL_RULES = NumberRules(emergency_numbers=("112", "911", "999", "000"))
"""Numbers come with their country code, after ``+``, 00, 011 or nothing (no code begins with 0)."""


@dataclass(frozen=True, slots=True)
class NumberInvalid:
    """What was dialled cannot be called; `problem` says why (the reason is `number_invalid`)."""

    problem: str
    steps: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Normalised:
    """The number, and each step from what was dialled to it, in words.

    `emergency` and `short` ones were kept as dialled.
    """

    number: str
    steps: tuple[str, ...]
    emergency: bool = False
    short: bool = False

    @property
    def exact(self) -> bool:
        """Only a rate of exactly this number prices it: its first digits are no country code."""
        return self.emergency or self.short


def normalise(dialled: str, rules: NumberRules = INTERNATIONAL_RULES) -> str | NumberInvalid:
    """The number as 3 to 15 digits with its country code; emergency and short codes as they are."""
    result = normalise_by_steps(dialled, rules)
    return result.number if isinstance(result, Normalised) else result


def normalise_by_steps(
    dialled: str, rules: NumberRules = INTERNATIONAL_RULES
) -> Normalised | NumberInvalid:
    """`normalise`, with its steps explained."""
    steps: list[str] = []
    number = dialled.strip("#*")
    if number != dialled:
        steps.append("trimmed # and *")
    if number in rules.emergency_numbers:
        return Normalised(number, (*steps, "kept: emergency number"), emergency=True)
    if not _is_digits(number.removeprefix("+")):
        return NumberInvalid("not digits only", tuple(steps))
    if any(_is_like(number, code) for code in rules.short_codes):
        return Normalised(number, (*steps, "kept: short code"), short=True)
    number, step = _international(number, rules)
    if step:
        steps.append(step)
    if not MIN_DIGITS <= len(number) <= MAX_DIGITS:
        problem = f"{len(number)} digits: not {MIN_DIGITS} to {MAX_DIGITS}"
        return NumberInvalid(problem, tuple(steps))
    if number[0] in "01" and len(number) <= MAX_SHORT_DIGITS:
        return Normalised(number, (*steps, "kept: short code"), short=True)
    return Normalised(number, tuple(steps))


def _is_like(number: str, code: str) -> bool:
    return len(number) == len(code) and all(
        expected in ("X", digit) for digit, expected in zip(number, code, strict=True)
    )


def _is_digits(text: str) -> bool:
    return text.isascii() and text.isdigit()


def _international(number: str, rules: NumberRules) -> tuple[str, str]:
    """The number with its country code, and what was done to it."""
    if number.startswith("+"):
        return number[1:], "removed +"
    for prefix in sorted(rules.international_prefixes, key=len, reverse=True):
        if number.startswith(prefix):
            return number[len(prefix) :], f"removed international prefix {prefix}"
    code, trunk, lengths = rules.country_code, rules.trunk_prefix, rules.national_lengths
    if trunk and number.startswith(trunk):
        if rules.trunk_kept:
            return code + number, f"national: added country code {code}"
        rest = number[len(trunk) :]
        if not lengths or len(rest) in lengths:
            return code + rest, f"national: replaced {trunk} by country code {code}"
    if len(number) in lengths:
        return code + number, f"national: added country code {code}"
    if len(number) in rules.local_lengths:
        added = code + rules.area_code
        return added + number, f"local: added country and area code {added}"
    return number, ""
