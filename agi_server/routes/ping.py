"""`ping`: whether a call could be decided now."""

import asyncio

from agi_server.fastagi.session import AgiSession
from agi_server.routes.services import RouteServices
from agi_server.routes.variables import ping_variable
from agi_server.storage.postgres.health import BACKEND_FAULTS


async def ping(session: AgiSession, services: RouteServices) -> None:
    """AUTH_PING: `ok` when PostgreSQL and Redis answer within the deadline, else `unavailable`."""
    try:
        async with asyncio.timeout(services.settings.fastagi.deadline_ms / 1000):
            await services.db.fetchval("SELECT 1")
            well = await services.slots.ping()
    except BACKEND_FAULTS as error:
        services.health.failed(error)
        well = False
    await session.ask(ping_variable("ok" if well else "unavailable"))
