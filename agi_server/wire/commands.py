"""The AGI commands we send. Every text from outside passes through `quoting`."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache

from agi_server.wire.errors import LocalProtocolError
from agi_server.wire.quoting import (
    MAX_MSET_PAIRS,
    application_arguments,
    command_line,
    dial_arguments,
    escape_mset_value,
    quote,
    word,
)

_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*(?:\([A-Za-z0-9_,.:/@-]*\))?")
_APPLICATION = re.compile(r"[A-Za-z][A-Za-z0-9_]*")
_UNCARRIABLE = re.compile(r"[\r\n\0]")
_DTMF = re.compile(r"[0-9A-D*#]*")
_DIGITS = re.compile(r"[0-9]{1,30}")
_INT_MAX = 2**31 - 1


@dataclass(frozen=True, slots=True)
class Command:
    """One command. `line` is what goes out, without its line feed; made by the functions below,
    which quote and bound it."""

    line: bytes


_ANSWER = Command(command_line("ANSWER"))
_HANGUP = Command(command_line("HANGUP"))
_NOOP = Command(command_line("NOOP"))
_CHANNEL_STATUS = Command(command_line("CHANNEL STATUS"))


def answer() -> Command:
    """Result 0, or -1 when the channel is gone."""
    return _ANSWER


def hangup() -> Command:
    """Hangs the caller up; result 1, and perhaps a HANGUP line after it."""
    return _HANGUP


def noop() -> Command:
    """Result 0, also on a dead channel."""
    return _NOOP


def channel_status() -> Command:
    """Result 0 to 7: 4 ringing, 6 up."""
    return _CHANNEL_STATUS


def mset(pairs: Mapping[str, str] | Iterable[tuple[str, str]]) -> Command:
    """Sets many variables in one round trip, in order. A name may be a function such as
    `CHANNEL(language)` or `TIMEOUT(absolute)`.

    Raises LocalProtocolError naming the variable, but never its value.
    """
    items = list(pairs.items()) if isinstance(pairs, Mapping) else list(pairs)
    if not 1 <= len(items) <= MAX_MSET_PAIRS:
        raise LocalProtocolError(f"MSet takes 1 to {MAX_MSET_PAIRS} pairs")
    for name, value in items:
        _check_name(name)
        if _UNCARRIABLE.search(value):
            raise LocalProtocolError(f"{name}: a line feed, carriage return or NUL in its value")
    settings = ",".join(f"{name}={escape_mset_value(value)}" for name, value in items)
    return Command(command_line("EXEC", "MSet", quote(settings)))


def set_variable(name: str, value: str) -> Command:
    """Sets one variable, literally (`${…}` is not expanded). Result 1."""
    _check_name(name)
    return Command(command_line("SET VARIABLE", name, word(value)))


def get_full_variable(expression: str) -> Command:
    """Evaluates an expression such as `${A}|${B}`: several variables in one round trip.

    Asterisk expands whatever stands in it: no caller's text belongs into it.
    """
    return Command(command_line("GET FULL VARIABLE", quote(expression)))


def dial(target: str, timeout_s: int, options: str) -> Command:
    """Dials and waits until the talk is over; DIALSTATUS tells the outcome. Result 0, or -1 when
    a talk has ended or the caller has hung up."""
    return _exec("Dial", dial_arguments(target, timeout_s, options))


def exec_app(app: str, *arguments: str) -> Command:
    """Runs a dialplan application. Result is what it returns, -2 when there is no such one."""
    return _exec(app, application_arguments(*arguments))


def stream_file(file: str, escape_digits: str = "") -> Command:
    """Plays a sound. Result 0, -1, or the ASCII code of the escape digit; `endpos`."""
    return Command(command_line("STREAM FILE", word(_file(file)), word(_dtmf(escape_digits))))


def get_data(file: str, timeout_ms: int, max_digits: int) -> Command:
    """Plays a sound and collects DTMF digits up to `#`. Result is the digits; `timed_out`."""
    _check_range("max_digits", max_digits, 1, 1023)
    _check_range("timeout_ms", timeout_ms, 1, _INT_MAX)
    return Command(command_line("GET DATA", word(_file(file)), str(timeout_ms), str(max_digits)))


def wait_for_digit(timeout_ms: int) -> Command:
    """Waits for one DTMF digit. Result is its ASCII code, 0 when none came, -1."""
    _check_range("timeout_ms", timeout_ms, 1, _INT_MAX)
    return Command(command_line("WAIT FOR DIGIT", str(timeout_ms)))


def say_number(number: int, escape_digits: str = "") -> Command:
    """Says a number in the channel's language. Result as in `stream_file`."""
    _check_range("number", number, -_INT_MAX, _INT_MAX)
    return Command(command_line("SAY NUMBER", str(number), word(_dtmf(escape_digits))))


def say_digits(digits: str, escape_digits: str = "") -> Command:
    """Says digits one by one. Result as in `stream_file`."""
    if not _DIGITS.fullmatch(digits):
        raise LocalProtocolError("digits: 1 to 30 of 0-9")
    return Command(command_line("SAY DIGITS", digits, word(_dtmf(escape_digits))))


def verbose(message: str, level: int = 1) -> Command:
    """Writes a line to Asterisk's console."""
    _check_range("level", level, 1, 4)
    return Command(command_line("VERBOSE", quote(message), str(level)))


def _exec(app: str, arguments: str) -> Command:
    if not _APPLICATION.fullmatch(app):
        raise LocalProtocolError("application: letters, digits and _")
    return Command(command_line("EXEC", app, quote(arguments)))


@lru_cache(maxsize=256)  # a handful of names, checked on every call
def _check_name(name: str) -> None:
    if not _VARIABLE.fullmatch(name):
        raise LocalProtocolError("variable: letters, digits and _, or FUNCTION(argument)")


def _check_range(name: str, value: int, low: int, high: int) -> None:
    if not low <= value <= high:
        raise LocalProtocolError(f"{name}: {low} to {high}")


def _file(file: str) -> str:
    if not file:
        raise LocalProtocolError("file: the name of a sound")
    return file


def _dtmf(digits: str) -> str:
    if not _DTMF.fullmatch(digits):
        raise LocalProtocolError("escape_digits: 0-9, A-D, * and #")
    return digits
