"""`agi-server rates`: rate cards, their versions, and what a number costs."""

from datetime import datetime
from typing import Any

import click

from agi_server.cli.backends import Group, Session, backend_options, with_database
from agi_server.cli.output import print_list, print_one
from agi_server.cli.parameters import MONEY, TIME, json_option, named_account
from agi_server.cli.rate_import import import_, rules_options
from agi_server.cli.rate_price import price
from agi_server.cli.rate_showing import tell_version, version_fields
from agi_server.tariffs import rate_cards
from agi_server.tariffs.rate_cards import CardVersion
from agi_server.tariffs.version_rates import stored_version
from rating.rate_card import OWN_RULES
from rating.sheet_columns import MORE_COLUMNS, PLAIN_HEADER
from rating.sheet_writing import header_line, needed_columns, rate_lines

_MOST_SECONDS = 1_000_000
"""More than any call may last."""


@click.group(cls=Group)
@backend_options
def rates() -> None:
    """Rate cards: named sets of rates, stored as immutable versions.

    \b
    Example:
      agi-server rates import rates.csv --card retail --trunk gw --activate
    """


rates.add_command(import_)
rates.add_command(price)


@rates.command()
@click.option("--card", required=True, metavar="NAME", help="The card.")
@click.option("--version", type=click.IntRange(1), help="Otherwise the one in force.")
@click.option(
    "-o",
    "--output",
    type=click.File("w", encoding="utf-8", lazy=True, atomic=True),
    default="-",
    metavar="FILE",
    help="Otherwise standard output.",
)
@with_database
async def export(session: Session, card: str, version: int | None, output: Any) -> None:
    """Write the rates of a version as a plain sheet, which imports again to the same rates.

    What a sheet cannot say, how the card rounds and counts, is told on stderr as the options of an
    import into another card.

    \b
    Example:
      agi-server rates export --card retail -o retail.csv
    """
    async with stored_version(session.db, card, version, at=session.now) as stored:
        needed: set[str] = set()
        async for part in stored.rates(with_more_terms=True):
            needed.update(needed_columns(part))
        columns = [name for name in (*PLAIN_HEADER, *MORE_COLUMNS) if name in needed]
        output.write(header_line(columns or PLAIN_HEADER))
        async for part in stored.rates():
            output.writelines(rate_lines(part, columns or PLAIN_HEADER))
        rules = stored.rules
    if rules != OWN_RULES:
        click.echo(f"for another card: rates import {' '.join(rules_options(rules))}", err=True)


@rates.command()
@click.argument("card")
@click.option("--version", type=click.IntRange(1), help="Otherwise the newest.")
@click.option("--at", type=TIME, metavar="TIME", help="From then on; otherwise from now. UTC.")
@json_option
@with_database
async def activate(
    session: Session, card: str, version: int | None, at: datetime | None, as_json: bool
) -> None:
    """Price calls with a version of a card from now or a later time on; an older one may come back.

    \b
    Example:
      agi-server rates activate retail --version 3
      agi-server rates activate retail --version 4 --at 2030-01-01T00:00:00Z
    """
    activated = await rate_cards.activate_version(
        session.db, card, version, at=session.now, effective_at=at
    )
    _print_version(activated, as_json)


@rates.command()
@click.argument("card")
@click.option("--version", type=click.IntRange(1), required=True, help="The one to come.")
@json_option
@with_database
async def cancel(session: Session, card: str, version: int, as_json: bool) -> None:
    """Take back that a version comes into force at a later time.

    \b
    Example:
      agi-server rates cancel retail --version 4
    """
    cancelled = await rate_cards.cancel_activation(session.db, card, version, at=session.now)
    _print_version(cancelled, as_json)


@rates.command("list")
@click.argument("card", required=False)
@json_option
@with_database
async def list_(session: Session, card: str | None, as_json: bool) -> None:
    """List the versions of a card, or of all, newest first, and when each is in force.

    \b
    Example:
      agi-server rates list retail
    """
    when = ("active", "in_force_from", "in_force_until")
    columns = ("card", "version", *when, "rates", "currency", "trunks", "file", "imported_at")
    versions = await rate_cards.list_versions(session.db, card, at=session.now)
    shown = [version_fields(each) for each in versions]
    print_list(shown, as_json=as_json, nothing="no rate cards", columns=columns)


@rates.command()
@click.argument("number")
@click.option("--plan", metavar="NAME", help="Needed where there are several.")
@click.option(
    "--customer", metavar="ACCOUNT", help="As for this customer: plan, discount, country."
)
@click.option(
    "--seconds",
    type=click.IntRange(0, _MOST_SECONDS),
    default=60,
    show_default=True,
    help="Talk time to price.",
)
@click.option("--at", type=TIME, metavar="TIME", help="When the call starts; otherwise now. UTC.")
@click.option("--credit", type=MONEY, help="Show for how long it would last.")
@json_option
@with_database
async def quote(
    session: Session,
    number: str,
    plan: str | None,
    customer: str | None,
    seconds: int,
    at: datetime | None,
    credit: int | None,
    as_json: bool,
) -> None:
    """Show what a call would cost, and each step from what was dialled to the price.

    Of a call that would be refused: the steps up to what refuses it, and exit code 1.

    \b
    Example:
      agi-server rates quote 442079460000 --seconds 95 --credit 10
    """
    # Here: it loads all that prices calls, a fifth of the start of a command.
    from agi_server.cli.rate_quote import print_quote

    await print_quote(
        session,
        number,
        plan=plan,
        customer=None if customer is None else await named_account(session.db, customer),
        seconds=seconds,
        at=at or session.now,
        credit_micros=credit,
        as_json=as_json,
    )


def _print_version(version: CardVersion, as_json: bool) -> None:
    if as_json:
        print_one(version_fields(version), as_json=True)
    else:
        tell_version(version)
