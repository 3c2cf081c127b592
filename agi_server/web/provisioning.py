"""The settings of a phone, which it fetches itself: named by its MAC address, with its token."""

import structlog
from fastapi import APIRouter, Request
from starlette.responses import PlainTextResponse, Response

from agi_server.accounts.field_rules import mac_address
from agi_server.accounts.phones import provisioning_file
from agi_server.web.services import services_of

log = structlog.get_logger()

router = APIRouter()


@router.get("/provisioning/{token}/{mac}.xml")
async def show_settings(request: Request, token: str, mac: str) -> Response:
    """As XML, for the phone alone; to everybody else there is nothing here."""
    services = services_of(request)
    text = None
    try:
        address = mac_address(mac)
    except ValueError:
        pass
    else:
        text = await provisioning_file(services.db, address, token, services.settings.phones)
    if text is None:
        log.warning("web.refused", what="provisioning", path="/provisioning")
        return PlainTextResponse("not found", 404)
    return Response(text, media_type="application/xml")
