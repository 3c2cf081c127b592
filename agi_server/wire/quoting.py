"""Quoting for Asterisk: the one place that knows how it takes a text apart again.

Two layers, each with rules of its own:

* **AGI** (parse_args in res/res_agi.c) splits a command line at spaces. Between double quotes a
  space is a character; a backslash makes the next character a plain one. It takes 127 words (the
  128th is dropped) and 8,191 bytes with the line feed (the rest would be read as a second
  command). CR, LF and NUL cannot be carried at all.
* **Application arguments** (__ast_app_separate_args in main/app.c) are one AGI word, split again
  at commas. A comma inside `(…)`, `[…]` or `"…"` does not split; brackets are counted, so one that
  is not closed swallows what follows; a backslash takes the next character out of all this. The
  last argument that an application declares is *not* looked at: backslashes stay in it.

MSet declares 99 arguments, and the value of a pair is split off raw, so within 98 pairs a value
can be escaped. Of other applications we do not know how many arguments they declare, so there an
argument that would need escaping is refused.
"""

import re

from agi_server.wire.errors import LocalProtocolError

MAX_LINE_BYTES = 8191  # with the line feed
MAX_WORDS = 127
MAX_MSET_PAIRS = 98

_PLAIN_WORD = re.compile(r"[!#-\[\]-~]+")
_AGI_SPECIAL = re.compile(r'[\\"]')
_ARGUMENT_SPECIAL = re.compile(r'[\\",]')
_ARGUMENT_SPECIAL_OR_BRACKET = re.compile(r'[\\",()\[\]]')
_BRACKET = re.compile(r"[()\[\]]")
_UNCARRIABLE = re.compile(rb"[\r\n\0]")


def quote(text: str) -> str:
    """`text` as one quoted word of an AGI command."""
    return '"' + _AGI_SPECIAL.sub(r"\\\g<0>", text) + '"'


def word(text: str) -> str:
    """`text` as one word of an AGI command, quoted only where it must be."""
    return text if _PLAIN_WORD.fullmatch(text) else quote(text)


def command_line(verb: str, *arguments: str) -> bytes:
    """The line of a command, without its line feed, from arguments that are quoted already.

    Raises LocalProtocolError for what AGI cannot carry; the message does not quote the value.
    """
    if len(verb.split()) + len(arguments) > MAX_WORDS:
        raise LocalProtocolError(f"{verb}: more than {MAX_WORDS} words")
    try:
        line = " ".join((verb, *arguments)).encode()
    except UnicodeEncodeError:
        raise LocalProtocolError(f"{verb}: an argument that is no valid text") from None
    if _UNCARRIABLE.search(line):
        raise LocalProtocolError(f"{verb}: a line feed, carriage return or NUL in an argument")
    if len(line) >= MAX_LINE_BYTES:
        raise LocalProtocolError(f"{verb}: more than {MAX_LINE_BYTES} bytes with the line feed")
    return line


def escape_mset_value(value: str) -> str:
    """The value of a pair of MSet. Brackets are escaped where they do not balance, since an open
    one would swallow the pairs that follow."""
    if not _ARGUMENT_SPECIAL_OR_BRACKET.search(value):
        return value
    special = _ARGUMENT_SPECIAL if _is_balanced(value) else _ARGUMENT_SPECIAL_OR_BRACKET
    return special.sub(r"\\\g<0>", value)


def application_arguments(*arguments: str) -> str:
    """Arguments of an application, joined by commas. Commas within brackets may stay.

    Raises LocalProtocolError for an argument that Asterisk would take apart otherwise.
    """
    for number, argument in enumerate(arguments, start=1):
        if "\\" in argument or '"' in argument:
            raise LocalProtocolError(f"argument {number}: a backslash or a double quote")
        if not _is_balanced(argument):
            raise LocalProtocolError(f"argument {number}: brackets that do not balance")
        if _has_bare_comma(argument):
            raise LocalProtocolError(f"argument {number}: a comma outside brackets")
    return ",".join(arguments)


def dial_arguments(target: str, timeout_s: int, options: str) -> str:
    """The arguments of Dial: what to dial, how long it may ring, Dial's options.

    `&` in `target` dials several: who puts a number into it must have checked that number.
    Raises LocalProtocolError for an empty target, a timeout under a second, or a target or
    options that Asterisk would take apart otherwise.
    """
    if not target:
        raise LocalProtocolError("Dial without a target")
    if timeout_s < 1:
        raise LocalProtocolError("Dial with a timeout under 1 s")  # Asterisk would ring for ever
    return application_arguments(target, str(timeout_s), options)


def _is_balanced(text: str) -> bool:
    """Whether Asterisk's two counters of brackets are back at zero, and never went below."""
    open_round = open_square = 0
    for bracket in _BRACKET.findall(text):
        open_round += (bracket == "(") - (bracket == ")")
        open_square += (bracket == "[") - (bracket == "]")
        if open_round < 0 or open_square < 0:
            return False
    return open_round == open_square == 0


def _has_bare_comma(balanced: str) -> bool:
    depth = 0
    for character in balanced:
        if character in "([":
            depth += 1
        elif character in ")]":
            depth -= 1
        elif character == "," and depth == 0:
            return True
    return False
