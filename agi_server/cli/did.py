"""`agi-server did`: numbers on which customers are called, and where these calls ring."""

from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

import click

from agi_server.accounts import dids
from agi_server.accounts.did_import import import_dids, read_did_file
from agi_server.accounts.dids import Did
from agi_server.accounts.new_dids import NewDid, add_did
from agi_server.cli.backends import Group, Session, backend_options, with_database
from agi_server.cli.csv_file import refused_lines, text_of_csv
from agi_server.cli.did_destination import destination, destinations_shown
from agi_server.cli.output import print_list, print_one, time
from agi_server.cli.parameters import (
    TIME,
    account_argument,
    editor,
    json_option,
    limit_option,
    named_account,
)
from agi_server.cli.progress import progress_bar
from agi_server.observe.masking import mask_account_number

_number = click.argument("number")
_dates = (
    click.option("--valid-from", type=TIME, help="No calls before."),
    click.option("--valid-until", type=TIME, help="No calls after."),
)
_group = click.option("--group", metavar="NAME", help="Its DID group.")
_plan = click.option(
    "--plan", metavar="NAME", help="The call plan that prices its calls to the owner."
)
_COLUMNS = ("number", "state", "account_id", "account_number", "group", "plan", "destinations")


@click.group(cls=Group)
@backend_options
def did() -> None:
    """DIDs: numbers on which customers are called.

    An inbound call (route `did`) rings at the destinations of the DID, one after the other, and is
    its owner's. A number that no carrier sends is reached on-net, as an internal number.

    \b
    Example:
      agi-server did add 442079460000
      agi-server did assign 442079460000 1000000001
      agi-server did destination add 442079460000 sip
    """


@did.command()
@_number
@click.option("--customer", metavar="ACCOUNT", help="Whose it is.")
@_group
@_plan
@_dates[0]
@_dates[1]
@click.option(
    "--destination",
    "destinations",
    metavar="WHERE",
    multiple=True,
    help="Where it rings: sip, iax (the customer's phone) or a number; again for the next one.",
)
@json_option
@with_database
async def add(
    session: Session, number: str, customer: str | None, as_json: bool, **fields: Any
) -> None:
    """Add a DID, perhaps a customer's at once.

    \b
    Example:
      agi-server did add +442079460000 --customer 1000000001 --destination sip
    """
    owner = None if customer is None else (await named_account(session.db, customer)).id
    new = NewDid(number=number, account_id=owner, **fields)
    async with session.db.acquire() as db, db.transaction():
        added = await add_did(db, new, editor(session))
    _print(added, session.now, as_json)


@did.command("import")
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@with_database
async def import_(session: Session, file: Path) -> None:
    """Add the DIDs of a CSV file: all of them or, when one cannot be added, none.

    Its columns: number, customer, group, plan, valid_from, valid_until, destinations (with blanks
    between them); only the first is required.

    \b
    Example:
      agi-server did import dids.csv
    """
    with refused_lines(file, "nothing was added"):
        read = read_did_file(text_of_csv(file, "FILE"))
        with progress_bar("DIDs", len(read.lines)) as reached:
            added = await import_dids(session.db, read, editor(session), reached)
    click.echo(f"{added} DIDs added")


@did.command()
@_number
@account_argument
@with_database
async def assign(session: Session, number: str, account: str) -> None:
    """Give a DID that is nobody's to a customer.

    \b
    Example:
      agi-server did assign 442079460000 1000000001
    """
    owner = await named_account(session.db, account)
    assigned = await dids.assign_did(session.db, number, owner.id, editor(session))
    click.echo(f"{assigned.number} assigned")


@did.command()
@_number
@with_database
async def release(session: Session, number: str) -> None:
    """Take a DID, with its destinations, away from its customer.

    \b
    Example:
      agi-server did release 442079460000
    """
    released = await dids.release_did(session.db, number, editor(session))
    click.echo(f"{released.number} released")


@did.command()
@_number
@_group
@_plan
@_dates[0]
@_dates[1]
@click.option("--on/--off", "active", default=None, help="Take its calls, or refuse them.")
@click.option(
    "--clear",
    multiple=True,
    type=click.Choice(["group", "plan", "valid_from", "valid_until"]),
    help="Empty this field; may be given several times.",
)
@json_option
@with_database
async def update(
    session: Session, number: str, clear: tuple[str, ...], as_json: bool, **fields: Any
) -> None:
    """Change what is given, leave the rest.

    \b
    Example:
      agi-server did update 442079460000 --plan inbound --clear valid_until
    """
    given = {name: value for name, value in fields.items() if value is not None}
    if both := given.keys() & set(clear):
        raise click.UsageError(f"{min(both)}: given and cleared")
    values = given | dict.fromkeys(clear)
    updated = await dids.update_did(session.db, number, values, editor(session))
    _print(updated, session.now, as_json)


@did.command()
@_number
@json_option
@with_database
async def show(session: Session, number: str, as_json: bool) -> None:
    """Show a DID.

    \b
    Example:
      agi-server did show 442079460000
    """
    found = await dids.find_did(session.db, number)
    _print(found, session.now, as_json)


@did.command("list")
@click.option("--customer", metavar="ACCOUNT", help="Those of this customer.")
@click.option("--group", metavar="NAME", help="Those of this DID group.")
@click.option("--unassigned", is_flag=True, help="Only those that are nobody's.")
@click.option("--search", metavar="DIGITS", help="Those that begin so.")
@limit_option(1000)
@json_option
@with_database
async def list_(
    session: Session,
    customer: str | None,
    group: str | None,
    unassigned: bool,
    search: str | None,
    limit: int,
    as_json: bool,
) -> None:
    """List DIDs by number.

    \b
    Example:
      agi-server did list --unassigned --search 4420
    """
    account_id = None if customer is None else (await named_account(session.db, customer)).id
    digits = None if search is None else search.removeprefix("+")
    if digits is not None and not (digits.isascii() and digits.isdigit()):
        raise click.BadParameter("must be digits", param_hint="--search")
    found = await dids.list_dids(
        session.db,
        account_id=account_id,
        group=group,
        unassigned=unassigned,
        digits=digits,
        limit=limit,
    )
    shown = [_fields(each, session.now) for each in found]
    print_list(
        shown if as_json else [each | {"destinations": _in_words(each)} for each in shown],
        as_json=as_json,
        nothing="no DIDs",
        columns=_COLUMNS,
    )


@did.command()
@_number
@limit_option(100)
@json_option
@with_database
async def history(session: Session, number: str, limit: int, as_json: bool) -> None:
    """Show what was changed of a DID, newest first.

    \b
    Example:
      agi-server did history 442079460000
    """
    shown = [
        {
            "changed_at": time(each.changed_at),
            "changed_by": each.changed_by,
            "field": each.field,
            "old": each.old,
            "new": each.new,
        }
        for each in await dids.list_did_changes(session.db, number, limit)
    ]
    print_list(shown, as_json=as_json, nothing="no changes")


@did.command()
@_number
@with_database
async def delete(session: Session, number: str) -> None:
    """Delete a DID that is nobody's.

    \b
    Example:
      agi-server did delete 442079460000
    """
    await dids.delete_did(session.db, number, editor(session))
    click.echo(f"{dids.did_number(number)} deleted")


did.add_command(destination)


def _print(did: Did, now: datetime, as_json: bool) -> None:
    fields = _fields(did, now)
    print_one(fields if as_json else fields | {"destinations": _in_words(fields)}, as_json=as_json)


def _in_words(fields: Mapping[str, Any]) -> str:
    return ", ".join(
        each["destination"] if each["active"] else f"{each['destination']} (off)"
        for each in fields["destinations"]
    )


def _fields(found: Did, now: datetime) -> dict[str, Any]:
    return {
        "number": found.number,
        "state": found.state(now),
        "account_id": found.account_id,
        "account_number": found.account_number and mask_account_number(found.account_number),
        "group": found.group,
        "plan": found.plan,
        "active": found.active,
        "valid_from": time(found.valid_from),
        "valid_until": time(found.valid_until),
        "created_at": time(found.created_at),
        "destinations": destinations_shown(found),
    }
