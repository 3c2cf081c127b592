"""Something listens where Asterisk's AMI should be, and it is silent, rude or mad."""

import asyncio

import pytest

from agi_server.asterisk.ami import AmiError, AmiLostError, ami_session
from agi_server.asterisk.live_calls import Change
from support.ami_peer import Talk, listening
from support.ami_watch import PATIENCE_S, ami_watch
from support.event_log import EventLog


async def silent(talk: Talk) -> None:
    await talk.hear()
    await talk.hear()


async def refusing(talk: Talk) -> None:
    await talk.hear()
    talk.say("Response: Error\nActionID: %ID\nMessage: Authentication failed\n\n")


async def endless(talk: Talk) -> None:
    await talk.hear()
    while True:
        await talk.flood("x" * 65536)


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
