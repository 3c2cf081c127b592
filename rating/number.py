"""From what was dialled to the number that is rated and called."""

from dataclasses import dataclass

MIN_DIGITS = 3
MAX_DIGITS = 15


@dataclass(frozen=True, slots=True)
class NumberInvalid:
    """What was dialled cannot be called; `problem` says why (the reason is `number_invalid`)."""

    problem: str


def normalise(dialled: str) -> str | NumberInvalid:
    """The number as digits only: a leading ``+`` goes, 3 to 15 ASCII digits remain."""
    number = dialled.removeprefix("+")
    if not (number.isascii() and number.isdigit()):
        return NumberInvalid("not digits only")
    if not MIN_DIGITS <= len(number) <= MAX_DIGITS:
        return NumberInvalid(f"{len(number)} digits: not {MIN_DIGITS} to {MAX_DIGITS}")
    return number
