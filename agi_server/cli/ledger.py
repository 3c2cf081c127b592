"""`agi-server ledger`: the proof that the books balance, and the entries."""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

import click

from agi_server.cli.backends import Group, Session, backend_options, with_database
from agi_server.cli.faults import REFUSED
from agi_server.cli.output import amount, moment, money, print_list, time
from agi_server.cli.parameters import json_option, limit_option, named_account
from agi_server.ledger.verify import verify as find_mismatches
from agi_server.storage.postgres.statements import statement


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
    """Recompute all figures from what they are made of; exit code 1 on any difference.

    Balance, hold and calls in progress of every account, the charge of every call, and the running
    balance of every entry. Changes nothing and may run while calls are settled.

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
    entries = await session.db.fetch(statement("ledger/entries"), account_id, limit)
    shown = [_fields(entry) if as_json else _row(entry) for entry in entries]
    print_list(shown, as_json=as_json, nothing="no entries")


@ledger.command()
@click.argument("account", metavar="[ACCOUNT]", required=False)
@json_option
@with_database
async def totals(session: Session, account: str | None, as_json: bool) -> None:
    """Show what went from and to each side of the ledger, of an account or of all.

    customer: the accounts themselves. revenue: charges of calls. overrun: what calls that Asterisk
    ended late cost beyond the customer's funds. refills: credit given and not yet paid; payments:
    money received. corrections: given and taken by hand.

    \b
    Example:
      agi-server ledger totals
    """
    account_id = None if account is None else (await named_account(session.db, account)).id
    shown = [
        {
            "account": row["account"],
            "currency": row["currency"],
            "from": money(int(row["debit_micros"])),
            "to": money(int(row["credit_micros"])),
            "balance": money(int(row["credit_micros"] - row["debit_micros"])),
        }
        for row in await session.db.fetch(statement("ledger/totals"), account_id)
    ]
    print_list(shown, as_json=as_json, nothing="no entries")


def _row(entry: Mapping[str, Any]) -> dict[str, Any]:
    """The movement id is long, and for machines."""
    return {
        "at (UTC)": moment(entry["created_at"]),
        "account": entry["account_id"],
        "kind": entry["kind"],
        "from": entry["debit"],
        "to": entry["credit"],
        "amount": amount(entry["amount_micros"], entry["currency"]),
        "balance": money(entry["balance_micros"]),
        "by": entry["created_by"],
        "note": entry["note"],
    }


def _fields(entry: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "created_at": time(entry["created_at"]),
        "account_id": entry["account_id"],
        "kind": entry["kind"],
        "debit": entry["debit"],
        "credit": entry["credit"],
        "amount": money(entry["amount_micros"]),
        "currency": entry["currency"],
        "balance": money(entry["balance_micros"]),
        "movement_id": entry["movement_id"],
        "created_by": entry["created_by"],
        "note": entry["note"],
    }
