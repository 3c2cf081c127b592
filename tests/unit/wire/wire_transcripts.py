"""Reads tests/transcripts: what a real Asterisk sent (`<<`) and was sent (`>>`)."""

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

FOLDER = Path(__file__).parents[2] / "transcripts"
NAMES = sorted(path.stem for path in FOLDER.glob("*.txt"))
_LINE = re.compile(r" *[0-9]+\.[0-9]+ (<<|>>)(?: (.*))?")


@dataclass(frozen=True)
class Sent:
    """One or more lines that the server wrote at once."""

    lines: list[bytes]


@dataclass(frozen=True)
class Received:
    """One line from Asterisk; None is the end of file."""

    line: bytes | None


def exchange(name: str) -> Iterator[Sent | Received]:
    for raw in (FOLDER / f"{name}.txt").read_text("utf-8").split("\n"):
        found = _LINE.fullmatch(raw)
        if found is None:
            continue
        text = found[2] or ""
        if found[1] == "<<":
            yield Received(None if text == "<EOF>" else text.encode())
        elif text.startswith("[pipelined] "):
            yield Sent([line.encode() for line in text[12:].split(" / ")])
        elif text.startswith("b'"):
            yield Sent([line.rstrip(b"\r") for line in ast.literal_eval(text).splitlines()])
        else:
            yield Sent([text.encode()])
