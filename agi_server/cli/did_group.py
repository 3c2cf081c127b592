"""`agi-server did-group`: which DIDs a customer may request."""

import click

from agi_server.accounts import did_groups
from agi_server.cli.backends import Group, Session, backend_options, with_database
from agi_server.cli.business_history import history_of
from agi_server.cli.output import print_list
from agi_server.cli.parameters import editor, json_option


@click.group("did-group", cls=Group)
@backend_options
def did_group() -> None:
    """Groups of DIDs: a customer may request those of the own group.

    \b
    Example:
      agi-server did-group create london
    """


@did_group.command()
@click.argument("name")
@with_database
async def create(session: Session, name: str) -> None:
    """Create a DID group.

    \b
    Example:
      agi-server did-group create london
    """
    await did_groups.create_did_group(session.db, name, editor(session))
    click.echo(f"{name} created")


@did_group.command("list")
@json_option
@with_database
async def list_(session: Session, as_json: bool) -> None:
    """List the DID groups and how many customers and DIDs each has.

    \b
    Example:
      agi-server did-group list --json
    """
    shown = [
        {"name": each.name, "customers": each.accounts, "dids": each.dids}
        for each in await did_groups.list_did_groups(session.db)
    ]
    print_list(shown, as_json=as_json, nothing="no DID groups")


@did_group.command()
@click.argument("name")
@with_database
async def delete(session: Session, name: str) -> None:
    """Delete a DID group that no customer and no DID has; deleted customers leave it.

    \b
    Example:
      agi-server did-group delete london
    """
    await did_groups.delete_did_group(session.db, name, editor(session))
    click.echo(f"{name} deleted")


did_group.add_command(history_of("did_group", "london"))
