"""Every exchange captured from a real Asterisk is read, and pyst2 reads the same where it can."""

import io
import signal
from collections.abc import Iterator
from itertools import pairwise

import pytest
import wire_transcripts as transcripts
from asterisk.agi import AGI, AGIAppError, AGIInvalidCommand, AGIUnknownError, AGIUsageError

from agi_server.wire import (
    AgiConnection,
    Closed,
    Command,
    EnvironmentReceived,
    Event,
    HungUp,
    Reply,
)


@pytest.fixture(autouse=True)
def _pyst2_takes_no_signal() -> Iterator[None]:
    before = signal.getsignal(signal.SIGHUP)
    yield
    signal.signal(signal.SIGHUP, before)


def read(name: str) -> tuple[list[Event], list[bytes], int]:
    """The events of a transcript, the lines that made them, the number of commands asked."""
    connection = AgiConnection()
    events: list[Event] = []
    waiting: list[bytes] = []
    outstanding = 0
    asked = 0
    lines = []
    for turn in transcripts.exchange(name):
        if isinstance(turn, transcripts.Sent):
            waiting += turn.lines
        else:
            new = connection.receive(b"" if turn.line is None else turn.line + b"\n")
            lines.append(turn.line or b"")
            events += new
            outstanding -= sum(isinstance(event, Reply) for event in new)
        # Whoever captured this sent several commands at once now and then; we send one by one.
        if waiting and not outstanding and events and not isinstance(events[-1], Closed):
            connection.send(Command(waiting.pop(0)))
            outstanding = 1
            asked += 1
    return events, lines, asked


def test_there_are_transcripts() -> None:
    assert 80 < len(transcripts.NAMES)


@pytest.mark.parametrize("name", transcripts.NAMES)
def test_exchange_with_a_real_asterisk_is_read_without_a_fault(name: str) -> None:
    events, _, asked = read(name)
    assert isinstance(events[0], EnvironmentReceived)
    assert "yes" == events[0].values["agi_network"]
    replies = [event for event in events if isinstance(event, Reply)]
    # The last command may have stayed unanswered: the connection ended there.
    assert asked - len(replies) in (0, 1)
    assert {200, 510, 511, 520}.issuperset(reply.code for reply in replies)


def test_hangups_and_line_feeds_are_found_where_they_were() -> None:
    events, _, _ = read("tDialAnswer")
    assert 1 == sum(isinstance(event, HungUp) for event in events)
    answered = next(following for event, following in pairwise(events) if isinstance(event, HungUp))
    assert isinstance(answered, Reply)
    assert 511 == answered.code
    values = [event.value for event in read("tNewline")[0] if isinstance(event, Reply)]
    assert "a\nb\n200" in values
    values = [event.value for event in read("tHostile")[0] if isinstance(event, Reply)]
    assert "a) 200 result=1 (b" in values


def pyst2_reads(reply: bytes) -> tuple[int, str, str]:
    """Code, result and value as pyst2 understands one reply."""
    agi = AGI(io.StringIO("\n" + reply.decode()), io.StringIO(), io.StringIO())
    try:
        result, value = agi.get_result()["result"]
    except AGIAppError:
        return 200, "-1", ""
    except AGIInvalidCommand:
        return 510, "", ""
    except AGIUsageError:
        return 520, "", ""
    except AGIUnknownError as error:
        return error.args[0], "", ""
    return 200, result, value


def test_pyst2_and_we_agree_on_every_reply_it_can_read() -> None:
    compared = 0
    for name in transcripts.NAMES:
        for event in read(name)[0]:
            if not isinstance(event, Reply):
                continue
            if "\n" in (event.value or "") or event.text == "result= (timeout)":
                continue  # pyst2 reads one line, and needs a result before the bracket
            mark = "-" if "\n" in event.text else " "
            raw = f"{event.code}{mark}{event.text}\n".encode()
            ours = (event.code, event.result, event.value or "")
            assert pyst2_reads(raw) == ours, name
            compared += 1
    assert 1000 < compared


def test_pyst2_and_we_agree_on_every_environment() -> None:
    for name in transcripts.NAMES:
        events, lines, _ = read(name)
        assert isinstance(events[0], EnvironmentReceived)
        raw = b"\n".join(lines[: lines.index(b"")]) + b"\n\n"
        agi = AGI(io.StringIO(raw.decode()), io.StringIO(), io.StringIO())
        assert agi.env == dict(events[0].values), name
