"""`agi-server replay`: play scripted sessions against a daemon."""

import asyncio
from pathlib import Path

import click

from agi_server.cli.backends import Command, with_settings
from agi_server.cli.faults import REFUSED
from agi_server.cli.output import print_json
from agi_server.cli.parameters import ADDRESS, json_option
from agi_server.replay import PlayResult, load_script, play
from agi_server.settings import Settings


class _Definition(click.ParamType[tuple[str, str]]):
    name = "name=value"

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[str, str]:
        if isinstance(value, tuple):
            return value
        name, equals, text = str(value).partition("=")
        if not equals or not name:
            self.fail("must be NAME=VALUE", param, ctx)
        return name, text


@click.command(cls=Command)
@click.argument(
    "files", nargs=-1, required=True, type=click.Path(path_type=Path), metavar="FILE..."
)
@click.option("--to", type=ADDRESS, metavar="HOST:PORT", help="Otherwise the daemon set here.")
@click.option("--speed", type=click.FloatRange(min=0.01), default=1.0, help="Divides the waits.")
@click.option(
    "--define",
    "defines",
    multiple=True,
    type=_Definition(),
    metavar="NAME=VALUE",
    help="What {{NAME}} stands for; repeatable.",
)
@json_option
@with_settings
def replay(
    settings: Settings,
    files: tuple[Path, ...],
    to: tuple[str, int] | None,
    speed: float,
    defines: tuple[tuple[str, str], ...],
    as_json: bool,
) -> int:
    """Play scripted AGI sessions against a daemon; the first difference is shown like a diff.

    A script is what Asterisk prints with `agi set debug on`. The files are played in order; what
    one captures ({{name}} in an expected line) the next may send.

    \b
    Example:
      agi-server replay sessions/*.agi --to 127.0.0.1:4573 --define account_1=1000000001
    """
    host, port = to or (settings.fastagi.host, settings.fastagi.port)
    scripts = [load_script(file) for file in files]
    captures: dict[str, str] = {}
    results: list[PlayResult] = []
    for script in scripts:
        result = asyncio.run(
            play(script, host, port, defines=dict(defines), earlier=captures, speed=speed)
        )
        captures.update(result.captures)
        results.append(result)
        if not as_json:
            _tell(result)
    if as_json:
        print_json([_fields(result) for result in results])
    return REFUSED if any(result.difference for result in results) else 0


def _tell(result: PlayResult) -> None:
    if result.difference is None:
        click.echo(f"{result.script}: {result.sessions} sessions as scripted")
    else:
        click.echo(result.difference.text)


def _fields(result: PlayResult) -> dict[str, object]:
    difference = result.difference
    return {
        "script": result.script,
        "sessions": result.sessions,
        "line": None if difference is None else difference.line_number,
        "difference": None if difference is None else difference.text,
    }
