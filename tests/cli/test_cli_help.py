import re
from collections.abc import Iterator
from pathlib import Path

import click
import pytest
from command_line import run_program

from agi_server.cli.program import cli


def commands(command: click.Command, path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """The path of every command and group."""
    yield path
    if isinstance(command, click.Group):
        context = click.Context(command)
        for name in command.list_commands(context):
            found = command.get_command(context, name)
            assert found is not None
            yield from commands(found, (*path, name))


def find(path: tuple[str, ...]) -> click.Command:
    command: click.Command = cli
    for name in path:
        assert isinstance(command, click.Group)
        found = command.get_command(click.Context(command), name)
        assert found is not None
        command = found
    return command


PATHS = list(commands(cli))


@pytest.mark.parametrize("path", PATHS, ids=" ".join)
def test_help_has_an_example_that_the_program_understands(path: tuple[str, ...]) -> None:
    context = click.Context(find(path), info_name=" ".join(("agi-server", *path)))
    text = context.get_help()
    examples = re.findall(r"^ +(agi-server .*?[^\\])$", text, re.MULTILINE | re.DOTALL)
    assert examples, text
    for example in examples:
        words = example.replace("\\\n", " ").split()[1:]
        assert words[: len(path)] == list(path)
        options = {word for word in words if word.startswith("--")}
        target = find(tuple(_command_words(words)))
        known = {
            name
            for parameter in target.params
            for name in (*parameter.opts, *parameter.secondary_opts)
        }
        assert set() == options - known, example


def _command_words(words: list[str]) -> Iterator[str]:
    command: click.Command = cli
    for word in words:
        if not isinstance(command, click.Group):
            return
        found = command.get_command(click.Context(command), word)
        assert found is not None, word
        yield word
        command = found


def test_every_option_has_a_help_or_a_choice() -> None:
    silent = [
        f"{' '.join(path)} {parameter.opts[0]}"
        for path in PATHS
        for parameter in find(path).params
        if isinstance(parameter, click.Option)
        and not (parameter.help or parameter.metavar or isinstance(parameter.type, click.Choice))
    ]
    assert [] == silent


def test_the_commands_of_this_release_are_those_of_the_contract() -> None:
    assert {
        *(
            "bench",
            "callerid",
            "calls",
            "config",
            "customer",
            "db",
            "doctor",
            "group",
            "ledger",
            "plan",
        ),
        *("rates", "record", "replay", "restriction", "serve", "trunk"),
    } <= {path[0] for path in PATHS if path}


def test_the_program_prints_help_and_version(plain_env: dict[str, str], tmp_path: Path) -> None:
    help_text = run_program("--help", env=plain_env, folder=tmp_path)
    assert (0, True) == (help_text.exit_code, "customer" in help_text.out)
    assert "0.1" in run_program("--version", env=plain_env, folder=tmp_path).out
