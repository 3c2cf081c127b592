"""The page behind a confirmation link, for the customer, in the customer's language.

Opening it changes nothing, since programs open the links of mails, too; its button does.
"""

import structlog
from fastapi import APIRouter, Request
from starlette.responses import Response

from agi_server.accounts.account import AccountStatus
from agi_server.accounts.confirmation import (
    ConfirmationError,
    account_of_token,
    confirm_signup,
)
from agi_server.web.console.pages import page
from agi_server.web.services import services_of

log = structlog.get_logger()

router = APIRouter(prefix="/confirm")


@router.get("/{token}")
async def show_confirmation(request: Request, token: str) -> Response:
    """What is confirmed, and the button."""
    services = services_of(request)
    try:
        account = await account_of_token(services.db, token, at=services.now())
    except ConfirmationError as error:
        return _refused(request, error)
    request.state.language = account.language
    return page(request, "confirm.html", done=account.status is AccountStatus.ACTIVE, error="")


@router.post("/{token}")
async def do_confirm(request: Request, token: str) -> Response:
    """Make the account active; done again, nothing happens."""
    services = services_of(request)
    try:
        account = await confirm_signup(services.db, token, at=services.now())
    except ConfirmationError as error:
        return _refused(request, error)
    request.state.language = account.language
    return page(request, "confirm.html", done=True, error="")


def _refused(request: Request, error: ConfirmationError) -> Response:
    log.warning("web.refused", what="confirmation", path="/confirm", reason=str(error))
    return page(request, "confirm.html", 404, done=False, error=str(error))
