"""The web application: the API under /api/v1, the console under everything else."""

from importlib.resources import files

from fastapi import FastAPI
from fastapi.staticfiles import StaticFiles

from agi_server.web import provisioning
from agi_server.web.api.routes import api
from agi_server.web.console.faults import add_console_faults
from agi_server.web.console.routes import console_routes
from agi_server.web.guards import BodyLimit, SecurityHeaders
from agi_server.web.services import WebServices


def application(services: WebServices) -> FastAPI:
    """Everything that is served."""
    app = FastAPI(openapi_url=None, docs_url=None, redoc_url=None)
    app.state.services = services
    static = files("agi_server.web").joinpath("static")
    app.mount("/static", StaticFiles(directory=str(static)), name="static")
    app.include_router(provisioning.router)
    app.mount("/api/v1", api(services), name="api")
    app.include_router(console_routes())
    add_console_faults(app)
    app.add_middleware(BodyLimit)
    app.add_middleware(SecurityHeaders)
    return app
