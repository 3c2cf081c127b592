"""`agi-server db`: the schema of the database."""

import click

from agi_server.cli.backends import Backends, Group, backend_options, with_backends
from agi_server.cli.output import print_one
from agi_server.cli.parameters import json_option
from agi_server.storage.postgres import migrations


@click.group(cls=Group)
@backend_options
def db() -> None:
    """Bring the database's schema up to date, or see where it stands.

    \b
    Example:
      agi-server db upgrade
    """


@db.command()
@with_backends
def upgrade(backends: Backends) -> None:
    """Run the migrations that are missing; doing it again does nothing.

    \b
    Example:
      agi-server db upgrade --embedded ./data
    """
    before = migrations.status(backends.postgres_dsn)
    after = migrations.upgrade(backends.postgres_dsn)
    if before.pending:
        click.echo(f"upgraded from {before.current or 'nothing'} to {after.current}")
    else:
        click.echo(f"up to date: {after.current}")


@db.command()
@json_option
@with_backends
def status(backends: Backends, as_json: bool) -> None:
    """Show which migrations have run and which are missing.

    \b
    Example:
      agi-server db status --json
    """
    found = migrations.status(backends.postgres_dsn)
    fields = {
        "current": found.current,
        "newest": found.newest,
        "pending": list(found.pending),
    }
    print_one(fields, as_json=as_json)
    if found.pending and not as_json:
        click.echo("run agi-server db upgrade", err=True)
