"""Scripted sessions: AGI conversations as text, the way `agi set debug on` prints them. No I/O.

    # a comment
    AGI Tx >> agi_network: yes           what Asterisk sends
    AGI Tx >> agi_network_script: ping
    AGI Tx >>                            the blank line that ends the environment
    AGI Rx << SET VARIABLE AUTH_PING ok  what Asterisk receives
    AGI Tx >> 200 result=1

A real console log works as it is: whatever stands before `AGI Tx >>` and `AGI Rx <<` is ignored
(date, VERBOSE[…], channel, colours), and so is a line with neither. One space behind the arrows
belongs to them, everything after it to the line.

`{{name}}` stands for a value. Where the name is defined, it is put in (Tx) or expected (Rx); in Rx
a name not defined yet captures what stands there and is defined from then on, in later sessions
too. `{{*}}` in Rx matches anything. `{{open}}` is a literal `{{`.

Directives stand on lines of their own and script a hostile peer, or more than one call:

    ! close           Asterisk closes its side; nothing more is expected
    ! reset           the connection is reset; what the daemon has not read yet is lost
    ! wait 200ms      a pause (ms or s)
    ! split           the Tx lines up to the next Rx or directive are sent byte by byte
    ! unterminated    the next Tx line is sent without its line feed
    ! connect         a further connection; so does a new `agi_network:` line after a session

A capture from the field is of another day, and a daemon believes no call that ended then. So the
times of an answer and an end move with the first channel's `agi_uniqueid`, which says when it
began, to the moment at which the script is played: see `at_time`.

Bytes that are not UTF-8 are kept as surrogates (`surrogateescape`), in scripts and in traffic, so
a script file is lossless when read and written with `decode` and `encode`.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace


class ScriptError(ValueError):
    """A script that cannot be played; the message names script and line."""

    def __init__(self, name: str, line_number: int, problem: str) -> None:
        super().__init__(f"{name}, line {line_number}: {problem}")
        self.line_number = line_number


@dataclass(frozen=True, slots=True, kw_only=True)
class Send:
    """A line that Asterisk sends (Tx)."""

    text: str
    line_number: int = field(default=0, compare=False)
    byte_by_byte: bool = False
    terminated: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Expect:
    """A line that Asterisk receives (Rx)."""

    text: str
    line_number: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Wait:
    duration_ms: int
    line_number: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Close:
    line_number: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Reset:
    line_number: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Connect:
    line_number: int = field(default=0, compare=False)


Step = Send | Expect | Wait | Close | Reset | Connect


@dataclass(frozen=True, slots=True, kw_only=True)
class Script:
    """Steps in their order; the first session's `Connect` is not among them."""

    name: str
    steps: tuple[Step, ...]


_AGI = re.compile(r"AGI (?:(Tx) >>|Rx <<) ?(.*)", re.DOTALL)
_COLOUR = re.compile(r"\x1b\[[0-9;]*[A-Za-z]")
_WAIT = re.compile(r"([0-9]{1,9})(ms|s)")
_PLACEHOLDER = re.compile(r"\{\{(\*|[A-Za-z_][A-Za-z0-9_]*)\}\}")
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_OPEN = "open"
# Asterisk notes a command that came in two segments so, and prints it whole afterwards.
_PARTIAL = "temp buffer "
SHORTEST_MASKED = 4
_BEGAN = re.compile(r"agi_uniqueid: (?:.*-)?([0-9]{9,11})\.[0-9]+")
# Where settle or a read of Dial's variables tells times, epoch with milliseconds.
_TELLS_TIME = re.compile(r"agi_arg_[67]: |200 result=1 \(")
_TIME = re.compile(r"(?<![0-9.])([0-9]{9,11})(?=\.[0-9]{3}(?![0-9]))")
# A time further from the channel's beginning is none of its call: it stays as it is written.
_LONGEST_CALL_S = 86_400


def decode(data: bytes) -> str:
    """Script or traffic as text, without loss."""
    return data.decode("utf-8", "surrogateescape")


def encode(text: str) -> bytes:
    """The bytes `decode` had made into `text`."""
    return text.encode("utf-8", "surrogateescape")


def parse_script(text: str, name: str = "script") -> Script:
    """The steps of a script. Raises ScriptError for the first line that makes no sense."""
    steps = tuple(_Parser(name).steps_of(text))
    if not steps:
        raise ScriptError(name, 1, "no line with AGI Tx >> or AGI Rx <<")
    return Script(name=name, steps=steps)


class _Parser:
    """Walks the lines of one script, keeping what a directive says about the lines after it."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._byte_by_byte = False
        self._terminated = True
        self._closed = False
        self._environment_ended = False

    def steps_of(self, text: str) -> Iterator[Step]:
        # Only a line feed ends a line: a form feed or U+2028 may stand in a caller's name.
        for number, line in enumerate(text.split("\n"), start=1):
            mark = line.lstrip()[:1]
            if mark == "#":
                continue
            if mark == "!":
                yield from self._directive(line.lstrip()[1:].split(), number)
                continue
            found = _AGI.search(line)
            if found is not None and found.start() > 0:
                found = _AGI.search(_COLOUR.sub("", line))
            if found is not None:
                yield from self._line(found[1] == "Tx", found[2], number)

    def _line(self, is_sent: bool, text: str, number: int) -> Iterator[Step]:
        if not is_sent:
            text = text.rstrip("\r")
            if text.startswith(_PARTIAL):
                return
        elif self._begins_session(text):
            yield from self._connect(number)
        if self._closed:
            self._refuse(number, "the connection is closed; ! connect opens another")
        if not is_sent:
            self._byte_by_byte = False
            yield Expect(text=text, line_number=number)
            return
        if "*" in _PLACEHOLDER.findall(text):
            self._refuse(number, "{{*}} can be expected (Rx) but not sent (Tx)")
        self._environment_ended |= not text.rstrip("\r")
        yield Send(
            text=text,
            line_number=number,
            byte_by_byte=self._byte_by_byte,
            terminated=self._terminated,
        )
        self._terminated = True

    def _begins_session(self, text: str) -> bool:
        return text.startswith("agi_network:") and (self._environment_ended or self._closed)

    def _directive(self, words: list[str], number: int) -> Iterator[Step]:
        if words != ["unterminated"]:
            self._byte_by_byte = False
        match words:
            case ["close"]:
                self._closed = True
                yield Close(line_number=number)
            case ["reset"]:
                self._closed = True
                yield Reset(line_number=number)
            case ["connect"]:
                yield from self._connect(number)
            case ["split"]:
                self._byte_by_byte = True
            case ["unterminated"]:
                self._terminated = False
            case ["wait", duration] if found := _WAIT.fullmatch(duration):
                scale = 1000 if found[2] == "s" else 1
                yield Wait(duration_ms=int(found[1]) * scale, line_number=number)
            case ["wait", *_]:
                self._refuse(number, "a wait looks like: ! wait 200ms")
            case _:
                known = "close, reset, connect, split, unterminated, wait"
                self._refuse(number, f"unknown directive; known are {known}")

    def _connect(self, number: int) -> Iterator[Step]:
        self._closed = self._environment_ended = False
        yield Connect(line_number=number)

    def _refuse(self, number: int, problem: str) -> None:
        raise ScriptError(self._name, number, problem)


def check_defined(script: Script, defines: Mapping[str, str]) -> None:
    """Raises ScriptError for a name that is sent but neither defined nor captured before, and for
    a definition that is none."""
    for name, value in defines.items():
        if not _NAME.fullmatch(name) or name == _OPEN:
            raise ScriptError(script.name, 1, f"{name!r} cannot be defined: letters, digits and _")
        if "\n" in value or "\r" in value:
            raise ScriptError(script.name, 1, f"{name} is defined as more than one line")
    known = {_OPEN, "*", *defines}
    for step in script.steps:
        if isinstance(step, Expect):
            known.update(_PLACEHOLDER.findall(step.text))
        elif isinstance(step, Send):
            for name in _PLACEHOLDER.findall(step.text):
                if name not in known:
                    problem = f"{{{{{name}}}}} is not defined: --define {name}=…"
                    raise ScriptError(script.name, step.line_number, problem)


def at_time(script: Script, now_s: int) -> Script:
    """The script as if its first channel began at `now_s` (epoch): the times of its calls move too.

    As it was where no channel says when it began.
    """
    sent = [step.text for step in script.steps if isinstance(step, Send)]
    began = next((int(found[1]) for text in sent if (found := _BEGAN.fullmatch(text))), None)
    if began is None:
        return script

    def moved(found: re.Match[str]) -> str:
        is_of_the_call = abs(int(found[1]) - began) < _LONGEST_CALL_S
        return str(int(found[1]) - began + now_s) if is_of_the_call else found[1]

    return replace(
        script,
        steps=tuple(
            replace(step, text=_TIME.sub(moved, step.text))
            if isinstance(step, Send) and _TELLS_TIME.match(step.text)
            else step
            for step in script.steps
        ),
    )


def fill(text: str, values: Mapping[str, str]) -> str:
    """What a Tx text stands for. All its names must be defined, see `check_defined`."""
    return _PLACEHOLDER.sub(lambda found: "{{" if found[1] == _OPEN else values[found[1]], text)


def match(text: str, received: str, values: Mapping[str, str]) -> dict[str, str] | None:
    """What an Rx text captures from a received line; None when the line is another."""
    pattern = ""
    captured: set[str] = set()
    for at, part in enumerate(_PLACEHOLDER.split(text)):
        if at % 2 == 0:
            pattern += re.escape(part)
        elif part == "*":
            pattern += ".*?"
        elif part == _OPEN:
            pattern += re.escape("{{")
        elif part in values:
            pattern += re.escape(values[part])
        elif part in captured:
            pattern += f"(?P={part})"
        else:
            captured.add(part)
            pattern += f"(?P<{part}>.*?)"
    found = re.fullmatch(pattern, received, re.DOTALL)
    return None if found is None else found.groupdict()


def mask(text: str, names: Mapping[str, str]) -> str:
    """`text` with every secret replaced by `{{its name}}`; `names` leads from secret to name.

    Longer secrets go first, and one of under 4 characters stays, since it would be found
    everywhere. What looks like a placeholder already becomes a literal.
    """
    secrets = sorted((s for s in names if len(s) >= SHORTEST_MASKED), key=len, reverse=True)
    if not secrets:
        return _literal(text)
    pieces = re.split("(" + "|".join(map(re.escape, secrets)) + ")", text)
    return "".join(
        f"{{{{{names[piece]}}}}}" if at % 2 else _literal(piece) for at, piece in enumerate(pieces)
    )


def _literal(text: str) -> str:
    return _PLACEHOLDER.sub(lambda found: "{{" + _OPEN + "}}" + found[0][2:], text)


def write_script(steps: Sequence[Step], names: Mapping[str, str]) -> str:
    """Traffic as a script; the texts of `steps` are literal, secrets in them are masked.

    `parse_script` gives the same steps back, with the names filled in.
    """
    lines = []
    split = False
    for step in steps:
        if isinstance(step, Send | Expect):
            step = replace(step, text=mask(step.text, names))
        if isinstance(step, Send):
            if step.byte_by_byte and not split:
                lines.append("! split")
            if not step.terminated:
                lines.append("! unterminated")
        split = isinstance(step, Send) and step.byte_by_byte
        lines.append(render(step))
    return "\n".join(lines) + "\n"


def render(step: Step) -> str:
    """One step as the line that stands for it."""
    match step:
        case Send():
            return f"AGI Tx >> {step.text}"
        case Expect():
            return f"AGI Rx << {step.text}"
        case Wait():
            return f"! wait {step.duration_ms}ms"
        case Close():
            return "! close"
        case Reset():
            return "! reset"
        case Connect():
            return "! connect"
