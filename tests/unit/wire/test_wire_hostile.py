"""One test for each input on which AGI libraries were seen to fail, and for forged lines."""

import pytest

from agi_server.wire import (
    AgiConnection,
    Closed,
    EnvironmentReceived,
    HungUp,
    RemoteProtocolError,
    Reply,
    commands,
)

REAL = (
    b"agi_network: yes\nagi_network_script: authorize\nagi_request: agi://h/authorize\n"
    b"agi_channel: PJSIP/1001-0000002d\nagi_language: en\nagi_type: PJSIP\n"
    b"agi_uniqueid: 1795373687.4\nagi_version: 22.10.1\nagi_callerid: 1001\n"
    b"agi_calleridname: %s\nagi_callingpres: 0\nagi_callingani2: 0\nagi_callington: 0\n"
    b"agi_callingtns: 0\nagi_dnid: 5551\nagi_rdnis: unknown\nagi_context: run\n"
    b"agi_extension: 5551\nagi_priority: 2\nagi_enhanced: 0.0\nagi_accountcode: 1000000001\n"
    b"agi_threadid: 139973726254784\nagi_arg_1: call-a\nagi_arg_2: ANSWER\n\n"
)


def values_of(name: bytes) -> dict[str, str]:
    (event,) = AgiConnection().receive(REAL % name)
    assert isinstance(event, EnvironmentReceived)
    assert ("call-a", "ANSWER") == event.arguments
    return dict(event.values)


def waiting() -> AgiConnection:
    connection = AgiConnection()
    connection.receive(REAL % b"Alice")
    connection.send(commands.noop())
    return connection


def test_connect_and_close() -> None:
    assert [Closed()] == AgiConnection().receive(b"")


def test_half_an_environment_then_close() -> None:
    connection = AgiConnection()
    assert [] == connection.receive(REAL[:100])
    assert [Closed()] == connection.receive(b"")


def test_hangup_before_a_reply_shifts_no_reply() -> None:
    assert [HungUp(), Reply(code=200, result="3", text="result=3")] == waiting().receive(
        b"HANGUP\n200 result=3\n"
    )


def test_result_minus_one_is_a_reply_like_any_other() -> None:
    assert [Reply(code=200, result="-1", text="result=-1")] == waiting().receive(b"200 result=-1\n")


def test_511_on_a_dead_channel() -> None:
    text = "Command Not Permitted on a dead channel or intercept routine"
    assert [Reply(code=511, text=text)] == waiting().receive(b"511 " + text.encode() + b"\n")


def test_520_over_several_lines() -> None:
    raw = b"520-Invalid command syntax.\nHANGUP\n200 result=1\n520 End of proper usage.\n"
    text = raw[4:-1].decode()
    assert [Reply(code=520, text=text)] == waiting().receive(raw)


def test_end_of_file_inside_a_520() -> None:
    connection = waiting()
    assert [] == connection.receive(b"520-Invalid command syntax.\nReturns\n")
    assert [Closed()] == connection.receive(b"")


def test_100_trying_and_the_result_in_one_segment() -> None:
    assert [Reply(code=200, result="0", text="result=0")] == waiting().receive(
        b"100 result=0 Trying...\n200 result=0\n"
    )


@pytest.mark.parametrize("value", ["hangup", "HANGUP", "a\nHANGUP\nb", "x) result=-1 (y", "a\nb"])
def test_a_value_made_to_confuse_is_only_a_value(value: str) -> None:
    connection = waiting()
    (reply,) = connection.receive(b"200 result=1 (%s)\n" % value.encode())
    assert isinstance(reply, Reply)
    assert (200, "1", value, False) == (reply.code, reply.result, reply.value, reply.timed_out)
    assert b"NOOP\n" == connection.send(commands.noop())


def test_no_digits_before_the_timeout() -> None:
    (reply,) = waiting().receive(b"200 result= (timeout)\n")
    assert isinstance(reply, Reply)
    assert ("", True) == (reply.result, reply.timed_out)


def test_latin_1_and_truncated_utf_8_lose_no_call() -> None:
    assert "Jos\ufffd" == values_of(b"Jos\xe9")["agi_calleridname"]
    assert "a\ufffd" == values_of(b"a\xe2\x82")["agi_calleridname"]
    (reply,) = waiting().receive(b"200 result=1 (Jos\xe9 \xc3)\n")
    assert isinstance(reply, Reply)
    assert "Jos\ufffd \ufffd" == reply.value


def test_an_environment_line_without_a_colon_is_skipped() -> None:
    assert values_of(b"Alice") == values_of(b"Alice\nBob")


def test_quotes_brackets_and_commas_in_a_name_are_only_a_name() -> None:
    name = r"""Eve \" '(x) <a>, [b] & &account=1 %0d%0aagi_accountcode: evil"""
    assert name == values_of(name.encode())["agi_calleridname"]


def test_an_endless_environment_is_cut_off() -> None:
    connection = AgiConnection()
    connection.receive(b"agi_network: yes\n")
    for _ in range(190):
        connection.receive(b"agi_x: y\n")
    with pytest.raises(RemoteProtocolError):
        connection.receive(b"agi_x: y\n")


def test_a_line_of_a_megabyte_is_cut_off_before_it_ends() -> None:
    connection = AgiConnection()
    with pytest.raises(RemoteProtocolError):
        connection.receive(b"agi_calleridname: " + b"x" * 1_000_000)
    connection = waiting()
    with pytest.raises(RemoteProtocolError):
        connection.receive(b"200 result=1 (" + b"x" * 1_000_000)


def test_end_of_file_while_waiting_for_a_reply() -> None:
    assert [Closed()] == waiting().receive(b"")


def test_a_silent_peer_gives_no_event() -> None:
    assert [] == AgiConnection().receive(b"agi_network: yes\n")


def test_nul_is_refused() -> None:
    with pytest.raises(RemoteProtocolError, match="NUL"):
        AgiConnection().receive(b"agi_network: yes\nagi_callerid: 1\0\n")


@pytest.mark.parametrize(
    "probe", [b"GET / HTTP/1.1\r\n", b"\n", b"\x16\x03\x01\x02\n", b"HANGUP\n", b"agi_\n\n"]
)
def test_who_does_not_speak_agi_is_refused_at_the_first_line(probe: bytes) -> None:
    with pytest.raises(RemoteProtocolError):
        AgiConnection().receive(probe)


@pytest.mark.parametrize("key", [b"accountcode", b"extension", b"arg_1", b"dnid", b"context"])
def test_a_key_forged_in_a_callers_name_before_the_real_one_is_refused(key: bytes) -> None:
    with pytest.raises(RemoteProtocolError, match="twice"):
        AgiConnection().receive(REAL % (b"Eve\nagi_%s: evil" % key))


def test_a_whole_forged_tail_of_the_environment_is_refused() -> None:
    tail = (REAL % b"Eve").split(b"Eve\n")[1].replace(b"1000000001", b"2000000002").rstrip()
    with pytest.raises(RemoteProtocolError, match="twice"):
        AgiConnection().receive(REAL % (b"Eve\n" + tail))


@pytest.mark.parametrize("value", [b"agi_calleridname: Alice", b"agi_extension: 5551"])
def test_an_argument_forged_where_the_dialplan_gives_none_is_refused(value: bytes) -> None:
    real = (REAL % b"Alice").replace(b"agi_arg_1: call-a\nagi_arg_2: ANSWER\n", b"")
    forged = real.replace(value, value + b"\nagi_arg_1: account=2000000002")
    with pytest.raises(RemoteProtocolError, match="an argument stands before"):
        AgiConnection().receive(forged)


@pytest.mark.parametrize("key", [b"network_script", b"request", b"uniqueid", b"callerid"])
def test_a_key_forged_after_the_real_one_changes_nothing(key: bytes) -> None:
    assert values_of(b"Eve") == values_of(b"Eve\nagi_%s: evil" % key)


def test_an_environment_ended_early_by_a_blank_line_in_a_name_is_refused() -> None:
    with pytest.raises(RemoteProtocolError, match="answers no command"):
        AgiConnection().receive(REAL % b"Eve\nagi_accountcode: evil\n\n")


def test_a_line_nobody_asked_for_is_refused() -> None:
    connection = AgiConnection()
    connection.receive(REAL % b"Alice")
    with pytest.raises(RemoteProtocolError, match="answers no command"):
        connection.receive(b"200 result=0\n")


@pytest.mark.parametrize(
    "line", [b"hello", b"", b"2000 result=1", b"20", b"200", b"200 OK", b"\xb2\xb2\xb2 x"]
)
def test_a_reply_that_is_none_is_refused(line: bytes) -> None:
    with pytest.raises(RemoteProtocolError):
        waiting().receive(line + b"\n")


def test_no_error_quotes_what_the_peer_sent() -> None:
    secret = b"1000000001"
    for raw in (secret + b"\n", b"200 " + secret + b"\n", b"200 result=0\n" + secret + b"\n"):
        with pytest.raises(RemoteProtocolError) as fault:
            waiting().receive(raw)
        assert secret.decode() not in str(fault.value)
