"""`balance`: speaks the caller's balance and sets AUTH_BALANCE and AUTH_CURRENCY."""

from agi_server.calls.decision import Denial
from agi_server.fastagi.session import AgiSession
from agi_server.routes.caller import identify, pick_up, play, speak_language
from agi_server.routes.parameters import CallParameters
from agi_server.routes.prompts import DENIAL_PROMPTS
from agi_server.routes.services import RouteServices, Turn, call_request
from agi_server.routes.speech import say_balance
from agi_server.routes.variables import balance_variables
from rating.money import format_money


async def balance(session: AgiSession, services: RouteServices, parameters: CallParameters) -> None:
    """What is available for calls; why not, when the caller is not known or locked out."""
    request = call_request(session, parameters)
    turn = Turn(session, services)
    found = await identify(
        session, services, turn, request, parameters, parameters.ask or "missing"
    )
    denial = found if isinstance(found, Denial) else services.authorizer.refuse_caller(found)
    if denial is not None or isinstance(found, Denial) or found.account is None:
        assert denial is not None
        await session.ask(balance_variables("", "", denial.reason.value))
        await pick_up(session)
        await play(session, DENIAL_PROMPTS[denial.reason])
        return
    account = found.account
    available = format_money(account.available_micros)
    await session.ask(balance_variables(available, account.currency, ""))
    await pick_up(session)
    await speak_language(session, account.language)
    await say_balance(session, account.available_micros, account.currency)
