"""`agi-server rates price`: prices and limits of given terms, without any database."""

from typing import TextIO

import click

from agi_server.cli.faults import REFUSED
from rating.a2billing import price_lines


@click.command("price")
@click.argument("file", type=click.File(encoding="utf-8", errors="surrogateescape"), default="-")
@click.option("--format", "terms", type=click.Choice(["a2billing"]), default="a2billing")
@click.pass_context
def price(context: click.Context, file: TextIO, terms: str) -> None:
    """Price JSON lines of A2Billing's rate fields, one call or credit a line.

    FILE is standard input unless given. In: the fields of a rate with `duration`, or with `credit`
    for the limit; money as decimal strings per minute, times in whole seconds. Out: a JSON line
    with id, cost, buy_cost, billed_seconds and max_seconds; null is what was not asked for. Exit
    code 1 when a line could not be read.

    \b
    Example:
      echo '{"id": 1, "rateinitial": "0.6", "initblock": 60, "duration": 61}' |
        agi-server rates price --format a2billing
    """
    unreadable = False
    for line in price_lines(file):
        unreadable = unreadable or '"error":' in line
        click.echo(line)
    if unreadable:
        context.exit(REFUSED)
