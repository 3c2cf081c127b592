"""The end of a customer, or of what is known of the person: each is confirmed first."""

from collections.abc import Mapping
from typing import Literal

from fastapi import APIRouter, Depends, Request
from starlette.responses import Response

from agi_server.accounts.account import Account
from agi_server.accounts.ending import delete_account, erase_person
from agi_server.editor import LONGEST_REASON
from agi_server.refused import InvalidFieldError
from agi_server.web.auth.roles import Right
from agi_server.web.console.access import form_of, having, operator_of, text_of
from agi_server.web.console.customer import AccountId, back_to, editor_of, errors_of
from agi_server.web.console.pages import page
from agi_server.web.scope import customer_in_scope
from agi_server.web.services import services_of

router = APIRouter(
    prefix="/customers/{account_id}", dependencies=[Depends(having(Right.CHANGE_CUSTOMERS))]
)


@router.get("/delete")
async def show_delete(request: Request, account_id: AccountId) -> Response:
    """What deleting does, and a button that does it."""
    account = await customer_in_scope(services_of(request).db, operator_of(request), account_id)
    return _page(request, account, "delete")


@router.post("/delete")
async def do_delete(request: Request, account_id: AccountId) -> Response:
    """Cancel the account and take away what lets it in; done again, nothing happens."""
    account = await customer_in_scope(services_of(request).db, operator_of(request), account_id)
    reason = text_of(await form_of(request), "reason")
    try:
        editor = editor_of(request, reason)
    except InvalidFieldError as error:
        return _page(request, account, "delete", errors_of(error), reason)
    await delete_account(services_of(request).db, account.id, editor)
    return back_to(account, "deleted")


@router.get("/erase")
async def show_erase(request: Request, account_id: AccountId) -> Response:
    """What erasing does, and a button that does it."""
    account = await customer_in_scope(services_of(request).db, operator_of(request), account_id)
    return _page(request, account, "erase")


@router.post("/erase")
async def do_erase(request: Request, account_id: AccountId) -> Response:
    """Empty what is known of the person; the ledger, calls and CallerIDs stay."""
    account = await customer_in_scope(services_of(request).db, operator_of(request), account_id)
    await erase_person(services_of(request).db, account.id, editor_of(request))
    return back_to(account, "erased")


def _page(
    request: Request,
    account: Account,
    what: Literal["delete", "erase"],
    errors: Mapping[str, str] | None = None,
    reason: str = "",
) -> Response:
    """What it does, and the button; with a reason that was refused, what is wrong with it."""
    return page(
        request,
        "customer_ending.html",
        422 if errors else 200,
        account=account,
        what=what,
        errors=errors or {},
        reason=reason,
        longest_reason=LONGEST_REASON,
    )
