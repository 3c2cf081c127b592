"""README.md as something that can be run: its blocks, and terminals that run them."""

import os
import re
import shutil
import signal
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]

_BLOCK_OR_HEADING = re.compile(r"^```(\w+)\n(.*?)^```$|^#+ (.*?)$", re.MULTILINE | re.DOTALL)
_END_S = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """One fenced block, and the heading above it."""

    section: str
    language: str
    text: str


def readme_blocks() -> list[Block]:
    """All fenced blocks of README.md, in their order."""
    blocks: list[Block] = []
    section = ""
    for found in _BLOCK_OR_HEADING.finditer((ROOT / "README.md").read_text()):
        language, text, heading = found.groups()
        section = heading or section
        if language:
            blocks.append(Block(section=section, language=language, text=text))
    return blocks


def commands(section: str) -> list[str]:
    """The shell blocks under a heading."""
    return [b.text for b in readme_blocks() if (b.section, b.language) == (section, "sh")]


def copy_of_the_clone(folder: Path) -> Path:
    """What is or would be committed, as a fresh clone has it."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT, capture_output=True, text=True, check=True,
    )  # fmt: skip
    for name in filter(None, listed.stdout.split("\0")):
        if (ROOT / name).exists():  # not one that is being removed
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, folder / name)
    return folder


def plain_environment(**more: str) -> dict[str, str]:
    """A user's: no settings of ours, nothing of a make or an environment that runs the tests."""
    ours = ("AGI_SERVER", "MAKE", "MFLAGS", "PYTHON", "VIRTUAL_ENV")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(ours)}
    outside = [part for part in kept["PATH"].split(":") if not part.startswith(str(ROOT))]
    return {**kept, "PATH": ":".join(outside), **more}


class Terminal:
    """A shell that ends with the first command that fails."""

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        self._process = process
        self.printed = ""

    def run(self, block: str) -> str:
        """Run a block to its end; returns what it printed. Raises AssertionError if it fails."""
        return self.run_until("all is done", block + "\necho all is done\n")

    def run_until(self, text: str, block: str) -> str:
        """Run a block until it prints this, and let it go on."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        before = len(self.printed)
        self._process.stdin.write(block)
        self._process.stdin.flush()
        for line in self._process.stdout:
            self.printed += line
            if text in line:
                return self.printed[before:]
        raise AssertionError(f"{block}\nended with:\n{self.printed[before:]}")

    def interrupt(self) -> int:
        """Ctrl-C; returns the exit code of the shell, which is that of its last command."""
        os.killpg(self._process.pid, signal.SIGINT)
        self._process.communicate(timeout=_END_S)
        return self._process.returncode


@contextmanager
def terminal(folder: Path, environment: Mapping[str, str]) -> Iterator[Terminal]:
    """Open a terminal in a folder. What still runs at the end is ended."""
    process = subprocess.Popen(
        ["bash", "-e"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        cwd=folder,
        env=environment,
        start_new_session=True,
    )
    try:
        yield Terminal(process)
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGTERM)
            process.communicate(timeout=_END_S)
