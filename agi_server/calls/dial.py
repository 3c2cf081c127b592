"""What Asterisk is told to dial: trunk templates filled in, and the options with the limit."""

import re

from agi_server.tariffs.tables import Trunk

_NUMBER = re.compile(r"[0-9]{3,15}")
_SENT_NUMBER = re.compile(r"\+?[0-9]{1,31}")


class NumberNotDialableError(Exception):
    """The number is not digits only: it would change what is dialled (an `&` dials several)."""


def dial_target(trunk: Trunk, number: str, prefix: str, account_id: int) -> str:
    """The dial string of a route: `prefix` is that of its card.

    The number is checked here once more, whatever normalisation let through. Raises
    NumberNotDialableError.
    """
    if not _NUMBER.fullmatch(number):
        raise NumberNotDialableError
    rest = number.removeprefix(trunk.strip)
    sent = trunk.add_prefix + (rest or number)
    if not _SENT_NUMBER.fullmatch(sent):
        raise NumberNotDialableError
    return trunk.dial.format(number=sent, prefix=prefix, account_id=account_id)


def limit_option(limit_ms: int, warn_left_ms: int, warn_every_ms: int) -> str:
    """Dial's `L()`: the limit, and the warnings before it where the call lasts long enough."""
    if not warn_left_ms or limit_ms <= warn_left_ms:
        return f"L({limit_ms})"
    return f"L({limit_ms}:{warn_left_ms}:{warn_every_ms})"
