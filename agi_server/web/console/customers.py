"""The list of customers."""

from typing import Annotated

from fastapi import APIRouter, Depends, Request
from starlette.responses import RedirectResponse, Response

from agi_server.accounts.account import AccountStatus
from agi_server.web.console.access import operator_of
from agi_server.web.console.choices import names_for
from agi_server.web.console.pages import page
from agi_server.web.customer_lists import CustomerFilter, list_customers
from agi_server.web.services import services_of

router = APIRouter()

_LONGEST_SEARCH = 100


def chosen_customers(
    search: str = "",
    status: str = "",
    plan: str = "",
    group: str = "",
    campaign: str = "",
) -> CustomerFilter:
    """Which customers a page is about, by its address."""
    return CustomerFilter(
        search=search.strip()[:_LONGEST_SEARCH],
        status=AccountStatus.__members__.get(status.upper()),
        plan=plan or None,
        group=group or None,
        campaign=campaign or None,
    )


ChosenCustomers = Annotated[CustomerFilter, Depends(chosen_customers)]


@router.get("/")
async def home() -> Response:
    """Where an operator begins."""
    return RedirectResponse("/customers", 303)


@router.get("/customers")
async def show_customers(request: Request, chosen: ChosenCustomers, after: str = "") -> Response:
    """A page of customers, by search and filters."""
    services, operator = services_of(request), operator_of(request)
    rows, next_page = await list_customers(services.db, operator, chosen, after=after)
    names = await names_for(services.db, operator)
    return page(
        request,
        "customers.html",
        customers=rows,
        next_page=next_page,
        chosen=chosen,
        query={name: text for name, text in _texts(chosen).items() if text},
        first_page=not after,
        statuses=list(AccountStatus),
        plans=names["plans"],
        groups=names["groups"],
        campaigns=names["campaigns"],
    )


def _texts(chosen: CustomerFilter) -> dict[str, str]:
    return {
        "search": chosen.search,
        "status": "" if chosen.status is None else chosen.status.name.lower(),
        "plan": chosen.plan or "",
        "group": chosen.group or "",
        "campaign": chosen.campaign or "",
    }
