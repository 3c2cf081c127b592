"""`agi-server plan`: what accounts are sold."""

import click

from agi_server.cli.backends import Group, Session, backend_options, with_database
from agi_server.cli.output import print_json, print_list
from agi_server.cli.parameters import json_option
from agi_server.tariffs import plans
from agi_server.tariffs.plans import StoredPlan


@click.group(cls=Group)
@backend_options
def plan() -> None:
    """Call plans: ordered rate cards that price a customer's calls.

    \b
    Example:
      agi-server plan create standard --card retail
    """


@plan.command()
@click.argument("name")
@click.option(
    "--card",
    "cards",
    multiple=True,
    required=True,
    metavar="NAME",
    help="Repeatable: the first card that prices a number counts.",
)
@json_option
@with_database
async def create(session: Session, name: str, cards: tuple[str, ...], as_json: bool) -> None:
    """Create a call plan.

    \b
    Example:
      agi-server plan create standard --card mobile --card retail
    """
    created = await plans.create_plan(session.db, name, cards)
    if as_json:
        print_json(_fields(created))
    else:
        click.echo(f"call plan {name} created")


@plan.command("list")
@json_option
@with_database
async def list_(session: Session, as_json: bool) -> None:
    """List the call plans, their cards in order and how many customers have them.

    \b
    Example:
      agi-server plan list --json
    """
    shown = [_fields(each) for each in await plans.list_plans(session.db)]
    print_list(shown, as_json=as_json, nothing="no call plans")


def _fields(found: StoredPlan) -> dict[str, object]:
    return {"name": found.name, "cards": list(found.cards), "customers": found.accounts}
