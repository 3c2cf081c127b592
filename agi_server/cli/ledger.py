"""`agi-server ledger`: the proof that the books balance, and the entries."""

from dataclasses import asdict

import click

from agi_server.cli.backends import Group, Session, backend_options, with_database
from agi_server.cli.faults import REFUSED
from agi_server.cli.output import money, print_list, time
from agi_server.cli.parameters import json_option, limit_option, named_account
from agi_server.ledger.verify import verify as find_mismatches
from agi_server.storage.postgres.statements import statement

# The movement id is long, and for machines.
_SHOWN = (
    "created_at",
    "account_id",
    "kind",
    "debit",
    "credit",
    "amount",
    "currency",
    "balance",
    "created_by",
    "note",
)


@click.group(cls=Group)
@backend_options
def ledger() -> None:
    """The ledger: append-only entries, and balances that must be their sum.

    \b
    Example:
      agi-server ledger verify
    """


@ledger.command()
@json_option
@with_database
async def verify(session: Session, as_json: bool) -> int:
    """Recompute every balance, hold and charge from its entries; exit code 1 on any difference.

    Changes nothing and may run while calls are settled.

    \b
    Example:
      agi-server ledger verify
    """
    async with session.db.acquire() as db:
        mismatches = await find_mismatches(db)
    if mismatches or as_json:
        print_list([asdict(each) for each in mismatches], as_json=as_json)
    else:
        click.echo("the books balance")
    return REFUSED if mismatches else 0


@ledger.command()
@click.argument("account", metavar="[ACCOUNT]", required=False)
@limit_option(50)
@json_option
@with_database
async def show(session: Session, account: str | None, limit: int, as_json: bool) -> None:
    """Show the newest entries of an account, or of all.

    \b
    Example:
      agi-server ledger show 1000000001 --limit 10
    """
    account_id = None if account is None else (await named_account(session.db, account)).id
    shown = [
        {
            "created_at": time(row["created_at"]),
            "account_id": row["account_id"],
            "kind": row["kind"],
            "debit": row["debit"],
            "credit": row["credit"],
            "amount": money(row["amount_micros"]),
            "currency": row["currency"],
            "balance": money(row["balance_micros"]),
            "movement_id": row["movement_id"],
            "created_by": row["created_by"],
            "note": row["note"],
        }
        for row in await session.db.fetch(statement("ledger/entries"), account_id, limit)
    ]
    print_list(shown, as_json=as_json, nothing="no entries", columns=_SHOWN)
