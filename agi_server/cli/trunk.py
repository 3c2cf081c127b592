"""`agi-server trunk`: the ways out."""

import click

from agi_server.cli.backends import Group, Session, backend_options, with_database
from agi_server.cli.output import print_json, print_list
from agi_server.cli.parameters import json_option
from agi_server.tariffs import trunks
from agi_server.tariffs.trunks import StoredTrunk


@click.group(cls=Group)
@backend_options
def trunk() -> None:
    """Trunks: how Asterisk reaches a carrier.

    \b
    Example:
      agi-server trunk create gw --dial 'PJSIP/{number}@gw'
    """


@trunk.command()
@click.argument("name")
@click.option(
    "--dial",
    required=True,
    metavar="TEMPLATE",
    help="What Asterisk dials; {number}, {prefix} and {account_id} are filled in.",
)
@json_option
@with_database
async def create(session: Session, name: str, dial: str, as_json: bool) -> None:
    """Create a trunk.

    \b
    Example:
      agi-server trunk create gw --dial 'PJSIP/{number}@gw'
    """
    created = await trunks.create_trunk(session.db, name, dial)
    _tell(created, f"trunk {name} created", as_json)


@trunk.command()
@click.argument("name")
@json_option
@with_database
async def enable(session: Session, name: str, as_json: bool) -> None:
    """Put a trunk into service again.

    \b
    Example:
      agi-server trunk enable gw
    """
    _tell(await trunks.switch_trunk(session.db, name, True), f"trunk {name} enabled", as_json)


@trunk.command()
@click.argument("name")
@json_option
@with_database
async def disable(session: Session, name: str, as_json: bool) -> None:
    """Take a trunk out of service: new calls skip it, those in progress go on.

    \b
    Example:
      agi-server trunk disable gw
    """
    _tell(await trunks.switch_trunk(session.db, name, False), f"trunk {name} disabled", as_json)


@trunk.command("list")
@json_option
@with_database
async def list_(session: Session, as_json: bool) -> None:
    """List the trunks.

    \b
    Example:
      agi-server trunk list --json
    """
    shown = [_fields(each) for each in await trunks.list_trunks(session.db)]
    print_list(shown, as_json=as_json, nothing="no trunks")


def _tell(found: StoredTrunk, what: str, as_json: bool) -> None:
    if as_json:
        print_json(_fields(found))
    else:
        click.echo(what)


def _fields(found: StoredTrunk) -> dict[str, object]:
    return {"name": found.name, "dial": found.dial, "enabled": found.enabled}
