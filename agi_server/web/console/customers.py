"""The list of customers."""

from typing import Annotated

from fastapi import APIRouter, Query, Request
from starlette.responses import RedirectResponse, Response

from agi_server.accounts.account import AccountStatus
from agi_server.storage.postgres.statements import statement
from agi_server.web.auth.roles import Right
from agi_server.web.console.access import operator_of
from agi_server.web.console.pages import page
from agi_server.web.customer_lists import CustomerFilter, list_customers
from agi_server.web.services import services_of

router = APIRouter()


@router.get("/")
async def home() -> Response:
    """Where an operator begins."""
    return RedirectResponse("/customers", 303)


@router.get("/customers")
async def show_customers(
    request: Request,
    search: Annotated[str, Query(max_length=100)] = "",
    status: str = "",
    plan: str = "",
    group: str = "",
    after: str = "",
) -> Response:
    """A page of customers, by search and filters."""
    services, operator = services_of(request), operator_of(request)
    chosen = CustomerFilter(
        search=search.strip(),
        status=AccountStatus.__members__.get(status.upper()),
        plan=plan or None,
        group=group or None,
    )
    rows, next_page = await list_customers(services.db, operator, chosen, after=after)
    names = await services.db.fetchrow(statement("web/names"))
    return page(
        request,
        "customers.html",
        customers=rows,
        next_page=next_page,
        chosen=chosen,
        filtered=bool(chosen.search or chosen.status is not None or chosen.plan or chosen.group),
        first_page=not after,
        statuses=list(AccountStatus),
        plans=names["plans"],
        groups=names["groups"] if operator.may(Right.SEE_BUSINESS) else [],
    )
