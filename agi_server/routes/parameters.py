"""What the URL and the AGI arguments ask for, read strictly: anything unclear is refused."""

import re
from dataclasses import dataclass
from typing import Literal, get_args
from urllib.parse import unquote

from agi_server.calls.identify import Method
from agi_server.calls.request import account_id_of

Ask = Literal["never", "missing", "always"]

ASK_DESTINATION = "ask"
"""`destination=ask`: the caller types the number."""

_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_PERCENT = re.compile(r"%(?![0-9A-Fa-f]{2})")
_ACCOUNT_NUMBER = re.compile(r"[0-9]{6,15}")
_METHODS = {"accountcode": Method.ACCOUNTCODE, "callerid": Method.CALLERID, "pin": Method.PIN}


class BadRequestError(Exception):
    """An unknown route, or a parameter that is unknown, repeated, missing or unparsable.

    The message names it and never quotes a value, which may be an account number.
    """


@dataclass(frozen=True, slots=True, kw_only=True)
class CallParameters:
    """Parameters of `authorize`, `call`, `balance` and `did`; None is "not given"."""

    account: str | None = None
    destination: str | None = None
    ask: Ask | None = None
    plan: str | None = None
    identify: tuple[Method, ...] | None = None
    forward: str | None = None


def route_name(network_script: str) -> str:
    """The path of the URL: which route it asks for."""
    return network_script.partition("?")[0].strip("/")


def split_script(network_script: str) -> tuple[str, list[str]]:
    """The route's name and the `name=value` parts of `authorize?account=…&ask=never`.

    Values are decoded, names are not: a name stands in the URL as it is, or is unknown.
    """
    _, _, query = network_script.partition("?")
    parts = (part.partition("=") for part in query.split("&") if part)
    return route_name(network_script), [
        f"{name}{equals}{unquote_value(value)}" for name, equals, value in parts
    ]


def unquote_value(text: str) -> str:
    """Percent-decoded; a `+` is a plus. Raises BadRequestError for what is not UTF-8 text."""
    if _PERCENT.search(text):
        raise BadRequestError("a parameter has a % that is not followed by two hex digits")
    try:
        return unquote(text, errors="strict")
    except UnicodeDecodeError:
        raise BadRequestError("a parameter is not UTF-8") from None


def call_parameters(parts: list[str]) -> CallParameters:
    """Read `name=value` parts. Raises BadRequestError."""
    given: dict[str, str] = {}
    for part in parts:
        name, equals, value = part.partition("=")
        if name not in CallParameters.__slots__:
            raise BadRequestError("an unknown parameter")
        if _CONTROL.search(value):
            raise BadRequestError(f"{name}: has a control character")
        if name in given:
            raise BadRequestError(f"{name}: given twice")
        if not equals or not value:
            raise BadRequestError(f"{name}: has no value")
        given[name] = value
    if "account" in given and not _ACCOUNT_NUMBER.fullmatch(given["account"]):
        raise BadRequestError("account: must be 6 to 15 digits")
    if "forward" in given and ("account" in given or account_id_of(given["forward"]) is None):
        raise BadRequestError("forward: must be the id of an inbound call, and without account")
    ask = given.get("ask")
    if ask is not None and ask not in get_args(Ask):
        raise BadRequestError("ask: must be never, missing or always")
    return CallParameters(
        account=given.get("account"),
        destination=given.get("destination"),
        ask=ask,  # type: ignore[arg-type]  # checked above
        plan=given.get("plan"),
        identify=_methods(given["identify"]) if "identify" in given else None,
        forward=given.get("forward"),
    )


def _methods(text: str) -> tuple[Method, ...]:
    names = text.split(",")
    if len(set(names)) != len(names) or not set(names) <= _METHODS.keys():
        raise BadRequestError("identify: must be some of accountcode,callerid,pin")
    return tuple(_METHODS[name] for name in names)
