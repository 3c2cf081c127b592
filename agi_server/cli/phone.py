"""`agi-server phone`: SIP and IAX users of customers, which Asterisk reads from the database."""

from collections.abc import Iterable
from typing import Any

import click

from agi_server.accounts.account import Account
from agi_server.accounts.changes import locked_account
from agi_server.accounts.phones import (
    Credentials,
    PhoneOwner,
    Technology,
    create_phone,
    export_iax,
    export_pjsip,
    list_phones,
    remove_phones,
    renew_secret,
)
from agi_server.cli.backends import Group, Session, backend_options, with_database
from agi_server.cli.output import print_list, print_one, time
from agi_server.cli.parameters import account_argument, json_option, named_account
from agi_server.refused import NotFoundError

_technology = click.option(
    "--technology",
    type=click.Choice([each.value for each in Technology]),
    default=Technology.SIP.value,
    show_default=True,
)


@click.group(cls=Group)
@backend_options
def phone() -> None:
    """SIP and IAX users of customers.

    Asterisk reads them from the database while it runs (docs/operations.md says how to set it up),
    so a new phone registers at once, without a reload.

    \b
    Example:
      agi-server phone create 1000000001
    """


@phone.command()
@account_argument
@_technology
@json_option
@with_database
async def create(session: Session, account: str, technology: str, as_json: bool) -> None:
    """Draw user name and secret for a customer's phone; the secret is shown only now.

    \b
    Example:
      agi-server phone create 1000000001
    """
    found = await named_account(session.db, account)
    async with session.db.acquire() as db, db.transaction():
        credentials = await create_phone(
            db,
            PhoneOwner.of(await locked_account(db, found.id)),
            Technology(technology),
            session.settings.phones,
            at=session.now,
        )
    _print(found, credentials, as_json)


@phone.command()
@account_argument
@_technology
@json_option
@with_database
async def secret(session: Session, account: str, technology: str, as_json: bool) -> None:
    """Draw another secret; what was registered with the old one no longer is.

    \b
    Example:
      agi-server phone secret 1000000001
    """
    found = await named_account(session.db, account)
    async with session.db.acquire() as db, db.transaction():
        await locked_account(db, found.id)
        credentials = await renew_secret(
            db, found.id, Technology(technology), session.settings.phones
        )
    _print(found, credentials, as_json)


@phone.command()
@account_argument
@_technology
@with_database
async def remove(session: Session, account: str, technology: str) -> None:
    """Take a phone away: it can register and call no more.

    \b
    Example:
      agi-server phone remove 1000000001 --technology iax
    """
    found = await named_account(session.db, account)
    names = await remove_phones(session.db, found.id, Technology(technology))
    if not names:
        raise NotFoundError(f"the customer has no {technology.upper()} phone")
    click.echo(f"removed {names[0]}")


@phone.command("list")
@click.option("--customer", metavar="ACCOUNT", help="Phones of this customer.")
@json_option
@with_database
async def list_(session: Session, customer: str | None, as_json: bool) -> None:
    """List phones, and whether they are registered.

    \b
    Example:
      agi-server phone list
    """
    account_id = None if customer is None else (await named_account(session.db, customer)).id
    shown = [
        {
            "account_id": each.account_id,
            "technology": each.technology.value,
            "user_name": each.user_name,
            "registered": each.registered,
            "created_at": time(each.created_at),
        }
        for each in await list_phones(session.db, account_id)
    ]
    print_list(shown, as_json=as_json, nothing="no phones")


@phone.command()
@_technology
@click.option("--customer", metavar="ACCOUNT", help="Only phones of this customer.")
@with_database
async def export(session: Session, technology: str, customer: str | None) -> None:
    """Print phones as a file that pjsip.conf or iax.conf includes, for Asterisk without realtime.

    It holds account numbers and what authenticates phones: keep it as secret as the database.

    \b
    Example:
      agi-server phone export > /etc/asterisk/agi-server/phones.conf
    """
    account_id = None if customer is None else (await named_account(session.db, customer)).id
    written = export_pjsip if Technology(technology) is Technology.SIP else export_iax
    click.echo(await written(session.db, account_id), nl=False)


def shown_once(phones: Iterable[Credentials]) -> dict[str, str]:
    """The credentials of new phones, by column."""
    shown: dict[str, str] = {}
    for each in phones:
        kind = each.technology.value
        shown |= {f"{kind}_user": each.user_name, f"{kind}_secret": each.secret}
        if each.device_token is not None:
            shown[f"{kind}_device_token"] = each.device_token
    return shown


def _print(account: Account, credentials: Credentials, as_json: bool) -> None:
    fields: dict[str, Any] = {
        "account_id": account.id,
        "technology": credentials.technology.value,
        "user_name": credentials.user_name,
        "secret": credentials.secret,
        "device_token": credentials.device_token,
    }
    print_one(fields, as_json=as_json)
    if not as_json:
        click.echo("keep the secret: it is not shown again", err=True)
