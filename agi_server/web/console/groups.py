"""Customer groups: what their customers may do, which numbers they may call, what new ones get."""

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
    """Change permissions, call plans and defaults; calls heed it at once."""
    group = await _group(request, group_id)
    form = await form_of(request)
    try:
        await refuse_unseen(request, form, "group", group.name)
        await update_group(
            services_of(request).db,
            group.name,
            **{name: text_of(form, name) == "yes" for name in _PERMISSIONS},
            plans=[str(each) for each in form.getlist("plan")],
            defaults=_defaults(text_of(form, "defaults")),
            editor=editor_of(request),
        )
    except _REFUSALS as error:
        return await _group_page(request, group, _message(error), form)
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
    request: Request, group: Group, error: str = "", form: FormData | None = None
) -> Response:
    db = services_of(request).db
    names = await db.fetchrow(statement("web/names"))
    return page(
        request,
        "group.html",
        422 if error else 200,
        group=group,
        changes=await business_changes(request, "group", group.name),
        plans=names["plans"],
        restrictions=list(Restriction),
        error=error,
        given={**_shown(group), **_sent(form)},
        # Of what was typed on an older page it is what that page showed.
        seen=await last_change(db, "group", group.name) if form is None else text_of(form, "seen"),
    )


def _shown(group: Group) -> dict[str, Any]:
    """The forms of a group as it is stored."""
    return {
        **{name: getattr(group, name) for name in _PERMISSIONS},
        "plan": group.plans,
        "defaults": "\n".join(f"{name}={_typed(text)}" for name, text in group.defaults.items()),
        "restriction": group.restriction.name.lower(),
        "restricted_numbers": "\n".join(group.restricted_numbers),
    }


def _sent(form: FormData | None) -> dict[str, Any]:
    """What was typed in one of the two forms of a group."""
    if form is None:
        return {}
    if "restriction" in form:
        return {name: text_of(form, name) for name in ("restriction", "restricted_numbers")}
    return {
        **{name: text_of(form, name) == "yes" for name in _PERMISSIONS},
        "plan": [str(each) for each in form.getlist("plan")],
        "defaults": text_of(form, "defaults"),
    }


def _restriction(form: FormData) -> Restriction:
    word = text_of(form, "restriction").upper() or Restriction.NONE.name
    if word not in Restriction.__members__:
        raise InvalidFieldError("restriction", N_("is none of those that there are"))
    return Restriction[word]


def _rules(form: FormData) -> list[str]:
    return text_of(form, "restricted_numbers").replace(",", " ").split()


def _defaults(text: str) -> dict[str, object]:
    """Texts by field name, one `field=value` a line. Raises InvalidFieldError."""
    defaults: dict[str, object] = {}
    for line in text.splitlines():
        name, sign, value = line.partition("=")
        if line.strip() and not sign:
            raise InvalidFieldError("defaults", N_("must be lines like language=fr"))
        if sign:
            defaults[name.strip().replace("-", "_")] = value.strip()
    return defaults


def _typed(text: object) -> object:
    return " ".join(map(str, text)) if isinstance(text, list | tuple) else text


def _message(error: InvalidFieldError | RefusedError) -> str:
    """With its field, since the form shows all messages in one place."""
    return str(error)
