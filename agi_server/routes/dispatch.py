"""From the path of the URL to the route, and the answer to a request that cannot be read."""

import structlog

from agi_server.calls.decision import Denial
from agi_server.calls.reasons import Reason
from agi_server.fastagi.session import AgiSession
from agi_server.routes.authorize import authorize
from agi_server.routes.balance import balance
from agi_server.routes.call import call
from agi_server.routes.did import did
from agi_server.routes.lock import lock
from agi_server.routes.parameters import BadRequestError, call_parameters, route_name, split_script
from agi_server.routes.ping import ping
from agi_server.routes.services import RouteServices
from agi_server.routes.settle import settle
from agi_server.routes.variables import decision_variables

log = structlog.get_logger()

_CALL_ROUTES = {"authorize": authorize, "call": call, "balance": balance, "lock": lock, "did": did}
_PLAIN_ROUTES = {"settle": settle, "ping": ping}


class Dispatcher:
    """The handler of every FastAGI session."""

    def __init__(self, services: RouteServices) -> None:
        self._services = services

    async def __call__(self, session: AgiSession) -> None:
        """Run the route; what cannot be read is denied, logged and closed."""
        try:
            await self._route(session)
        except BadRequestError as error:
            log.warning(
                "agi.bad_peer",
                peer=session.peer_host,
                uniqueid=session.values.get("agi_uniqueid", ""),
                error=str(error),
            )
            # settle leaves the variables alone: AUTH_CALL may still be settled by a better request.
            if route_name(session.values.get("agi_network_script", "")) != "settle":
                await session.ask(decision_variables(Denial(reason=Reason.UNAVAILABLE)))

    async def _route(self, session: AgiSession) -> None:
        name, parts = split_script(session.values.get("agi_network_script", ""))
        if name in _PLAIN_ROUTES:
            if parts:
                raise BadRequestError(f"{name}: takes no parameters")
            await _PLAIN_ROUTES[name](session, self._services)
        elif name in _CALL_ROUTES:
            parameters = call_parameters([*parts, *session.environment.arguments])
            await _CALL_ROUTES[name](session, self._services, parameters)
        else:
            raise BadRequestError("an unknown route")
