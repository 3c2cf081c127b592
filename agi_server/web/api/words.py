"""What is wrong with a request, in the words that commands and forms have for it."""

from collections.abc import Mapping
from typing import Any

from agi_server.accounts.account import not_settable
from agi_server.accounts.fields import Settable

# By the name that pydantic has for it; in braces what it says of it.
_WORDS = {
    **dict.fromkeys(
        ("int_type", "int_parsing", "int_from_float", "int_parsing_size"), "must be a whole number"
    ),
    **dict.fromkeys(("bool_type", "bool_parsing"), "must be true or false"),
    "string_type": "must be a text",
    "list_type": "must be a list",
    **dict.fromkeys(("dict_type", "model_attributes_type", "model_type"), "must be an object"),
    "missing": "must be given",
    "string_too_long": "must have at most {max_length} characters",
    "string_too_short": "must have at least {min_length} characters",
    "too_long": "must have at most {max_length} members",
    "greater_than_equal": "must be at least {ge}",
    "greater_than": "must be more than {gt}",
    "less_than_equal": "must be at most {le}",
    "less_than": "must be less than {lt}",
    "literal_error": "must be one of {expected}",
    "enum": "must be one of {expected}",
    "value_error": "{error}",
    "json_invalid": "is no JSON: {error}",
}
_UNKNOWN = "extra_forbidden"
UNKNOWN_PARAMETER = "is no parameter of this request"


def in_our_words(error: Mapping[str, Any]) -> dict[str, str]:
    """The field and the message of an error as pydantic describes it.

    The field of what is wrong with a whole body is `body`.
    """
    where, *inner = error["loc"] or ("body",)
    names = [] if error["type"] == "json_invalid" else [n for n in inner if isinstance(n, str)]
    field = ".".join(name for name in names if name != "[key]") or str(where)
    if error["type"] == _UNKNOWN:
        return {"field": field, "message": _of_unknown(str(where), field)}
    words = _WORDS.get(error["type"])
    message = error["msg"] if words is None else words.format(**error.get("ctx", {}))
    return {"field": field, "message": str(message)}


def _of_unknown(where: str, field: str) -> str:
    if where != "body":
        return UNKNOWN_PARAMETER
    # A customer's, which other requests or nobody set.
    return not_settable(field, Settable.ALWAYS) or "is no field of this request"
