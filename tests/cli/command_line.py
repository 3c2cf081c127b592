"""Runs the real program, as an operator does."""

import json
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest

PROGRAM = (sys.executable, "-m", "agi_server")


@dataclass(frozen=True)
class Finished:
    """How a command ended."""

    exit_code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        assert 0 == self.exit_code, self.err
        return json.loads(self.out)


class Runner:
    """Runs commands, each in a process of its own, forked from one that has loaded the program.

    That takes a tenth of the time of starting Python; `run_program` starts it, as a shell does.
    """

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process

    def run(
        self, *arguments: str, env: Mapping[str, str], folder: Path, answer: str | None = None
    ) -> Finished:
        """Wait for one command; it must not have printed a traceback."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        with TemporaryDirectory() as place:
            files = [Path(place, name) for name in ("in", "out", "err")]
            files[0].write_text(answer or "")
            request = {
                "arguments": arguments,
                "env": dict(env),
                "folder": str(folder),
                "files": [str(file) for file in files],
            }
            self._process.stdin.write(json.dumps(request) + "\n")
            self._process.stdin.flush()
            exit_code = int(self._process.stdout.readline())
            return _checked(Finished(exit_code, files[1].read_text(), files[2].read_text()))


@contextmanager
def command_runner() -> Iterator[Runner]:
    with subprocess.Popen(
        [sys.executable, str(Path(__file__).with_name("forking_program.py"))],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        yield Runner(process)


def run_program(*arguments: str, env: Mapping[str, str], folder: Path) -> Finished:
    """Wait for one command, started as a shell starts it."""
    done = subprocess.run(
        [*PROGRAM, *arguments], env=env, cwd=folder, capture_output=True, text=True, timeout=60
    )
    return _checked(Finished(done.returncode, done.stdout, done.stderr))


def _checked(finished: Finished) -> Finished:
    assert "Traceback" not in finished.out + finished.err
    return finished


def processes_naming(path: Path) -> list[str]:
    """The command lines that name a path."""
    found = []
    for file in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            line = file.read_bytes().replace(b"\0", b" ").decode(errors="replace")
        except OSError:
            continue  # it has ended
        if str(path) in line:
            found.append(line)
    return found


@contextmanager
def daemon(env: Mapping[str, str], folder: Path, *arguments: str) -> Iterator[int]:
    """`serve` on a free port, which is given; it is stopped by SIGTERM and must end well."""
    process = subprocess.Popen(
        [*PROGRAM, "serve", *arguments],
        env={**env, "AGI_SERVER_FASTAGI__PORT": "0"},
        cwd=folder,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    try:
        for line in process.stdout:
            event = json.loads(line)
            if event["event"] == "server.started":
                yield event["port"]
                break
        else:
            pytest.fail("the daemon ended before it listened")
    finally:
        process.terminate()
        process.communicate(timeout=30)
    assert 0 == process.returncode
