"""Phones and carriers played by SIPp: start them, wait for what happens, read what they saw."""

import asyncio
import os
import re
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Literal

from asterisk_server import AsteriskServer, free_udp_port
from asterisk_tree import AsteriskTree
from sip_scenarios import (
    GO_ON,
    CalleeBehaviour,
    Step,
    callee_scenario,
    caller_scenario,
    cancelling_scenario,
)

# How long to wait for what should happen at once, or at the end of a call of a few seconds.
PATIENCE_SECONDS = 30
# Between two looks at the trace, which SIPp offers no way to be told about.
LOOK_AGAIN_SECONDS = 0.01

_ENTRY = re.compile(
    rb"-{47} (?P<at>\S+)\nUDP message (?P<way>sent|received) \[\d+\] bytes:\r?\n\r?\n"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class SipMessage:
    """A message as SIPp traced it. `at` is in seconds since the epoch."""

    at: float
    sent: bool
    start_line: str
    headers: dict[str, str]

    @property
    def status(self) -> int | None:
        """Of a response."""
        return int(self.start_line.split()[1]) if self.start_line.startswith("SIP/2.0") else None

    @property
    def method(self) -> str:
        """Of a request, or of the request that a response answers."""
        return self.headers["cseq"].split()[1]

    @property
    def is_request(self) -> bool:
        return self.status is None


@dataclass(frozen=True, slots=True, kw_only=True)
class SipCall:
    """One call, as one end of it saw it."""

    messages: tuple[SipMessage, ...]

    @property
    def call_id(self) -> str:
        return self.messages[0].headers["call-id"]

    @property
    def number(self) -> str:
        """What the INVITE asks for."""
        return self.messages[0].start_line.split()[1].removeprefix("sip:").partition("@")[0]

    @property
    def presented(self) -> str:
        """The INVITE's From header."""
        return self.messages[0].headers["from"]

    @property
    def status(self) -> int | None:
        """The final response to the INVITE: 200, 486 …; None while there is none."""
        final = self._final("INVITE")
        return final.status if final else None

    def status_of(self, method: str) -> int | None:
        """The final response to the first request of this kind, such as REFER."""
        final = self._final(method)
        return final.status if final else None

    def count_of(self, method: str, status: int) -> int:
        """How many responses of this status went to or came for requests of this kind."""
        return sum(m.method == method and m.status == status for m in self.messages)

    @property
    def provisional(self) -> tuple[int, ...]:
        """The provisional responses to the INVITE, in their order."""
        found = (m.status for m in self.messages if m.method == "INVITE")
        return tuple(status for status in found if status is not None and status < 200)

    @property
    def hung_up_by(self) -> Literal["this end", "the other end"] | None:
        """Who sent BYE or CANCEL."""
        ending = self._ending()
        return None if ending is None else "this end" if ending.sent else "the other end"

    @property
    def answered_at(self) -> float:
        """When the 200 of the INVITE went, in seconds since the epoch; it was answered."""
        answer = self._final("INVITE")
        assert answer is not None
        return answer.at

    @property
    def talk_ms(self) -> int | None:
        """From the 200 of the INVITE to the BYE; None if not answered or not ended."""
        answer, bye = self._final("INVITE"), self._ending()
        if answer is None or answer.status != 200 or bye is None:
            return None
        return round((bye.at - answer.at) * 1000)

    @property
    def ended(self) -> bool:
        """Refused, or hung up and that acknowledged."""
        if self.status is None:
            return False
        return self.status >= 300 or self._final("BYE") is not None

    def _final(self, method: str) -> SipMessage | None:
        for message in self.messages:
            if message.method == method and message.status and message.status >= 200:
                return message
        return None

    def _ending(self) -> SipMessage | None:
        for message in self.messages:
            if message.is_request and message.method in ("BYE", "CANCEL"):
                return message
        return None


class SippProcess:
    """A running SIPp and the calls it took part in so far."""

    def __init__(self, port: int, trace: Path, process: asyncio.subprocess.Process) -> None:
        self.port = port
        self._trace = trace
        self._process = process
        self._read: tuple[int, list[SipCall]] = 0, []

    @property
    def calls(self) -> list[SipCall]:
        """All calls so far, in the order of their INVITEs."""
        size = self._trace.stat().st_size if self._trace.exists() else 0
        if size != self._read[0]:
            self._read = size, _read_trace(self._trace)
        return self._read[1]

    async def until(self, true_of: Callable[[list[SipCall]], bool]) -> list[SipCall]:
        """Wait until this is true of the calls; raises TimeoutError with what was seen."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not true_of(calls := self.calls):
            # A SIPp that has ended sees no more.
            if time.monotonic() > deadline or self._process.returncode is not None:
                raise TimeoutError(f"SIPp saw: {_describe(calls)}")
            await asyncio.sleep(LOOK_AGAIN_SECONDS)
        return calls

    async def answered(self, count: int = 1, *, number: str = "") -> SipCall:
        """Wait until `count` calls (to `number`, if given) were answered; the last by INVITE."""
        return await self._nth(count, number, lambda call: call.status == 200)

    async def ended(self, count: int = 1, *, number: str = "") -> SipCall:
        """Wait until `count` calls (to `number`, if given) have ended; the last by INVITE."""
        return await self._nth(count, number, lambda call: call.ended)

    async def _nth(self, count: int, number: str, is_it: Callable[[SipCall], bool]) -> SipCall:
        def found(calls: list[SipCall]) -> list[SipCall]:
            return [c for c in calls if is_it(c) and (not number or c.number == number)]

        calls = await self.until(lambda seen: len(found(seen)) >= count)
        return found(calls)[count - 1]

    async def calls_seen(self) -> int:
        """How many INVITEs arrived, counting every one that was sent before this was asked.

        SIPp takes messages in their order, so what it answers last proves the earlier ones taken.
        """
        await _wait_for_answer(self.port)
        return len(self.calls)


class Caller(SippProcess):
    """One or more calls that SIPp makes, all alike."""

    async def go_on(self) -> None:
        """Let all calls that are not over go on, as soon as they have come to `WaitForGoOn`."""
        before = {c.call_id: c.count_of(GO_ON, 200) for c in self.calls if not c.ended}
        requests = [_request(GO_ON, call_id) for call_id in before]
        loop = asyncio.get_running_loop()
        transport, _ = await loop.create_datagram_endpoint(
            asyncio.DatagramProtocol, remote_addr=("127.0.0.1", self.port)
        )

        def say_it_again(calls: list[SipCall]) -> bool:
            for request in requests:
                transport.sendto(request)
            return all(call.count_of(GO_ON, 200) > before.get(call.call_id, -1) for call in calls)

        await self.until(say_it_again)
        transport.close()

    async def finished(self) -> list[SipCall]:
        """Wait for the end of all calls."""
        async with asyncio.timeout(PATIENCE_SECONDS):
            await self._process.wait()
        return self.calls


@asynccontextmanager
async def callee(
    asterisk: AsteriskServer, trunk: str, behaviour: CalleeBehaviour
) -> AsyncIterator[SippProcess]:
    """What stands at the other end of a trunk (`gw` or `gw2`), ready when the block is entered."""
    async with callee_at(asterisk, asterisk.trunk_ports[trunk], behaviour) as sipp:
        yield sipp


@asynccontextmanager
async def callee_at(
    asterisk: AsteriskServer, port: int, behaviour: CalleeBehaviour
) -> AsyncIterator[SippProcess]:
    """What stands at a port, ready when the block is entered."""
    scenario = callee_scenario(behaviour)
    async with running_sipp(asterisk.tree, scenario, port) as sipp:
        await _wait_for_answer(port)
        yield SippProcess(*sipp)


@asynccontextmanager
async def calling(
    asterisk: AsteriskServer,
    number: str,
    *steps: Step,
    user: str = "1001",
    caller_name: bytes = b'"Alice"',
    header: str = "",
    cancel_after_ringing_ms: int | None = None,
    calls: int = 1,
) -> AsyncIterator[Caller]:
    """Calls that are under way while the block runs; at its end SIPp is stopped.

    `caller_name` is sent as it is, quotes included; `header` is a further one of the INVITE.
    """
    scenario = (
        caller_scenario(steps, header)
        if cancel_after_ringing_ms is None
        else cancelling_scenario(cancel_after_ringing_ms)
    )
    arguments = (
        f"127.0.0.1:{asterisk.sip_port}",
        *("-m", str(calls), "-l", str(calls), "-r", str(calls), "-rp", "100"),
        *("-key", "number", number, "-key", "user", user),
        *("-key", "caller_name", os.fsdecode(caller_name)),
    )
    async with running_sipp(asterisk.tree, scenario, free_udp_port(), *arguments) as sipp:
        yield Caller(*sipp)


async def call(
    asterisk: AsteriskServer,
    number: str,
    *steps: Step,
    user: str = "1001",
    caller_name: bytes = b'"Alice"',
    header: str = "",
    cancel_after_ringing_ms: int | None = None,
) -> SipCall:
    """Make one call, see it through and say what the caller saw."""
    async with calling(
        asterisk,
        number,
        *steps,
        user=user,
        caller_name=caller_name,
        header=header,
        cancel_after_ringing_ms=cancel_after_ringing_ms,
    ) as caller:
        (seen,) = await caller.finished()
        return seen


@asynccontextmanager
async def running_sipp(
    tree: AsteriskTree, scenario: str, port: int, *arguments: str
) -> AsyncIterator[tuple[int, Path, asyncio.subprocess.Process]]:
    with TemporaryDirectory(prefix="agi-server-sipp-") as name:
        folder = Path(name)
        (folder / "scenario.xml").write_text(scenario)
        trace = folder / "messages.log"
        with (folder / "output.txt").open("w") as output:
            process = await asyncio.create_subprocess_exec(
                # Not even a killed test run leaves a SIPp behind.
                *("setpriv", "--pdeathsig", "KILL"),
                *tree.command("usr/bin/sipp", *arguments, "-sf", str(folder / "scenario.xml")),
                *("-i", "127.0.0.1", "-p", str(port), "-mp", str(free_udp_port()), "-nostdin"),
                *("-trace_msg", "-message_file", str(trace)),
                *("-trace_err", "-error_file", str(folder / "errors.log")),
                # OPTIONS is answered, and what a scenario does not expect is no end of a call.
                *("-aa", "-default_behaviors", "all,-abortunexp"),
                stdin=asyncio.subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                cwd=folder,
            )
        try:
            yield port, trace, process
        except BaseException as fault:
            for log in ("output.txt", "errors.log"):
                if (folder / log).exists():
                    fault.add_note(f"{log}: {(folder / log).read_text(errors='replace')[-2000:]}")
            raise
        finally:
            if process.returncode is None:
                process.kill()
            await process.wait()


async def _wait_for_answer(port: int) -> None:
    """Ask SIPp for a sign of life until it gives one."""
    answered = asyncio.Event()

    class Listener(asyncio.DatagramProtocol):
        def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
            answered.set()

    loop = asyncio.get_running_loop()
    transport, _ = await loop.create_datagram_endpoint(Listener, remote_addr=("127.0.0.1", port))
    via = transport.get_extra_info("sockname")[1]
    async with asyncio.timeout(PATIENCE_SECONDS):
        while not answered.is_set():
            transport.sendto(_request("OPTIONS", f"sign-of-life-{time.monotonic_ns()}", via))
            try:
                await asyncio.wait_for(answered.wait(), 0.05)
            except TimeoutError:
                continue  # not listening yet
    transport.close()


def _request(method: str, call_id: str, via: int = 9) -> bytes:
    return (
        f"{method} sip:sipp@127.0.0.1 SIP/2.0\r\n"
        f"Via: SIP/2.0/UDP 127.0.0.1:{via};branch=z9hG4bK{time.monotonic_ns()}\r\n"
        "From: <sip:test@127.0.0.1>;tag=test\r\nTo: <sip:sipp@127.0.0.1>\r\n"
        f"Call-ID: {call_id}\r\nCSeq: 9000 {method}\r\nContent-Length: 0\r\n\r\n"
    ).encode()


def _read_trace(trace: Path) -> list[SipCall]:
    text = trace.read_bytes()
    calls: dict[str, list[SipMessage]] = {}
    entries = list(_ENTRY.finditer(text))
    bounds = [*(entry.start() for entry in entries), len(text)]
    for entry, end in zip(entries, bounds[1:], strict=True):
        lines = text[entry.end() : end].decode(errors="replace").split("\n")
        headers = dict(_header(line) for line in lines[1:] if ":" in line)
        if "call-id" not in headers or "cseq" not in headers:
            continue  # SIPp is still writing this entry
        message = SipMessage(
            at=datetime.fromisoformat(entry["at"].decode()).timestamp(),
            sent=entry["way"] == b"sent",
            start_line=lines[0].strip(),
            headers=headers,
        )
        calls.setdefault(headers["call-id"], []).append(message)
    return [
        SipCall(messages=tuple(messages))
        for messages in calls.values()
        if messages[0].start_line.startswith("INVITE ")
    ]


def _header(line: str) -> tuple[str, str]:
    name, _, value = line.partition(":")
    return name.strip().lower(), value.strip()


def _describe(calls: Sequence[SipCall]) -> str:
    return "; ".join(
        " / ".join(f"{'→' if m.sent else '←'} {m.start_line}" for m in call.messages)
        for call in calls
    )
