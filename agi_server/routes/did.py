"""`did`: a call from outside, decided for the owner of the DID: where it rings, how long."""

from agi_server.calls.decision import Decision, Denial
from agi_server.calls.dialled import normalise_dialled
from agi_server.calls.identify import Lookup, Method
from agi_server.calls.reasons import Reason
from agi_server.fastagi.session import AgiSession
from agi_server.routes.authorize import decide
from agi_server.routes.parameters import BadRequestError, CallParameters
from agi_server.routes.services import RouteServices, Turn, call_request, deliver, record
from rating.number import NumberInvalid

_NOT_HERE = ("account", "ask", "plan", "identify", "forward")


async def did(session: AgiSession, services: RouteServices, parameters: CallParameters) -> None:
    """One MSet, as `authorize`; who calls does not matter, and nobody is asked anything."""
    for name in _NOT_HERE:
        if getattr(parameters, name) is not None:
            raise BadRequestError(f"{name}: is no parameter of did")
    request = call_request(session, parameters)
    number = normalise_dialled(request.dialled, None, services.settings.rating.country)
    decision: Decision
    if isinstance(number, NumberInvalid):
        decision = Denial(reason=Reason.NUMBER_INVALID, identified_by=Method.DID.value)
    else:
        turn = Turn(session, services)
        lookup = Lookup(method=Method.DID, did=number.number)
        found = await turn.wait(services.authorizer.find(request, lookup))
        decision = await decide(session, services, turn, request, found)
    decision = await deliver(session, services, decision)
    session.close()
    await record(session, services, request, decision)
