"""The parts of docs/ that say what the code says, written from it: `make docs`.

Whole files (commands.md, settings.md), and in others what stands between two marks.
"""

import re
import sys
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

import click

from agi_server.calls.reasons import Reason
from agi_server.cli.program import cli
from agi_server.observe.logging import EVENTS
from agi_server.routes.prompts import DENIAL_PROMPTS
from agi_server.settings import Settings, effective

DOCS = Path(__file__).parents[2] / "docs"
_WIDTH = 100


def written() -> dict[Path, str]:
    """The files as they should be."""
    return {
        DOCS / "commands.md": _commands(),
        DOCS / "settings.md": _settings(),
        DOCS / "contract.md": _with_parts("contract.md", {"reasons": _reasons()}),
        DOCS / "operations.md": _with_parts("operations.md", {"events": _events()}),
    }


def _with_parts(name: str, parts: Mapping[str, str]) -> str:
    text = (DOCS / name).read_text(encoding="utf-8")
    for mark, part in parts.items():
        between = re.compile(f"(<!-- {mark}: .*? -->\n).*?(<!-- end of {mark} -->)", re.DOTALL)
        text, found = between.subn(lambda at, part=part: at[1] + part + at[2], text)
        if found != 1:
            raise ValueError(f"docs/{name} has {found} places for {mark}")
    return text


def _reasons() -> str:
    return _table(
        ("reason", "means", "the caller hears"),
        ((f"`{r.value}`", r.sentence, f"`{DENIAL_PROMPTS[r]}`") for r in Reason),
    )


def _events() -> str:
    return _table(("event", "means"), ((f"`{name}`", meaning) for name, meaning in EVENTS.items()))


def _settings() -> str:
    text = """# Settings

The file named by `--config`, else `./agi-server.toml`, else `/etc/agi-server/agi-server.toml`; then
`conf.d/*.toml` beside it in the order of their names; then the environment,
`AGI_SERVER_<SECTION>__<NAME>`. The later one counts. A secret may stand in a file of its own:
`dsn_file`, `url_file`, `secret_file`. `agi-server config show --origin` says which value came from
where, `agi-server config check` names every mistake. `config/agi-server.toml` has all of them to
start from.

`AGI_SERVER_EMBEDDED=DIR` (or `--embedded DIR`) takes the place of `postgres.dsn` and `redis.url`.
"""
    section = ""
    rows: dict[str, list[tuple[str, ...]]] = {}
    for row in effective(Settings()):
        section = row.name.partition(".")[0]
        default = f"`{row.default}`" if row.default else ""
        rows.setdefault(section, []).append((f"`{row.name}`", default, row.help))
    for section, lines in rows.items():
        text += f"\n## {section}\n\n" + _table(("setting", "default", "meaning"), lines)
    return text


def _commands() -> str:
    text = """# Commands

What `--help` prints. Exit codes: 0 done, 1 refused or not found, 2 wrong usage. `--config` and
`--embedded` may stand anywhere in the command line.
"""
    for context in _all_commands(cli, None):
        help_text = context.command.get_help(context)
        text += f"\n## {context.command_path}\n\n```text\n{help_text}\n```\n"
    return text


def _all_commands(command: click.Command, parent: click.Context | None) -> Iterator[click.Context]:
    """The context in which the help of each command is printed."""
    context = click.Context(
        command,
        parent=parent,
        info_name=command.name if parent else "agi-server",
        terminal_width=_WIDTH,
        max_content_width=_WIDTH,
        **({} if parent else command.context_settings),
    )
    yield context
    if isinstance(command, click.Group):
        for name in command.list_commands(context):
            found = command.get_command(context, name)
            assert found is not None
            yield from _all_commands(found, context)


def _table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    lines = [head, ("---",) * len(head), *rows]
    escaped = ([cell.replace("|", "\\|") for cell in line] for line in lines)
    return "".join(f"| {' | '.join(line)} |\n" for line in escaped)


if __name__ == "__main__":
    for path, text in written().items():
        if not path.exists() or path.read_text(encoding="utf-8") != text:
            path.write_text(text, encoding="utf-8")
            sys.stdout.write(f"written: {path.relative_to(Path.cwd())}\n")
