"""Forms of what somebody else has changed since the page was shown: refused, lest it be undone."""

from fastapi import Request
from starlette.datastructures import FormData

from agi_server.business_audit import Noun, last_change
from agi_server.refused import RefusedError
from agi_server.web.console.access import text_of
from agi_server.web.console.languages import N_
from agi_server.web.services import services_of


async def refuse_unseen(request: Request, form: FormData, noun: Noun, name: str) -> None:
    """Raises RefusedError when the page of a plan, trunk, group … shows what is no longer so."""
    if text_of(form, "seen") != await last_change(services_of(request).db, noun, name):
        raise RefusedError(N_("somebody has changed this meanwhile: load the page anew"))
