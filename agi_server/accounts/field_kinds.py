"""From the text of a field to its value and back, by its kind: for commands, API, forms and files.

A text may also be what JSON has for it: a number, true or false, a list, null.
"""

import re
from collections.abc import Callable
from datetime import UTC, datetime
from enum import Enum
from typing import Any

from agi_server.accounts.fields import AccountField, Kind, choice_word
from agi_server.one_line import one_line
from rating.money import MoneyError, format_money, parse_money

_LONGEST_NUMBER = 18
# Enough to be longer than any rule allows.
_LONGEST_CHECKED = 300
_DATE_FORMATS = ("%Y-%m-%d %H:%M:%S", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%d %H:%M", "%Y-%m-%dT%H:%M")
_DAY_FORMAT = "%Y-%m-%d"
_WORDS = {
    **dict.fromkeys(("yes", "true", "on", "1"), True),
    **dict.fromkeys(("no", "false", "off", "0"), False),
}
_PERCENT = re.compile(r"([0-9]{1,3})(?:\.([0-9]{1,2}))?", re.ASCII)


def parse_text(field: AccountField, text: object) -> Any:
    """The value of a field's text; None for an empty one. Raises ValueError: what is allowed.

    The message never contains the text, which could be an account number or a password.
    """
    if text is None or (isinstance(text, str) and not text.strip()):
        return () if field.kind is Kind.LIST else None
    return _PARSERS[field.kind](field, text)


def show_value(field: AccountField, value: Any) -> str | int | bool | list[str] | None:
    """A value as JSON and tables show it; the texts are those `parse_text` understands."""
    if value is None:
        return None
    match field.kind:
        case Kind.SECRET:
            return None
        case Kind.MONEY:
            return format_money(value)
        case Kind.PERCENT:
            return format_percent(value)
        case Kind.CHOICE:
            return choice_word(value)
        case Kind.DATE:
            return str(value.strftime(_DATE_FORMATS[0]))
        case Kind.MOMENT:
            moment: datetime = value.astimezone(UTC)
            return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
        case Kind.LIST:
            return list(value)
        case _:
            shown: str | int | bool = value
            return shown


def format_percent(basis_points: int) -> str:
    """`7.5` of 750."""
    whole, hundredths = divmod(basis_points, 100)
    return f"{whole}.{hundredths:02}".rstrip("0").rstrip(".")


def parse_percent(text: str) -> int:
    """Basis points of a decimal like `21` or `5.5`. Raises ValueError."""
    match = _PERCENT.fullmatch(text.strip())
    if match is None:
        raise ValueError("must be a percentage with at most 2 decimals, like 5.5")
    return int(match[1]) * 100 + int((match[2] or "").ljust(2, "0"))


def _string(text: object) -> str:
    if not isinstance(text, str):
        raise ValueError("must be a text")
    return text


def _text(field: AccountField, text: object) -> str:
    string = _string(text)
    try:
        return one_line(string)
    except ValueError:
        if field.check is not None and string.isprintable():
            field.check(string[:_LONGEST_CHECKED])  # its rule tells of a lower limit
        raise


def _secret(field: AccountField, text: object) -> str:
    return _string(text)


def _number(field: AccountField, text: object) -> int:
    if isinstance(text, int) and not isinstance(text, bool):
        return text
    string = str(text).strip()
    if not re.fullmatch(rf"-?[0-9]{{1,{_LONGEST_NUMBER}}}", string, re.ASCII):
        raise ValueError("must be a whole number")
    return int(string)


def _money(field: AccountField, text: object) -> int:
    # A float has lost what it was; an int of JSON means whole units.
    if isinstance(text, bool | float):
        raise ValueError("must be an amount as a text, like 12.50")
    try:
        return parse_money(str(text), signed=False)
    except MoneyError:
        raise ValueError(
            "must be an amount from 0 with at most 12 digits and 6 decimals, like 12.50"
        ) from None


def _percent(field: AccountField, text: object) -> int:
    if isinstance(text, bool | float):
        raise ValueError("must be a percentage as a text, like 5.5")
    return parse_percent(str(text))


def _choice(field: AccountField, text: object) -> Enum:
    assert field.choices is not None
    word = _string(text).strip().replace("-", "_")
    for member in field.choices:
        if word == choice_word(member):
            return member
    raise ValueError(f"must be one of {', '.join(field.choice_words)}")


def _flag(field: AccountField, text: object) -> bool:
    if isinstance(text, bool):
        return text
    word = _WORDS.get(str(text).strip().lower())
    if word is None:
        raise ValueError("must be yes or no")
    return word


def _date(field: AccountField, text: object) -> datetime:
    string = _string(text).strip()
    # A day alone means all of it.
    for form, rest in ((_DAY_FORMAT, " 23:59:59"), *((form, "") for form in _DATE_FORMATS)):
        try:
            moment = datetime.strptime(string, form)
        except ValueError:
            continue
        return datetime.strptime(f"{string}{rest}", _DATE_FORMATS[0]) if rest else moment
    raise ValueError("must be a date like 2027-12-31 23:59:59, in the account's time zone")


def _moment(field: AccountField, text: object) -> datetime:
    raise ValueError("cannot be set")


def _list(field: AccountField, text: object) -> tuple[str, ...]:
    items = re.split(r"[\s,;]+", text) if isinstance(text, str) else text
    if not isinstance(items, list | tuple) or not all(isinstance(item, str) for item in items):
        raise ValueError("must be a list of texts")
    return tuple(item for item in (each.strip() for each in items) if item)


_PARSERS: dict[Kind, Callable[[AccountField, object], Any]] = {
    Kind.TEXT: _text,
    Kind.NUMBER: _number,
    Kind.MONEY: _money,
    Kind.PERCENT: _percent,
    Kind.CHOICE: _choice,
    Kind.FLAG: _flag,
    Kind.DATE: _date,
    Kind.MOMENT: _moment,
    Kind.LIST: _list,
    Kind.REFERENCE: _text,
    Kind.SECRET: _secret,
}
