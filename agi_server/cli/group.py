"""`agi-server group`: what a group of customers may do."""

import click

from agi_server.accounts import groups
from agi_server.accounts.account import Restriction
from agi_server.accounts.groups import Group as CustomerGroup
from agi_server.cli.backends import Group, Session, backend_options, with_database
from agi_server.cli.output import print_list, print_one, word
from agi_server.cli.parameters import json_option, restriction_option


@click.group(cls=Group)
@backend_options
def group() -> None:
    """Groups of customers, and what they may do.

    \b
    Example:
      agi-server group create offices --restriction whitelist --restricted-number '44*'
    """


@group.command()
@click.argument("name")
@click.option(
    "--may-call/--may-not-call", default=True, show_default=True, help="Make calls at all."
)
@restriction_option
@click.option(
    "--restricted-number", "restricted_numbers", multiple=True, metavar="RULE", help="Repeatable."
)
@json_option
@with_database
async def create(
    session: Session,
    name: str,
    may_call: bool,
    restriction: str | None,
    restricted_numbers: tuple[str, ...],
    as_json: bool,
) -> None:
    """Create a group; its restriction is checked before the customer's own.

    \b
    Example:
      agi-server group create sleeping --may-not-call
    """
    created = await groups.create_group(
        session.db,
        name,
        may_call=may_call,
        restriction=Restriction[(restriction or "none").upper()],
        restricted_numbers=restricted_numbers,
    )
    print_one(_fields(created), as_json=as_json)


@group.command("list")
@json_option
@with_database
async def list_(session: Session, as_json: bool) -> None:
    """List the groups and how many customers each has.

    \b
    Example:
      agi-server group list --json
    """
    shown = [_fields(each) for each in await groups.list_groups(session.db)]
    print_list(shown, as_json=as_json, nothing="no groups")


def _fields(found: CustomerGroup) -> dict[str, object]:
    return {
        "name": found.name,
        "may_call": found.may_call,
        "restriction": word(found.restriction),
        "restricted_numbers": list(found.restricted_numbers),
        "customers": found.accounts,
    }
