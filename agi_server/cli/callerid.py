"""`agi-server callerid`: numbers from which a call needs no account number."""

import click

from agi_server.accounts import callerids
from agi_server.cli.backends import Group, Session, backend_options, with_database
from agi_server.cli.output import print_list
from agi_server.cli.parameters import account_argument, editor, json_option, named_account
from agi_server.observe.masking import mask_account_number


@click.group(cls=Group)
@backend_options
def callerid() -> None:
    """CallerIDs of customers: a call from one of them needs no account number.

    \b
    Example:
      agi-server callerid add 1000000001 442079460000
    """


@callerid.command()
@account_argument
@click.argument("number")
@with_database
async def add(session: Session, account: str, number: str) -> None:
    """Give a customer a CallerID; it may belong to one customer only.

    \b
    Example:
      agi-server callerid add 1000000001 +442079460000
    """
    found = await named_account(session.db, account)
    stored = await callerids.add_callerid(
        session.db,
        found.id,
        number,
        editor(session),
        max_callerids=session.settings.accounts.max_callerids,
    )
    click.echo(f"{stored} added")


@callerid.command()
@click.argument("number")
@with_database
async def remove(session: Session, number: str) -> None:
    """Take a CallerID away from its customer.

    \b
    Example:
      agi-server callerid remove 442079460000
    """
    await callerids.remove_callerid(session.db, number, editor(session))
    click.echo(f"{number} removed")


@callerid.command()
@click.argument("number")
@with_database
async def enable(session: Session, number: str) -> None:
    """Switch a CallerID on again.

    \b
    Example:
      agi-server callerid enable 442079460000
    """
    await callerids.switch_callerid(session.db, number, True, editor(session))
    click.echo(f"{number} enabled")


@callerid.command()
@click.argument("number")
@with_database
async def disable(session: Session, number: str) -> None:
    """Switch a CallerID off: it identifies nobody, and nobody else may have it.

    \b
    Example:
      agi-server callerid disable 442079460000
    """
    await callerids.switch_callerid(session.db, number, False, editor(session))
    click.echo(f"{number} disabled")


@callerid.command("list")
@click.argument("account", metavar="[ACCOUNT]", required=False)
@json_option
@with_database
async def list_(session: Session, account: str | None, as_json: bool) -> None:
    """List the CallerIDs of a customer, or of all.

    \b
    Example:
      agi-server callerid list 1000000001
    """
    account_id = None if account is None else (await named_account(session.db, account)).id
    shown = [
        {
            "number": each.number,
            "active": each.active,
            "account_id": each.account_id,
            "account_number": mask_account_number(each.account_number),
        }
        for each in await callerids.list_callerids(session.db, account_id)
    ]
    print_list(shown, as_json=as_json, nothing="no CallerIDs")
