"""The account number: a bearer secret, so it is drawn from a cryptographic source."""

import re
import secrets

SHORTEST, LONGEST = 6, 15
_NUMBER = re.compile(rf"[0-9]{{{SHORTEST},{LONGEST}}}")


def generate_account_number(length: int, *, luhn: bool = False) -> str:
    """A random number of `length` digits; it never begins with 0, which spreadsheets swallow.

    With `luhn` the last digit is its check digit.
    """
    first = str(1 + secrets.randbelow(9))
    number = first + "".join(str(secrets.randbelow(10)) for _ in range(length - 1))
    return number[:-1] + _luhn_digit(number[:-1]) if luhn else number


def check_account_number(text: str) -> str:
    """The number an operator gave. Raises ValueError, which does not contain it."""
    if not _NUMBER.fullmatch(text):
        raise ValueError(f"must be {SHORTEST} to {LONGEST} digits")
    return text


def has_luhn_digit(number: str) -> bool:
    """Whether the last digit is the check digit of those before it."""
    return number[-1:] == _luhn_digit(number[:-1])


def _luhn_digit(digits: str) -> str:
    total = 0
    for position, digit in enumerate(reversed(digits)):
        value = int(digit) * (2 if position % 2 == 0 else 1)
        total += value - 9 if value > 9 else value
    return str(-total % 10)
