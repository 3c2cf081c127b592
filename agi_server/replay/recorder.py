"""A proxy between Asterisk and a FastAGI server that writes each session as a script.

    Asterisk ──▶ recorder ──▶ daemon
                    └──▶ folder/0001-authorize.agi

Bytes pass unchanged and at once; the script is written when the session has ended. It is lossless
(see `agi_server.wire.script`) but for secrets, which are masked everywhere in it, the same secret
by the same name in all scripts of one recording:

* `{{account_1}}` …: values of agi_accountcode, `account=` in the URL, digits typed in GET DATA;
* `{{call_1}}` …: the call id in AUTH_CALL, and settle's first argument. When replayed, the daemon
  chooses another one, and the name captures it.

Entries of under 4 characters (a menu's choice) are no secrets: they would be found everywhere.
"""

import asyncio
import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from urllib.parse import unquote

from agi_server.replay.player import reset_connection
from agi_server.wire import script as scripts
from agi_server.wire.script import Close, Expect, Reset, Send, Step, Wait

_CHUNK_BYTES = 65536
_MAX_SESSION_BYTES = 8_000_000  # a longer one is passed on, but its script ends there
_SHORTEST_WAIT_MS = 100
_TYPED = re.compile(r"200 result=([0-9A-D*#]+)(?: \(timeout\))?")
_CALL = re.compile(r'AUTH_CALL=([^,"\\]+)')
_ACCOUNT_ARGUMENT = re.compile(r"agi_arg_[0-9]+: *account=(.*)")
_URL = re.compile(r"(?:agi_network_script|agi_request): ([^?]*)(?:\?(.*))?")


@dataclass(frozen=True, slots=True, kw_only=True)
class Recording:
    """A session that has been written. `names` are what `replay --define` may need."""

    path: Path
    names: tuple[str, ...]
    truncated: bool


async def record(
    listen: tuple[str, int],
    to: tuple[str, int],
    folder: Path,
    *,
    on_listening: Callable[[int], None] = lambda port: None,
    on_recording: Callable[[Recording], None] = lambda recording: None,
) -> None:
    """Listens, passes every connection on, and records it, until cancelled; sessions that are
    open then are cut, and written so far. `on_listening` is told the port.

    Raises OSError when it cannot listen or a script cannot be written.
    """
    await asyncio.to_thread(folder.mkdir, parents=True, exist_ok=True)
    secrets = _Secrets()
    numbers = count(1)
    sessions: set[asyncio.Task[None]] = set()
    failure: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    async def session(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        sessions.add(task)
        tape = _Tape()
        try:
            await _pass_on(reader, writer, to, tape)
        except asyncio.CancelledError:
            pass  # the recording ends; Python 3.11 would report it as an error of this callback
        finally:
            sessions.discard(task)
            try:
                recording = _write(tape, secrets, folder, numbers)
            except OSError as error:
                if not failure.done():
                    failure.set_exception(error)
            else:
                if recording is not None:
                    on_recording(recording)

    server = await asyncio.start_server(session, *listen)
    on_listening(server.sockets[0].getsockname()[1])
    try:
        await failure
    finally:
        server.close()
        open_sessions = list(sessions)
        for task in open_sessions:
            task.cancel()
        await asyncio.gather(*open_sessions, return_exceptions=True)


async def _pass_on(
    asterisk_reader: asyncio.StreamReader,
    asterisk_writer: asyncio.StreamWriter,
    to: tuple[str, int],
    tape: "_Tape",
) -> None:
    """Passes bytes both ways until both sides have closed."""
    try:
        daemon_reader, daemon_writer = await asyncio.open_connection(*to)
    except OSError:  # the daemon is away
        reset_connection(asterisk_writer)
        return
    try:
        await asyncio.gather(
            _pump(asterisk_reader, daemon_writer, tape.sent),
            _pump(daemon_reader, asterisk_writer, tape.received),
        )
        asterisk_writer.close()
        daemon_writer.close()
    except asyncio.CancelledError:
        asterisk_writer.transport.abort()
        daemon_writer.transport.abort()
        raise


async def _pump(
    reader: asyncio.StreamReader,
    writer: asyncio.StreamWriter,
    note: Callable[[bytes | None], None],
) -> None:
    """One direction. Notes b"" when it ends and None when it is reset, and passes that on."""
    data: bytes | None = b"unread"
    while data:
        try:
            data = await reader.read(_CHUNK_BYTES)
        except ConnectionError:
            data = None
        note(data)
        with suppress(OSError):  # the other side is gone: its own reader says so
            if data:
                writer.write(data)
                await writer.drain()
            elif data is None:
                reset_connection(writer)
            else:
                writer.write_eof()


class _Tape:
    """What was said in one session, line by line, in the order it passed."""

    def __init__(self) -> None:
        self.steps: list[Step] = []
        self.truncated = False
        self._is_over = False
        self._bytes = 0
        self._sent_part = b""
        self._received_part = b""
        self._last_at_s = asyncio.get_running_loop().time()

    def sent(self, data: bytes | None) -> None:
        """Asterisk's bytes; b"" it closed, None it reset the connection."""
        if self._is_over:
            return
        if not data:
            if self._sent_part:
                self._add(Send(text=scripts.decode(self._sent_part), terminated=False))
            self._note_wait()
            self._add(Close() if data is not None else Reset())
            self._is_over = True
            return
        self._note_wait()
        *lines, self._sent_part = (self._sent_part + data).split(b"\n")
        for line in lines:
            self._add(Send(text=scripts.decode(line)))
        self._count(data)

    def received(self, data: bytes | None) -> None:
        """The daemon's bytes. Once it has closed, what Asterisk says reaches nobody."""
        if self._is_over:
            return
        if not data:
            self._is_over = True
            return
        *lines, self._received_part = (self._received_part + data).split(b"\n")
        for line in lines:
            self._add(Expect(text=scripts.decode(line)))
        self._last_at_s = asyncio.get_running_loop().time()
        self._count(data)

    def _note_wait(self) -> None:
        now_s = asyncio.get_running_loop().time()
        gap_ms = int((now_s - self._last_at_s) * 1000)
        self._last_at_s = now_s
        if gap_ms >= _SHORTEST_WAIT_MS:
            self._add(Wait(duration_ms=gap_ms))

    def _add(self, step: Step) -> None:
        self.steps.append(step)

    def _count(self, data: bytes) -> None:
        self._bytes += len(data)
        if self._bytes > _MAX_SESSION_BYTES:
            self.truncated = self._is_over = True


class _Secrets:
    """The names of all secrets of one recording."""

    def __init__(self) -> None:
        self.names: dict[str, str] = {}
        self._numbers = {"account": count(1), "call": count(1)}

    def learn(self, steps: Sequence[Step]) -> None:
        for kind, secret in _secrets_in(steps):
            if len(secret) >= scripts.SHORTEST_MASKED and secret not in self.names:
                self.names[secret] = f"{kind}_{next(self._numbers[kind])}"


def _secrets_in(steps: Sequence[Step]) -> Iterator[tuple[str, str]]:
    path = ""
    digits_are_awaited = False
    for step in steps:
        if isinstance(step, Expect):
            digits_are_awaited = step.text.upper().startswith("GET DATA ")
            yield from (("call", call) for call in _CALL.findall(step.text))
        elif isinstance(step, Send):
            text = step.text.rstrip("\r")
            if found := _URL.fullmatch(text):
                path = found[1]
                yield from (("account", account) for account in _accounts_in(found[2] or ""))
            elif text.startswith("agi_accountcode: "):
                yield "account", text.removeprefix("agi_accountcode: ")
            elif text.startswith("agi_arg_1: ") and path.rpartition("/")[2] == "settle":
                yield "call", text.removeprefix("agi_arg_1: ")
            elif found := (_TYPED if digits_are_awaited else _ACCOUNT_ARGUMENT).fullmatch(text):
                yield "account", found[1]


def _accounts_in(query: str) -> Iterator[str]:
    for pair in query.split("&"):
        # Decoded whole: a name that is not decoded by the daemon may still give a number away.
        key, _, value = unquote(pair).partition("=")
        if key == "account":
            yield pair.partition("=")[2]
            yield value


def _write(
    tape: _Tape, secrets: _Secrets, folder: Path, numbers: Iterator[int]
) -> Recording | None:
    """The script of a session; None when nothing was said in it."""
    if not tape.steps:
        return None
    secrets.learn(tape.steps)
    body = scripts.write_script(tape.steps, secrets.names)
    names = tuple(sorted(name for name in secrets.names.values() if f"{{{{{name}}}}}" in body))
    head = f"# recorded; secrets: {', '.join(names) or 'none'}\n"
    if tape.truncated:
        head += "# the session was longer than can be recorded: cut here\n"
    path = _new_file(folder, numbers, _title_of(tape.steps, secrets))
    path.write_bytes(scripts.encode(head + body))
    return Recording(path=path, names=names, truncated=tape.truncated)


def _title_of(steps: Sequence[Step], secrets: _Secrets) -> str:
    for step in steps:
        if isinstance(step, Send) and (found := _URL.fullmatch(step.text)):
            title = re.sub(r"[^A-Za-z0-9]+", "-", scripts.mask(found[1], secrets.names))[:40]
            return title.strip("-") or "session"
    return "session"


def _new_file(folder: Path, numbers: Iterator[int], title: str) -> Path:
    """A file by the next free number. Only the owner may read it: callers' numbers stay in it."""
    number = next(number for number in numbers if not any(folder.glob(f"{number:04d}-*")))
    path = folder / f"{number:04d}-{title}.agi"
    path.touch(mode=0o600, exist_ok=False)
    return path
