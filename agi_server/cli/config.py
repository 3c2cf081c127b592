"""`agi-server config`: the settings in force."""

import click

from agi_server.cli.backends import Group, backend_options, with_settings
from agi_server.cli.output import print_list
from agi_server.cli.parameters import json_option
from agi_server.settings import Settings, effective


@click.group(cls=Group)
@backend_options
def config() -> None:
    """The settings: TOML file, conf.d, environment, options; the later wins.

    \b
    Example:
      agi-server config show --origin
    """


@config.command()
@click.option("--origin", is_flag=True, help="Add where each value came from, and its help.")
@json_option
@with_settings
def show(settings: Settings, origin: bool, as_json: bool) -> None:
    """Show every setting with its value; secrets are masked.

    \b
    Example:
      agi-server config show --origin
    """
    columns = ("name", "value", "origin", "help") if origin else ("name", "value")
    print_list([row._asdict() for row in effective(settings)], as_json=as_json, columns=columns)


@config.command()
@with_settings
def check(settings: Settings) -> None:
    """Check all settings; problems are printed with file or variable and key.

    \b
    Example:
      agi-server config check --config /etc/agi-server/agi-server.toml
    """
    changed = sum(row.origin != "default" for row in effective(settings))
    click.echo(f"settings are valid ({changed} given, the others by default)")
