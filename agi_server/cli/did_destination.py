"""`agi-server did destination`: where a DID rings."""

import click

from agi_server.accounts import did_destinations, dids
from agi_server.accounts.dids import Did
from agi_server.cli.backends import Group, Session, backend_options, with_database
from agi_server.cli.output import print_list
from agi_server.cli.parameters import editor, json_option

_number = click.argument("number")
_priority = click.argument("priority", type=click.IntRange(1, 99))


@click.group(cls=Group)
@backend_options
def destination() -> None:
    """Where a DID rings: one destination after the other, the lowest priority first.

    \b
    Example:
      agi-server did destination add 442079460000 sip
    """


@destination.command("add")
@_number
@click.argument("where")
@click.option("--priority", type=click.IntRange(1, 99), help="Its place; else the last.")
@with_database
async def add(session: Session, number: str, where: str, priority: int | None) -> None:
    """Have a DID ring there too: `sip` or `iax` (its customer's phone), or a number.

    A call to a number goes on over the trunks as an outgoing call of the customer, who pays it.
    With the call that came in it is one unit of simultaneous access.

    \b
    Example:
      agi-server did destination add 442079460000 33123456789 --priority 2
    """
    changed = await did_destinations.add_destination(
        session.db, number, where, editor(session), priority=priority
    )
    _print_destinations(changed)


@destination.command("remove")
@_number
@_priority
@with_database
async def remove(session: Session, number: str, priority: int) -> None:
    """Take the destination of a priority away.

    \b
    Example:
      agi-server did destination remove 442079460000 2
    """
    changed = await did_destinations.remove_destination(
        session.db, number, priority, editor(session)
    )
    _print_destinations(changed)


@destination.command("enable")
@_number
@_priority
@with_database
async def enable(session: Session, number: str, priority: int) -> None:
    """Have a destination ring again.

    \b
    Example:
      agi-server did destination enable 442079460000 2
    """
    changed = await did_destinations.switch_destination(
        session.db, number, priority, True, editor(session)
    )
    _print_destinations(changed)


@destination.command("disable")
@_number
@_priority
@with_database
async def disable(session: Session, number: str, priority: int) -> None:
    """Pass a destination over.

    \b
    Example:
      agi-server did destination disable 442079460000 2
    """
    changed = await did_destinations.switch_destination(
        session.db, number, priority, False, editor(session)
    )
    _print_destinations(changed)


@destination.command("list")
@_number
@json_option
@with_database
async def list_(session: Session, number: str, as_json: bool) -> None:
    """List where a DID rings.

    \b
    Example:
      agi-server did destination list 442079460000
    """
    found = await dids.find_did(session.db, number)
    print_list(destinations_shown(found), as_json=as_json, nothing="no destinations")


def destinations_shown(did: Did) -> list[dict[str, object]]:
    """As tables and JSON have them."""
    return [
        {"priority": each.priority, "destination": each.target, "active": each.active}
        for each in did.destinations
    ]


def _print_destinations(changed: Did) -> None:
    print_list(destinations_shown(changed), as_json=False, nothing="no destinations")
