"""Keeps secrets out of what people read: logs, errors, listings and recordings.

The account number is a bearer secret: who types it calls on its credit. Five of its digits stay
hidden wherever it is shown, so that what is left cannot be completed within the lock-out.
"""

import re
from collections.abc import Mapping
from typing import Any

MASK = "********"

_HIDDEN_DIGITS = 5
_SECRET_KEYS = frozenset({"dsn", "url", "secret", "password", "pin"})
# Where an account number stands in text: a parameter of a URL, a channel variable, PostgreSQL's
# "Key (account_number)=(…) already exists".
_NUMBER_IN_TEXT = re.compile(
    r"(account(?:code|_number)?\)?\s*[=:]\s*\(?)(?=[^\s&,;\"')]*[0-9]{4})([^\s&,;\"')]+)",
    re.IGNORECASE,
)
# PostgreSQL quotes the whole row that breaks a constraint.
_ROW_IN_TEXT = re.compile(r"(Failing row contains \().*", re.DOTALL)
_MASKED = re.compile(r"\d{0,3}\*{5,}\d{0,2}")
_SHORTEST_NUMBER = 6
_PASSWORD_IN_URL = re.compile(r"(://[^\s:/@]*:)[^\s/@]+@")


def mask_account_number(number: str) -> str:
    """Show the ends of an account number only: `1000000001` becomes `100*****01`.

    What is masked already stays as it is. Shorter numbers show less, and what is too long to be
    an account number is cut, so that a masked value is always short.
    """
    if _MASKED.fullmatch(number):
        return number
    shown = max(0, min(5, len(number) - _HIDDEN_DIGITS))
    last = shown // 2
    first = shown - last
    hidden = "*" * max(_HIDDEN_DIGITS, min(len(number), 15) - shown)
    return number[:first] + hidden + number[len(number) - last :]


def mask_event(event: Mapping[str, Any]) -> dict[str, Any]:
    """Mask the key `account`, its number wherever else it stands, and every other secret."""
    number = event.get("account")
    masked = {}
    for key, value in event.items():
        if key in _SECRET_KEYS and value:
            masked[key] = MASK
        elif isinstance(value, str):
            masked[key] = mask_account_number(value) if key == "account" else _mask(value, number)
        elif isinstance(value, list | tuple | dict | set):
            masked[key] = _mask_within(value, number)
        else:
            masked[key] = value
    return masked


def mask_text(text: str) -> str:
    """Mask account numbers that a text names as such, rows of tables, and passwords in URLs."""
    if "account" in text.lower():
        text = _NUMBER_IN_TEXT.sub(lambda m: m[1] + mask_account_number(m[2]), text)
    if "Failing row" in text:
        text = _ROW_IN_TEXT.sub(rf"\1{MASK})", text)
    if "://" in text:
        text = _PASSWORD_IN_URL.sub(rf"\1{MASK}@", text)
    return text


def _mask(text: str, number: object) -> str:
    if isinstance(number, str) and len(number) >= _SHORTEST_NUMBER and number in text:
        text = text.replace(number, mask_account_number(number))
    return mask_text(text)


def _mask_within(value: Any, number: object) -> Any:
    match value:
        case str():
            return _mask(value, number)
        case dict():
            return {key: _mask_within(each, number) for key, each in value.items()}
        case list() | tuple() | set():
            return [_mask_within(each, number) for each in value]
        case _:
            return value
