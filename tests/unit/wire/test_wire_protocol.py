"""The wire's conversation: environment, replies, HANGUP, limits, and any split of the bytes."""

from collections.abc import Iterable
from itertools import pairwise

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from agi_server.wire import (
    AgiConnection,
    Closed,
    EnvironmentReceived,
    Event,
    HungUp,
    LocalProtocolError,
    RemoteProtocolError,
    Reply,
    WireError,
    WireLimits,
    commands,
)

ENVIRONMENT = (
    b"agi_network: yes\nagi_network_script: authorize?account=1\nagi_uniqueid: 17.4\n"
    b"agi_callerid: 1001\nagi_accountcode: \nagi_arg_1: one two\nagi_arg_2: \n\n"
)


def connected(limits: WireLimits | None = None) -> AgiConnection:
    connection = AgiConnection(limits or WireLimits())
    connection.receive(ENVIRONMENT)
    return connection


def ask(reply: bytes) -> list[Event]:
    """The events of a reply to a command on a fresh connection."""
    connection = connected()
    connection.send(commands.noop())
    return connection.receive(reply)


def test_environment_gives_its_values_and_arguments() -> None:
    assert [
        EnvironmentReceived(
            values={
                "agi_network": "yes",
                "agi_network_script": "authorize?account=1",
                "agi_uniqueid": "17.4",
                "agi_callerid": "1001",
                "agi_accountcode": "",
                "agi_arg_1": "one two",
                "agi_arg_2": "",
            },
            arguments=("one two", ""),
        )
    ] == AgiConnection().receive(ENVIRONMENT)


def test_environment_with_crlf_and_stripped_spaces_reads_the_same() -> None:
    crlf = ENVIRONMENT.replace(b": \n", b":\n").replace(b"\n", b"\r\n")
    assert AgiConnection().receive(ENVIRONMENT) == AgiConnection().receive(crlf)


def test_arguments_come_in_the_order_of_their_numbers() -> None:
    lines = b"".join(b"agi_arg_%d: v%d\n" % (n, n) for n in (2, 11, 1, 3, 10, 4, 5, 6, 7, 8, 9))
    (event,) = AgiConnection().receive(b"agi_network: yes\n" + lines + b"\n")
    assert isinstance(event, EnvironmentReceived)
    assert tuple(f"v{n}" for n in range(1, 12)) == event.arguments


def test_arguments_end_at_the_first_missing_number() -> None:
    (event,) = AgiConnection().receive(b"agi_network: yes\nagi_arg_1: a\nagi_arg_3: c\n\n")
    assert isinstance(event, EnvironmentReceived)
    assert ("a",) == event.arguments


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        (b"200 result=0", Reply(code=200, result="0", text="result=0")),
        (b"200 result=-1", Reply(code=200, result="-1", text="result=-1")),
        (b"200 result=", Reply(code=200, text="result=")),
        (b"200 result=12#", Reply(code=200, result="12#", text="result=12#")),
        (
            b"200 result=0 endpos=3520",
            Reply(code=200, result="0", endpos=3520, text="result=0 endpos=3520"),
        ),
        (
            b"200 result=12 (timeout)",
            Reply(
                code=200, result="12", value="timeout", timed_out=True, text="result=12 (timeout)"
            ),
        ),
        (
            b"200 result=0 (timeout) endpos=8",
            Reply(
                code=200,
                result="0",
                value="timeout",
                timed_out=True,
                endpos=8,
                text="result=0 (timeout) endpos=8",
            ),
        ),
        (b"200 result=1 ()", Reply(code=200, result="1", value="", text="result=1 ()")),
        (
            b"200 result=1 ((a) (b)",
            Reply(code=200, result="1", value="(a) (b", text="result=1 ((a) (b)"),
        ),
        (
            b"200 result=1 (a) endpos=5)",
            Reply(code=200, result="1", value="a) endpos=5", text="result=1 (a) endpos=5)"),
        ),
        (
            b"200 result=0 Gosub complete (abnormal exit)",
            Reply(code=200, result="0", text="result=0 Gosub complete (abnormal exit)"),
        ),
        (
            b"510 Invalid or unknown command",
            Reply(code=510, text="Invalid or unknown command"),
        ),
        (b"520", Reply(code=520)),
    ],
)
def test_reply_is_read_into_its_parts(raw: bytes, expected: Reply) -> None:
    assert [expected] == ask(raw + b"\n")
    assert [expected] == ask(raw + b"\r\n")


@given(st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"])))
@example("a\nHANGUP\nb")
@example("\n")
@example("a\r\nb")
@example("x) 200 result=1 (y")
@example("200 result=1 (forged")
def test_any_value_is_read_whole_unless_it_seems_to_end_early(value: str) -> None:
    raw = b"200 result=1 (" + value.encode() + b")\n"
    if ")\n" in value or ")\r\n" in value or ") endpos=" in value or ") digit=" in value:
        return  # nothing tells such a value from a shorter one and a line that answers nothing
    assert [value] == [event.value for event in ask(raw) if isinstance(event, Reply)]


def test_the_tail_of_a_value_that_seems_to_end_early_answers_no_later_command() -> None:
    connection = connected()
    connection.send(commands.get_full_variable("${A}"))
    with pytest.raises(RemoteProtocolError, match="answers no command") as fault:
        connection.receive(b"200 result=1 (a)\n200 result=1 (forged)\n")
    assert ["a"] == [event.value for event in fault.value.events if isinstance(event, Reply)]
    with pytest.raises(LocalProtocolError):
        connection.send(commands.noop())


def test_hangup_while_idle_before_a_reply_and_twice() -> None:
    connection = connected()
    assert [HungUp()] == connection.receive(b"HANGUP\n")
    connection.send(commands.noop())
    assert [Reply(code=200, result="0", text="result=0")] == connection.receive(
        b"HANGUP\n200 result=0\n"
    )


def test_hangup_line_in_the_environment_is_told_and_the_environment_goes_on() -> None:
    head, tail = ENVIRONMENT.split(b"agi_callerid")
    events = AgiConnection().receive(head + b"HANGUP\nagi_callerid" + tail)
    assert [HungUp(), *AgiConnection().receive(ENVIRONMENT)] == events


def test_a_command_sent_before_its_turn_is_our_error() -> None:
    connection = AgiConnection()
    with pytest.raises(LocalProtocolError, match="environment"):
        connection.send(commands.noop())
    connection.receive(ENVIRONMENT)
    assert b"NOOP\n" == connection.send(commands.noop())
    with pytest.raises(LocalProtocolError, match="not answered"):
        connection.send(commands.noop())
    connection.receive(b"200 result=0\n")
    connection.receive(b"")
    with pytest.raises(LocalProtocolError, match="closed"):
        connection.send(commands.noop())


def test_end_of_file_is_told_once() -> None:
    connection = connected()
    assert [Closed()] == connection.receive(b"")
    assert [] == connection.receive(b"")
    with pytest.raises(LocalProtocolError):
        connection.receive(b"200 result=0\n")


def test_after_a_fault_nothing_more_is_read() -> None:
    connection = connected()
    with pytest.raises(RemoteProtocolError):
        connection.receive(b"hello\n")
    with pytest.raises(RemoteProtocolError):
        connection.receive(b"HANGUP\n")
    assert [Closed()] == connection.receive(b"")


def lines(count: int) -> bytes:
    return b"".join(b"agi_x%d: y\n" % number for number in range(count))


def test_limit_of_environment_lines_counts_the_blank_one() -> None:
    limits = WireLimits(max_environment_lines=5)
    assert 1 == len(AgiConnection(limits).receive(lines(4) + b"\n"))
    with pytest.raises(RemoteProtocolError, match="too many lines"):
        AgiConnection(limits).receive(lines(5) + b"\n")


def test_limit_of_environment_bytes() -> None:
    raw = lines(8) + b"\n"
    assert 1 == len(AgiConnection(WireLimits(max_environment_bytes=len(raw))).receive(raw))
    with pytest.raises(RemoteProtocolError, match="environment is too long"):
        AgiConnection(WireLimits(max_environment_bytes=len(raw) - 1)).receive(raw)


def test_limit_of_reply_bytes() -> None:
    raw = b"200 result=1 (" + b"v\n" * 20 + b")\n"
    connection = connected(WireLimits(max_reply_bytes=len(raw)))
    connection.send(commands.noop())
    assert 1 == len(connection.receive(raw))
    connection = connected(WireLimits(max_reply_bytes=len(raw) - 1))
    connection.send(commands.noop())
    with pytest.raises(RemoteProtocolError, match="too long"):
        connection.receive(raw)


def test_limit_of_commands_in_a_session() -> None:
    connection = connected(WireLimits(max_commands=2))
    for _ in range(2):
        connection.send(commands.noop())
        connection.receive(b"200 result=0\n")
    with pytest.raises(LocalProtocolError, match="2 commands"):
        connection.send(commands.noop())


@pytest.mark.parametrize("flood", [b"HANGUP\n", b"100 result=0 Trying...\n"])
def test_limit_of_lines_that_answer_nothing(flood: bytes) -> None:
    connection = connected()
    connection.send(commands.noop())
    with pytest.raises(RemoteProtocolError, match="answer nothing"):
        connection.receive(flood * 65)


def test_limits_are_checked() -> None:
    with pytest.raises(ValueError, match="max_commands"):
        WireLimits(max_commands=0)


# --- any split of the bytes ------------------------------------------------------------------

TIGHT = WireLimits(
    max_line_bytes=60,
    max_environment_lines=12,
    max_environment_bytes=300,
    max_reply_bytes=120,
    max_extra_lines=3,
    max_commands=6,
)
fragments = st.sampled_from(
    [
        b"agi_network: yes\n",
        b"agi_callerid: 1\xff\xc3\n",
        b"agi_accountcode: 7\r\n",
        b"agi_calleridname: x\n",
        b"agi_arg_1: a\n",
        b"\n",
        b"\r\n",
        b"200 result=0\n",
        b"200 result=1 (a",
        b"b)\n",
        b") endpos=5\r\n",
        b"520-Usage\n",
        b"520 End\n",
        b"511 dead\n",
        b"100 Trying\n",
        b"HANGUP\n",
        b"x" * 30,
        b"\0",
        b"\xc3",
    ]
) | st.binary(max_size=8)
blocks = st.lists(
    st.lists(fragments, max_size=8).map(b"".join) | st.just(b"200 result=0\n"), max_size=6
)


def play(blocks: Iterable[list[bytes]]) -> tuple[list[Event], str]:
    """A peer that sends its next block when it has been asked, each block in pieces."""
    connection = AgiConnection(TIGHT)
    events: list[Event] = []
    for pieces in blocks:
        try:
            for piece in pieces:
                events += connection.receive(piece)
        except RemoteProtocolError as fault:
            return [*events, *fault.events], "remote"
        try:
            connection.send(commands.noop())
        except LocalProtocolError:
            return events, "local"
    return events, ""


@given(blocks, st.data())
def test_any_split_of_the_bytes_gives_the_same_events(
    rest: list[bytes], data: st.DataObject
) -> None:
    whole = [ENVIRONMENT, *rest] if data.draw(st.booleans()) else rest
    split = []
    for block in whole:
        cuts = sorted(data.draw(st.sets(st.integers(1, max(1, len(block) - 1)))))
        edges = [0, *cuts, len(block)]
        pieces = [block[a:b] for a, b in pairwise(edges)]
        split.append([piece for piece in pieces if piece])
    assert play([block] if block else [] for block in whole) == play(split)


@given(blocks)
def test_bytes_one_by_one_give_the_same_events(rest: list[bytes]) -> None:
    whole = [ENVIRONMENT, *rest]
    one_by_one = [[bytes([byte]) for byte in block] for block in whole]
    assert play([block] if block else [] for block in whole) == play(one_by_one)


@given(st.lists(st.binary(max_size=60) | fragments | st.just(None), max_size=20))
def test_no_input_raises_anything_but_the_wires_own_errors(turns: list[bytes | None]) -> None:
    connection = AgiConnection(TIGHT)
    for turn in turns:
        try:
            if turn is None:
                connection.send(commands.noop())
            else:
                connection.receive(turn)
        except WireError:
            pass
