"""Customer groups: what their customers may do, which numbers they may call, what new ones get."""

from collections.abc import Mapping
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path, Request
from starlette.datastructures import FormData
from starlette.responses import RedirectResponse, Response

from agi_server.accounts.account import Restriction
from agi_server.accounts.groups import (
    Group,
    create_group,
    delete_group,
    list_groups,
    update_group,
)
from agi_server.accounts.restrictions import set_group_rules
from agi_server.business_audit import last_change
from agi_server.refused import InvalidFieldError, NotFoundError, RefusedError
from agi_server.storage.postgres.statements import statement
from agi_server.web.auth.roles import Right
from agi_server.web.console.access import form_of, having, text_of
from agi_server.web.console.change_words import business_changes
from agi_server.web.console.customer import editor_of
from agi_server.web.console.group_defaults import (
    defaults_of_form,
    errors_of_defaults,
    fields_of_defaults,
)
from agi_server.web.console.languages import N_
from agi_server.web.console.pages import page
from agi_server.web.console.stale import refuse_unseen
from agi_server.web.services import services_of

router = APIRouter(prefix="/groups", dependencies=[Depends(having(Right.SEE_BUSINESS))])

GroupId = Annotated[int, Path(ge=1, lt=2**63)]
_MAY_CHANGE = Depends(having(Right.CHANGE_BUSINESS))
_REFUSALS = (InvalidFieldError, RefusedError)
_PERMISSIONS = ("may_call", "may_self_care", "may_top_up", "may_request_services")


@router.get("")
async def show_groups(request: Request) -> Response:
    """All customer groups, and a form for another."""
    return await _groups(request)


@router.post("", dependencies=[_MAY_CHANGE])
async def do_create_group(request: Request) -> Response:
    """Create a group."""
    form = await form_of(request)
    try:
        await create_group(
            services_of(request).db,
            text_of(form, "name"),
            may_call=text_of(form, "may_call") == "yes",
            restriction=_restriction(form),
            restricted_numbers=_rules(form),
            editor=editor_of(request),
        )
    except _REFUSALS as error:
        return await _groups(request, _message(error), form)
    return RedirectResponse("/groups?done=saved", 303)


@router.get("/{group_id}")
async def show_group(request: Request, group_id: GroupId) -> Response:
    """One group, with forms that change it."""
    return await _group_page(request, await _group(request, group_id))


@router.post("/{group_id}", dependencies=[_MAY_CHANGE])
async def do_change_group(request: Request, group_id: GroupId) -> Response:
    """Change permissions and call plans; calls heed it at once."""
    group = await _group(request, group_id)
    form = await form_of(request)
    may: dict[str, Any] = {name: text_of(form, name) == "yes" for name in _PERMISSIONS}
    try:
        await refuse_unseen(request, form, "group", group.name)
        await update_group(
            services_of(request).db,
            group.name,
            **may,
            plans=[str(each) for each in form.getlist("plan")],
            editor=editor_of(request),
        )
    except _REFUSALS as error:
        return await _group_page(request, group, _message(error), form)
    return RedirectResponse(f"/groups/{group_id}?done=saved", 303)


@router.post("/{group_id}/defaults", dependencies=[_MAY_CHANGE])
async def do_change_defaults(request: Request, group_id: GroupId) -> Response:
    """Say what new customers of the group begin with."""
    group = await _group(request, group_id)
    form = await form_of(request)
    try:
        await refuse_unseen(request, form, "group", group.name)
        await update_group(
            services_of(request).db,
            group.name,
            defaults=defaults_of_form(form),
            editor=editor_of(request),
        )
    except InvalidFieldError as error:
        return await _group_page(request, group, form=form, errors=errors_of_defaults(error))
    except RefusedError as error:
        return await _group_page(request, group, str(error), form)
    return RedirectResponse(f"/groups/{group_id}?done=saved", 303)


@router.post("/{group_id}/restriction", dependencies=[_MAY_CHANGE])
async def do_restrict_group(request: Request, group_id: GroupId) -> Response:
    """Say which numbers the group's customers may or may not call."""
    group = await _group(request, group_id)
    form = await form_of(request)
    try:
        await refuse_unseen(request, form, "group", group.name)
        await set_group_rules(
            services_of(request).db,
            group.id,
            _restriction(form),
            _rules(form),
            editor=editor_of(request),
        )
    except _REFUSALS as error:
        return await _group_page(request, group, _message(error), form)
    return RedirectResponse(f"/groups/{group_id}?done=saved", 303)


@router.post("/{group_id}/delete", dependencies=[_MAY_CHANGE])
async def do_delete_group(request: Request, group_id: GroupId) -> Response:
    """Delete a group that has no customers."""
    group = await _group(request, group_id)
    try:
        await delete_group(services_of(request).db, group.name, editor_of(request))
    except RefusedError as error:
        return await _group_page(request, group, str(error))
    return RedirectResponse("/groups?done=removed", 303)


async def _group(request: Request, group_id: int) -> Group:
    """Raises NotFoundError."""
    for group in await list_groups(services_of(request).db):
        if group.id == group_id:
            return group
    raise NotFoundError(f"no group has id {group_id}")


async def _groups(request: Request, error: str = "", form: FormData | None = None) -> Response:
    return page(
        request,
        "groups.html",
        422 if error else 200,
        groups=await list_groups(services_of(request).db),
        changes=await business_changes(request, "group"),
        restrictions=list(Restriction),
        error=error,
        given=form or {},
    )


async def _group_page(
    request: Request,
    group: Group,
    error: str = "",
    form: FormData | None = None,
    errors: Mapping[str, str] | None = None,
) -> Response:
    """One group; with the form that was refused, what was typed in it. `errors` are those of its
    defaults, by field."""
    db = services_of(request).db
    names = await db.fetchrow(statement("web/names"))
    return page(
        request,
        "group.html",
        422 if error or errors else 200,
        group=group,
        changes=await business_changes(request, "group", group.name),
        plans=names["plans"],
        restrictions=list(Restriction),
        error=error,
        given={**_shown(group), **_sent(request, form)},
        errors=errors or {},
        **await fields_of_defaults(request, group, form if _sends(request, "defaults") else None),
        # Of what was typed on an older page it is what that page showed.
        seen=await last_change(db, "group", group.name) if form is None else text_of(form, "seen"),
    )


def _shown(group: Group) -> dict[str, Any]:
    """The forms of a group as it is stored."""
    return {
        **{name: getattr(group, name) for name in _PERMISSIONS},
        "plan": group.plans,
        "restriction": group.restriction.name.lower(),
        "restricted_numbers": "\n".join(group.restricted_numbers),
    }


def _sends(request: Request, what: str) -> bool:
    """Whether this is the form of that, one of the three that a group's page has."""
    return request.url.path.endswith(f"/{what}")


def _sent(request: Request, form: FormData | None) -> dict[str, Any]:
    """What was typed in the form of the permissions or of the restriction."""
    if form is None or _sends(request, "defaults"):
        return {}
    if _sends(request, "restriction"):
        return {name: text_of(form, name) for name in ("restriction", "restricted_numbers")}
    return {
        **{name: text_of(form, name) == "yes" for name in _PERMISSIONS},
        "plan": [str(each) for each in form.getlist("plan")],
    }


def _restriction(form: FormData) -> Restriction:
    word = text_of(form, "restriction").upper() or Restriction.NONE.name
    if word not in Restriction.__members__:
        raise InvalidFieldError("restriction", N_("is none of those that there are"))
    return Restriction[word]


def _rules(form: FormData) -> list[str]:
    return text_of(form, "restricted_numbers").replace(",", " ").split()


def _message(error: InvalidFieldError | RefusedError) -> str:
    """With its field, since the form shows all messages in one place."""
    return str(error)
