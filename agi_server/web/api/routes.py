"""The application under /api/v1, with its OpenAPI document at /api/v1/openapi.json."""

from typing import Any

from fastapi import APIRouter, Depends, FastAPI

from agi_server.web.api import (
    business,
    callerids,
    calls,
    customer_money,
    customers,
    dids,
    groups,
)
from agi_server.web.api.access import caller
from agi_server.web.api.problems import PROBLEMS, Problem, add_problems
from agi_server.web.api.well_formed import json_body, known_parameters
from agi_server.web.services import WebServices

_ABOUT = (
    "Money is a decimal string, times are in UTC. A token has the rights of its operator"
    " (`agi-server admin token create`). Lists are paged by `after`. What moves money needs an"
    " Idempotency-Key."
)


def api(services: WebServices) -> FastAPI:
    """The API."""
    app = FastAPI(
        title="agi-server",
        version="1",
        description=_ABOUT,
        openapi_url="/openapi.json",
        docs_url=None,
        redoc_url=None,
        servers=[{"url": "/api/v1"}],
        root_path_in_servers=False,
    )
    app.state.services = services
    everything = APIRouter(
        dependencies=[Depends(caller), Depends(json_body), Depends(known_parameters)],
        responses=PROBLEMS,
    )
    for module in (customers, customer_money, callerids, calls, dids, business, groups):
        everything.include_router(module.router)
    app.include_router(everything)
    add_problems(app)
    _describe_problems(app)
    return app


def _describe_problems(app: FastAPI) -> None:
    """The document refers to the schema of a problem, which no operation takes or gives as JSON."""
    document = app.openapi

    def with_problems() -> dict[str, Any]:
        if app.openapi_schema is not None:
            return app.openapi_schema
        described = document()
        for operations in described["paths"].values():
            for operation in operations.values():
                if "requestBody" not in operation:
                    operation["responses"].pop("413", None)
                    operation["responses"].pop("415", None)
                elif "application/json" not in operation["requestBody"]["content"]:
                    operation["responses"].pop("415", None)
        schema = Problem.model_json_schema(ref_template="#/components/schemas/{model}")
        described["components"]["schemas"] |= {**schema.pop("$defs"), "Problem": schema}
        return described

    app.openapi = with_problems  # type: ignore[method-assign]
