"""What the routes need, built once by app.py, and the ways of using it that they share."""

import asyncio
from collections.abc import Coroutine
from dataclasses import dataclass
from typing import Any, TypeVar

import structlog

from agi_server.background import Background
from agi_server.calls.authorize import Authorizer
from agi_server.calls.decision import Decision, Denial, EmergencyCall, Grant
from agi_server.calls.outcome_log import OutcomeLog
from agi_server.calls.own_lock import OwnLock
from agi_server.calls.reasons import Reason
from agi_server.calls.request import CallRequest
from agi_server.calls.settle import Settler
from agi_server.calls.trunk_leases import TrunkLeases
from agi_server.calls.void import Voider
from agi_server.fastagi.session import AgiSession, PeerGoneError
from agi_server.routes.parameters import BadRequestError, CallParameters
from agi_server.routes.variables import decision_variables
from agi_server.settings import Settings
from agi_server.storage.postgres.health import BACKEND_FAULTS, PostgresHealth
from agi_server.storage.redis.slots import Slots
from agi_server.wire.commands import Command
from agi_server.wire.errors import LocalProtocolError

log = structlog.get_logger()

Answer = TypeVar("Answer")

_UNKNOWN_CALLERID = "unknown"
# Asterisk's own end before that; and they are indexed, where PostgreSQL takes no kilobytes.
_LONGEST_NAME = 256
_NO_SUCH_APPLICATION = "-2"  # EXEC's result where Asterisk has not loaded what it should run


@dataclass(frozen=True, slots=True, kw_only=True)
class RouteServices:
    """The use cases of a call and the settings the routes go by."""

    settings: Settings
    db: Any
    slots: Slots
    authorizer: Authorizer
    settler: Settler
    voider: Voider
    background: Background
    outcomes: OutcomeLog
    leases: TrunkLeases
    health: PostgresHealth
    own_lock: OwnLock


class Turn:
    """Our turn in the dialogue with a caller: backends have until the deadline.

    The clock begins when the environment is complete, and anew whenever the caller has spoken.
    """

    def __init__(self, session: AgiSession, services: RouteServices) -> None:
        self._loop = asyncio.get_running_loop()
        self._health = services.health
        self._background = services.background
        self._voider = services.voider
        self._deadline_s = services.settings.fastagi.deadline_ms / 1000
        self._ends = session.ready_at + self._deadline_s

    def restart(self) -> None:
        """The caller has spoken or listened: the deadline counts from now."""
        self._ends = self._loop.time() + self._deadline_s

    async def wait(self, work: Coroutine[Any, Any, Answer]) -> Answer | Denial:
        """The answer, or a denial when a backend fails or the deadline passes.

        Work that is late is cancelled but not waited for: a driver may take long to give up on a
        connection that is half open, and the caller is to have an answer now.
        """
        task = asyncio.create_task(work)
        late = True
        try:
            await asyncio.wait({task}, timeout=self._ends - self._loop.time())
            late = not task.done()
        finally:
            if late:
                task.cancel()
                self._background.start(self._take_back(task))
        if late:
            self._health.failed(TimeoutError())
            return Denial(reason=Reason.UNAVAILABLE)
        try:
            answer = task.result()
        except BACKEND_FAULTS as error:
            self._health.failed(error)
            return Denial(reason=Reason.UNAVAILABLE)
        self._health.worked()
        return answer

    async def _take_back(self, task: "asyncio.Task[Answer]") -> None:
        """Whatever the late work still brings about is taken back."""
        await asyncio.wait({task})
        if task.cancelled() or task.exception() is not None:
            return
        result = task.result()
        if isinstance(result, Grant):
            self._voider.void_later(result.account_id, result.call_id)


def call_request(session: AgiSession, parameters: CallParameters) -> CallRequest:
    """What this channel asks for. Raises BadRequestError for a value no Asterisk sends."""
    values = session.values
    for key in ("agi_uniqueid", "agi_channel"):
        if len(values.get(key, "")) > _LONGEST_NAME:
            raise BadRequestError(f"{key}: is longer than {_LONGEST_NAME} characters")
    callerid = values.get("agi_callerid", "")
    return CallRequest(
        server=session.peer_host,
        uniqueid=values.get("agi_uniqueid", ""),
        channel=values.get("agi_channel", ""),
        callerid="" if callerid == _UNKNOWN_CALLERID else callerid,
        accountcode=values.get("agi_accountcode", ""),
        dialled=parameters.destination or values.get("agi_extension", ""),
        plan=parameters.plan,
    )


async def deliver(
    session: AgiSession, services: RouteServices, decision: Decision, *, prompt: bool = True
) -> Decision:
    """Tell Asterisk the decision; returns the one that holds in the end.

    A granted call whose caller hung up, or that Asterisk cannot be told of, is voided. Once the
    command is out and the connection breaks, nobody knows whether Asterisk dials: then the session
    stays, for the hangup handler or recovery to settle.
    """
    if isinstance(decision, Grant) and (session.hung_up or session.closed):
        decision = await _take_back(services, decision, Reason.CANCELLED)
    command: Command
    try:
        command = decision_variables(decision, prompt=prompt)
    except LocalProtocolError as error:
        log.error("agi.failed", error=str(error), exc_type=type(error).__name__)
        if isinstance(decision, EmergencyCall):
            raise
        decision = await _take_back(services, decision, Reason.UNAVAILABLE)
        command = decision_variables(decision, prompt=prompt)
    if session.closed:
        return decision
    try:
        reply = await session.ask(command)
    except PeerGoneError:
        return decision
    executed = reply.code == 200 and reply.result != _NO_SUCH_APPLICATION
    if isinstance(decision, Grant) and not executed:
        decision = await _take_back(services, decision, Reason.UNAVAILABLE)
    return decision


async def _take_back(services: RouteServices, decision: Grant | Denial, reason: Reason) -> Denial:
    if isinstance(decision, Grant):
        try:
            await services.voider.void(decision.account_id, decision.call_id, reason)
        except BACKEND_FAULTS as error:
            services.health.failed(error)
            services.voider.void_later(decision.account_id, decision.call_id)
    return Denial(
        reason=reason,
        account_id=decision.account_id,
        account_number=decision.account_number,
        language=decision.language,
        identified_by=decision.identified_by,
        destination=decision.destination,
        prefix=decision.prefix,
        plan_id=decision.plan_id,
    )


async def record(
    session: AgiSession, services: RouteServices, request: CallRequest, decision: Decision
) -> None:
    """Log the decision and keep a refusal's CDR."""
    try:
        await services.outcomes.decided(request, decision, session.elapsed_ms())
    except BACKEND_FAULTS as error:
        services.health.failed(error)
