"""The texts of the console that translators translate: of templates, of words, of the fields."""

from io import BytesIO
from pathlib import Path

from babel.messages.extract import extract_from_file
from jinja2.ext import babel_extract

from agi_server.accounts.account import FIELDS
from agi_server.accounts.fields import Section

WEB = Path(__file__).parents[2] / "agi_server/web"


def messages() -> set[str]:
    """All of them; of those with a plural the singular."""
    found = {section.value for section in Section}
    for field in FIELDS:
        found |= {field.label, field.help}
    for path in (WEB / "console").glob("*.py"):
        for _, message, _, _ in extract_from_file("python", path, keywords={"N_": None}):
            found.add(message if isinstance(message, str) else message[0])
    for path in (WEB / "templates").glob("*.html"):
        template = BytesIO(path.read_bytes())
        options = {"trim_blocks": "true", "lstrip_blocks": "true", "extensions": "jinja2.ext.i18n"}
        for _, _, message, _ in babel_extract(template, ("_", "gettext", "ngettext"), [], options):
            if message is not None:  # what is in a variable is marked where it is written
                found.add(message if isinstance(message, str) else message[0])
    return found
