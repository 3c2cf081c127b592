"""What a group says for its new customers, in the fields of the customer's form."""

from collections.abc import Mapping
from typing import Any

from fastapi import Request
from starlette.datastructures import FormData

from agi_server.accounts.account import FIELDS
from agi_server.accounts.field_kinds import parse_text, show_value
from agi_server.accounts.fields import AccountField, Kind, Section, Settable
from agi_server.accounts.groups import IN_DEFAULTS, Group, may_have_default
from agi_server.refused import InvalidFieldError, InvalidFieldsError
from agi_server.web.console.access import operator_of, text_of
from agi_server.web.console.amounts import with_point
from agi_server.web.console.customer import errors_of
from agi_server.web.console.customer_form import SUGGESTIONS, field_options
from agi_server.web.services import services_of

_BEFORE = "default_"
"""Stands before the names of these fields, since a group has fields of its own."""

_FIELDS = tuple(
    field for field in FIELDS if field.settable is not Settable.NEVER and may_have_default(field)
)
_SECTIONS = [
    (section, fields)
    for section in Section
    if (fields := [field for field in _FIELDS if field.section is section])
]


async def fields_of_defaults(
    request: Request, group: Group, form: FormData | None
) -> dict[str, Any]:
    """What the page of a group needs to show them, as they are or as they were typed in a form that
    was refused."""
    defaults = _shown_all(group.defaults) if form is None else _typed(form)
    options = await field_options(services_of(request).db, operator_of(request))
    for name, offered in options.items():
        chosen = defaults.get(name)
        if chosen and chosen not in [value for value, _ in offered]:
            offered.append((chosen, chosen))  # it is there no more, and is not lost by saving
    return {
        "sections": _SECTIONS,
        "before": _BEFORE,
        "defaults": defaults,
        "options": options,
        "suggestions": SUGGESTIONS,
        "Kind": Kind,
    }


def defaults_of_form(form: FormData) -> dict[str, object]:
    """What was typed, by the name of the field, as a group keeps it. Raises InvalidFieldsError."""
    defaults: dict[str, object] = dict(_typed(form))
    problems = []
    for field in _FIELDS:
        text = defaults.get(field.name)
        if not isinstance(text, str):
            continue
        try:
            if field.kind is Kind.MONEY:
                defaults[field.name] = with_point(field.name, text)
            elif field.kind is Kind.LIST:
                defaults[field.name] = text.replace(",", " ").split()
        except InvalidFieldError as error:
            problems.append(error)
    if problems:
        raise InvalidFieldsError(problems)
    return defaults


def errors_of_defaults(error: InvalidFieldError) -> dict[str, str]:
    """What is wrong, by the name of the customer's field."""
    return {field.removeprefix(IN_DEFAULTS): message for field, message in errors_of(error).items()}


def _typed(form: FormData) -> dict[str, str]:
    """The texts as they were typed; what is empty is left out."""
    typed = {field.name: text_of(form, _BEFORE + field.name) for field in _FIELDS}
    return {name: text for name, text in typed.items() if text}


def _shown_all(defaults: Mapping[str, object]) -> dict[str, str]:
    """The texts of those that are stored."""
    return {
        field.name: _shown(field, defaults[field.name])
        for field in _FIELDS
        if field.name in defaults
    }


def _shown(field: AccountField, text: object) -> str:
    try:
        shown: Any = show_value(field, parse_text(field, text))
    except ValueError:
        shown = text  # a former release took it
    match shown:
        case bool():
            return "yes" if shown else "no"
        case list():
            return "\n".join(shown)
        case _:
            return str(shown)
