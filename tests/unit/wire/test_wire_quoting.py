"""Quoting, against an independent reading of Asterisk's rules."""

from collections.abc import Callable

import pytest
import wire_asterisk_rules as asterisk
from hypothesis import example, given
from hypothesis import strategies as st

from agi_server.wire import LocalProtocolError, commands, quoting

carriable = st.text(st.characters(exclude_characters="\r\n\0", exclude_categories=["Cs"]))
tricky = st.text(st.sampled_from('ab\\",()[]=& \t#é'), max_size=12)
values = tricky | carriable
plain_names = st.from_regex(r"[A-Za-z_][A-Za-z0-9_]{0,20}", fullmatch=True)
functions = st.sampled_from(["CHANNEL(language)", "TIMEOUT(absolute)", "PJSIP_HEADER(add,X-A)"])
names = plain_names | functions


def argument_of(command: commands.Command) -> str:
    verb, _, argument = asterisk.words(command.line.decode())
    assert verb == "EXEC"
    return argument


@given(st.lists(values, min_size=1, max_size=5))
def test_quoted_words_reach_asterisk_as_they_were(texts: list[str]) -> None:
    line = quoting.command_line("X", *map(quoting.quote, texts))
    assert ["X", *texts] == asterisk.words(line.decode())


@given(st.lists(values, min_size=1, max_size=5))
def test_words_quoted_only_where_needed_reach_asterisk_as_they_were(texts: list[str]) -> None:
    line = quoting.command_line("X", *map(quoting.word, texts))
    assert ["X", *texts] == asterisk.words(line.decode())


def test_a_plain_word_stays_bare() -> None:
    assert b"SET VARIABLE AUTH_PING ok" == commands.set_variable("AUTH_PING", "ok").line


@given(st.lists(st.tuples(names, values), min_size=1, max_size=20))
@example([("A", "("), ("B", "x")])
@example([("A", '"'), ("B", ",")])
@example([("A", "a]["), ("B", "\\")])
@example([("A", ""), ("B", "")])
def test_mset_sets_every_variable_to_its_own_value(pairs: list[tuple[str, str]]) -> None:
    assert pairs == asterisk.mset(argument_of(commands.mset(pairs)))


def test_mset_takes_as_many_pairs_as_asterisk_unescapes() -> None:
    pairs = [(f"V{number}", "a,b") for number in range(quoting.MAX_MSET_PAIRS)]
    assert pairs == asterisk.mset(argument_of(commands.mset(pairs)))
    with pytest.raises(LocalProtocolError, match="98"):
        commands.mset([*pairs, ("ONE_MORE", "a,b")])


def test_mset_reads_a_mapping_in_its_order() -> None:
    expected = b'EXEC MSet "AUTH_DECISION=allow,AUTH_DIAL_OPTIONS=L(345000:61000:30000)"'
    given_pairs = {"AUTH_DECISION": "allow", "AUTH_DIAL_OPTIONS": "L(345000:61000:30000)"}
    assert expected == commands.mset(given_pairs).line


def test_mset_without_a_pair_is_refused() -> None:
    with pytest.raises(LocalProtocolError):
        commands.mset({})


@pytest.mark.parametrize("name", ["", "A B", "A,B", "A=B", "1A", "A(b", "A)", 'A("b")', "A(b=c)"])
def test_a_variable_name_that_would_be_taken_apart_is_refused(name: str) -> None:
    with pytest.raises(LocalProtocolError, match="variable"):
        commands.mset({name: "x"})
    with pytest.raises(LocalProtocolError, match="variable"):
        commands.set_variable(name, "x")


@given(st.lists(values, min_size=1, max_size=4), st.integers(0, 3))
def test_arguments_of_an_application_arrive_or_are_refused(texts: list[str], more: int) -> None:
    try:
        command = commands.exec_app("Playback", *texts)
    except LocalProtocolError:
        return
    # Whether the application declares just as many arguments as given, or more.
    arrived = asterisk.arguments(argument_of(command), ",", len(texts) + more)
    padded = arrived + [""] * (len(texts) - len(arrived))
    assert texts == padded


def test_commas_within_brackets_stay_in_their_argument() -> None:
    command = commands.exec_app("Gosub", "handlers,s,1(a,b)".replace(",", "-", 2), "x[1,2]")
    assert ["handlers-s-1(a,b)", "x[1,2]"] == asterisk.arguments(argument_of(command), ",", 3)


@pytest.mark.parametrize("text", ["a,b", "a(", "a)", ")(", "[", "a]", 'say "x"', "back\\slash"])
def test_an_argument_that_asterisk_would_take_apart_is_refused(text: str) -> None:
    with pytest.raises(LocalProtocolError, match="argument 2"):
        commands.exec_app("Playback", "fine", text)


def test_dial_carries_target_timeout_and_options() -> None:
    expected = b'EXEC Dial "PJSIP/gw/sip:1@[::1]:5091,60,gU(onans)L(4000:61000:30000)"'
    command = commands.dial("PJSIP/gw/sip:1@[::1]:5091", 60, "gU(onans)L(4000:61000:30000)")
    assert expected == command.line


@pytest.mark.parametrize(
    ("target", "timeout_s", "options"),
    [
        ("", 60, "L(1000)"),
        ("PJSIP/1,2", 60, "L(1000)"),
        ("PJSIP/1", 0, "L(1000)"),
        ("PJSIP/1", -1, "L(1000)"),
        ("PJSIP/1", 60, "L(1000"),
        ("PJSIP/1", 60, "L(1000),http://evil"),
        ("PJSIP/1(", 60, "L(1000)"),
        ("PJSIP/1\n", 60, "L(1000)"),
    ],
)
def test_dial_refuses_what_would_change_its_arguments(
    target: str, timeout_s: int, options: str
) -> None:
    with pytest.raises(LocalProtocolError):
        commands.dial(target, timeout_s, options)


@pytest.mark.parametrize("character", ["\r", "\n", "\0"])
def test_line_feed_carriage_return_and_nul_are_refused_everywhere(character: str) -> None:
    secret = f"1000000001{character}HANGUP"
    builders: list[Callable[[], commands.Command]] = [
        lambda: commands.mset({"AUTH_DIAL": secret}),
        lambda: commands.set_variable("AUTH_DIAL", secret),
        lambda: commands.get_full_variable(secret),
        lambda: commands.dial(secret, 60, ""),
        lambda: commands.exec_app("Playback", secret),
        lambda: commands.stream_file(secret),
        lambda: commands.get_data(secret, 5000, 4),
        lambda: commands.verbose(secret),
    ]
    for build in builders:
        with pytest.raises(LocalProtocolError) as refusal:
            build()
        assert "1000000001" not in str(refusal.value)


def test_mset_names_the_variable_whose_value_is_refused() -> None:
    with pytest.raises(LocalProtocolError, match="AUTH_PROMPT"):
        commands.mset({"AUTH_REASON": "", "AUTH_PROMPT": "a\nb"})


def test_text_that_cannot_be_encoded_is_refused() -> None:
    with pytest.raises(LocalProtocolError, match="no valid text"):
        commands.verbose("\udcff")


def test_a_line_fits_into_asterisks_buffer_with_its_line_feed() -> None:
    room = 8190 - len('VERBOSE "" 1')
    assert 8190 == len(commands.verbose("x" * room).line)
    with pytest.raises(LocalProtocolError, match="8191"):
        commands.verbose("x" * (room + 1))
    with pytest.raises(LocalProtocolError, match="8191"):
        commands.verbose("é" * room)


def test_no_more_words_than_asterisk_keeps() -> None:
    line = quoting.command_line("SET VARIABLE", *["x"] * 125)
    assert 127 == len(asterisk.words(line.decode()))
    with pytest.raises(LocalProtocolError, match="127"):
        quoting.command_line("SET VARIABLE", *["x"] * 126)


def test_builders_write_what_asterisk_documents() -> None:
    assert [
        b"ANSWER",
        b"HANGUP",
        b"NOOP",
        b"CHANNEL STATUS",
        b'GET FULL VARIABLE "${A}|${B}"',
        b"GET DATA vm-enter 5000 10",
        b'STREAM FILE beep ""',
        b'STREAM FILE "a b" 0123#',
        b'SAY NUMBER -5 ""',
        b"SAY DIGITS 0123 *",
        b"WAIT FOR DIGIT 300",
        b'VERBOSE "say \\"hi\\"" 3',
        b'EXEC Wait "2"',
        b'EXEC Progress ""',
    ] == [
        command.line
        for command in (
            commands.answer(),
            commands.hangup(),
            commands.noop(),
            commands.channel_status(),
            commands.get_full_variable("${A}|${B}"),
            commands.get_data("vm-enter", 5000, 10),
            commands.stream_file("beep"),
            commands.stream_file("a b", "0123#"),
            commands.say_number(-5),
            commands.say_digits("0123", "*"),
            commands.wait_for_digit(300),
            commands.verbose('say "hi"', 3),
            commands.exec_app("Wait", "2"),
            commands.exec_app("Progress"),
        )
    ]


@pytest.mark.parametrize(
    "build",
    [
        lambda: commands.get_data("", 5000, 4),
        lambda: commands.get_data("beep", 0, 4),
        lambda: commands.get_data("beep", 5000, 0),
        lambda: commands.get_data("beep", 5000, 1024),
        lambda: commands.stream_file("beep", "x"),
        lambda: commands.say_number(2**31),
        lambda: commands.say_digits("12a"),
        lambda: commands.say_digits(""),
        lambda: commands.wait_for_digit(0),
        lambda: commands.verbose("x", 5),
        lambda: commands.exec_app("Wait 2", "x"),
    ],
)
def test_arguments_out_of_range_are_refused(build: Callable[[], commands.Command]) -> None:
    with pytest.raises(LocalProtocolError):
        build()
