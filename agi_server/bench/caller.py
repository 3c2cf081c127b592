"""One call as Asterisk makes it, as cheaply as may be: the load must not come from its maker."""

import asyncio
import re
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import cast

# As Asterisk 22 sends them; those that do not matter to a call are the same for all.
_ENVIRONMENT = (
    "agi_network: yes\nagi_network_script: {script}\nagi_request: agi://{host}/{script}\n"
    "agi_channel: PJSIP/bench-{uniqueid}\nagi_language: en\nagi_type: PJSIP\n"
    "agi_uniqueid: {uniqueid}\nagi_version: 22.10.1\nagi_callerid: unknown\n"
    "agi_calleridname: unknown\nagi_callingpres: 0\nagi_callingani2: 0\nagi_callington: 0\n"
    "agi_callingtns: 0\nagi_dnid: {extension}\nagi_rdnis: unknown\nagi_context: bench\n"
    "agi_extension: {extension}\nagi_priority: 1\nagi_enhanced: 0.0\n"
    "agi_accountcode: {accountcode}\nagi_threadid: 139853012345678\n"
)
_VALUE = r"[\"\\,]{name}=([^\"\\,]*)"
_DECISION = re.compile(_VALUE.format(name="AUTH_DECISION").encode())
_REASON = re.compile(_VALUE.format(name="AUTH_REASON").encode())
_CALL = re.compile(_VALUE.format(name="AUTH_CALL").encode())
_SUCCESS = b"200 result=0\n"
_FAILURE = b"failure"


class CallError(Exception):
    """A call that did not go as a call must; the message says how."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CallTimes:
    """Seconds from opening the connection: to the decision, and to the end of the settlement."""

    decision_s: float
    settle_s: float


class Caller:
    """Makes calls to one daemon. Whatever takes longer than `patience_s` is an error."""

    def __init__(self, host: str, port: int, *, talk_s: float, patience_s: float) -> None:
        self._host, self._port = host, port
        self._talk_s = talk_s
        self._patience_s = patience_s

    async def call(self, accountcode: str, destination: str, uniqueid: str) -> CallTimes:
        """Authorize, talk, settle. Raises CallError."""
        asked = time.perf_counter()
        answer = await self._exchange("authorize", accountcode, destination, uniqueid)
        decided = answer.answered_at
        if not answer.lines or decided is None:
            raise CallError("authorize: no answer")
        decision = answer.lines[0]
        call = _CALL.search(decision)
        if (found := _DECISION.search(decision)) is None or call is None:
            raise CallError("authorize: not a decision")
        if found[1] != b"allow":
            reason = _REASON.search(decision)
            raise CallError(f"denied: {reason[1].decode() if reason else 'without a reason'}")
        if self._talk_s:
            await asyncio.sleep(self._talk_s)
        talk_ms = max(1, round((time.perf_counter() - decided) * 1000))
        arguments = (call[1].decode(), "ANSWER", str(talk_ms), "16", "1")
        told = time.perf_counter()
        end = await self._exchange("settle", accountcode, destination, uniqueid, arguments)
        if end.lines:
            raise CallError("settle: failed")
        return CallTimes(decision_s=decided - asked, settle_s=time.perf_counter() - told)

    async def _exchange(
        self,
        script: str,
        accountcode: str,
        destination: str,
        uniqueid: str,
        arguments: Sequence[str] = (),
    ) -> "_Session":
        environment = _ENVIRONMENT.format(
            script=script,
            host=self._host,
            uniqueid=uniqueid,
            extension=destination,
            accountcode=accountcode,
        )
        for number, argument in enumerate(arguments, 1):
            environment += f"agi_arg_{number}: {argument}\n"
        session = _Session(f"{environment}\n".encode())
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(self._patience_s):
                await loop.create_connection(lambda: session, self._host, self._port)
                await session.ended
        except TimeoutError:
            session.abort()
            raise CallError(f"{script}: nothing for {self._patience_s:g} s") from None
        except OSError as error:
            raise CallError(f"{script}: {error.strerror or type(error).__name__}") from None
        return session


class _Session(asyncio.Protocol):
    """Asterisk's side of one AGI session: agrees to every command until the daemon closes."""

    def __init__(self, environment: bytes) -> None:
        self._environment = environment
        self._transport: asyncio.Transport
        self._unread = b""
        self.ended: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.lines: list[bytes] = []
        self.answered_at: float | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)  # uvloop's is none by its class
        self._transport.write(self._environment)

    def data_received(self, data: bytes) -> None:
        if self.answered_at is None:
            self.answered_at = time.perf_counter()
        *lines, self._unread = (self._unread + data).split(b"\n")
        for line in lines:
            self.lines.append(line)
            if line != _FAILURE:
                self._transport.write(_SUCCESS)

    def connection_lost(self, exc: Exception | None) -> None:
        if self.ended.done():
            return
        if exc is None:
            self.ended.set_result(None)
        else:
            self.ended.set_exception(exc)

    def abort(self) -> None:
        """Nobody waits any more."""
        if hasattr(self, "_transport"):
            self._transport.abort()
