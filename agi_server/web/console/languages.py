"""The console's languages: catalogues are read as translators write them, so nothing is built."""

import gettext
from functools import cache
from importlib.resources import files
from io import BytesIO, StringIO

from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po

LANGUAGES = {"en": "English", "fr": "Français", "es": "Español"}
"""Codes and their names in the language itself; messages are written in English."""


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
    text = files("agi_server.web").joinpath("locale", f"{language}.po").read_text(encoding="utf-8")
    compiled = BytesIO()
    write_mo(compiled, read_po(StringIO(text), locale=language))
    compiled.seek(0)
    return gettext.GNUTranslations(compiled)


def N_(message: str) -> str:  # noqa: N802 - gettext's name for a message that is translated later
    """Marks a message for the catalogues."""
    return message
