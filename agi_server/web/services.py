"""What the console and the API work with."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from fastapi import Request

from agi_server.asterisk.link import AsteriskLinks
from agi_server.calls.recover import Recovery
from agi_server.settings import Settings


@dataclass(frozen=True, slots=True, kw_only=True)
class WebServices:
    """`db` is a pool of the web's own, so that no page can take a connection from a call.

    `recovery` is the daemon's: what it ends leaves the daemon's memory, too.
    """

    settings: Settings
    db: Any
    postgres_dsn: str
    links: AsteriskLinks
    recovery: Recovery
    now: Callable[[], datetime]


def services_of(request: Request) -> WebServices:
    """Those of the application that a request came to."""
    services: WebServices = request.app.state.services
    return services
