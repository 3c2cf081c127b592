"""Plays a scripted session against a daemon, in Asterisk's place.

The lines of the script are sent as they come; at each expected line the player waits for one from
the daemon and compares. It stops at the first difference, and shows it like a diff with the lines
around it. What was given with `defines` is never shown: it stands there as `{{its name}}`.
"""

import asyncio
import socket
import struct
import time
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

from agi_server.wire import script as scripts
from agi_server.wire.script import Close, Connect, Expect, Reset, Script, Send, Wait

_CONTEXT = 3  # steps shown before and after a difference
_LINE_BYTES = 65536


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """Where the daemon said something else. `text` is the diff to show, secrets masked."""

    script: str
    line_number: int
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PlayResult:
    """`difference` is None when all went as scripted; `captures` are the names caught in Rx."""

    script: str
    sessions: int
    difference: Difference | None
    captures: Mapping[str, str]


def load_script(path: Path) -> Script:
    """Reads a script file. Raises OSError, or ScriptError for a line that makes no sense."""
    return scripts.parse_script(scripts.decode(path.read_bytes()), str(path))


async def play(
    script: Script,
    host: str,
    port: int,
    *,
    defines: Mapping[str, str] | None = None,
    earlier: Mapping[str, str] | None = None,
    speed: float = 1.0,
    deadline_s: float = 10.0,
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    now_s: Callable[[], float] = time.time,
) -> PlayResult:
    """Plays all sessions of a script, one after the other, on connections of their own.

    `earlier` are captures of scripts before this one: they can be sent, and are captured anew
    where an Rx names them. `speed` divides the scripted waits, which `sleep` (seconds) lets pass.
    `deadline_s` is how long each expected line, and the end of a connection, may take. The times
    in the script move to `now_s`.
    Raises ScriptError for a name that is not defined, OSError when nobody listens.
    """
    defines, earlier = dict(defines or {}), dict(earlier or {})
    scripts.check_defined(script, earlier | defines)
    script = scripts.at_time(script, int(now_s()))
    player = _Player(script, (host, port), defines, earlier, speed, deadline_s, sleep)
    difference = None
    try:
        await player.run()
    except _DifferenceError as found:
        difference = found.difference
    finally:
        player.release()
    return PlayResult(
        script=script.name,
        sessions=player.sessions,
        difference=difference,
        captures=player.captures,
    )


def reset_connection(writer: asyncio.StreamWriter) -> None:
    """Closes so that the peer sees a reset, not an end of file."""
    connection = writer.get_extra_info("socket")
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()


class _DifferenceError(Exception):
    """Ends the play of a script."""

    def __init__(self, difference: Difference) -> None:
        super().__init__(difference.text)
        self.difference = difference


class _Player:
    """One play of one script; `_at` is the step under way, or the number of steps at the end."""

    def __init__(
        self,
        script: Script,
        address: tuple[str, int],
        defines: Mapping[str, str],
        earlier: Mapping[str, str],
        speed: float,
        deadline_s: float,
        sleep: Callable[[float], Awaitable[None]],
    ) -> None:
        self._script = script
        self._address = address
        self._defines = dict(defines)
        self._earlier = dict(earlier)
        self._speed = speed
        self._deadline_s = deadline_s
        self._sleep = sleep
        self._at = 0
        self._reader = asyncio.StreamReader()
        self._writer: asyncio.StreamWriter | None = None
        self._unsent = bytearray()
        self.captures: dict[str, str] = {}
        self.sessions = 0

    async def run(self) -> None:
        await self._connect()
        for at, step in enumerate(self._script.steps):
            self._at = at
            if not isinstance(step, Send):
                await self._flush()
            match step:
                case Send():
                    await self._send(step)
                case Expect():
                    await self._expect(step)
                case Wait():
                    await self._sleep(step.duration_ms / 1000 / self._speed)
                case Close():
                    await self._close()
                case Reset():
                    self._reset()
                case Connect():
                    await self._end_session()
                    await self._connect()
        self._at = len(self._script.steps)
        await self._flush()
        await self._end_session()

    def release(self) -> None:
        """Lets go of the connection, whatever state it is in."""
        if self._writer is not None:
            self._writer.transport.abort()
            self._writer = None

    async def _connect(self) -> None:
        host, port = self._address
        self._reader, self._writer = await asyncio.open_connection(host, port, limit=_LINE_BYTES)
        self.sessions += 1

    async def _send(self, step: Send) -> None:
        text = scripts.fill(step.text, self._earlier | self._defines | self.captures)
        data = scripts.encode(text) + b"\n" * step.terminated
        if not step.byte_by_byte:
            self._unsent += data
            return
        await self._flush()
        for byte in data:
            self._unsent.append(byte)
            await self._flush()

    async def _flush(self) -> None:
        """Writes what is unsent. That the daemon has closed is noticed where a line is expected:
        Asterisk, too, writes HANGUP into a closed connection."""
        if not self._unsent or self._writer is None:
            return
        self._writer.write(bytes(self._unsent))
        self._unsent.clear()
        try:
            async with asyncio.timeout(self._deadline_s):
                await self._writer.drain()
        except TimeoutError:
            self._differ(f"(nothing is read for {self._deadline_s:g} s)")
        except ConnectionError:
            pass
        await asyncio.sleep(0)  # lets the bytes leave one by one

    async def _expect(self, step: Expect) -> None:
        line = await self._read_line()
        if line is None:
            self._differ("(the connection closed)")
        captured = scripts.match(step.text, line, self._defines | self.captures)
        if captured is None:
            self._differ(scripts.render(Expect(text=self._masked(line))))
        self.captures |= captured

    async def _read_line(self) -> str | None:
        """The daemon's next line; None when it has closed."""
        try:
            async with asyncio.timeout(self._deadline_s):
                line = await self._reader.readuntil(b"\n")
        except TimeoutError:
            self._differ(f"(nothing for {self._deadline_s:g} s, and the connection is open)")
        except asyncio.LimitOverrunError:
            self._differ(f"(a line of more than {_LINE_BYTES} bytes)")
        except asyncio.IncompleteReadError as end:
            if end.partial:
                partial = Expect(text=self._masked(scripts.decode(end.partial)))
                self._differ(f"{scripts.render(partial)} (no line feed, the connection closed)")
            return None
        except ConnectionError:
            return None
        return scripts.decode(line[:-1]).rstrip("\r")

    async def _end_session(self) -> None:
        """The daemon must say nothing more and close, as it does when it has done its work."""
        if self._writer is None:
            return
        line = await self._read_line()
        if line is not None:
            self._differ(scripts.render(Expect(text=self._masked(line))))
        self.release()

    async def _close(self) -> None:
        """Asterisk goes away. What the daemon still says is lost; that it lets go is awaited, so
        that what follows finds its work done."""
        assert self._writer is not None
        with suppress(OSError):
            self._writer.write_eof()
        while await self._read_line() is not None:
            pass
        self.release()

    def _reset(self) -> None:
        assert self._writer is not None
        reset_connection(self._writer)
        self._writer = None

    def _differ(self, received: str) -> NoReturn:
        steps, at = self._script.steps, self._at
        wanted = steps[at] if at < len(steps) else None
        line_number = wanted.line_number if wanted is not None else steps[-1].line_number
        rows = [f"--- {self._script.name}", "+++ {}:{}".format(*self._address)]
        rows.append(f"@@ line {line_number} @@")
        rows += [f" {scripts.render(step)}" for step in steps[max(0, at - _CONTEXT) : at]]
        rows.append(f"-{scripts.render(wanted) if isinstance(wanted, Expect) else '(the end)'}")
        rows.append(f"+{received}")
        after = at + isinstance(wanted, Expect)
        rows += [f" {scripts.render(step)}" for step in steps[after : after + _CONTEXT]]
        text = "\n".join(map(_printable, rows))
        raise _DifferenceError(
            Difference(script=self._script.name, line_number=line_number, text=text)
        )

    def _masked(self, text: str) -> str:
        return scripts.mask(text, {value: name for name, value in self._defines.items()})


def _printable(row: str) -> str:
    """Bytes that are no text, and what could steer a terminal, as backslash escapes."""
    text = scripts.encode(row).decode("utf-8", "backslashreplace")
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)
