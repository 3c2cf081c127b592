"""Something listens where Asterisk's AMI should be, and it is silent, rude or mad."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress

import pytest
from pydantic import SecretStr

from agi_server.asterisk.ami import AmiError, AmiLostError, ami_session
from agi_server.asterisk.live_calls import Change
from agi_server.settings import AmiSettings
from support.ami_watch import PATIENCE_S, ami_watch
from support.event_log import EventLog

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
async def listening(*peers: Peer) -> AsyncIterator[AmiSettings]:
    """The first connection is served by the first peer, and so on; the last one serves the rest."""
    left = list(peers)

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        peer = left.pop(0) if len(left) > 1 else left[0]
        with suppress(asyncio.IncompleteReadError, asyncio.CancelledError, OSError):
            await peer(Talk(reader, writer))
        writer.transport.abort()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    try:
        yield AmiSettings(host="127.0.0.1", port=port, user="u", secret=SecretStr("geheim"))
    finally:
        server.close()


async def silent(talk: Talk) -> None:
    await talk.hear()
    await talk.hear()


async def refusing(talk: Talk) -> None:
    await talk.hear()
    talk.say("Response: Error\nActionID: %ID\nMessage: Authentication failed\n\n")


async def endless(talk: Talk) -> None:
    await talk.hear()
    while True:
        talk.say("x" * 65536)
        await talk._writer.drain()


async def mad(talk: Talk) -> None:
    await talk.hear()
    talk.say("Response: Success\nResponse: Error\nActionID: %ID\nMessage: a\nMessage: b\n\n")
    talk.say("\0: \ud7ff: \n: \n\n\n\nEvent: \n\nResponse\n\nEvent: X\nEvent: Shutdown\n\n")
    await talk.hear()


async def closing(talk: Talk) -> None:
    await talk.hear()


async def test_a_peer_that_gives_no_login_is_an_error_in_time_whatever_it_does_instead() -> None:
    for peer, reason in (
        (silent, "no answer to Login"),
        (refusing, "login refused: Authentication failed"),
        (endless, "connection lost"),
        (mad, "login refused"),
        (closing, "connection lost"),
    ):
        async with listening(peer) as settings, asyncio.timeout(PATIENCE_S):
            with pytest.raises(AmiError, match=reason) as refusal:
                async with ami_session(settings, timeout_s=1 if peer is silent else PATIENCE_S):
                    pass
            assert "geheim" not in str(refusal.value)


async def test_nobody_listening_is_an_error() -> None:
    async with listening(closing) as settings:
        pass
    with pytest.raises(AmiError):
        async with ami_session(settings):
            pass


async def test_an_action_whose_answer_was_lost_is_never_sent_again() -> None:
    heard: list[str] = []

    async def cuts_at_hangup(talk: Talk) -> None:
        await talk.begin()
        while (await talk.hear())["Action"] != "Hangup":
            talk.say("Response: Success\nActionID: %ID\nPing: Pong\n\n")
        heard.append("Hangup")

    async def later(talk: Talk) -> None:
        await talk.begin()
        while True:
            heard.append((await talk.hear())["Action"])
            talk.say("Response: Success\nActionID: %ID\nPing: Pong\n\n")

    async with listening(cuts_at_hangup, later) as settings, ami_watch(settings) as watch:
        await watch.until(lambda: watch.catch_ups == 1)
        with pytest.raises(AmiLostError):
            await watch.link.hangup("PJSIP/1001-1")
        await watch.until(lambda: watch.catch_ups == 2)
        await watch.until(lambda: heard.count("Ping") >= 2)
    assert {"Hangup", "Ping"} == set(heard)
    assert 1 == heard.count("Hangup")


async def test_a_frozen_peer_is_noticed_and_what_it_had_has_ended_unseen() -> None:
    async def freezes(talk: Talk) -> None:
        await talk.begin(
            "Event: CoreShowChannel\nActionID: %ID\nChannel: PJSIP/1001-1\nUniqueid: pbx-1.1\n"
            "Linkedid: pbx-1.1\nBridgeId: \n\n"
        )
        assert "Getvar" == (await talk.hear())["Action"]
        talk.say("Response: Success\nActionID: %ID\nValue: \n\n")
        while True:
            await talk.hear()

    async def empty(talk: Talk) -> None:
        await talk.begin()
        await talk.pong()

    async with listening(freezes, empty) as settings, ami_watch(settings) as watch:
        await watch.until(lambda: watch.catch_ups == 2)
    told = [(change, channel.uniqueid, channel.ended_at) for change, channel in watch.told]
    assert [(Change.STARTED, "pbx-1.1", None), (Change.ENDED, "pbx-1.1", None)] == told


async def test_a_listener_that_fails_and_a_doubled_header_end_no_connection(
    events: EventLog,
) -> None:
    told: list[str] = []

    def fails(*_: object) -> None:
        raise RuntimeError("a fault of ours")

    async def tells(talk: Talk) -> None:
        await talk.begin()
        # A caller's name with a line end in it could add a header, but not remove the true one.
        talk.say("Event: Newchannel\nChannel: a\nUniqueid: evil\nUniqueid: pbx-1.1\n\n")
        talk.say("Event: Newchannel\nChannel: b\nUniqueid: pbx-1.2\n\n")
        await talk.pong()

    async with listening(tells) as settings, ami_watch(settings) as watch:
        watch.link.listen(fails)
        watch.link.listen(lambda _, change, channel: told.append(channel.uniqueid))
        await watch.until(lambda: watch.catch_ups == 1)
        await watch.until(lambda: bool(told))
        assert watch.link.connected
    assert ["pbx-1.2"] == told
    assert ["a fault of ours"] == [each["error"] for each in events.of("background.failed")]
