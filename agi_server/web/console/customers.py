"""The list of customers, and the search in it.

A whole account number, which is a secret, stands in no address, since browsers and proxies keep
these: the form is posted, and the answer names the customer by the id.
"""

from collections.abc import Mapping
from typing import Annotated
from urllib.parse import urlencode

from fastapi import APIRouter, Depends, Request
from starlette.datastructures import FormData
from starlette.responses import RedirectResponse, Response

from agi_server.accounts.account import AccountStatus
from agi_server.accounts.search import search_terms
from agi_server.web.console.access import form_of, operator_of, text_of
from agi_server.web.console.choices import names_for
from agi_server.web.console.pages import page
from agi_server.web.customer_lists import CustomerFilter, id_numbered, list_customers
from agi_server.web.services import services_of

router = APIRouter()

_LONGEST_SEARCH = 100
_FILTERS = ("search", "status", "plan", "group", "campaign")


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


def customers_of_form(form: FormData, before: str = "") -> CustomerFilter:
    """The same by a form, whose fields may have something `before` their names."""
    return chosen_customers(**{name: text_of(form, before + name) for name in _FILTERS})


@router.get("/")
async def home() -> Response:
    """Where an operator begins."""
    return RedirectResponse("/customers", 303)


@router.get("/customers")
async def show_customers(
    request: Request,
    chosen: Annotated[CustomerFilter, Depends(chosen_customers)],
    after: str = "",
) -> Response:
    """A page of customers, by search and filters; of a whole account number, its customer."""
    account_id = await id_numbered(services_of(request).db, operator_of(request), chosen.search)
    if account_id is not None:
        return RedirectResponse(f"/customers/{account_id}", 303)
    return await _list(request, chosen, after)


@router.post("/customers")
async def do_search(request: Request) -> Response:
    """What was typed in the form of the list, sent by its button or by htmx at every pause.

    The button leads to the customer of a whole account number. While it is typed, only the list
    follows, and the address tells nothing of digits, which may become one.
    """
    form = await form_of(request)
    chosen = customers_of_form(form)
    query = {name: text for name, text in _texts(chosen).items() if text}
    by_htmx = request.headers.get("hx-request") == "true"
    if text_of(form, "show") or not by_htmx:
        db, operator = services_of(request).db, operator_of(request)
        account_id = await id_numbered(db, operator, chosen.search)
        if account_id is not None:
            return _go_to(f"/customers/{account_id}", by_htmx)
        if not by_htmx:
            return _go_to(_address(query), by_htmx)
    answer = await _list(request, chosen)
    if search_terms(chosen.search).account_number is not None:
        query.pop("search")
    answer.headers["HX-Push-Url"] = _address(query)
    return answer


async def _list(request: Request, chosen: CustomerFilter, after: str = "") -> Response:
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


def _go_to(address: str, by_htmx: bool) -> Response:
    """htmx would put a page that it is sent on to into the list."""
    return Response(headers={"HX-Redirect": address}) if by_htmx else RedirectResponse(address, 303)


def _address(query: Mapping[str, str]) -> str:
    return "/customers" + (f"?{urlencode(query)}" if query else "")


def _texts(chosen: CustomerFilter) -> dict[str, str]:
    return {
        "search": chosen.search,
        "status": "" if chosen.status is None else chosen.status.name.lower(),
        "plan": chosen.plan or "",
        "group": chosen.group or "",
        "campaign": chosen.campaign or "",
    }
