"""The console's languages: catalogues are read as translators write them, so nothing is built."""

import gettext
import re
from functools import cache
from importlib.resources import files
from io import BytesIO, StringIO

from babel.messages.catalog import Catalog
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po

LANGUAGES = {"en": "English", "fr": "Français", "es": "Español"}
"""Codes and their names in the language itself; messages are written in English."""

_PLACE = re.compile(r"%\((v[0-9]+)\)s")


def supported(tag: str) -> str:
    """The language of the console nearest to a tag such as fr-CA; English for what there is not."""
    code = tag.replace("_", "-").partition("-")[0].lower()
    return code if code in LANGUAGES else "en"


def preferred(accept_language: str) -> str:
    """The first language that a browser asks for and the console speaks."""
    for part in accept_language.split(","):
        code = part.partition(";")[0].strip().partition("-")[0].lower()
        if code in LANGUAGES:
            return code
    return "en"


@cache
def translations(language: str) -> gettext.NullTranslations:
    """The messages of a language."""
    if language == "en":
        return gettext.NullTranslations()
    compiled = BytesIO()
    write_mo(compiled, _catalogue(language))
    compiled.seek(0)
    return gettext.GNUTranslations(compiled)


def refusal(message: str, language: str) -> str:
    """What the business says when it refuses something, in a language.

    It comes in English with its values filled in: the catalogue's template that it fits is
    translated and gets them again. What fits none stays as it is. A field's name before it is told
    as forms label it.
    """
    name, colon, about = message.partition(": ")
    if colon and name in _LABELS:
        return f"{translations(language).gettext(_LABELS[name])}: {refusal(about, language)}"
    text = translations(language).gettext(message)
    if language == "en" or text != message:
        return text
    for pattern, template in _templates(language):
        if found := pattern.fullmatch(message):
            return template % found.groupdict()
    # Of a sheet's cell its text comes first, in quotes.
    told_before = name.isidentifier() or name[:1] in ("'", '"')
    return f"{name}: {refusal(about, language)}" if colon and told_before else message


@cache
def _templates(language: str) -> list[tuple[re.Pattern[str], str]]:
    """Templates of refusals, those with the most words of their own first."""
    found = [
        (each.id, str(each.string))
        for each in _catalogue(language)
        if isinstance(each.id, str) and "%(v1)s" in each.id
    ]
    found.sort(key=lambda each: len(_PLACE.sub("", each[0])), reverse=True)
    return [
        (re.compile(_PLACE.sub(r"(?P<\1>.+)", _escaped(template)), re.DOTALL), text)
        for template, text in found
    ]


def _escaped(template: str) -> str:
    """As a regular expression, its places left as they are."""
    parts = _PLACE.split(template)
    places = [f"%({name})s" for name in parts[1::2]] + [""]
    return "".join(re.escape(text) + place for text, place in zip(parts[::2], places, strict=True))


@cache
def _catalogue(language: str) -> Catalog:
    text = files("agi_server.web").joinpath("locale", f"{language}.po").read_text(encoding="utf-8")
    return read_po(StringIO(text), locale=language, abort_invalid=True)


def N_(message: str) -> str:  # noqa: N802 - gettext's name for a message that is translated later
    """Marks a message for the catalogues."""
    return message


_LABELS = {
    "amount": N_("Amount"),
    "callerid": N_("CallerID"),
    "customer": N_("Customer"),
    "destination": N_("Destination"),
    "destinations": N_("Destinations"),
    "digits": N_("Digits"),
    "number": N_("Number"),
    "priority": N_("Priority"),
    "rule": N_("Restriction rule"),
    "valid_from": N_("Valid from"),
    "valid_until": N_("Valid until"),
}
"""What fields are called on pages that show all refusals in one place."""
