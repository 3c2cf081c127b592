"""`agi-server currency`: what other currencies are worth, from which date on."""

from datetime import datetime

import click

from agi_server.cli.backends import Group, Session, backend_options, with_database
from agi_server.cli.output import print_list, time
from agi_server.cli.parameters import TIME, json_option
from agi_server.tariffs.exchange_rates import list_exchange_rates, set_exchange_rate


@click.group(cls=Group)
@backend_options
def currency() -> None:
    """Exchange rates against the business's own currency (setting accounts.currency).

    Rate cards in another currency than the account's are converted with them; a call keeps the rate
    it started with.

    \b
    Example:
      agi-server currency set EUR 0.92
    """


@currency.command("set")
@click.argument("code", metavar="CODE")
@click.argument("rate", metavar="RATE")
@click.option("--from", "effective_from", type=TIME, metavar="TIME", help="Otherwise now. UTC.")
@with_database
async def set_(session: Session, code: str, rate: str, effective_from: datetime | None) -> None:
    """Say that one unit of our currency is worth RATE of CODE, from a date on.

    \b
    Example:
      agi-server currency set EUR 0.92 --from 2026-04-01
    """
    base, begin = session.settings.accounts.currency, effective_from or session.now
    await set_exchange_rate(session.db, base, code, rate, begin)
    click.echo(f"1 {base} is {rate} {code} from {time(begin)} on")


@currency.command("list")
@json_option
@with_database
async def list_(session: Session, as_json: bool) -> None:
    """List the exchange rates, the newest of each currency first.

    \b
    Example:
      agi-server currency list
    """
    shown = [
        {
            "base": each.base,
            "currency": each.currency,
            "rate": f"{each.per_base.normalize():f}",
            "effective_from": time(each.effective_from),
        }
        for each in await list_exchange_rates(session.db)
    ]
    print_list(shown, as_json=as_json, nothing="no exchange rates")
