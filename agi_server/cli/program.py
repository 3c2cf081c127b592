"""The program: finds the command, runs it, and says in one line why it could not."""

import gc
import os
import sys
import traceback
from importlib import import_module
from typing import Any

import click

from agi_server.cli.backends import Group, backend_options
from agi_server.cli.faults import explain

# Noun or command, and the module that has it; read only when it is asked for.
_COMMANDS = {
    "admin": "admin",
    "bench": "bench",
    "callerid": "callerid",
    "calls": "calls",
    "campaign": "campaign",
    "config": "config",
    "currency": "currency",
    "customer": "customer",
    "db": "db",
    "demo": "demo",
    "did": "did",
    "did-group": "did_group",
    "doctor": "doctor",
    "group": "group",
    "ledger": "ledger",
    "package": "package",
    "phone": "phone",
    "plan": "plan",
    "rates": "rates",
    "record": "record",
    "replay": "replay",
    "report": "report",
    "restriction": "restriction",
    "series": "series",
    "serve": "serve",
    "trunk": "trunk",
}


class _Program(Group):
    """Loads a command's module when it is asked for: `serve` need not wait for `doctor`'s."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in _COMMANDS:
            return None
        module = import_module(f"agi_server.cli.{_COMMANDS[cmd_name]}")
        # All is loaded: from here on garbage is looked for, but only among what comes.
        gc.freeze()
        gc.enable()
        command = getattr(module, _COMMANDS[cmd_name])
        assert isinstance(command, click.Command)
        return command


@click.command(cls=_Program, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="agi-server")
@backend_options
def cli() -> None:
    """Call authorization and billing for Asterisk over FastAGI.

    `agi-server demo` shows it at work. Exit codes: 0 done, 1 refused or not found, 2 wrong usage.

    \b
    Example, from nothing to a daemon that Asterisk can call:
      export AGI_SERVER_EMBEDDED=./data
      agi-server db upgrade
      agi-server trunk create gw --dial 'PJSIP/{number}@gw'
      agi-server rates import rates.csv --card retail --trunk gw --activate
      agi-server plan create standard --card retail
      agi-server customer create --plan standard --refill 10
      agi-server serve
    """


def main(arguments: list[str] | None = None) -> None:
    """Run one command and exit with its code. No traceback, unless AGI_SERVER_DEBUG is set."""
    sys.exit(run(sys.argv[1:] if arguments is None else arguments))


def run(arguments: list[str]) -> int:
    """Run one command; returns the exit code."""
    try:
        code: Any = cli.main(arguments, prog_name="agi-server", standalone_mode=False)
    except BrokenPipeError:
        # Whoever read our output has seen enough. Python would complain again when it exits.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except (Exception, KeyboardInterrupt) as fault:
        if os.environ.get("AGI_SERVER_DEBUG"):
            traceback.print_exc()
        explanation = explain(fault)
        for line in explanation.lines:
            click.echo(line, err=True)
        return explanation.exit_code
    return code if isinstance(code, int) else 0
