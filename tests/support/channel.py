"""Plays Asterisk: a channel that runs the daemon's scripts and keeps the variables they set."""

import asyncio
import itertools
import re
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, fields
from datetime import timedelta
from typing import Any

from support.clock import Clock, epoch
from unit.wire.wire_asterisk_rules import arguments, mset, words

_NUMBERS = itertools.count(1)
_EXPRESSION = re.compile(r"\$\{(STRFTIME\(,,%s\.%3q\)|[A-Z_0-9]+)\}")
# What the samples' dialplan presets: only the daemon makes it allow.
_PRESET = {"AUTH_DECISION": "deny"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What `authorize` or `call` decided, as the variables of the channel say it."""

    decision: str
    reason: str
    call: str
    dial: str
    dial_options: str
    ring_timeout: str
    limit_ms: int
    routes: int
    callerid: str
    prompt: str
    language: str

    @property
    def allowed(self) -> bool:
        return self.decision == "allow"


@dataclass(frozen=True, slots=True, kw_only=True)
class Dialled:
    """How one Dial goes: it rings, and is answered when there is a talk."""

    status: str = "ANSWER"
    talk_ms: int | None = None
    ring_ms: int = 1000
    cause: int = 16
    caller_hangs_up: bool = False


Reaction = Callable[[list[str]], Awaitable[bytes | None]]
"""What a channel does with a command (its words): the reply, or None to close the connection."""


class Channel:
    """One channel. `dials` tells how each Dial goes, `digits` what the caller types."""

    def __init__(
        self,
        port: int,
        clock: Clock,
        *,
        accountcode: str = "",
        callerid: str | bytes = "unknown",
        calleridname: str | bytes = "Alice",
        extension: str = "442079460000",
        endpoint: str = "PJSIP/phone",
        language: str = "en",
        uniqueid: str | None = None,
        digits: Iterable[str] = (),
        dials: Iterable[Dialled] = (),
    ) -> None:
        number = next(_NUMBERS)
        self.port = port
        self.clock = clock
        self.uniqueid = uniqueid or f"pbx-1772366400.{number}"
        self.name = f"{endpoint}-{number:08x}"
        self.language = language
        self.accountcode = accountcode
        self.callerid = callerid
        self.calleridname = calleridname
        self.extension = extension
        self.digits = list(digits)
        self.dials = list(dials)
        self.variables = dict(_PRESET)
        self.commands: list[list[str]] = []
        self.hung_up = False
        self.answered_ms: int | None = None
        self.reactions: dict[str, Reaction] = {}
        self._writer: asyncio.StreamWriter

    # What a test does.

    async def authorize(self, query: str = "") -> Answer:
        """Run `authorize` and read its answer."""
        await self.run("authorize" + query)
        return self.answer

    async def call(self, query: str = "") -> Answer:
        """Run `call` to its end."""
        await self.run("call" + query)
        return self.answer

    async def did(self, query: str = "") -> Answer:
        """Run `did`, as for a call from outside."""
        await self.run("did" + query)
        return self.answer

    async def settle(
        self,
        talk_ms: int | None = None,
        *,
        call: str | None = None,
        status: str | None = None,
        answeredtime_ms: str = "",
        cause: str = "16",
        route: str = "1",
    ) -> None:
        """As the samples' hangup handler does when the talk ends now."""
        answered = talk_ms is not None
        now = self.clock()
        await self.run(
            "settle",
            self.variables["AUTH_CALL"] if call is None else call,
            status or ("ANSWER" if answered else "CANCEL"),
            answeredtime_ms,
            cause,
            route,
            epoch(now - timedelta(milliseconds=talk_ms)) if talk_ms is not None else "",
            epoch(now),
        )

    @property
    def answer(self) -> Answer:
        """The variables as they are now."""
        values: dict[str, Any] = {
            field.name: self.variables.get(f"AUTH_{field.name.upper()}", "")
            for field in fields(Answer)
        }
        numbers = {name: int(values[name] or 0) for name in ("limit_ms", "routes")}
        return Answer(**values | numbers)

    async def run(self, script: str, *agi_arguments: str) -> None:
        """One AGI script, until the daemon closes the connection; AGISTATUS tells a failure."""
        reader, self._writer = await asyncio.open_connection("127.0.0.1", self.port)
        self.variables["AGISTATUS"] = "SUCCESS"
        try:
            # In one segment: a daemon that reads one before the other may rightly allow the call.
            hang_up = b"HANGUP\n" if self.hung_up else b""
            self._writer.write(self.environment(script, agi_arguments) + hang_up)
            while line := await reader.readline():
                if line == b"failure\n":
                    self.variables["AGISTATUS"] = "FAILURE"
                    continue
                command = words(line.decode().removesuffix("\n"))
                self.commands.append(command)
                reply = await self._reply(command)
                if reply is None:
                    break
                self._writer.write(reply)
        except ConnectionError:
            pass  # what the daemon refuses it may reset
        finally:
            self._writer.close()

    def on(self, command: str, reaction: Reaction) -> None:
        """React differently to a command, given by its first words."""
        self.reactions[command] = reaction

    def hang_up(self) -> None:
        """The caller hangs up now, while no command runs."""
        self.hung_up = True
        self._writer.write(b"HANGUP\n")

    def heard(self) -> list[str]:
        """The sounds that were played, in their order."""
        return [
            words[2]
            for words in self.commands
            if words[:2] in (["STREAM", "FILE"], ["GET", "DATA"], ["SAY", "NUMBER"])
        ]

    def dialled(self) -> list[list[str]]:
        """Target, timeout and options of every Dial."""
        return [arguments(w[2], ",", 4) for w in self.commands if w[:2] == ["EXEC", "Dial"]]

    # What Asterisk does.

    def environment(self, script: str, agi_arguments: Iterable[str] = ()) -> bytes:
        """As Asterisk 22 sends it."""
        pairs: list[tuple[str, str | bytes]] = [
            ("network", "yes"),
            ("network_script", script),
            ("request", f"agi://127.0.0.1/{script}"),
            ("channel", self.name),
            ("language", self.language),
            ("type", "PJSIP"),
            ("uniqueid", self.uniqueid),
            ("version", "22.10.1"),
            ("callerid", self.callerid),
            ("calleridname", self.calleridname),
            ("callingpres", "0"),
            ("callingani2", "0"),
            ("callington", "0"),
            ("callingtns", "0"),
            ("dnid", self.extension),
            ("rdnis", "unknown"),
            ("context", "agi-server"),
            ("extension", self.extension),
            ("priority", "1"),
            ("enhanced", "0.0"),
            ("accountcode", self.accountcode),
            ("threadid", "139973726254784"),
            *((f"arg_{number}", value) for number, value in enumerate(agi_arguments, 1)),
        ]
        lines = [
            b"agi_%s: %s\n" % (key.encode(), value if isinstance(value, bytes) else value.encode())
            for key, value in pairs
        ]
        return b"".join(lines) + b"\n"

    async def _reply(self, command: list[str]) -> bytes | None:
        for length in (len(command), 3, 2, 1):
            reaction = self.reactions.get(" ".join(command[:length]))
            if reaction is not None:
                return await reaction(command)
        return self.react(command)

    def react(self, command: list[str]) -> bytes:
        """What Asterisk replies to a command (shared/asterisk/README.md, section 4)."""
        match command:
            case ["EXEC", "MSet", text]:
                self.variables.update(mset(text))
                return b"200 result=0\n"
            case ["EXEC", "Dial", text]:
                return self._dial(text)
            case ["EXEC", _, *_]:
                return b"200 result=0\n"
            case ["SET", "VARIABLE", name, value]:
                self.variables[name] = value
                return b"200 result=1\n"
            case ["GET", "FULL", "VARIABLE", expression]:
                value = _EXPRESSION.sub(lambda match: self._value(match[1]), expression)
                return b"200 result=1 (%s)\n" % value.encode()
            case _ if self.hung_up:
                return b"511 Command Not Permitted on a dead channel or intercept routine\n"
            case ["ANSWER"]:
                self.answered_ms = self._now_ms() if self.answered_ms is None else self.answered_ms
                return b"200 result=0\n"
            case ["STREAM", "FILE", *_]:
                return b"200 result=0 endpos=8000\n"
            case ["SAY", "NUMBER", *_]:
                return b"200 result=0\n"
            case ["GET", "DATA", *_]:
                digits = self.digits.pop(0) if self.digits else " (timeout)"
                return b"200 result=%s\n" % digits.encode()
        return b"510 Invalid or unknown command\n"

    def _value(self, name: str) -> str:
        return self.clock.epoch() if name.startswith("STRFTIME") else self.variables.get(name, "")

    def _now_ms(self) -> int:
        return round(float(self.clock.epoch()) * 1000)

    def _dial(self, text: str) -> bytes:
        _, _, options = arguments(text, ",", 4)
        dialled = Dialled(status="CANCEL", cause=127) if self.hung_up else self.dials.pop(0)
        self.clock.advance(dialled.ring_ms / 1000)
        answeredtime_ms = ""
        if dialled.talk_ms is not None:
            answered_ms = self._now_ms() if self.answered_ms is None else self.answered_ms
            if "U(" in options:
                self.variables["AUTH_ANSWERED_AT"] = self.clock.epoch()
            self.clock.advance(dialled.talk_ms / 1000)
            # Counts from the answer of the caller's leg, whoever gave it.
            answeredtime_ms = str(self._now_ms() - answered_ms)
        self.variables |= {
            "DIALSTATUS": dialled.status,
            "ANSWEREDTIME_MS": answeredtime_ms,
            "HANGUPCAUSE": str(dialled.cause),
        }
        ended = self.hung_up or dialled.talk_ms is not None or dialled.caller_hangs_up
        reply = b"200 result=%d\n" % (-1 if ended else 0)
        if dialled.caller_hangs_up:
            self.hung_up = True
            reply += b"HANGUP\n"
        return reply


async def allowed(port: int, clock: Clock, accountcode: str) -> Channel:
    """A call that was let through, however many are refused before."""
    while True:
        phone = Channel(port, clock, accountcode=accountcode)
        if (await phone.authorize()).allowed:
            return phone


async def settled(phone: Channel, talk_ms: int | None = 5000) -> None:
    """As the samples' handler: asks again until it is not told of a failure."""
    while True:
        await phone.settle(talk_ms)
        if "SUCCESS" == phone.variables["AGISTATUS"]:
            return
