"""`agi-server trunk`: the ways out."""

from collections.abc import Callable
from typing import Any

import click

from agi_server.cli.backends import Group, Session, backend_options, with_database
from agi_server.cli.business_history import history_of
from agi_server.cli.output import print_json, print_list
from agi_server.cli.parameters import editor, json_option
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


def _dial_option(*, required: bool) -> Callable[..., Any]:
    return click.option(
        "--dial",
        required=required,
        metavar="TEMPLATE",
        help="What Asterisk dials; {number}, {prefix} and {account_id} are filled in.",
    )


_strip_option = click.option(
    "--strip", metavar="DIGITS", help="Taken off a number that begins so, e.g. 44."
)
_add_prefix_option = click.option(
    "--add-prefix",
    metavar="DIGITS",
    help="Put before every number, whether anything was taken off or not; may begin with +.",
)
_capacity_option = click.option(
    "--capacity", type=click.IntRange(0), help="Calls it carries at a time; 0 is without limit."
)


@trunk.command()
@click.argument("name")
@_dial_option(required=True)
@_strip_option
@_add_prefix_option
@_capacity_option
@json_option
@with_database
async def create(
    session: Session,
    name: str,
    dial: str,
    strip: str | None,
    add_prefix: str | None,
    capacity: int | None,
    as_json: bool,
) -> None:
    """Create a trunk.

    First --strip, then --add-prefix, each for itself: with both of the second example 442079460000
    is sent as 02079460000, and 33123456789 as 033123456789. Give such a trunk to cards of numbers
    in 44 only.

    \b
    Example:
      agi-server trunk create gw --dial 'PJSIP/{number}@gw'
      agi-server trunk create uk --dial 'PJSIP/{number}@uk' --strip 44 --add-prefix 0 --capacity 30
    """
    created = await trunks.create_trunk(
        session.db,
        name,
        dial,
        strip=strip or "",
        add_prefix=add_prefix or "",
        capacity=capacity or 0,
        editor=editor(session),
    )
    _tell(created, f"trunk {name} created", as_json)


@trunk.command()
@click.argument("name")
@_dial_option(required=False)
@_strip_option
@_add_prefix_option
@_capacity_option
@json_option
@with_database
async def update(
    session: Session,
    name: str,
    dial: str | None,
    strip: str | None,
    add_prefix: str | None,
    capacity: int | None,
    as_json: bool,
) -> None:
    """Change a trunk; new calls go by it at once.

    \b
    Example:
      agi-server trunk update gw --capacity 60
    """
    changed = await trunks.change_trunk(
        session.db,
        name,
        dial=dial,
        strip=strip,
        add_prefix=add_prefix,
        capacity=capacity,
        editor=editor(session),
    )
    _tell(changed, f"trunk {name} changed", as_json)


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
    switched = await trunks.switch_trunk(session.db, name, True, editor(session))
    _tell(switched, f"trunk {name} enabled", as_json)


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
    switched = await trunks.switch_trunk(session.db, name, False, editor(session))
    _tell(switched, f"trunk {name} disabled", as_json)


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


trunk.add_command(history_of("trunk", "gw"))


def _tell(found: StoredTrunk, what: str, as_json: bool) -> None:
    if as_json:
        print_json(_fields(found))
    else:
        click.echo(what)


def _fields(found: StoredTrunk) -> dict[str, object]:
    return {
        "name": found.name,
        "dial": found.dial,
        "enabled": found.enabled,
        "strip": found.strip,
        "add_prefix": found.add_prefix,
        "capacity": found.capacity,
    }
