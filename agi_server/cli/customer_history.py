"""`agi-server customer history`, `note`, `delete`, `erase`: what is known of a customer's past, and
its end."""

from typing import Any

import click

from agi_server.accounts import audit, notes
from agi_server.accounts.ending import delete_account, erase_person
from agi_server.cli.backends import Command, Session, with_database
from agi_server.cli.output import money, print_list, time
from agi_server.cli.parameters import (
    account_argument,
    editor,
    json_option,
    limit_option,
    named_account,
    operator,
    reason_option,
)


@click.command(cls=Command)
@account_argument
@click.option("--field", metavar="FIELD", help="Changes of one field only, e.g. status.")
@limit_option(100)
@json_option
@with_database
async def history(
    session: Session, account: str, field: str | None, limit: int, as_json: bool
) -> None:
    """Show the notes on a customer and every change of the account, newest first.

    \b
    Example:
      agi-server customer history 1000000001
      agi-server customer history id:12 --field status --json
    """
    found = await named_account(session.db, account)
    changes = await audit.list_changes(session.db, found.id, field=field, limit=limit)
    lines: list[tuple[Any, ...]] = [
        (each.changed_at, each.changed_by, each.field, each.old, each.new, each.reason, None)
        for each in changes
    ]
    if field is None:
        written = await notes.list_notes(session.db, found.id, limit=limit)
        nothing = (None,) * 4
        lines += [(each.written_at, each.author, *nothing, each.note) for each in written]
    lines.sort(key=lambda line: line[0], reverse=True)
    names = ("by", "field", "old", "new", "reason", "note")
    shown = [{"at": time(at), **dict(zip(names, rest, strict=True))} for at, *rest in lines[:limit]]
    print_list(shown, as_json=as_json, nothing="no notes and no changes")


@click.command(cls=Command)
@account_argument
@click.argument("text")
@with_database
async def note(session: Session, account: str, text: str) -> None:
    """Add a note to the customer's history, with its date and author.

    \b
    Example:
      agi-server customer note 1000000001 'asked for a discount'
    """
    found = await named_account(session.db, account)
    await notes.add_note(session.db, found.id, text, author=operator(), at=session.now)
    click.echo("noted")


@click.command(cls=Command)
@account_argument
@reason_option
@click.option("--yes", is_flag=True, help="Do not ask.")
@with_database
async def delete(session: Session, account: str, reason: str | None, yes: bool) -> None:
    """Cancel a customer for good: CallerIDs, SIP and IAX configuration and MAC address go.

    Ledger and calls stay, and the number is never given again. Nothing of a deleted customer is
    changed any more, and it gets no credit; calls in progress are still charged, the ledger can
    still be corrected, and the person erased.

    \b
    Example:
      agi-server customer delete 1000000001
      agi-server customer delete 1000000001 --reason 'moved to another carrier'
    """
    by = editor(session, reason)
    found = await named_account(session.db, account)
    if not yes:
        click.confirm(
            f"Delete customer {found.id}, balance {money(found.balance_micros)}?", abort=True
        )
    await delete_account(session.db, found.id, by)
    click.echo("deleted")


@click.command(cls=Command)
@account_argument
@click.option("--yes", is_flag=True, help="Do not ask.")
@with_database
async def erase(session: Session, account: str, yes: bool) -> None:
    """Erase the person: personal fields, what they were before, and notes. The ledger stays.

    \b
    Example:
      agi-server customer erase 1000000001
    """
    found = await named_account(session.db, account)
    if not yes:
        click.confirm(f"Erase the person of customer {found.id} for good?", abort=True)
    await erase_person(session.db, found.id, editor(session))
    click.echo("erased")
