"""Scripted sessions as text: parsing, names, matching, masking, writing."""

import subprocess
import sys

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from agi_server.wire import script as scripts
from agi_server.wire.script import (
    Close,
    Connect,
    Expect,
    Reset,
    Script,
    ScriptError,
    Send,
    Step,
    Wait,
)


def steps_of(text: str) -> tuple[Step, ...]:
    return scripts.parse_script(text).steps


def test_lines_become_steps_that_know_where_they_stood() -> None:
    script = scripts.parse_script(
        "# a ping\n\nAGI Tx >> agi_network: yes\nAGI Tx >>\nAGI Rx << NOOP\n", "ping.agi"
    )
    assert Script(
        name="ping.agi",
        steps=(Send(text="agi_network: yes"), Send(text=""), Expect(text="NOOP")),
    ) == (script)
    assert [3, 4, 5] == [step.line_number for step in script.steps]


def test_a_console_log_of_asterisk_is_a_script() -> None:
    log = (
        '    -- Executing [5551@run:2] \x1b[1;36mAGI\x1b[0m("PJSIP/1001-0000002d", "agi://h")\n'
        "<PJSIP/1001-0000002d>AGI Tx >> agi_accountcode: \n"
        "[Nov 22 20:01:02] VERBOSE[1234][C-1] res_agi.c: <PJSIP/1001-0000002d>AGI Tx >> \n"
        "\x1b[0;37m<PJSIP/1001-0000002d>AGI Rx << GET VARIABLE X\x1b[0m\n"
        "<PJSIP/1001-0000002d>AGI Rx << temp buffer GET VAR - errno Success\n"
        "No \\n received, checking again.\n"
        "<PJSIP/1001-0000002d>AGI Tx >> 200 result=1 (a AGI Rx << b)\n"
    )
    assert (
        Send(text="agi_accountcode: "),
        Send(text=""),
        Expect(text="GET VARIABLE X"),
        Send(text="200 result=1 (a AGI Rx << b)"),
    ) == steps_of(log)


def test_colours_inside_a_recorded_line_stay() -> None:
    assert (Send(text="agi_calleridname: \x1b[31mred"),) == steps_of(
        "AGI Tx >> agi_calleridname: \x1b[31mred\n"
    )


def test_directives() -> None:
    text = (
        "! split\nAGI Tx >> a\nAGI Tx >> b\n! wait 200ms\nAGI Tx >> c\n! unterminated\n"
        "AGI Tx >> d\n! close\n! connect\nAGI Tx >> e\n! wait 2s\n! reset\n"
    )
    assert (
        Send(text="a", byte_by_byte=True),
        Send(text="b", byte_by_byte=True),
        Wait(duration_ms=200),
        Send(text="c"),
        Send(text="d", terminated=False),
        Close(),
        Connect(),
        Send(text="e"),
        Wait(duration_ms=2000),
        Reset(),
    ) == steps_of(text)


def test_a_new_environment_after_a_session_is_a_new_connection() -> None:
    session = "AGI Tx >> agi_network: yes\nAGI Tx >> \nAGI Rx << NOOP\nAGI Tx >> 200 result=0\n"
    kinds = [type(step) for step in steps_of(session + session)]
    assert [Send, Send, Expect, Send, Connect, Send, Send, Expect, Send] == kinds
    closed = "AGI Tx >> agi_network: yes\n! close\n"
    assert [Send, Close, Connect, Send, Close] == [type(step) for step in steps_of(closed + closed)]


def test_connect_and_close_is_a_script() -> None:
    assert (Close(),) == steps_of("! close")


def test_a_file_with_crlf_expects_lines_without_carriage_return() -> None:
    assert (Send(text="agi_network: yes\r"), Expect(text="NOOP"), Close()) == steps_of(
        "AGI Tx >> agi_network: yes\r\nAGI Rx << NOOP\r\n! close\r\n"
    )


@pytest.mark.parametrize(
    ("text", "line", "problem"),
    [
        ("AGI Tx >> a\n! dance\n", 2, "unknown directive"),
        ("AGI Tx >> a\n! wait long\n", 2, "200ms"),
        ("AGI Tx >> a\n! wait\n", 2, "200ms"),
        ("AGI Tx >> {{*}}\n", 1, "cannot be expected|expected"),
        ("AGI Tx >> a\n! close\nAGI Rx << NOOP\n", 3, "closed"),
        ("AGI Tx >> a\n! reset\nAGI Tx >> HANGUP\n", 3, "closed"),
        ("just a text\n", 1, "no line"),
        ("", 1, "no line"),
    ],
)
def test_what_makes_no_sense_is_named_with_its_line(text: str, line: int, problem: str) -> None:
    with pytest.raises(ScriptError, match=rf"x\.agi, line {line}: .*({problem})") as refusal:
        scripts.parse_script(text, "x.agi")
    assert line == refusal.value.line_number


def test_a_name_that_is_sent_must_be_defined_or_captured_before() -> None:
    script = scripts.parse_script(
        "AGI Rx << CALL={{call}}\nAGI Tx >> {{call}} {{open}}\nAGI Tx >> {{account_1}}\n", "x.agi"
    )
    with pytest.raises(ScriptError, match=r"line 3: \{\{account_1\}\} is not defined"):
        scripts.check_defined(script, {})
    scripts.check_defined(script, {"account_1": "7"})


@pytest.mark.parametrize("name", ["", "a b", "open", "1a", "*"])
def test_a_name_that_cannot_stand_in_a_script_cannot_be_defined(name: str) -> None:
    with pytest.raises(ScriptError, match="cannot be defined"):
        scripts.check_defined(scripts.parse_script("AGI Tx >> a"), {name: "x"})


def test_a_definition_of_two_lines_is_refused_without_showing_it() -> None:
    with pytest.raises(ScriptError, match="more than one line") as refusal:
        scripts.check_defined(scripts.parse_script("AGI Tx >> a"), {"account_1": "1234567\nX"})
    assert "1234567" not in str(refusal.value)


@pytest.mark.parametrize(
    ("pattern", "received", "values", "expected"),
    [
        ("NOOP", "NOOP", {}, {}),
        ("NOOP", "NOOPE", {}, None),
        ("A(1).*", "A(1)xx", {}, None),
        ("MSet {{*}}B=2", "MSet A=1,B=2", {}, {}),
        ("A={{a}},B={{b}}", "A=1,B=", {}, {"a": "1", "b": ""}),
        ("A={{a}},B={{a}}", "A=1,B=1", {}, {"a": "1"}),
        ("A={{a}},B={{a}}", "A=1,B=2", {}, None),
        ("A={{a}}", "A=1", {"a": "1"}, {}),
        ("A={{a}}", "A=.", {"a": "1"}, None),
        ("A={{open}}b}}", "A={{b}}", {}, {}),
    ],
)
def test_an_expected_line_matches_and_captures(
    pattern: str, received: str, values: dict[str, str], expected: dict[str, str] | None
) -> None:
    assert expected == scripts.match(pattern, received, values)


def test_masking_replaces_a_secret_wherever_it_stands_longest_first() -> None:
    names = {"1000000001": "account_1", "10000000012": "account_2", "17": "account_3"}
    assert "x{{account_2}}y{{account_1}} 17" == scripts.mask("x10000000012y1000000001 17", names)


TEXT = st.text(
    st.sampled_from("{}ax*1234_ #!") | st.characters(exclude_characters="\n"), max_size=20
).map(lambda text: text.rstrip("\r"))
STEPS = st.lists(
    st.one_of(
        TEXT.map(
            lambda text: (
                Expect(text=text) if not text.startswith("temp buffer ") else Wait(duration_ms=1)
            )
        ),
        st.builds(
            Send,
            text=TEXT.filter(lambda t: not t.startswith("agi_network:")),
            terminated=st.booleans(),
        ),
        st.builds(Wait, duration_ms=st.integers(0, 10_000)),
        st.just(Connect()),
    ),
    max_size=8,
)
NAMES = {"1234": "account_1", "a1x": "account_2", "open}}": "account_3"}


@given(STEPS)
@example([Send(text="{{a}}"), Expect(text="{{1234}}{{*}}{{{x}}")])
def test_written_traffic_reads_back_as_it_was(steps: list[Step]) -> None:
    text = scripts.write_script([*steps, Send(text="end")], NAMES)
    assert "1234" not in text.replace("account_1234", "")
    values = {name: secret for secret, name in NAMES.items()}
    back = []
    for step in steps_of(text):
        if isinstance(step, Send):
            step = Send(text=scripts.fill(step.text, values), terminated=step.terminated)
        elif isinstance(step, Expect):
            step = Expect(text=scripts.fill(step.text, values))
        back.append(step)
    assert [*steps, Send(text="end")] == back


def test_split_is_written_before_the_lines_it_concerns() -> None:
    steps = (Send(text="a", byte_by_byte=True), Send(text="b", byte_by_byte=True), Close())
    text = scripts.write_script(steps, {})
    assert "! split\nAGI Tx >> a\nAGI Tx >> b\n! close\n" == text
    assert steps == steps_of(text)


def test_bytes_that_are_no_text_survive_a_script() -> None:
    raw = b"agi_calleridname: Jos\xe9 \xff\x0c\xe2\x80\xa8"
    text = scripts.write_script([Send(text=scripts.decode(raw))], {})
    (step,) = scripts.parse_script(scripts.decode(scripts.encode(text))).steps
    assert isinstance(step, Send)
    assert raw == scripts.encode(step.text)


def test_the_wire_does_no_io_and_knows_nobody() -> None:
    code = (
        "import sys, agi_server.wire, agi_server.wire.script; "
        "print([m for m in sys.modules if m in ('asyncio', 'socket', 'asyncpg', 'redis') "
        "or m.startswith('agi_server.') and not m.startswith('agi_server.wire')])"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "[]" == found.stdout.strip()


@pytest.mark.parametrize(
    "line", ["agi_arg_6: {}.100", "200 result=1 (ANSWER|2040|16|{}.600|{}.500)"]
)
def test_times_of_a_call_move_with_its_channel_to_the_moment_of_playing(line: str) -> None:
    text = "AGI Tx >> agi_uniqueid: pbx-1795373687.83\nAGI Tx >> " + line
    recorded, played = (
        scripts.parse_script(text.format(answered, answered))
        for answered in (1_795_373_690, 2_000_000_003)
    )
    assert played.steps == scripts.at_time(recorded, 2_000_000_000).steps


@pytest.mark.parametrize(
    "line", ["agi_arg_6: soon", "agi_arg_6: 1.000", "agi_channel: PJSIP/1795373690.000"]
)
def test_what_is_no_time_of_the_call_stays_as_it_is_written(line: str) -> None:
    script = scripts.parse_script(f"AGI Tx >> agi_uniqueid: 1795373687.83\nAGI Tx >> {line}\n")
    assert script == scripts.at_time(script, 2_000_000_000)


def test_times_stay_where_no_channel_says_when_it_began() -> None:
    script = scripts.parse_script("AGI Tx >> agi_arg_6: 1795373690.100\n")
    assert script == scripts.at_time(script, 2_000_000_000)
