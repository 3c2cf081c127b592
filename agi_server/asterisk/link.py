"""A lasting connection to one Asterisk, and to all of them.

It logs in again whenever the connection is lost, and then asks for the list of channels: what ended
meanwhile is told like any other end. Orders are never sent again by it; who gave one that was lost
on the way decides from the list what is still to do.
"""

import asyncio
import re
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from functools import partial

import structlog

from agi_server.asterisk.ami import (
    Ami,
    AmiClosedError,
    AmiError,
    AmiLostError,
    Headers,
    ami_session,
)
from agi_server.asterisk.live_calls import Change, LiveCalls, LiveChannel
from agi_server.settings import AmiSettings

log = structlog.get_logger()

PING_EVERY_S = 5.0
# A list of thousands of channels takes a while.
TIMEOUT_S = 10.0
_RETRY_S = (0.5, 1.0, 2.0, 5.0, 10.0)
_EPOCH = re.compile(r"([0-9]{1,11})\.([0-9]{3})")

Listener = Callable[["AsteriskLink", Change, LiveChannel], None]
OnCaughtUp = Callable[["AsteriskLink"], None]


class AsteriskLink:
    """One Asterisk, as long as `run` runs: its live channels, and orders to them.

    `channels` is empty until it was reached for the first time, and stays as it was while the
    connection is lost: `connected` says whether it is true now, `tried` is set once it is known
    for the first time. `system_name` is what its uniqueids
    begin with, empty where Asterisk has none.
    """

    def __init__(
        self,
        settings: AmiSettings,
        *,
        now: Callable[[], datetime],
        ping_every_s: float = PING_EVERY_S,
        timeout_s: float = TIMEOUT_S,
    ) -> None:
        self.settings = settings
        self.connected = False
        self.tried = asyncio.Event()
        self.system_name = ""
        self._now = now
        self._ping_every_s = ping_every_s
        self._timeout_s = timeout_s
        self._ami: Ami | None = None
        self._listeners: list[Listener] = []
        self._caught_up: list[OnCaughtUp] = []
        self._live = LiveCalls(self._tell)
        self._listing = asyncio.Lock()
        self._told_down = False

    @property
    def name(self) -> str:
        """Where it is, for people."""
        return f"{self.settings.host}:{self.settings.port}"

    @property
    def channels(self) -> dict[str, LiveChannel]:
        """By uniqueid."""
        return self._live.channels

    def listen(self, listener: Listener) -> None:
        """Tell `listener` of each change of a channel. It must not block, and may raise."""
        self._listeners.append(listener)

    def on_caught_up(self, callback: OnCaughtUp) -> None:
        """Tell `callback` after each login, once the list of channels has been taken in."""
        self._caught_up.append(callback)

    async def run(self) -> None:
        """Stay connected until cancelled."""
        attempt = 0
        while True:
            try:
                async with ami_session(self.settings, self._hear, timeout_s=self._timeout_s) as ami:
                    await self._begin(ami)
                    attempt = 0
                    await self._stay(ami)
            except AmiError as error:
                self._went_away(error)
            except Exception as error:
                # A fault of ours must not end supervision for good.
                self._went_away(error)
                _tell(f"supervising {self.name}", error)
            finally:
                self._ami, self.connected = None, False
            await asyncio.sleep(_RETRY_S[min(attempt, len(_RETRY_S) - 1)])
            attempt += 1

    async def refresh(self) -> None:
        """Ask for the list of channels and compare. Raises AmiError."""
        async with self._listing:
            ami = self._session()
            self._live.begin_list()
            asked_at = self._now()
            listed = await ami.ask_list("CoreShowChannels", "CoreShowChannel")
            for channel in self._live.take_list(listed, asked_at):
                await self._find_out_answer(ami, channel)

    async def absolute_timeout(self, channel: str, seconds: int) -> None:
        """End a channel `seconds` from now, instead of when it was to end; 0: never.

        Raises AmiRefusedError (there is no such channel, for one), or AmiError; after the latter
        nobody knows whether it was done.
        """
        await self._session().order("AbsoluteTimeout", Channel=channel, Timeout=str(seconds))

    async def hangup(self, channel: str) -> None:
        """Hang up a channel. Raises as `absolute_timeout`."""
        await self._session().order("Hangup", Channel=channel, Cause="16")

    async def set_variable(self, channel: str, name: str, value: str) -> None:
        """Set a channel variable. Raises as `absolute_timeout`, ValueError for a line end."""
        await self._session().order("Setvar", Channel=channel, Variable=name, Value=value)

    async def get_variable(self, channel: str, name: str) -> str:
        """A channel variable, empty when it is not set. Raises AmiError."""
        answer = await self._session().ask("Getvar", Channel=channel, Variable=name)
        return answer.get("Value", "")

    def _session(self) -> Ami:
        if self._ami is None:
            raise AmiLostError(f"Asterisk {self.name} is not connected")
        return self._ami

    async def _begin(self, ami: Ami) -> None:
        self._ami = ami
        self.system_name = (await ami.ask("CoreSettings")).get("SystemName", "")
        self._live.missed()
        await self.refresh()
        self.connected = True
        self.tried.set()
        for callback in self._caught_up:
            _guarded(f"catching up with {self.name}", partial(callback, self))
        self._told_down = False
        log.info("asterisk.connected", server=self.name, system_name=self.system_name)

    async def _stay(self, ami: Ami) -> None:
        while True:
            try:
                await ami.watch_once(self._ping_every_s)
            except AmiClosedError:
                self._live.alive(self._now())
                raise
            self._live.alive(self._now())

    async def _find_out_answer(self, ami: Ami, channel: LiveChannel) -> None:
        """The samples keep on the caller's channel when the called party answered."""
        answer = await ami.ask("Getvar", Channel=channel.channel, Variable="AUTH_ANSWERED_AT")
        answered_at = None
        if match := _EPOCH.fullmatch(answer.get("Value", "")):
            answered_at = datetime.fromtimestamp(int(match[1]), UTC)
            answered_at += timedelta(milliseconds=int(match[2]))
        self._live.found_out(channel, answered_at, self._now())

    def _hear(self, event: Headers) -> None:
        self._live.hear(event, self._now())

    def _tell(self, change: Change, channel: LiveChannel) -> None:
        for listener in self._listeners:
            _guarded(f"{change.name} of a channel", partial(listener, self, change, channel))

    def _went_away(self, error: Exception) -> None:
        self.tried.set()
        if not self._told_down:
            self._told_down = True
            log.error("backend.down", backend="asterisk", server=self.name, error=str(error))


def _guarded(work: str, call: Callable[[], None]) -> None:
    """A listener that fails harms neither the others nor the connection."""
    try:
        call()
    except Exception as error:
        _tell(work, error)


def _tell(work: str, error: Exception) -> None:
    log.error("background.failed", work=work, error=str(error), exc_type=type(error).__name__)


class AsteriskLinks:
    """All Asterisk servers of the settings."""

    def __init__(self, servers: Sequence[AmiSettings], *, now: Callable[[], datetime]) -> None:
        self.all = tuple(AsteriskLink(server, now=now) for server in servers)

    def of(self, uniqueid: str, server: str) -> AsteriskLink | None:
        """The one whose channel this is: by the system name that the uniqueid begins with.

        One without a system name is known by its address: `server` is where the AGI came from.
        """
        system_name, dash, _ = uniqueid.rpartition("-")
        if dash:
            named = [link for link in self.all if link.system_name == system_name]
            return named[0] if len(named) == 1 else None
        unnamed = [
            link for link in self.all if not link.system_name and link.settings.host == server
        ]
        return unnamed[0] if len(unnamed) == 1 else None

    def channel(self, uniqueid: str, server: str) -> LiveChannel | None:
        """A channel that is up as far as is known now; None where AMI cannot tell."""
        link = self.of(uniqueid, server)
        return link.channels.get(uniqueid) if link is not None and link.connected else None

    @asynccontextmanager
    async def reached(self) -> AsyncIterator[None]:
        """For a command: connected, as long as the block runs, to those that answer."""
        running = asyncio.create_task(self.run())
        try:
            for link in self.all:
                await link.tried.wait()
            yield
        finally:
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)

    async def run(self) -> None:
        """Stay connected to each until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            for link in self.all:
                tasks.create_task(link.run())
