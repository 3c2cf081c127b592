"""`authorize`: the decision, in the variables of the channel, before the dialplan dials."""

from agi_server.calls.call_end import ReportedEnd, UnbelievableEndError
from agi_server.calls.decision import Decision, Denial
from agi_server.calls.emergency import emergency_call
from agi_server.calls.identify import Found
from agi_server.calls.reasons import Reason
from agi_server.calls.request import CallRequest
from agi_server.calls.settle import NotThisCallError, Settlement
from agi_server.calls.witnesses import Witness
from agi_server.fastagi.session import AgiSession
from agi_server.routes.caller import identify
from agi_server.routes.parameters import CallParameters
from agi_server.routes.services import RouteServices, Turn, call_request, deliver, record
from agi_server.routes.settle import tell_not_settled
from agi_server.routes.variables import without_slice
from agi_server.wire.commands import get_full_variable
from agi_server.wire.events import Reply

_OUTCOME = "${DIALSTATUS}|${ANSWEREDTIME_MS}|${HANGUPCAUSE}"


async def authorize(
    session: AgiSession, services: RouteServices, parameters: CallParameters
) -> None:
    """One MSet in the usual case; a denial whenever anything is not as it should be."""
    request = call_request(session, parameters)
    decision = find_emergency(services, request)
    if decision is None:
        turn = Turn(session, services)
        found = await identify(
            session, services, turn, request, parameters, parameters.ask or "never"
        )
        decision = await decide(session, services, turn, request, found)
    decision = await deliver(session, services, decision)
    session.close()
    await record(session, services, request, decision)


def find_emergency(services: RouteServices, request: CallRequest) -> Decision | None:
    """The answer to a call of an emergency number, which asks nobody; None for other numbers."""
    settings = services.settings
    return emergency_call(request.dialled, settings.emergency, settings.calls.ring_timeout_s)


async def decide(
    session: AgiSession,
    services: RouteServices,
    turn: Turn,
    request: CallRequest,
    found: Found | Denial,
) -> Decision:
    """The decision about somebody who was found; an earlier call of this channel is ended first."""
    if isinstance(found, Denial):
        return found
    if found.earlier_call is not None:
        ended = await _end_earlier_call(session, services, turn, request, found)
        if isinstance(ended, Denial):
            return ended
        found = ended
    return await turn.wait(services.authorizer.decide(request, found))


async def _end_earlier_call(
    session: AgiSession,
    services: RouteServices,
    turn: Turn,
    request: CallRequest,
    found: Found,
) -> Found | Denial:
    """This channel has a session that is still open: end it by what Asterisk knows of it.

    Not dialled, it is voided; dialled, it is settled: else a dialplan that dials twice without
    settling in between would have its first call for nothing.
    """
    assert found.earlier_call is not None
    earlier = found.earlier_call
    account_id, call_id = earlier.account_id, earlier.call_id
    reply = await session.ask(get_full_variable(_OUTCOME))
    ended: Settlement | bool | Denial | None
    try:
        reported = _reported(reply)
        if reported.dialled:
            settling = services.settler.settle(
                call_id, request.uniqueid, reported, Witness.CALL, session.elapsed_ms
            )
            ended = await turn.wait(settling)
        else:
            ended = await turn.wait(services.voider.void(account_id, call_id, Reason.CANCELLED))
    except (UnbelievableEndError, NotThisCallError) as error:
        ended = None  # it stays open, for recovery
        await tell_not_settled(session, services, call_id, error)
    if isinstance(ended, Denial):
        return ended
    if earlier.rolling:
        await session.ask(without_slice())
    if found.account is None:
        return found
    return await turn.wait(services.authorizer.find(request, found.lookup))


def _reported(reply: Reply) -> ReportedEnd:
    """What the variables of Dial say. Raises UnbelievableEndError where Asterisk did not tell."""
    values = (reply.value or "").split("|")
    if len(values) != _OUTCOME.count("|") + 1:
        raise UnbelievableEndError("Asterisk did not tell how the call ended")
    dialstatus, answeredtime_ms, hangupcause = values
    return ReportedEnd(
        dialstatus=dialstatus, answeredtime_ms=answeredtime_ms, hangupcause=hangupcause
    )
