"""What Asterisk is told to dial: trunk templates filled in, and the options with the limit."""

import re

from agi_server.tariffs.tables import Quote

_NUMBER = re.compile(r"[0-9]{3,15}")


class NumberNotDialableError(Exception):
    """The number is not digits only: it would change what is dialled (an `&` dials several)."""


def dial_targets(quote: Quote, number: str, account_id: int) -> tuple[str, ...]:
    """The dial string of each route, in order.

    The number is checked here once more, whatever normalisation let through.
    """
    if not _NUMBER.fullmatch(number):
        raise NumberNotDialableError
    values = {"number": number, "prefix": quote.rate.prefix, "account_id": str(account_id)}
    return tuple(trunk.dial.format_map(values) for trunk in quote.trunks)


def limit_option(limit_ms: int, warn_left_ms: int, warn_every_ms: int) -> str:
    """Dial's `L()`: the limit, and the warnings before it where the call lasts long enough."""
    if not warn_left_ms or limit_ms <= warn_left_ms:
        return f"L({limit_ms})"
    return f"L({limit_ms}:{warn_left_ms}:{warn_every_ms})"
