"""`ping`: whether a call could be decided now."""

from agi_server.fastagi.session import AgiSession
from agi_server.routes.services import RouteServices, Turn
from agi_server.routes.variables import ping_variable


async def ping(session: AgiSession, services: RouteServices) -> None:
    """AUTH_PING: `ok` when PostgreSQL and Redis answer within the deadline, else `unavailable`."""
    well = await Turn(session, services).wait(_backends_answer(services))
    await session.ask(ping_variable("ok" if well is True else "unavailable"))


async def _backends_answer(services: RouteServices) -> bool:
    await services.db.fetchval("SELECT 1")
    return await services.slots.ping()
