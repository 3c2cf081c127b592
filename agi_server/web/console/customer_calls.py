"""Calls of a customer that are over and still count: ended after a confirmation."""

from fastapi import APIRouter, Depends, Request
from starlette.responses import Response

from agi_server.calls.reset import end_over, find_over
from agi_server.web.auth.roles import Right
from agi_server.web.console.access import having, operator_of
from agi_server.web.console.customer import AccountId, back_to, editor_of
from agi_server.web.console.pages import page
from agi_server.web.scope import customer_in_scope
from agi_server.web.services import services_of

router = APIRouter(
    prefix="/customers/{account_id}", dependencies=[Depends(having(Right.END_CALLS))]
)


@router.get("/reset-in-use")
async def show_reset(request: Request, account_id: AccountId) -> Response:
    """How many calls are over, and a button that ends them."""
    services = services_of(request)
    account = await customer_in_scope(services.db, operator_of(request), account_id)
    in_use = await find_over(services.recovery, account, services.now())
    return page(request, "customer_reset.html", account=account, over=len(in_use.over))


@router.post("/reset-in-use")
async def do_reset(request: Request, account_id: AccountId) -> Response:
    """End those that are over now; calls in progress go on."""
    services = services_of(request)
    account = await customer_in_scope(services.db, operator_of(request), account_id)
    in_use = await find_over(services.recovery, account, services.now())
    ended = await end_over(services.db, services.recovery, in_use, editor_of(request))
    return back_to(account, "reset" if ended else "reset-none")
