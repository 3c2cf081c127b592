"""What Asterisk is told to dial: trunk templates filled in, and the options with the limit."""

import re
from collections.abc import Sequence

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


def route_of_channel(templates: Sequence[str], channel: str) -> int | None:
    """Which route (1, 2, ...) has a channel of this name, by the trunks' templates.

    `PJSIP/{number}@gw` and `PJSIP/gw/sip:{number}@host` make channels `PJSIP/gw-0000002a`. None
    where no template, or more than one, would.
    """
    made_by = channel.rpartition("-")[0]
    routes = [n for n, each in enumerate(templates, 1) if made_by and _endpoint(each) == made_by]
    return routes[0] if len(routes) == 1 else None


def _endpoint(template: str) -> str:
    technology, _, rest = template.partition("/")
    return f"{technology}/{rest.partition('/')[0].rpartition('@')[2]}"


def limit_option(limit_ms: int, warn_left_ms: int, warn_every_ms: int) -> str:
    """Dial's `L()`: the limit, and the warnings before it where the call lasts long enough."""
    if not warn_left_ms or limit_ms <= warn_left_ms:
        return f"L({limit_ms})"
    return f"L({limit_ms}:{warn_left_ms}:{warn_every_ms})"
