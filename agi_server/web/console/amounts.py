"""Amounts of money as operators type them: with a decimal point, or a comma where it is clear."""

import re

from agi_server.refused import InvalidFieldError
from agi_server.web.console.languages import N_
from rating.money import MoneyError, parse_money

_DECIMAL_COMMA = re.compile(r"[0-9]+,(?:[0-9]{1,2}|[0-9]{4,6})", re.ASCII)
_PERHAPS_THOUSANDS = re.compile(r",[0-9]{3}(?![0-9])", re.ASCII)


def with_point(field: str, text: str) -> str:
    """`12.50` of `12,50`; what is no amount stays for others to refuse.

    Raises InvalidFieldError for a comma before three digits: it means a thousand to some.
    """
    if _DECIMAL_COMMA.fullmatch(text):
        return text.replace(",", ".")
    if _PERHAPS_THOUSANDS.search(text):
        raise InvalidFieldError(
            field,
            N_("a comma before three digits may mean thousands: write 1000 or, for one, 1.00"),
        )
    return text


def typed_amount(field: str, text: str) -> int:
    """Micros of an amount that was typed. Raises InvalidFieldError."""
    try:
        return parse_money(with_point(field, text))
    except MoneyError as error:
        raise InvalidFieldError(field, str(error)) from None
