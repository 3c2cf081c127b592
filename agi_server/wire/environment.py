"""The environment as a whole: arguments, and keys that stand in it more than once."""

import re
from collections.abc import Mapping
from types import MappingProxyType

from agi_server.wire.errors import RemoteProtocolError
from agi_server.wire.events import EnvironmentReceived

# As Asterisk sends them (setup_env in its res/res_agi.c), arguments last.
_ORDER = (
    "agi_network",
    "agi_network_script",
    "agi_request",
    "agi_channel",
    "agi_language",
    "agi_type",
    "agi_uniqueid",
    "agi_version",
    "agi_callerid",
    "agi_calleridname",
    "agi_callingpres",
    "agi_callingani2",
    "agi_callington",
    "agi_callingtns",
    "agi_dnid",
    "agi_rdnis",
    "agi_context",
    "agi_extension",
    "agi_priority",
    "agi_enhanced",
    "agi_accountcode",
    "agi_threadid",
)
_POSITIONS: Mapping[str, int] = {key: position for position, key in enumerate(_ORDER)}
_BEHIND_ALL = 10_000
_ARGUMENT = re.compile(r"agi_arg_([1-9][0-9]{0,2})")


def environment_of(pairs: list[tuple[str, str]]) -> EnvironmentReceived:
    """The event for these keys and values, in the order they came.

    Raises RemoteProtocolError where a value has forged other keys, see `first_of_repeated` and
    `check_arguments_last`.
    """
    values = dict(pairs)
    if len(values) < len(pairs):
        values = first_of_repeated(pairs)
    check_arguments_last(pairs)
    arguments: list[str] = []
    while (argument := values.get(f"agi_arg_{len(arguments) + 1}")) is not None:
        arguments.append(argument)
    return EnvironmentReceived(values=MappingProxyType(values), arguments=tuple(arguments))


def check_arguments_last(pairs: list[tuple[str, str]]) -> None:
    """Asterisk sends the arguments behind all other keys. It may send none, and then one that a
    value has forged repeats nothing, but stands too early: raises RemoteProtocolError."""
    arguments_began = False
    for key, _ in pairs:
        if key.startswith("agi_arg_"):
            arguments_began = True
        elif arguments_began and key in _POSITIONS:
            raise RemoteProtocolError(f"an argument stands before {key}")


def first_of_repeated(pairs: list[tuple[str, str]]) -> dict[str, str]:
    """The first value of every key.

    Asterisk itself repeats no key: a value with a line feed does. Where a key that Asterisk sends
    before the repeated one stands between the two, the first is the forged one: raises
    RemoteProtocolError.
    """
    values: dict[str, str] = {}
    seen_at: dict[str, int] = {}
    positions = [_position_of(key) for key, _ in pairs]
    for here, (key, value) in enumerate(pairs):
        first = seen_at.setdefault(key, here)
        if first == here:
            values[key] = value
        elif value != values[key] and min(positions[first:here]) < positions[first]:
            raise RemoteProtocolError(f"{key} stands in the environment twice, out of order")
    return values


def _position_of(key: str) -> int:
    argument = _ARGUMENT.fullmatch(key)
    if argument is not None:
        return len(_ORDER) + int(argument[1])
    return _POSITIONS.get(key, _BEHIND_ALL)
