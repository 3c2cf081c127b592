"""A peer that speaks AMI over a real socket, line by line, as a test tells it to."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field

from pydantic import SecretStr

from agi_server.settings import AmiSettings
from support.clock import Clock

Peer = Callable[["Talk"], Awaitable[None]]


class Talk:
    """One connection, as the peer sees it."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer
        self.action: dict[str, str] = {}

    async def hear(self) -> dict[str, str]:
        """The next action."""
        text = (await self._reader.readuntil(b"\r\n\r\n")).decode()
        self.action = dict(line.split(": ", 1) for line in text.strip().split("\r\n"))
        return self.action

    def say(self, text: str) -> None:
        """Raw text with line ends of one character, %ID being the last action's."""
        text = text.replace("%ID", self.action.get("ActionID", "")).replace("\n", "\r\n")
        self._writer.write(text.encode())

    async def flood(self, text: str) -> None:
        """As `say`, when the other side has taken in what was said before."""
        self.say(text)
        await self._writer.drain()

    def cut(self) -> None:
        """Close the connection without a word."""
        self._writer.transport.abort()

    async def log_in(self) -> None:
        self.say("Asterisk Call Manager/11.0.0\n")
        await self.hear()
        self.say("Response: Success\nActionID: %ID\nMessage: Authentication accepted\n\n")

    async def begin(self, *events: str) -> None:
        """As Asterisk with these channels begins: login, settings, list."""
        await self.log_in()
        await self.hear()
        self.say("Response: Success\nActionID: %ID\nSystemName: pbx\n\n")
        await self.hear()
        self.list_channels(*events)

    def list_channels(self, *events: str) -> None:
        """The answer to CoreShowChannels."""
        self.say("Response: Success\nActionID: %ID\nEventList: start\nMessage: will follow\n\n")
        for event in events:
            self.say(event)
        self.say("Event: CoreShowChannelsComplete\nActionID: %ID\nEventList: Complete\n\n")

    async def pong(self) -> None:
        """Answer everything from now on."""
        while True:
            await self.hear()
            self.say("Response: Success\nActionID: %ID\nPing: Pong\n\n")


@asynccontextmanager
async def listening(*peers: Peer, host: str = "127.0.0.1") -> AsyncIterator[AmiSettings]:
    """The first connection is served by the first peer, and so on; the last one serves the rest."""
    left = list(peers)

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        peer = left.pop(0) if len(left) > 1 else left[0]
        with suppress(asyncio.IncompleteReadError, asyncio.CancelledError, OSError):
            await peer(Talk(reader, writer))
        writer.transport.abort()

    server = await asyncio.start_server(serve, host, 0)
    port = server.sockets[0].getsockname()[1]
    try:
        yield AmiSettings(host=host, port=port, user="u", secret=SecretStr("geheim"))
    finally:
        server.close()


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """A caller's channel and the one it talks to, by their uniqueids."""

    caller: str
    callee: str
    answered_at: str

    def name(self, uniqueid: str) -> str:
        return f"PJSIP/{uniqueid}"


@dataclass
class ScriptedAsterisk:
    """The AMI of an Asterisk whose calls a test begins and ends; serve it by `listening`.

    `orders` are the actions that changed something. `reactions` say what is done instead of
    answering an action: None for an action with the usual answer.
    """

    clock: Clock
    system_name: str = "pbx"
    orders: list[tuple[str, str, str]] = field(default_factory=list)
    calls: dict[str, Call] = field(default_factory=dict)
    reactions: dict[str, Callable[[Talk], None]] = field(default_factory=dict)
    talks: list[Talk] = field(default_factory=list)

    async def __call__(self, talk: Talk) -> None:
        await talk.log_in()
        self.talks.append(talk)
        try:
            while True:
                await talk.hear()
                self._answer(talk)
        finally:
            self.talks.remove(talk)

    # What a test has happen.

    def answered(self, uniqueid: str) -> Call:
        """A caller's channel begins, dials and is answered now."""
        at = self.clock.epoch()
        call = Call(caller=uniqueid, callee=f"{uniqueid}1", answered_at=at)
        self.calls[uniqueid] = call
        for channel in (call.caller, call.callee):
            self.say(
                f"Event: Newchannel\nChannel: {call.name(channel)}\nUniqueid: {channel}\n"
                f"Linkedid: {uniqueid}\nAccountCode: \nTimestamp: {at}\n\n"
            )
        self.say(
            f"Event: DialEnd\nChannel: {call.name(uniqueid)}\nUniqueid: {uniqueid}\n"
            f"DestUniqueid: {call.callee}\nDialStatus: ANSWER\nTimestamp: {at}\n\n"
        )
        for channel in (call.callee, call.caller):
            self.say(f"Event: BridgeEnter\nUniqueid: {channel}\nBridgeUniqueid: b{uniqueid}\n\n")
        return call

    def ended(self, uniqueid: str) -> None:
        """Both channels hang up now."""
        call = self.calls.pop(uniqueid)
        for channel in (call.callee, call.caller):
            self.say(
                f"Event: Hangup\nChannel: {call.name(channel)}\nUniqueid: {channel}\n"
                f"Timestamp: {self.clock.epoch()}\n\n"
            )

    def say(self, text: str) -> None:
        """To all who have logged in."""
        for talk in self.talks:
            talk.say(text)

    def cut(self) -> None:
        """All connections are lost; new ones are welcome."""
        for talk in self.talks:
            talk.cut()

    def refuse(self, action: str, channel: str = "") -> None:
        """Answer this action by an error from now on, for all channels or for this one."""

        def refuse(talk: Talk) -> None:
            if talk.action["Channel"].endswith(channel):
                talk.say("Response: Error\nActionID: %ID\nMessage: No such channel\n\n")
            else:
                self._do(talk.action)
                talk.say("Response: Success\nActionID: %ID\n\n")

        self.reactions[action] = refuse

    def lose(self, action: str) -> None:
        """Cut the connection, once, when this action was done, before its answer."""

        def cut(talk: Talk) -> None:
            del self.reactions[action]
            self._do(talk.action)
            talk.cut()

        self.reactions[action] = cut

    # What it does.

    def _answer(self, talk: Talk) -> None:
        action = talk.action
        if reaction := self.reactions.get(action["Action"]):
            reaction(talk)
            return
        match action["Action"]:
            case "CoreSettings":
                headers = f"SystemName: {self.system_name}\n"
            case "CoreShowChannels":
                talk.list_channels(*self._listed())
                return
            case "Getvar":
                headers = f"Value: {self._variable(action)}\n"
            case _:
                headers = ""
                self._do(action)
        talk.say(f"Response: Success\nActionID: %ID\n{headers}\n")

    def _do(self, action: dict[str, str]) -> None:
        if action["Action"] in ("AbsoluteTimeout", "Hangup", "Setvar"):
            value = action.get("Timeout") or action.get("Value") or action.get("Cause", "")
            self.orders.append((action["Action"], action["Channel"], value))

    def _variable(self, action: dict[str, str]) -> str:
        if action["Variable"].startswith("STRFTIME"):
            return self.clock.epoch()
        its = self.calls.get(action["Channel"].removeprefix("PJSIP/"))
        return its.answered_at if its and action["Variable"] == "AUTH_ANSWERED_AT" else ""

    def _listed(self) -> list[str]:
        return [
            f"Event: CoreShowChannel\nActionID: %ID\nChannel: {call.name(channel)}\n"
            f"Uniqueid: {channel}\nLinkedid: {call.caller}\nBridgeId: b{call.caller}\n\n"
            for call in self.calls.values()
            for channel in (call.caller, call.callee)
        ]
