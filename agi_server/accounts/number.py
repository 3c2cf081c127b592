"""The account number: a bearer secret, so it is drawn from a cryptographic source."""

import re
import secrets

SHORTEST, LONGEST = 6, 15
_NUMBER = re.compile(rf"[0-9]{{{SHORTEST},{LONGEST}}}")


def generate_account_number(length: int) -> str:
    """A random number of `length` digits; it never begins with 0, which spreadsheets swallow."""
    first = str(1 + secrets.randbelow(9))
    return first + "".join(str(secrets.randbelow(10)) for _ in range(length - 1))


def check_account_number(text: str) -> str:
    """The number an operator gave. Raises ValueError, which does not contain it."""
    if not _NUMBER.fullmatch(text):
        raise ValueError(f"must be {SHORTEST} to {LONGEST} digits")
    return text
