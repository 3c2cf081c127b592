"""One AMI login, for questions to Asterisk.

panoramisk speaks AMI; this class adds what it lacks (shared/asterisk/README.md, section 8): no
value with a line end, so that no action can be smuggled in; a refused login is an error; every
answer has a deadline; and its logger is silent, since it reports closing as a failure.
"""

import asyncio
import logging
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from panoramisk.manager import Manager

from agi_server.settings import AmiSettings

_TIMEOUT_S = 5.0
_LINE_END = re.compile(r"[\r\n\0]")
_silent = logging.Logger("panoramisk", logging.CRITICAL + 1)


class AmiError(Exception):
    """Asterisk cannot be asked; the message says why, without the secret."""


class Ami:
    """A logged-in manager session."""

    def __init__(self, manager: Any) -> None:
        self._manager = manager

    async def ask(self, action: str, **fields: str) -> dict[str, str]:
        """The headers of the first answer to an action, e.g. Response and Message.

        Raises AmiError when no answer comes in time, ValueError for a value with a line end.
        """
        values = {"Action": action, **fields}
        if any(_LINE_END.search(value) for value in values.values()):
            raise ValueError(f"{action}: a value contains a line end")
        return await _answer(self._manager.send_action(values), f"no answer to {action}")


@asynccontextmanager
async def ami_session(settings: AmiSettings) -> AsyncIterator[Ami]:
    """Log in, and out again at the end. Raises AmiError."""
    secret = settings.secret.get_secret_value()
    if _LINE_END.search(settings.user + secret):
        raise AmiError("user or secret contains a line end")
    await _reach(settings)
    manager = Manager(
        host=settings.host,
        port=settings.port,
        username=settings.user,
        secret=secret,
        events="off",
        log=_silent,
        loop=asyncio.get_running_loop(),
    )
    try:
        # Logging in begins when the connection is made, in a callback that runs before we go on.
        await manager.connect()
        answer = await _answer(manager.authenticated_future, "no answer to the login")
        if answer.get("Response") != "Success":
            raise AmiError(f"login refused: {answer.get('Message', 'without a reason')}")
        yield Ami(manager)
    finally:
        manager.close()


async def _reach(settings: AmiSettings) -> None:
    """See that somebody listens: panoramisk would try for ever."""
    try:
        async with asyncio.timeout(_TIMEOUT_S):
            _, writer = await asyncio.open_connection(settings.host, settings.port)
    except TimeoutError:
        raise AmiError("nobody answers there") from None
    except OSError as error:
        raise AmiError(str(error)) from None
    writer.close()


async def _answer(future: Any, otherwise: str) -> dict[str, str]:
    try:
        async with asyncio.timeout(_TIMEOUT_S):
            message = await future
    except TimeoutError:
        raise AmiError(otherwise) from None
    first = message[0] if isinstance(message, list) else message
    return {str(key): str(value) for key, value in first.items()}
