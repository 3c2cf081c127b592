"""`agi-server series`: serials for cards, given one after the other."""

import click

from agi_server.accounts import series as all_series
from agi_server.accounts.series import Series
from agi_server.cli.backends import Group, Session, backend_options, with_database
from agi_server.cli.business_history import history_of
from agi_server.cli.output import print_list, print_one
from agi_server.cli.parameters import editor, json_option


@click.group(cls=Group)
@backend_options
def series() -> None:
    """Series of serials: a customer created in one gets its next number.

    \b
    Example:
      agi-server series create cards-2026
    """


@series.command()
@click.argument("name")
@click.option("--digits", type=int, default=7, show_default=True, help="Filled up with zeros.")
@click.option("--first", type=int, default=1, show_default=True, help="The first serial.")
@json_option
@with_database
async def create(session: Session, name: str, digits: int, first: int, as_json: bool) -> None:
    """Create a series.

    \b
    Example:
      agi-server series create cards-2026 --first 5000
    """
    created = await all_series.create_series(
        session.db, name, digits=digits, first=first, editor=editor(session)
    )
    print_one(_fields(created), as_json=as_json)


@series.command("list")
@json_option
@with_database
async def list_(session: Session, as_json: bool) -> None:
    """List the series, their next serials and how many customers each has.

    \b
    Example:
      agi-server series list --json
    """
    shown = [_fields(each) for each in await all_series.list_series(session.db)]
    print_list(shown, as_json=as_json, nothing="no series")


@series.command()
@click.argument("name")
@with_database
async def delete(session: Session, name: str) -> None:
    """Delete a series of which no customer has a serial; deleted ones keep theirs without it.

    \b
    Example:
      agi-server series delete cards-2026
    """
    await all_series.delete_series(session.db, name, editor(session))
    click.echo(f"{name} deleted")


series.add_command(history_of("series", "cards-2026"))


def _fields(found: Series) -> dict[str, object]:
    return {
        "name": found.name,
        "next_serial": str(found.next_serial).zfill(found.digits),
        "digits": found.digits,
        "customers": found.accounts,
    }
