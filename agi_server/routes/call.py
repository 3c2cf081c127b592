"""`call`: the whole call in one script: ask, decide, dial over the routes, settle, ask again."""

from dataclasses import replace

from agi_server.calls.call_end import ReportedEnd
from agi_server.calls.decision import Decision, Denial, EmergencyCall, Grant
from agi_server.calls.identify import Found, Lookup, Method
from agi_server.calls.reasons import Reason
from agi_server.calls.request import CallRequest
from agi_server.calls.settle import Settlement
from agi_server.calls.witnesses import Witness
from agi_server.fastagi.session import AgiSession
from agi_server.routes.authorize import decide, find_emergency
from agi_server.routes.caller import ask_digits, identify, pick_up, play, speak_language
from agi_server.routes.parameters import ASK_DESTINATION, CallParameters
from agi_server.routes.prompts import DENIAL_PROMPTS, ENTER_DESTINATION, GOODBYE
from agi_server.routes.services import RouteServices, Turn, call_request, deliver, record
from agi_server.routes.settle import settle_patiently
from agi_server.routes.speech import say_balance, say_time_left
from agi_server.routes.variables import (
    ANSWERED_AT,
    CALL,
    ROUTE,
    present_callerid,
    without_slice,
)
from agi_server.wire.commands import dial, get_full_variable, mset, set_variable
from rating.number import NumberInvalid, normalise

MAX_DESTINATION_DIGITS = 20
# Calls and wrong numbers in one session: a forgotten line ends some time.
_MOST_CALLS = 20
_OUTCOME = (
    "${DIALSTATUS}|${ANSWEREDTIME_MS}|${HANGUPCAUSE}|${" + ANSWERED_AT + "}|${STRFTIME(,,%s.%3q)}"
)
# The trunk is in trouble, not the called party: another one may do.
_TRY_NEXT_ROUTE = ("CHANUNAVAIL", "CONGESTION")
# The caller may correct the number and try again.
_ASK_AGAIN = (
    Reason.NUMBER_INVALID,
    Reason.NUMBER_RESTRICTED,
    Reason.NO_RATE,
    Reason.NO_ROUTE,
    Reason.FRAUD_GUARD,
)


async def call(session: AgiSession, services: RouteServices, parameters: CallParameters) -> None:
    """Speaks only with callers it had to ask something: a phone that dialled just rings."""
    request = call_request(session, parameters)
    emergency = find_emergency(services, request)
    if isinstance(emergency, EmergencyCall):
        await _emergency(session, services, request, emergency)
        return
    turn = Turn(session, services)
    found = await identify(
        session, services, turn, request, parameters, parameters.ask or "missing"
    )
    asking = parameters.destination == ASK_DESTINATION or isinstance(
        normalise(request.dialled), NumberInvalid
    )
    talking = asking or (isinstance(found, Found) and found.method is Method.PIN)
    if talking and not session.hung_up:
        await _welcome(session, services, found)
        turn.restart()
    for calls in range(_MOST_CALLS):
        if asking and _may_call(services, found):
            digits = await ask_digits(session, ENTER_DESTINATION, MAX_DESTINATION_DIGITS)
            if calls and not digits:
                break  # no other call is wanted, so none is refused
            turn.restart()
            request = replace(request, dialled=digits)
        decision = await _one_call(session, services, turn, request, found, talking=talking)
        if decision is None:
            return  # what AUTH_CALL names is not settled: it must stay, for the hangup handler
        if not talking or session.hung_up or not request.dialled or not _goes_on(decision):
            break
        asking = True
        turn.restart()
        found = await _find_again(services, turn, request, found)
    if talking:
        await play(session, GOODBYE)


async def _welcome(session: AgiSession, services: RouteServices, found: Found | Denial) -> None:
    """Answer, and tell the balance to somebody who may call at all, in the account's language."""
    await pick_up(session)
    if isinstance(found, Found) and found.account is not None:
        await speak_language(session, found.account.language)
        if _may_call(services, found):
            await say_balance(session, found.account.available_micros, found.account.currency)


async def _one_call(
    session: AgiSession,
    services: RouteServices,
    turn: Turn,
    request: CallRequest,
    found: Found | Denial,
    *,
    talking: bool,
) -> Decision | None:
    """Decide, and when allowed dial and settle; None when its end could not be settled."""
    decision: Decision
    emergency = find_emergency(services, request)
    if isinstance(emergency, EmergencyCall):
        await _emergency(session, services, request, emergency)
        return emergency
    if isinstance(found, Denial):
        decision = found
    elif session.hung_up:
        decision = services.authorizer.denial(found, Reason.CANCELLED)
    else:
        decision = await decide(session, services, turn, request, found)
    if talking and isinstance(decision, Grant):
        await say_time_left(session, decision.affordable_ms)
    decision = await deliver(session, services, decision, prompt=not talking)
    await record(session, services, request, decision)
    if isinstance(decision, Grant):
        settled = await _dial_and_settle(session, services, request, decision)
        return decision if settled else None
    if talking and isinstance(decision, Denial):
        await play(session, DENIAL_PROMPTS[decision.reason])
    return decision


async def _emergency(
    session: AgiSession, services: RouteServices, request: CallRequest, decision: EmergencyCall
) -> None:
    """Dial, and that is all."""
    await deliver(session, services, decision)
    await record(session, services, request, decision)
    dialled = dial(decision.dial_target, decision.ring_timeout_s, f"{decision.dial_options}i")
    await session.ask(dialled, patience_s=None)


def _may_call(services: RouteServices, found: Found | Denial) -> bool:
    """Whether it makes sense to ask for a number: nothing is known against the caller."""
    return isinstance(found, Found) and services.authorizer.refuse_caller(found) is None


def _goes_on(decision: Decision) -> bool:
    return not isinstance(decision, Denial) or decision.reason in _ASK_AGAIN


async def _find_again(
    services: RouteServices, turn: Turn, request: CallRequest, found: Found | Denial
) -> Found | Denial:
    """The account as it is after the call: its funds have changed."""
    if isinstance(found, Denial) or found.account is None:
        return found
    again = Lookup(method=found.method, account_number=found.account.account_number)
    return await turn.wait(services.authorizer.find(request, again))


async def _dial_and_settle(
    session: AgiSession, services: RouteServices, request: CallRequest, grant: Grant
) -> bool:
    """Route by route until one carries the call, then settle by what Dial left behind.

    False when the call is not settled: the hangup handler will be heard then.
    """
    subroutine = services.settings.calls.answered_subroutine
    # i: a carrier that redirects (302) must not choose where the call goes.
    options = f"{grant.dial_options}iU({subroutine})"
    if grant.presented_callerid:
        await session.ask(present_callerid(grant.presented_callerid))
    outcome: list[str] = []
    route = 0
    for number, target in enumerate(grant.dial_targets, start=1):
        if route and not await _has_room(services, grant, route, number):
            continue
        route = number
        await session.ask(mset([(ROUTE, str(route)), (ANSWERED_AT, "")]))
        await session.ask(dial(target, grant.ring_timeout_s, options), patience_s=None)
        outcome = ((await session.ask(get_full_variable(_OUTCOME))).value or "").split("|")
        if session.hung_up or outcome[0] not in _TRY_NEXT_ROUTE:
            break
    if len(outcome) != _OUTCOME.count("|") + 1:
        return False
    dialstatus, answeredtime_ms, hangupcause, answered_at, ended_at = outcome
    reported = ReportedEnd(
        dialstatus=dialstatus,
        answeredtime_ms=answeredtime_ms,
        hangupcause=hangupcause,
        route=str(route),
        answered_at=answered_at,
        ended_at=ended_at,
    )
    settled = await settle_patiently(
        session, services, grant.call_id, request.uniqueid, reported, Witness.CALL
    )
    if not isinstance(settled, Settlement):
        return False
    rolling = grant.absolute_timeout_s is not None
    await session.ask(without_slice((CALL, "")) if rolling else set_variable(CALL, ""))
    return True


async def _has_room(services: RouteServices, grant: Grant, before: int, route: int) -> bool:
    """Move the call to the trunk of another route, if that can carry one more."""
    trunks = grant.trunks
    return await services.leases.move(
        trunks[before - 1], trunks[route - 1], grant.call_id, grant.lease_ms
    )
