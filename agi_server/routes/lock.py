"""`lock`: customers set or lift the own lock on outgoing calls with a PIN; sets AUTH_LOCKED."""

from agi_server.calls.decision import Denial
from agi_server.calls.own_lock import LockAnswer
from agi_server.calls.reasons import Reason
from agi_server.fastagi.session import AgiSession
from agi_server.routes.caller import ask_digits, identify, pick_up, play, speak_language
from agi_server.routes.parameters import CallParameters
from agi_server.routes.prompts import (
    DENIAL_PROMPTS,
    ENTER_PIN,
    LOCKED,
    UNLOCKED,
    WRONG_PIN,
)
from agi_server.routes.services import RouteServices, Turn, call_request
from agi_server.routes.variables import lock_variables

MAX_PIN_DIGITS = 10


async def lock(session: AgiSession, services: RouteServices, parameters: CallParameters) -> None:
    """Locked becomes unlocked, and the other way round; what was refused stays as it was."""
    request = call_request(session, parameters)
    turn = Turn(session, services)
    found = await identify(
        session, services, turn, request, parameters, parameters.ask or "missing"
    )
    denial = found if isinstance(found, Denial) else services.authorizer.refuse_caller(found)
    if isinstance(found, Denial) or found.account is None:
        assert denial is not None
        await _refuse(session, denial.reason)
        return
    # The lock is the last of these checks: who is refused for it alone may lift it.
    if denial is not None and denial.reason is not Reason.ACCOUNT_LOCKED:
        await _refuse(session, denial.reason)
        return
    await pick_up(session)
    await speak_language(session, found.account.language)
    turn.restart()
    await _ask_pin(session, services, turn, found.account.id)


async def _ask_pin(
    session: AgiSession, services: RouteServices, turn: Turn, account_id: int
) -> None:
    """In as many tries as for an account number."""
    for _ in range(services.settings.calls.pin_tries):
        pin = await ask_digits(session, ENTER_PIN, MAX_PIN_DIGITS)
        turn.restart()
        if session.hung_up:
            return
        answer = await turn.wait(services.own_lock.turn(account_id, pin)) if pin else None
        match answer:
            case Denial():
                await _refuse(session, answer.reason)
                return
            case LockAnswer.TOO_MANY_TRIES:
                await _refuse(session, Reason.TOO_MANY_ATTEMPTS)
                return
            case LockAnswer.LOCKED | LockAnswer.UNLOCKED:
                locked = answer is LockAnswer.LOCKED
                await session.ask(lock_variables("yes" if locked else "no", ""))
                await play(session, LOCKED if locked else UNLOCKED)
                return
        await play(session, WRONG_PIN)
    if not session.hung_up:
        await session.ask(lock_variables("", Reason.TOO_MANY_ATTEMPTS.value))


async def _refuse(session: AgiSession, reason: Reason) -> None:
    await session.ask(lock_variables("", reason.value))
    await pick_up(session)
    await play(session, DENIAL_PROMPTS[reason])
