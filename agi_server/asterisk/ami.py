"""One AMI login over one TCP connection: questions, orders and events.

panoramisk reads and writes AMI; what is around it here mends what it lacks (shared/asterisk,
section 8). No value holds a line end, so no action can be smuggled in. An exception of whoever
listens to events ends no connection, and neither memory nor time of a peer that sends garbage is
without a bound. A refused login, a lost connection and an answer that does not come are errors. A
connection that is lost stays lost: nothing is sent a second time, and whoever wants another (see
`link.py`) opens one. Its logger is silent, since it reports closing as a failure.
"""

import asyncio
import logging
import re
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import structlog
from panoramisk.ami_protocol import AMIProtocol
from panoramisk.manager import Manager

from agi_server.settings import AmiSettings

log = structlog.get_logger()

TIMEOUT_S = 5.0
# What a peer may send without the blank line that ends a message.
MAX_MESSAGE_BYTES = 1 << 20
_LINE_END = re.compile(r"[\r\n\0]")
_silent = logging.Logger("panoramisk", logging.CRITICAL + 1)

Headers = dict[str, str]
OnEvent = Callable[[Headers], None]


class AmiError(Exception):
    """Asterisk cannot be asked; the message says why, without the secret."""


class AmiLostError(AmiError):
    """The connection is gone. An action that was under way may have been done, or not."""


class AmiClosedError(AmiLostError):
    """Asterisk, or the kernel for it, closed the connection: until now it was there."""


class AmiRefusedError(AmiError):
    """Asterisk answered that it will not."""


class Ami:
    """A logged-in manager session; made by `ami_session`."""

    def __init__(self, manager: Manager, protocol: "_Protocol", timeout_s: float) -> None:
        self._manager = manager
        self._protocol = protocol
        self._timeout_s = timeout_s

    async def ask(self, action: str, **fields: str) -> Headers:
        """The headers of the answer to an action, e.g. Response and Message.

        Raises AmiError when no answer comes in time, ValueError for a value with a line end.
        """
        return _headers(_first(await self._send(action, fields, as_list=False)))

    async def order(self, action: str, **fields: str) -> None:
        """Have Asterisk do something, once. Raises AmiRefusedError, and what `ask` raises."""
        answer = await self.ask(action, **fields)
        if answer.get("Response") != "Success":
            raise AmiRefusedError(f"{action}: {answer.get('Message', 'refused without a reason')}")

    async def ask_list(self, action: str, item: str, **fields: str) -> list[Headers]:
        """The events named `item` that answer an action such as CoreShowChannels.

        Raises AmiRefusedError when Asterisk will not tell, and as `ask`.
        """
        messages = await self._send(action, fields, as_list=True)
        first = _headers(_first(messages))
        if first.get("Response") != "Success" or not isinstance(messages, list):
            raise AmiRefusedError(f"{action}: {first.get('Message', 'refused without a reason')}")
        return [_headers(each) for each in messages if each.event == item]

    async def watch_once(self, ping_every_s: float) -> None:
        """Wait a while, then ping. A peer that answers no ping is as good as gone.

        Raises AmiClosedError as soon as the connection is closed, AmiLostError for a silent peer.
        """
        done, _ = await asyncio.wait([self._protocol.lost], timeout=ping_every_s)
        if done:
            raise AmiClosedError("connection closed")
        try:
            await self.ask("Ping")
        except AmiError as error:
            self._protocol.abort()
            raise AmiLostError(f"no answer to a ping: {error}") from None

    async def _send(self, action: str, fields: Headers, *, as_list: bool) -> Any:
        values = {"Action": action, **fields}
        if any(_LINE_END.search(value) for value in values.values()):
            raise ValueError(f"{action}: a value contains a line end")
        if self._protocol.lost.done():
            raise AmiLostError("connection lost")
        # Only a list that is refused is answered by one message: then nothing more will come.
        future = self._manager.send_action(values, as_list=None if as_list else False)
        try:
            async with asyncio.timeout(self._timeout_s):
                return await future
        except TimeoutError:
            raise AmiError(f"no answer to {action}") from None
        finally:
            self._protocol.forget_answered()


@asynccontextmanager
async def ami_session(
    settings: AmiSettings,
    on_event: OnEvent | None = None,
    *,
    timeout_s: float = TIMEOUT_S,
) -> AsyncIterator[Ami]:
    """Log in, and out again at the end; each step and each answer has `timeout_s`. Raises AmiError.

    `on_event` gets the headers of each event that the user may see, in their order.
    """
    secret = settings.secret.get_secret_value()
    if _LINE_END.search(settings.user + secret):
        raise AmiError("user or secret contains a line end")
    manager = _Manager(on_event)
    transport, protocol = await _reach(settings, timeout_s)
    try:
        connected = asyncio.get_running_loop().create_future()
        connected.set_result((transport, protocol))
        manager.connection_made(connected)
        ami = Ami(manager, protocol, timeout_s)
        answer = await ami.ask(
            "Login",
            Username=settings.user,
            Secret=secret,
            Events="off" if on_event is None else "on",
        )
        if answer.get("Response") != "Success":
            raise AmiRefusedError(f"login refused: {answer.get('Message', 'without a reason')}")
        yield ami
    finally:
        manager.close()
        protocol.abort()


async def _reach(settings: AmiSettings, timeout_s: float) -> tuple[Any, "_Protocol"]:
    try:
        async with asyncio.timeout(timeout_s):
            loop = asyncio.get_running_loop()
            return await loop.create_connection(_Protocol, settings.host, settings.port)
    except TimeoutError:
        raise AmiError("nobody answers there") from None
    except OSError as error:
        raise AmiError(str(error)) from None


class _Protocol(AMIProtocol):  # type: ignore[misc] # panoramisk has no types
    """One connection. What was asked over it fails with it, and is asked by nobody again."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        self.log = _silent
        self.lost: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def data_received(self, data: bytes) -> None:
        if self.lost.done():
            return
        try:
            super().data_received(data)
        except Exception:
            self.abort()  # what even the library cannot read
            return
        if self.queue and len(self.queue[0]) > MAX_MESSAGE_BYTES:
            self.abort()

    def connection_lost(self, exc: Any) -> None:
        # Also called by panoramisk itself, when Asterisk tells that it shuts down.
        if not self.lost.done():
            self.lost.set_result(None)
        for action in self.responses.values():
            if not action.future.done():
                action.future.set_exception(AmiLostError("connection lost"))
        self.responses.clear()
        self.abort()

    def abort(self) -> None:
        """Close at once; a frozen peer would take no farewell."""
        self.closed = True
        self.transport.abort()

    def forget_answered(self) -> None:
        """Drop actions that were answered or given up, so that late answers find nobody."""
        for key in [key for key, action in self.responses.items() if action.future.done()]:
            del self.responses[key]


class _Manager(Manager):  # type: ignore[misc] # panoramisk has no types
    """panoramisk's Manager without its reconnect, its own pings and its own login."""

    def __init__(self, on_event: OnEvent | None) -> None:
        super().__init__(log=_silent, loop=asyncio.get_running_loop())
        self._on_event = on_event

    def ping(self) -> None:
        """`Ami.watch_once` pings, and looks whether it is answered."""

    def dispatch(self, event: Any) -> list[str]:
        """An event that answers no action."""
        if self._on_event is not None:
            try:
                self._on_event(_headers(event))
            except Exception as error:
                log.error(
                    "background.failed",
                    work=f"AMI event {event.event}",
                    error=str(error),
                    exc_type=type(error).__name__,
                )
        return []


def _first(messages: Any) -> Any:
    return messages[0] if isinstance(messages, list) else messages


def _headers(message: Any) -> Headers:
    """A header that came twice is left out: the second may be a caller's doing."""
    return {str(key): value for key, value in message.items() if isinstance(value, str)}
