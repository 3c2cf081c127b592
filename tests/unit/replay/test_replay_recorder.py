"""The recorder between a scripted Asterisk and a small server, all on loopback."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from agi_server.replay import Recording, load_script, play, record
from agi_server.replay.player import reset_connection
from agi_server.wire.script import Close, Expect, Reset, Send, Step, Wait, parse_script

AUTHORIZE = b"""\
AGI Tx >> agi_network: yes
AGI Tx >> agi_network_script: authorize?account=1000000001
AGI Tx >> agi_request: agi://h/authorize?account=1000000001
AGI Tx >> agi_calleridname: Jos\xe9 {{open}}x}}
AGI Tx >> agi_accountcode: 2000000002
AGI Tx >>
AGI Rx << GET DATA vm-enter 5000 10
AGI Tx >> HANGUP
AGI Tx >> 200 result=3000000003 (timeout)
AGI Rx << EXEC MSet "AUTH_DECISION=allow,AUTH_CALL=c4f3c4f3,AUTH_CALLERID=2000000002"
AGI Tx >> 200 result=0
"""


class Daemon:
    """Says the lines of a script's Rx, whatever is said to it but a line for each."""

    def __init__(self, *lines: str) -> None:
        self._lines = lines
        self.heard = b""

    async def handle(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            self.heard += await reader.readuntil(b"\n\n")
            for line in self._lines:
                writer.write(line.encode() + b"\n")
                reply = b"HANGUP\n"
                while reply == b"HANGUP\n":
                    reply = await reader.readline()
                    self.heard += reply
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()


class Attentive(Daemon):
    """Says nothing, but tells when it has heard so many bytes, and how the connection ended."""

    def __init__(self, size: int) -> None:
        super().__init__()
        self._size = size
        self.has_heard = asyncio.Event()
        self.end = ""

    async def handle(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readexactly(self._size)
        self.has_heard.set()
        try:
            await reader.read()
            self.end = "close"
        except ConnectionResetError:
            self.end = "reset"
        writer.close()


class Recorder:
    def __init__(self) -> None:
        self.port = 0
        self.recordings: asyncio.Queue[Recording] = asyncio.Queue()


@asynccontextmanager
async def recorder(daemon: Daemon, folder: Path) -> AsyncIterator[Recorder]:
    upstream = await asyncio.start_server(daemon.handle, "127.0.0.1", 0)
    running = Recorder()
    port: asyncio.Future[int] = asyncio.get_running_loop().create_future()
    task = asyncio.create_task(
        record(
            ("127.0.0.1", 0),
            ("127.0.0.1", upstream.sockets[0].getsockname()[1]),
            folder,
            on_listening=port.set_result,
            on_recording=running.recordings.put_nowait,
        )
    )
    running.port = await port
    try:
        yield running
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        upstream.close()


def script_of(data: bytes) -> str:
    return data.decode("utf-8", "surrogateescape")


def without_waits(recorded: bytes) -> bytes:
    """On a busy machine there may be pauses that nobody asked for."""
    return b"\n".join(line for line in recorded.split(b"\n") if not line.startswith(b"! wait"))


def steps_in(path: Path) -> tuple[Step, ...]:
    return parse_script(script_of(without_waits(path.read_bytes()))).steps


MSET = 'EXEC MSet "AUTH_DECISION=allow,AUTH_CALL=c4f3c4f3,AUTH_CALLERID=2000000002"'


async def test_a_session_passes_unchanged_and_is_written_with_its_secrets_masked(
    tmp_path: Path,
) -> None:
    daemon = Daemon("GET DATA vm-enter 5000 10", MSET)
    async with recorder(daemon, tmp_path) as running:
        result = await play(parse_script(script_of(AUTHORIZE)), "127.0.0.1", running.port)
        recording = await running.recordings.get()
    assert result.difference is None
    assert b"agi_calleridname: Jos\xe9 {{x}}\n" in daemon.heard

    assert "0001-authorize.agi" == recording.path.name
    assert ("account_1", "account_2", "account_3", "call_1") == recording.names
    expected = (
        AUTHORIZE.replace(b"1000000001", b"{{account_1}}")
        .replace(b"2000000002", b"{{account_2}}")
        .replace(b"3000000003", b"{{account_3}}")
        .replace(b"c4f3c4f3", b"{{call_1}}")
        .replace(b"AGI Tx >>\n", b"AGI Tx >> \n")
    )
    head, body = without_waits(recording.path.read_bytes()).split(b"\n", 1)
    assert b"# recorded; secrets: account_1, account_2, account_3, call_1" == head
    assert expected == body
    assert 0o600 == recording.path.stat().st_mode & 0o777


async def test_a_recording_plays_back_without_a_difference(tmp_path: Path) -> None:
    daemon = Daemon("GET DATA vm-enter 5000 10", MSET)
    async with recorder(daemon, tmp_path) as running:
        await play(parse_script(script_of(AUTHORIZE)), "127.0.0.1", running.port)
        first = await running.recordings.get()
        heard, daemon.heard = daemon.heard, b""
        result = await play(
            load_script(first.path),
            "127.0.0.1",
            running.port,
            defines={
                "account_1": "1000000001",
                "account_2": "2000000002",
                "account_3": "3000000003",
            },
        )
        second = await running.recordings.get()
    assert result.difference is None
    assert {"call_1": "c4f3c4f3"} == result.captures
    assert heard == daemon.heard
    assert steps_in(first.path) == steps_in(second.path)
    assert "0002-authorize.agi" == second.path.name


async def test_a_secret_keeps_its_name_in_later_sessions(tmp_path: Path) -> None:
    settle = AUTHORIZE.replace(b"authorize?account=1000000001", b"settle")
    settle = settle.replace(b"AGI Tx >>\n", b"AGI Tx >> agi_arg_1: c4f3c4f3\nAGI Tx >>\n")
    daemon = Daemon("GET DATA vm-enter 5000 10", MSET)
    async with recorder(daemon, tmp_path) as running:
        await play(parse_script(script_of(AUTHORIZE)), "127.0.0.1", running.port)
        await running.recordings.get()
        await play(parse_script(script_of(settle)), "127.0.0.1", running.port)
        recording = await running.recordings.get()
    text = recording.path.read_bytes()
    assert b"agi_arg_1: {{call_1}}" in text
    assert b"agi_accountcode: {{account_2}}" in text


@pytest.mark.parametrize(
    "session",
    [
        AUTHORIZE.replace(b"?account=1000000001", b"").replace(
            b"AGI Tx >>\n", b"AGI Tx >> agi_arg_1: account=1000000001\nAGI Tx >>\n", 1
        ),
        AUTHORIZE.replace(b"?account=", b"?account%3D"),
    ],
    ids=["as an argument", "with a name that is encoded"],
)
async def test_an_account_number_is_masked_however_it_is_passed(
    tmp_path: Path, session: bytes
) -> None:
    async with recorder(Daemon("GET DATA vm-enter 5000 10", MSET), tmp_path) as running:
        await play(parse_script(script_of(session)), "127.0.0.1", running.port)
        recording = await running.recordings.get()
    assert b"1000000001" not in recording.path.read_bytes()


@pytest.mark.parametrize(("directive", "end"), [("close", Close()), ("reset", Reset())])
async def test_how_asterisk_went_away_is_passed_on_and_recorded(
    tmp_path: Path, directive: str, end: Close | Reset
) -> None:
    said = b"agi_network: yes\nagi_ca"
    daemon = Attentive(len(said))
    async with recorder(daemon, tmp_path) as running:
        _, writer = await asyncio.open_connection("127.0.0.1", running.port)
        writer.write(said)
        await daemon.has_heard.wait()  # a reset takes away what was not read yet
        if directive == "reset":
            reset_connection(writer)
        writer.close()
        recording = await running.recordings.get()
    assert directive == daemon.end
    assert (
        Send(text="agi_network: yes"),
        Send(text="agi_ca", terminated=False),
        end,
    ) == steps_in(recording.path)


async def test_pauses_of_asterisk_are_recorded(tmp_path: Path) -> None:
    text = "AGI Tx >> agi_network: yes\n! wait 150ms\nAGI Tx >>\nAGI Rx << NOOP\nAGI Tx >> 200\n"
    async with recorder(Daemon("NOOP"), tmp_path) as running:
        await play(parse_script(text), "127.0.0.1", running.port)
        recording = await running.recordings.get()
    steps = load_script(recording.path).steps
    first, pause, *_ = steps
    assert Send(text="agi_network: yes") == first
    assert isinstance(pause, Wait)
    assert pause.duration_ms >= 140  # the script itself waits that long


async def test_an_open_session_is_written_when_recording_stops(tmp_path: Path) -> None:
    async with recorder(Daemon("NOOP"), tmp_path) as running:
        reader, writer = await asyncio.open_connection("127.0.0.1", running.port)
        writer.write(b"agi_network: yes\n\n")
        assert b"NOOP\n" == await reader.readline()
    recording = running.recordings.get_nowait()
    assert (
        Send(text="agi_network: yes"),
        Send(text=""),
        Expect(text="NOOP"),
    ) == steps_in(recording.path)
    writer.close()


async def test_connect_and_close_leaves_a_script_that_says_so(tmp_path: Path) -> None:
    async with recorder(Daemon(), tmp_path) as running:
        _, writer = await asyncio.open_connection("127.0.0.1", running.port)
        writer.close()
        recording = await running.recordings.get()
    assert recording.path.read_text().endswith("! close\n")


async def test_a_daemon_that_is_away_is_seen_by_asterisk_as_a_closed_connection(
    tmp_path: Path,
) -> None:
    unused = await asyncio.start_server(lambda r, w: None, "127.0.0.1", 0)
    away = unused.sockets[0].getsockname()[:2]
    unused.close()
    port: asyncio.Future[int] = asyncio.get_running_loop().create_future()
    task = asyncio.create_task(
        record(("127.0.0.1", 0), away, tmp_path, on_listening=port.set_result)
    )
    reader, writer = await asyncio.open_connection("127.0.0.1", await port)
    with pytest.raises(ConnectionResetError):
        await reader.readexactly(1)
    writer.close()
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    assert [] == await asyncio.to_thread(lambda: list(tmp_path.iterdir()))


async def test_a_folder_that_cannot_be_written_ends_the_recording(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(OSError, match="file"):
        await record(("127.0.0.1", 0), ("127.0.0.1", 1), tmp_path / "file")
