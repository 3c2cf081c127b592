"""The AGI wire as seen by a FastAGI server: bytes in, events out, commands to bytes. No I/O.

Theory of operation
===================
Asterisk connects, sends an *environment* (lines `agi_key: value` and one blank line) and then
waits. We send one command, Asterisk sends one reply, and so on until somebody closes. That is
the whole conversation, but for four things:

* **One command, one reply.** Asterisk does not pipeline: of several commands in one write it
  answers the first. So at most one command is outstanding, and a second `send()` is our fault.
* **HANGUP** is a line of its own, without a code, that may come while nothing is asked or before
  the reply that is awaited. It answers nothing; the reply still comes. It may come twice:
  `HungUp` is told once.
* **Replies may span lines.** `520-` opens a usage text that ends with `520 `. A value in brackets
  is printed raw, so it can hold line feeds, brackets, the word HANGUP, or `) 200 result=1 (`. A
  value ends at a line whose last `)` is followed by nothing (or by `endpos=`), and reaches from
  the first `(` to that last `)`. `1xx` announces that the reply follows: skipped.
* **Nothing is escaped**, in either part. A caller's name with a line feed makes lines of its own
  in the environment, and a value with `)` before a line feed seems to end early. What we do then:
  - A line in the environment that is not `agi_…:` is skipped.
  - Of a repeated key the first is kept; unless a key which Asterisk sends *before* it stands
    between the two, for then the first is the forged one, and the environment is refused. (An
    `agi_accountcode` in a caller's name comes before the real one, but so does the real
    `agi_callingpres` that Asterisk sends between them.) So is one with an argument that stands
    before other keys: Asterisk sends arguments last, and may send none.
  - A line that answers no command is a fault: it is the tail of something forged (an environment
    ended early by an empty line, a value cut short), or the peer is no Asterisk.

What a line means depends on the state alone, and the states are a table (`_NEXT`). A line is
looked at when its line feed has come and not before, so any split of the bytes gives the same
events. Every buffer and count is bounded by `WireLimits`; bytes that are not UTF-8 are replaced
by U+FFFD; lines may end in CR LF; NUL is refused.

Observed on Asterisk 22.10 and 16.28, and read in its res/res_agi.c.
"""

import re
from collections.abc import Mapping
from enum import Enum, auto

from agi_server.wire.commands import Command
from agi_server.wire.environment import environment_of
from agi_server.wire.errors import LocalProtocolError, RemoteProtocolError
from agi_server.wire.events import (
    Closed,
    EnvironmentReceived,
    Event,
    HungUp,
    Reply,
    WireLimits,
)

__all__ = [
    "AgiConnection",
    "Closed",
    "EnvironmentReceived",
    "Event",
    "HungUp",
    "Reply",
    "WireLimits",
]


class _State(Enum):
    ENVIRONMENT = auto()  # reading agi_ lines
    IDLE = auto()  # our turn
    REPLY = auto()  # a command is outstanding
    VALUE = auto()  # inside a value with line feeds
    USAGE = auto()  # between 520- and 520
    CLOSED = auto()
    FAULT = auto()


class _Input(Enum):
    COMMAND = auto()  # ours; all others are Asterisk's
    ENVIRONMENT_ENDED = auto()
    HANGUP = auto()
    PROVISIONAL = auto()
    VALUE_OPENED = auto()
    USAGE_OPENED = auto()
    REPLY_ENDED = auto()


# Which line may come in which state, and to where it leads. Anything else is a protocol error of
# the one who said it. End of file leads to CLOSED, and a fault to FAULT, from everywhere.
_NEXT: Mapping[_State, Mapping[_Input, _State]] = {
    _State.ENVIRONMENT: {
        _Input.HANGUP: _State.ENVIRONMENT,
        _Input.ENVIRONMENT_ENDED: _State.IDLE,
    },
    _State.IDLE: {
        _Input.HANGUP: _State.IDLE,
        _Input.COMMAND: _State.REPLY,
    },
    _State.REPLY: {
        _Input.HANGUP: _State.REPLY,
        _Input.PROVISIONAL: _State.REPLY,
        _Input.VALUE_OPENED: _State.VALUE,
        _Input.USAGE_OPENED: _State.USAGE,
        _Input.REPLY_ENDED: _State.IDLE,
    },
    _State.VALUE: {_Input.REPLY_ENDED: _State.IDLE},
    _State.USAGE: {_Input.REPLY_ENDED: _State.IDLE},
    _State.CLOSED: {},
    _State.FAULT: {},
}

_NO_COMMAND_NOW: Mapping[_State, str] = {
    _State.ENVIRONMENT: "the environment is not complete yet",
    _State.REPLY: "the command before it is not answered yet",
    _State.VALUE: "the command before it is not answered yet",
    _State.USAGE: "the command before it is not answered yet",
    _State.CLOSED: "the peer closed the connection",
    _State.FAULT: "the peer broke the protocol",
}

_RESULT = re.compile(r"result=([^ ]*)(?: (.*))?", re.DOTALL)
_ENDPOS = re.compile(r"(?:^| )endpos=(-?[0-9]{1,18})(?: |$)")


class AgiConnection:
    """One FastAGI connection: feed it what was read, write what `send()` returns."""

    __slots__ = (
        "_commands",
        "_environment",
        "_environment_bytes",
        "_environment_lines",
        "_extra_lines",
        "_hung_up",
        "_limits",
        "_reply",
        "_reply_bytes",
        "_state",
        "_unfinished",
    )

    def __init__(self, limits: WireLimits = WireLimits()) -> None:  # noqa: B008 - it is frozen
        self._limits = limits
        self._state = _State.ENVIRONMENT
        self._unfinished = bytearray()  # a line whose line feed has not come
        self._environment: list[tuple[str, str]] = []
        self._environment_lines = 0
        self._environment_bytes = 0
        self._reply: list[bytes] = []  # the lines so far of a reply that spans several
        self._reply_bytes = 0
        self._extra_lines = 0
        self._commands = 0
        self._hung_up = False

    def receive(self, data: bytes) -> list[Event]:
        """Reads what came from the peer; b"" is the end of file.

        Raises RemoteProtocolError when the peer breaks the protocol or a limit, and from then on;
        LocalProtocolError when it is fed after the end of file.
        """
        if not data:
            return self._receive_end()
        if self._state is _State.CLOSED:
            raise LocalProtocolError("data after the end of file")
        events: list[Event] = []
        try:
            if self._state is _State.FAULT:
                raise RemoteProtocolError("the peer broke the protocol before")
            nul = data.find(b"\0")
            self._read(data if nul < 0 else data[:nul], events)
            if nul >= 0:
                raise RemoteProtocolError("a NUL byte")
        except RemoteProtocolError as fault:
            self._state = _State.FAULT
            self._forget()
            fault.events = tuple(events)
            raise
        return events

    def send(self, command: Command) -> bytes:
        """The bytes of a command; its reply must have come before the next.

        Raises LocalProtocolError when it is not our turn or the session's commands are used up.
        """
        following = _NEXT[self._state].get(_Input.COMMAND)
        if following is None:
            raise LocalProtocolError(f"no command may be sent: {_NO_COMMAND_NOW[self._state]}")
        if self._commands >= self._limits.max_commands:
            raise LocalProtocolError(f"more than {self._limits.max_commands} commands in a session")
        self._commands += 1
        self._state = following
        self._reply_bytes = 0
        return command.line + b"\n"

    def _receive_end(self) -> list[Event]:
        if self._state is _State.CLOSED:
            return []
        self._state = _State.CLOSED
        self._forget()
        return [Closed()]

    def _forget(self) -> None:
        self._unfinished.clear()
        self._environment.clear()
        self._reply.clear()

    def _read(self, data: bytes, events: list[Event]) -> None:
        cut = data.rfind(b"\n")
        if cut >= 0:
            block = data[:cut]
            if self._unfinished:
                block = bytes(self._unfinished) + block
                self._unfinished.clear()
            lines = block.split(b"\n")
            done = 0
            if self._state is _State.ENVIRONMENT:
                done = self._read_environment(lines, events)
            for line in lines[done:]:
                self._read_line(line, events)
            data = data[cut + 1 :]
        if data:
            self._unfinished += data
            self._check_unfinished()

    def _check_unfinished(self) -> None:
        """Refuses a line as soon as it is too long, not when it ends, which may be never."""
        size = len(self._unfinished) + 1
        limits = self._limits
        if self._state in (_State.ENVIRONMENT, _State.IDLE):
            too_long = size > limits.max_line_bytes
            if self._state is _State.ENVIRONMENT:
                too_long |= self._environment_bytes + size > limits.max_environment_bytes
        else:
            too_long = self._reply_bytes + size > limits.max_reply_bytes
        if too_long:
            raise RemoteProtocolError("a line that does not end")

    def _follow(self, given: _Input, refusal: str) -> None:
        following = _NEXT[self._state].get(given)
        if following is None:
            raise RemoteProtocolError(refusal)
        self._state = following

    def _read_environment(self, lines: list[bytes], events: list[Event]) -> int:
        """Reads lines of the environment and returns how many: all, or up to the blank one."""
        pairs, limits = self._environment, self._limits
        for number, line in enumerate(lines, start=1):
            size = len(line) + 1
            self._environment_bytes += size
            if size > limits.max_line_bytes:
                raise RemoteProtocolError("a line of the environment is too long")
            if self._environment_bytes > limits.max_environment_bytes:
                raise RemoteProtocolError("the environment is too long")
            self._environment_lines += 1
            text = line.decode("utf-8", "replace")
            if text[-1:] == "\r":
                text = text[:-1]
            if text[:4] == "agi_":
                key, colon, value = text.partition(":")
                if colon:
                    pairs.append((key, value[1:] if value[:1] == " " else value))
            elif not pairs:
                raise RemoteProtocolError("no AGI environment: its first line is not agi_…:")
            elif not text:
                self._follow(_Input.ENVIRONMENT_ENDED, "a blank line")
                events.append(environment_of(pairs))
                pairs.clear()
                return number
            elif text == "HANGUP":
                self._hang_up(events)
            if self._environment_lines >= limits.max_environment_lines:
                raise RemoteProtocolError("the environment has too many lines")
        return len(lines)

    def _read_line(self, line: bytes, events: list[Event]) -> None:
        bare = line[:-1] if line[-1:] == b"\r" else line
        if self._state is _State.VALUE:
            self._read_more_value(line, bare, events)
        elif self._state is _State.USAGE:
            self._read_more_usage(line, bare, events)
        elif bare == b"HANGUP":
            self._hang_up(events)
        else:
            self._read_reply(line, bare, events)

    def _hang_up(self, events: list[Event]) -> None:
        self._follow(_Input.HANGUP, "a hang-up")
        self._count_extra_line()
        if not self._hung_up:
            self._hung_up = True
            events.append(HungUp())

    def _count_extra_line(self) -> None:
        self._extra_lines += 1
        if self._extra_lines > self._limits.max_extra_lines:
            raise RemoteProtocolError("too many lines that answer nothing")

    def _read_reply(self, line: bytes, bare: bytes, events: list[Event]) -> None:
        """The first line of a reply: `CODE text`, `CODE-text`, or `CODE`."""
        if self._state is _State.IDLE:
            raise RemoteProtocolError("a line that answers no command")
        self._grow_reply(line)
        code, mark = bare[:3], bare[3:4]
        if len(code) < 3 or not code.isdigit() or mark not in (b" ", b"-", b""):
            raise RemoteProtocolError("a reply without a code")
        if code[:1] == b"1":
            self._follow(_Input.PROVISIONAL, "a provisional reply")
            self._count_extra_line()
            self._reply_bytes = 0
        elif mark == b"-":
            self._follow(_Input.USAGE_OPENED, "a usage text")
            self._reply.append(bare)
        elif code == b"200" and _opens_value(bare):
            self._follow(_Input.VALUE_OPENED, "a value")
            self._reply.append(line)
        else:
            self._end_reply(bare, events)

    def _read_more_value(self, line: bytes, bare: bytes, events: list[Event]) -> None:
        self._grow_reply(line)
        end = bare.rfind(b")")
        if end >= 0 and _may_end_behind(bare, end):
            self._reply.append(bare)
            self._end_reply(b"\n".join(self._reply), events)
        else:
            self._reply.append(line)

    def _read_more_usage(self, line: bytes, bare: bytes, events: list[Event]) -> None:
        self._grow_reply(line)
        self._reply.append(bare)
        code = self._reply[0][:3]
        if bare == code or bare.startswith(code + b" "):
            self._end_reply(b"\n".join(self._reply), events)

    def _grow_reply(self, line: bytes) -> None:
        self._reply_bytes += len(line) + 1
        if self._reply_bytes > self._limits.max_reply_bytes:
            raise RemoteProtocolError("a reply is too long")

    def _end_reply(self, reply: bytes, events: list[Event]) -> None:
        self._follow(_Input.REPLY_ENDED, "a reply")
        self._reply.clear()
        self._reply_bytes = 0
        events.append(_reply_of(int(reply[:3]), reply[4:].decode("utf-8", "replace")))


def _opens_value(reply: bytes) -> bool:
    """Whether this first line of a 200 reply begins a value that does not end in it."""
    opening = reply.find(b" (")
    if opening < 0 or not reply.startswith(b"result=", 4) or b" " in reply[4:opening]:
        return False
    end = reply.rfind(b")")
    return end < opening or not _may_end_behind(reply, end)


def _may_end_behind(line: bytes, end: int) -> bool:
    return end == len(line) - 1 or line[end + 1 :].startswith((b" endpos=", b" digit="))


def _reply_of(code: int, text: str) -> Reply:
    if code != 200:
        return Reply(code=code, text=text)
    found = _RESULT.fullmatch(text)
    if found is None:
        raise RemoteProtocolError("a reply with code 200 but without result=")
    result, rest = found[1], found[2]
    if not rest:
        return Reply(code=code, result=result, text=text)
    value = None
    if rest[0] == "(":
        end = rest.rfind(")")
        value, rest = rest[1:end], rest[end + 1 :]
    endpos = _ENDPOS.search(rest)
    return Reply(
        code=code,
        result=result,
        value=value,
        timed_out=value == "timeout",
        endpos=int(endpos[1]) if endpos else None,
        text=text,
    )
