"""The phones of a customer: another secret for one, shown once."""

from fastapi import APIRouter, Depends, Request
from starlette.responses import Response

from agi_server.accounts.audit import SECRET_SHOWN, Change, record_changes
from agi_server.accounts.changes import locked_account
from agi_server.accounts.phones import Technology, renew_secret
from agi_server.web.auth.roles import Right
from agi_server.web.console.access import form_of, having, operator_of, text_of
from agi_server.web.console.creation import is_first
from agi_server.web.console.customer import AccountId, back_to, editor_of
from agi_server.web.console.pages import page
from agi_server.web.scope import customer_in_scope
from agi_server.web.services import services_of

router = APIRouter(
    prefix="/customers/{account_id}/phones", dependencies=[Depends(having(Right.CHANGE_CUSTOMERS))]
)


@router.post("/{technology}/secret")
async def do_renew_secret(
    request: Request, account_id: AccountId, technology: Technology
) -> Response:
    """Draw another secret; the phone registers no more until it has it."""
    services, operator = services_of(request), operator_of(request)
    account = await customer_in_scope(services.db, operator, account_id)
    reference = text_of(await form_of(request), "reference")[:64]
    once = f"renew {technology.value} secret of {account.id} {reference}"
    async with services.db.acquire() as db, db.transaction():
        # Before its phone, as all who change both: neither waits for the other.
        await locked_account(db, account.id)
        # Loading the answer anew must not take away what was just told.
        if not await is_first(db, operator, once, "", services.now()):
            return back_to(account, "secret-before")
        phone = await renew_secret(db, account.id, technology, services.settings.phones)
        change = Change(field=f"{technology.value}_secret", old=None, new=SECRET_SHOWN)
        await record_changes(db, account.id, [change], editor_of(request))
    return page(request, "customer_phones.html", 201, account=account, phones=[phone])
