"""The forms of call plans and trunks: their fields, described once, and the page with them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, get_args

from fastapi import Request
from starlette.datastructures import FormData
from starlette.responses import Response

from agi_server.business_audit import Noun, last_change
from agi_server.refused import InvalidFieldError
from agi_server.settings import HoldMode
from agi_server.web.console.access import text_of
from agi_server.web.console.change_words import business_changes
from agi_server.web.console.languages import N_
from agi_server.web.console.pages import page
from agi_server.web.services import services_of
from rating.routing import RouteOrder, SellPrice

Texts = dict[str, Any]
"""What stands in the fields, by name: a text, or a list of them."""

_SPARE = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class FormField:
    """One field. `choices` of a choice are told by the words of its name; names are chosen one
    after the other from what there is, in their order."""

    name: str
    label: str
    help: str
    kind: Literal["text", "choice", "flag", "names"] = "text"
    choices: tuple[str, ...] = ()
    placeholder: str = ""


NAME = FormField(
    name="name",
    label=N_("Name"),
    help=N_("Letters, digits, dots, _ and -. It cannot be changed later."),
)
TRUNK_FIELDS = (
    FormField(
        name="dial",
        label=N_("Dials"),
        help=N_("What Asterisk dials; {number}, {prefix} and {account_id} are filled in."),
        placeholder="PJSIP/{number}@gw",
    ),
    FormField(
        name="strip",
        label=N_("Digits taken off"),
        help=N_("From a number that begins so, e.g. 44."),
    ),
    FormField(
        name="add_prefix",
        label=N_("Digits put before"),
        help=N_("Before every number, whether anything was taken off or not; may begin with +."),
    ),
    FormField(
        name="capacity",
        label=N_("Calls at most"),
        help=N_("At a time. 0: any number."),
        placeholder="0",
    ),
)
PLAN_FIELDS = (
    FormField(
        name="card",
        label=N_("Rate cards"),
        help=N_("The first one that prices a number counts."),
        kind="names",
    ),
    FormField(
        name="route_order",
        label=N_("Routes"),
        help=N_("In which order the trunks that reach a number are tried."),
        kind="choice",
        choices=tuple(RouteOrder),
    ),
    FormField(
        name="sell_price",
        label=N_("Price"),
        help=N_("What the customer pays."),
        kind="choice",
        choices=tuple(SellPrice),
    ),
    FormField(
        name="allow_loss",
        label=N_("Routes at a loss"),
        help=N_("Ticked: routes that cost more than they bring are used, too."),
        kind="flag",
    ),
    FormField(
        name="package",
        label=N_("Packages"),
        help=N_("They pay before money does; of equally good ones the first."),
        kind="names",
    ),
    FormField(
        name="hold_mode",
        label=N_("Held for a call"),
        help=N_("All that it may cost, or slice by slice while it lasts (needs AMI)."),
        kind="choice",
        choices=("default", *get_args(HoldMode)),
    ),
    FormField(
        name="country",
        label=N_("Country"),
        help=N_("Its customers dial as there, whatever theirs is: two letters, e.g. GB."),
    ),
    FormField(
        name="area_code",
        label=N_("Area code"),
        help=N_("Goes before local numbers."),
    ),
    FormField(
        name="local_digits",
        label=N_("Lengths of local numbers"),
        help=N_("Numbers of so many digits are local to the area code, e.g. 7,8."),
    ),
    FormField(
        name="short_codes",
        label=N_("Short codes"),
        help=N_("Kept as dialled beside the country's own, e.g. 100,77XX."),
    ),
)
FIELDS: Mapping[Noun, Sequence[FormField]] = {"plan": PLAN_FIELDS, "trunk": TRUNK_FIELDS}
_PATHS: Mapping[Noun, str] = {"plan": "/plans", "trunk": "/trunks"}


def texts_of_form(form: FormData, noun: Noun) -> Texts:
    """What was typed. Raises InvalidFieldError for what is no choice of its field."""
    texts: Texts = {name: text_of(form, name) for name in ("name", "seen")}
    for field in FIELDS[noun]:
        match field.kind:
            case "names":
                given = [str(each).strip() for each in form.getlist(field.name)]
                texts[field.name] = [each for each in given if each]
            case "flag":
                texts[field.name] = text_of(form, field.name) == "yes"
            case _:
                texts[field.name] = text_of(form, field.name)
    return texts


def chosen(texts: Texts, field: str, choices: Sequence[str]) -> str:
    """The choice of a field. Raises InvalidFieldError."""
    if texts[field] not in choices:
        raise InvalidFieldError(field, N_("is none of those that there are"))
    return str(texts[field])


async def tariff_form(
    request: Request,
    noun: Noun,
    texts: Texts,
    *,
    name: str = "",
    errors: Mapping[str, str] | None = None,
    options: Mapping[str, Sequence[str]] | None = None,
) -> Response:
    """The form, of a new plan or trunk or of the one of a `name`, with what was changed of it."""
    return page(
        request,
        "tariff_form.html",
        422 if errors else 200,
        noun=noun,
        back=_PATHS[noun],
        name=name,
        fields=FIELDS[noun] if name else (NAME, *FIELDS[noun]),
        texts=texts,
        errors=errors or {},
        options=options or {},
        spare=_SPARE,
        changes=await business_changes(request, noun, name) if name else [],
        # Of what was typed on an older page it is what that page showed.
        seen=texts.get("seen", await last_change(services_of(request).db, noun, name)),
    )
