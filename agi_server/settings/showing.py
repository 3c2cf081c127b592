"""Settings as an operator may see them: secrets masked, each value with its origin."""

import ast
import inspect
from collections.abc import Iterator
from itertools import pairwise
from textwrap import dedent
from typing import Any, NamedTuple
from urllib.parse import parse_qsl, urlsplit

from pydantic import BaseModel, SecretStr
from pydantic.fields import FieldInfo

from agi_server.settings.table import Settings, section_model

MASK = "********"

# What may be shown of a connection URL's query; anything else could be a secret.
_SHOWN_QUERY = {"host", "port", "dbname", "user", "db", "sslmode", "target_session_attrs"}


class SettingRow(NamedTuple):
    """One line of the table of settings; `value` is fit to be shown: secrets are masked."""

    name: str
    value: str
    default: str
    origin: str
    help: str


def effective(settings: Settings) -> list[SettingRow]:
    """Every setting with its value, default, origin and help, secrets masked."""
    rows = []
    for section_name, section_field in Settings.model_fields.items():
        section = getattr(settings, section_name)
        for prefix, model, item in _tables(section_name, section_field, section):
            help_of = _help(model)
            for key, field in model.model_fields.items():
                name = f"{prefix}.{key}"
                value = "" if item is None else _shown(getattr(item, key))
                default = "" if field.is_required() else _shown(field.default)
                origin = settings.origin(name)
                rows.append(SettingRow(name, value, default, origin, help_of[key]))
    return rows


def mask_url(url: str) -> str:
    """A connection URL without its password and without what its query might hide."""
    parts = urlsplit(url)
    credentials, at, host = parts.netloc.rpartition("@")
    user, colon, _ = credentials.partition(":")
    query = "&".join(
        f"{key}={value if key in _SHOWN_QUERY else MASK}" for key, value in parse_qsl(parts.query)
    )
    return f"{parts.scheme}://{user}{colon and ':' + MASK}{at}{host}{parts.path}" + (
        f"?{query}" if query else ""
    )


def _tables(
    name: str, field: FieldInfo, section: Any
) -> Iterator[tuple[str, type[BaseModel], BaseModel | None]]:
    """The tables of a section: itself, or each one of a list (`ami.0`), or its empty pattern."""
    model = section_model(field)
    if isinstance(section, BaseModel):
        yield name, model, section
    elif section:
        for index, item in enumerate(section):
            yield f"{name}.{index}", model, item
    else:
        yield f"{name}.0", model, None


def _help(model: type[BaseModel]) -> dict[str, str]:
    """The text below each field. Pydantic would read them all from the source whenever a command
    starts, which took as long as all the rest of the settings."""
    lines = ast.parse(dedent(inspect.getsource(model))).body[0]
    assert isinstance(lines, ast.ClassDef)
    return {
        field.target.id: inspect.cleandoc(text.value.value)
        for field, text in pairwise(lines.body)
        if isinstance(field, ast.AnnAssign)
        and isinstance(field.target, ast.Name)
        and isinstance(text, ast.Expr)
        and isinstance(text.value, ast.Constant)
        and isinstance(text.value.value, str)
    }


def _shown(value: object) -> str:
    match value:
        case None:
            return ""
        case SecretStr():
            text = value.get_secret_value()
            return mask_url(text) if "://" in text else MASK
        case tuple():
            return ",".join(str(item) for item in value)
        case _:
            return str(value)
