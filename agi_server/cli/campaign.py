"""`agi-server campaign`: customers that are acted on together."""

from collections.abc import AsyncIterator

import click

from agi_server.accounts import campaigns
from agi_server.cli.backends import Group, Session, backend_options, with_database
from agi_server.cli.business_history import history_of
from agi_server.cli.output import money, print_list
from agi_server.cli.parameters import MONEY, editor, json_option
from agi_server.cli.progress import progress_bar


@click.group(cls=Group)
@backend_options
def campaign() -> None:
    """Campaigns: customers that are refilled or moved to another plan together.

    \b
    Example:
      agi-server campaign create spring
      agi-server campaign refill spring 2.50 --reference spring-gift
    """


@campaign.command()
@click.argument("name")
@click.option("--description", default="", help="What it is for.")
@with_database
async def create(session: Session, name: str, description: str) -> None:
    """Create a campaign.

    \b
    Example:
      agi-server campaign create spring --description 'new customers of March'
    """
    await campaigns.create_campaign(session.db, name, description, editor(session))
    click.echo(f"{name} created")


@campaign.command("list")
@json_option
@with_database
async def list_(session: Session, as_json: bool) -> None:
    """List the campaigns and how many customers each has.

    \b
    Example:
      agi-server campaign list --json
    """
    shown = [
        {"name": each.name, "description": each.description, "customers": each.accounts}
        for each in await campaigns.list_campaigns(session.db)
    ]
    print_list(shown, as_json=as_json, nothing="no campaigns")


@campaign.command()
@click.argument("name")
@with_database
async def delete(session: Session, name: str) -> None:
    """Delete a campaign that no customer is in; deleted ones leave it.

    \b
    Example:
      agi-server campaign delete spring
    """
    await campaigns.delete_campaign(session.db, name, editor(session))
    click.echo(f"{name} deleted")


@campaign.command()
@click.argument("name")
@click.argument("amount", type=MONEY)
@click.option(
    "--reference",
    metavar="ID",
    required=True,
    help="Each customer is credited once for it, however often it is done.",
)
@click.option("--note", default="", help="Kept in the ledger.")
@with_database
async def refill(session: Session, name: str, amount: int, reference: str, note: str) -> None:
    """Credit every customer of a campaign that is not cancelled, each by one ledger entry.

    What broke off is completed by doing it again with the same reference.

    \b
    Example:
      agi-server campaign refill spring 2.50 --reference spring-gift
    """
    if amount <= 0:
        raise click.BadParameter("must be greater than 0", param_hint="AMOUNT")
    found = await campaigns.find_campaign(session.db, name)
    credited, before = await _count(
        campaigns.refill_campaign(
            session.db, name, amount, editor(session), reference=reference, note=note
        ),
        found.accounts,
    )
    click.echo(f"{credited} refilled with {money(amount)}, {before} had it already")


@campaign.command()
@click.argument("name")
@click.argument("plan")
@with_database
async def plan(session: Session, name: str, plan: str) -> None:
    """Give every customer of a campaign that is not cancelled a call plan.

    \b
    Example:
      agi-server campaign plan spring standard
    """
    found = await campaigns.find_campaign(session.db, name)
    moved, before = await _count(
        campaigns.move_campaign_to_plan(session.db, name, plan, editor(session)), found.accounts
    )
    click.echo(f"{moved} moved to {plan}, {before} had it already")


campaign.add_command(history_of("campaign", "spring"))


async def _count(done: AsyncIterator[bool], total: int) -> tuple[int, int]:
    """How often it was done and how often it was so already, with a bar beside the output."""
    counts = [0, 0]
    with progress_bar("customers", total) as reached:
        async for each in done:
            counts[0 if each else 1] += 1
            reached(sum(counts))
    return counts[0], counts[1]
