"""The same change for many customers: chosen in the list, looked at, then done."""

import re
from collections.abc import Mapping, Sequence
from functools import partial

from fastapi import APIRouter, Depends, Request
from starlette.datastructures import FormData
from starlette.responses import RedirectResponse, Response

from agi_server.accounts.bulk_change import (
    BULK_FIELDS,
    MOST_AT_ONCE,
    change_accounts,
    look_at_change,
)
from agi_server.editor import LONGEST_REASON
from agi_server.refused import InvalidFieldError
from agi_server.web.auth.roles import Right
from agi_server.web.console.access import (
    BadFormError,
    form_of,
    having,
    operator_of,
    refuse_not_theirs,
    text_of,
)
from agi_server.web.console.customer import editor_of, errors_of
from agi_server.web.console.customers import customers_of_form
from agi_server.web.console.pages import page
from agi_server.web.customer_lists import all_found
from agi_server.web.scope import check_scope
from agi_server.web.services import services_of

router = APIRouter(prefix="/customers/bulk", dependencies=[Depends(having(Right.CHANGE_CUSTOMERS))])

_ID = re.compile(r"[1-9][0-9]{0,17}", re.ASCII)


@router.post("")
async def do_look(request: Request) -> Response:
    """What would change, and for how many; nothing is done yet."""
    services, operator = services_of(request), operator_of(request)
    form = await form_of(request)
    texts = _texts(request, form)
    if text_of(form, "whom") == "found":
        chosen = customers_of_form(form, "found_")
        ids = await all_found(services.db, operator, chosen, MOST_AT_ONCE)
    else:
        ids = _ids([str(each) for each in form.getlist("id")])
    return await _look(request, ids, texts)


@router.post("/do")
async def do_change(request: Request) -> Response:
    """Do what was looked at, once."""
    services, operator = services_of(request), operator_of(request)
    form = await form_of(request)
    ids, texts = _ids(text_of(form, "ids").split(",")), _texts(request, form)
    reason = text_of(form, "reason")
    try:
        editor = editor_of(request, reason)
    except InvalidFieldError as error:
        return await _look(request, ids, texts, errors_of(error), reason)
    change = await change_accounts(
        services.db,
        ids,
        texts,
        partial(check_scope, operator),
        editor,
        seen=text_of(form, "seen"),
    )
    done = "bulk-changed" if change.differ else "bulk-changed-before"
    return RedirectResponse(f"/customers?done={done}", 303)


async def _look(
    request: Request,
    ids: Sequence[int],
    texts: Mapping[str, str],
    errors: Mapping[str, str] | None = None,
    reason: str = "",
) -> Response:
    """What would change; with a reason that was refused, what is wrong with it."""
    services, operator = services_of(request), operator_of(request)
    change = await look_at_change(services.db, ids, texts, partial(check_scope, operator))
    return page(
        request,
        "bulk.html",
        422 if errors else 200,
        change=change,
        choices={field.name: field.choices for field in BULK_FIELDS},
        ids=",".join(map(str, change.differ)),
        texts=texts,
        errors=errors or {},
        reason=reason,
        longest_reason=LONGEST_REASON,
    )


def _texts(request: Request, form: FormData) -> dict[str, str]:
    """The texts of the fields to be changed: behind a `=`, so that a field can be emptied.

    Raises ForbiddenError, and logs it, for one that the role does not set: the page offers it not.
    """
    typed = {field.name: text_of(form, field.name) for field in BULK_FIELDS}
    texts = {name: text[1:] for name, text in typed.items() if text.startswith("=")}
    refuse_not_theirs(request, texts)
    return texts


def _ids(texts: Sequence[str]) -> list[int]:
    ids = [text for text in texts if text]
    if not all(_ID.fullmatch(text) for text in ids):
        raise BadFormError("an id of a customer is none")
    return [int(text) for text in ids]
