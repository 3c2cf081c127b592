"""Loads the program once, then runs each command that it is asked for in a fork.

One JSON object a line on stdin asks; the exit code on stdout answers.
"""

import json
import os
import sys
from typing import Any

import click

from agi_server.cli.program import cli, run


def main() -> None:
    context = click.Context(cli)
    for name in cli.list_commands(context):
        cli.get_command(context, name)
    for line in sys.stdin:
        child = os.fork()
        if child == 0:
            _become(json.loads(line))
        _, status = os.waitpid(child, 0)
        sys.stdout.write(f"{os.waitstatus_to_exitcode(status)}\n")
        sys.stdout.flush()


def _become(request: dict[str, Any]) -> None:
    for number, file in enumerate(request["files"]):
        flags = os.O_RDONLY if number == 0 else os.O_WRONLY | os.O_CREAT
        os.dup2(os.open(file, flags, 0o600), number)
    sys.stdin = os.fdopen(0, encoding="utf-8", closefd=False)
    os.environ.clear()
    os.environ.update(request["env"])
    os.chdir(request["folder"])
    exit_code = 70
    try:
        exit_code = run(request["arguments"])
        sys.stdout.flush()
    finally:
        os._exit(exit_code)


main()
