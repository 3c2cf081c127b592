"""The player against small servers on loopback."""

import asyncio
import math
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from agi_server.replay import PlayResult, load_script, play
from agi_server.wire.script import ScriptError, decode, encode, parse_script

Handler = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]
ENVIRONMENT = "AGI Tx >> agi_network: yes\nAGI Tx >> agi_network_script: ping\nAGI Tx >>\n"


@asynccontextmanager
async def server(handler: Handler) -> AsyncIterator[int]:
    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await handler(reader, writer)
        finally:
            writer.close()

    listener = await asyncio.start_server(handle, "127.0.0.1", 0)
    try:
        yield listener.sockets[0].getsockname()[1]
    finally:
        listener.close()


def says(*lines: str, asked: list[bytes] | None = None) -> Handler:
    """A server that reads the environment, then says each line and reads one reply to it."""

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        heard = await reader.readuntil(b"\n\n")
        for line in lines:
            writer.write(encode(line) + b"\n")
            heard += await reader.readline()
        if asked is not None:
            asked.append(heard)

    return handle


async def played(handler: Handler, text: str, **options: object) -> PlayResult:
    async with server(handler) as port:
        script = parse_script(text, "x.agi")
        return await play(script, "127.0.0.1", port, **options)  # type: ignore[arg-type]


async def test_a_session_that_goes_as_scripted_has_no_difference() -> None:
    asked: list[bytes] = []
    text = ENVIRONMENT + "AGI Rx << NOOP {{word}}\nAGI Tx >> 200 result={{word}}\n"
    result = await played(says("NOOP 7", asked=asked), text)
    assert PlayResult(script="x.agi", sessions=1, difference=None, captures={"word": "7"}) == result
    assert [b"agi_network: yes\nagi_network_script: ping\n\n200 result=7\n"] == asked


async def test_the_first_difference_is_shown_like_a_diff_with_its_surroundings() -> None:
    text = (
        "# one\n" + ENVIRONMENT + "AGI Rx << SET VARIABLE AUTH_DECISION allow\n"
        "AGI Tx >> 200 result=1\nAGI Rx << NOOP\n"
    )
    result = await played(says("SET VARIABLE AUTH_DECISION deny"), text)
    assert result.difference is not None
    assert 5 == result.difference.line_number
    head, rest = result.difference.text.split("\n+++ 127.0.0.1:")
    assert "--- x.agi" == head
    assert [
        "@@ line 5 @@",
        " AGI Tx >> agi_network: yes",
        " AGI Tx >> agi_network_script: ping",
        " AGI Tx >> ",
        "-AGI Rx << SET VARIABLE AUTH_DECISION allow",
        "+AGI Rx << SET VARIABLE AUTH_DECISION deny",
        " AGI Tx >> 200 result=1",
        " AGI Rx << NOOP",
    ] == rest.splitlines()[1:]


async def test_a_defined_secret_is_sent_and_expected_but_never_shown() -> None:
    text = ENVIRONMENT.replace("ping", "call?account={{account_1}}")
    text += "AGI Rx << SAY DIGITS {{account_1}}\nAGI Tx >> 200 result=0\nAGI Rx << NOOP\n"
    asked: list[bytes] = []
    handler = says("SAY DIGITS 1000000001", "VERBOSE for 1000000001", asked=asked)
    result = await played(handler, text, defines={"account_1": "1000000001"})
    assert result.difference is not None
    assert "+AGI Rx << VERBOSE for {{account_1}}" in result.difference.text.splitlines()
    assert "1000000001" not in repr(result)


async def test_a_server_that_closes_too_early_differs() -> None:
    result = await played(says(), ENVIRONMENT + "AGI Rx << NOOP\n")
    assert result.difference is not None
    assert "-AGI Rx << NOOP\n+(the connection closed)" in result.difference.text


async def test_a_line_after_the_end_differs() -> None:
    result = await played(says("NOOP", "NOOP"), ENVIRONMENT + "AGI Rx << NOOP\nAGI Tx >> 200\n")
    assert result.difference is not None
    assert "-(the end)\n+AGI Rx << NOOP" in result.difference.text


async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.read()
    await reader.read()


async def test_a_silent_server_differs_after_the_deadline() -> None:
    result = await played(silent, ENVIRONMENT + "AGI Rx << NOOP\n", deadline_s=0.05)
    assert result.difference is not None
    assert "+(nothing for 0.05 s, and the connection is open)" in result.difference.text


async def test_a_server_that_does_not_close_at_the_end_differs() -> None:
    result = await played(silent, ENVIRONMENT, deadline_s=0.05)
    assert result.difference is not None
    assert "-(the end)\n+(nothing for 0.05 s" in result.difference.text


async def test_what_could_steer_a_terminal_is_shown_as_escapes() -> None:
    result = await played(says(decode(b"\x1b[31m\xff")), ENVIRONMENT + "AGI Rx << NOOP\n")
    assert result.difference is not None
    assert "+AGI Rx << \\x1b[31m\\xff" in result.difference.text.splitlines()


async def test_captures_of_the_first_session_serve_in_the_second() -> None:
    asked: list[bytes] = []
    text = (
        ENVIRONMENT + "AGI Rx << AUTH_CALL={{call}}\nAGI Tx >> 200 result=0\n! connect\n"
        "AGI Tx >> agi_network: yes\nAGI Tx >> agi_arg_1: {{call}}\nAGI Tx >>\n"
        "AGI Rx << AUTH_CALL={{call}}\nAGI Tx >> HANGUP\n"
    )
    result = await played(says("AUTH_CALL=c4f3", asked=asked), text)
    assert (None, 2) == (result.difference, result.sessions)
    assert b"agi_arg_1: c4f3\n" in asked[1]


async def test_close_reset_split_and_unterminated_reach_the_server() -> None:
    heard: list[bytes] = []
    was_reset = asyncio.Event()

    async def listen(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while data := await reader.read(100):
                heard.append(data)
            heard.append(b"closed")
        except ConnectionResetError:
            was_reset.set()

    text = (
        "! split\nAGI Tx >> abcdefgh\n! unterminated\nAGI Tx >> c\n! close\n"
        "! connect\n! wait 1s\n! reset\n"
    )
    result = await played(listen, text, speed=math.inf)
    assert result.difference is None
    await was_reset.wait()
    assert b"abcdefgh\ncclosed" == b"".join(heard)
    assert 3 < len(heard)  # in one piece it would be two


async def test_a_trailing_hangup_into_a_closed_connection_is_no_difference() -> None:
    text = ENVIRONMENT + "AGI Rx << NOOP\nAGI Tx >> 200 result=0\nAGI Tx >> HANGUP\n"
    assert (await played(says("NOOP"), text)).difference is None


async def test_an_undefined_name_is_refused_before_anything_is_sent() -> None:
    async with server(silent) as port:
        with pytest.raises(ScriptError, match="account_1"):
            await play(parse_script("AGI Tx >> {{account_1}}"), "127.0.0.1", port)


async def test_nobody_listening_is_an_os_error() -> None:
    async with server(silent) as port:
        pass
    with pytest.raises(OSError, match=str(port)):
        await play(parse_script(ENVIRONMENT), "127.0.0.1", port)


def test_a_script_file_is_named_in_its_errors(tmp_path: Path) -> None:
    path = tmp_path / "bad.agi"
    path.write_bytes(b"AGI Tx >> \xff\n! dance\n")
    with pytest.raises(ScriptError, match=r"bad\.agi, line 2"):
        load_script(path)
