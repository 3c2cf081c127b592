"""`agi-server customer`: accounts, shown with their full number only to those who know it."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click

from agi_server.accounts import customers, passwords
from agi_server.accounts.account import FIELDS
from agi_server.accounts.changes import update_account, update_with_phones
from agi_server.accounts.codes import AccountStatus
from agi_server.accounts.fields import AccountField, Kind, Settable
from agi_server.accounts.groups import prepare_account
from agi_server.asterisk.link import AsteriskLinks
from agi_server.calls.recover import Recovery
from agi_server.calls.reset import end_over, find_over
from agi_server.calls.sessions import SessionMemory
from agi_server.calls.settle import Settler
from agi_server.cli.account_fields import account_as_shown, field_options, given_texts
from agi_server.cli.backends import Group, Session, backend_options, with_database
from agi_server.cli.customer_bulk import create_from_file
from agi_server.cli.customer_history import delete, erase, history, note
from agi_server.cli.customer_money import correct, pay, refill
from agi_server.cli.output import money, print_list, print_one
from agi_server.cli.package_showing import package_in_words, packages_of
from agi_server.cli.parameters import (
    MONEY,
    account_argument,
    editor,
    json_option,
    limit_option,
    named_account,
    operator,
    reason_option,
    words,
)
from agi_server.cli.phone import shown_once
from agi_server.observe.masking import mask_account_number
from agi_server.storage.redis.slots import open_slots

_LISTED = (
    "id",
    "account_number",
    "status",
    "plan",
    "balance",
    "available",
    "currency",
    "in_use",
    "simultaneous_access",
    "callerids",
)


def _may_be_cleared(field: AccountField) -> bool:
    return field.settable is Settable.ALWAYS and not field.needed and field.kind is not Kind.SECRET


@click.group(cls=Group)
@backend_options
def customer() -> None:
    """Customer accounts.

    ACCOUNT is an account number, or id:N by the id that listings show. The number is a secret:
    who types it calls on its credit. So listings mask it, and only `create`, or `show` of a number
    that you typed yourself, print it in full.

    \b
    Example:
      agi-server customer create --plan standard --refill 10
    """


@customer.command()
@field_options(Settable.ALWAYS, Settable.ON_CREATION, defaults=True)
@click.option("--generate-password", is_flag=True, help="Draw a web password; it is shown once.")
@click.option("--refill", type=MONEY, default=0, help="First credit, e.g. 10 or 12.50.")
@click.option(
    "--from",
    "source",
    metavar="FILE",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="CSV with a customer a line: its header has names of fields, and refill. All are created"
    " or none; other options hold for what a line leaves empty.",
)
@click.option(
    "--result",
    metavar="FILE",
    type=click.Path(path_type=Path),
    help="With --from: new CSV of the numbers, logins and passwords, written before anybody is"
    " created; otherwise printed.",
)
@json_option
@with_database
async def create(
    session: Session,
    generate_password: bool,
    refill: int,
    source: Path | None,
    result: Path | None,
    as_json: bool,
    **fields: Any,
) -> None:
    """Create a customer; prints the account number, which is shown in full only now.

    Fields that are not given are as the group says, else as the help says. '' leaves a field empty
    whatever the group says; an empty cell of a CSV says nothing of its field.

    \b
    Example:
      agi-server customer create --account-number 1000000001 --plan standard --refill 10 \\
        --simultaneous-access 2 --callerid 442079460000
      agi-server customer create --from cards.csv --series cards --generate-password
    """
    texts = given_texts(fields)
    if source is not None:
        if refill:
            texts["refill"] = money(refill)
        await create_from_file(
            session, source, result, texts, generate_passwords=generate_password, as_json=as_json
        )
        return
    if result is not None:
        raise click.UsageError("--result goes with --from")
    password = passwords.generate_password() if generate_password else None
    if password is not None:
        texts["web_password"] = password
    new = await prepare_account(session.db, texts, currency=session.settings.accounts.currency)
    account, made = await customers.create_account(
        session.db,
        new,
        number_length=session.settings.accounts.number_length,
        number_luhn=session.settings.accounts.number_luhn,
        max_callerids=session.settings.accounts.max_callerids,
        refill_micros=refill,
        phones=session.settings.phones,
        created_by=operator(),
        at=session.now,
    )
    shown = account_as_shown(account, account.account_number)
    if password is not None:
        shown["web_password"] = password
    shown |= shown_once(made)
    _print_account(shown, as_json)
    if new.account_number is None and not as_json:
        click.echo("keep the account number: listings mask it", err=True)


@customer.command()
@account_argument
@json_option
@with_database
async def show(session: Session, account: str, as_json: bool) -> None:
    """Show a customer: funds, limits, calls in progress, what is left of its packages.

    ACCOUNT is the account number, or id:N by the id that listings show; the number is masked
    unless you typed it.

    \b
    Example:
      agi-server customer show 1000000001
      agi-server customer show id:12 --json
    """
    found = await named_account(session.db, account)
    shown = (
        account if account == found.account_number else mask_account_number(found.account_number)
    )
    fields = account_as_shown(found, shown)
    left = await packages_of(session, found)
    fields["packages"] = left if as_json else [package_in_words(each) for each in left]
    _print_account(fields, as_json)


@customer.command("list")
@click.option(
    "--search",
    metavar="TEXT",
    default="",
    help="Beginnings of names, company, email, city, web login, phone, CallerID, serial or MAC"
    " address; or an account number.",
)
@click.option("--status", type=words(AccountStatus))
@click.option("--group", metavar="NAME")
@click.option("--plan", metavar="NAME")
@click.option("--campaign", metavar="NAME")
@click.option("--callerid", metavar="NUMBER", help="Customers with a CallerID that begins so.")
@click.option("--after", metavar="ID", type=click.IntRange(min=0), default=0, help="Next page.")
@limit_option(100)
@json_option
@with_database
async def list_(
    session: Session,
    search: str,
    status: str | None,
    after: int,
    limit: int,
    as_json: bool,
    **named: str | None,
) -> None:
    """List customers in the order of their ids, account numbers masked.

    \b
    Example:
      agi-server customer list --search 'dupont paris'
      agi-server customer list --status active --plan standard
      agi-server customer list --after 100
    """
    found = await customers.list_accounts(
        session.db,
        search=search,
        status=None if status is None else AccountStatus[status.upper().replace("-", "_")],
        after_id=after,
        limit=limit,
        **named,
    )
    shown = [account_as_shown(each, mask_account_number(each.account_number)) for each in found]
    print_list(shown, as_json=as_json, nothing="no customers", columns=_LISTED)
    if len(found) == limit:
        click.echo(f"there may be more: --after {found[-1].id}", err=True)


@customer.command()
@account_argument
@field_options(Settable.ALWAYS, defaults=False)
@click.option(
    "--clear",
    multiple=True,
    type=click.Choice([field.name for field in FIELDS if _may_be_cleared(field)]),
    metavar="FIELD",
    help="Leave this field empty; may be repeated.",
)
@reason_option
@json_option
@with_database
async def update(
    session: Session,
    account: str,
    clear: tuple[str, ...],
    reason: str | None,
    as_json: bool,
    **fields: Any,
) -> None:
    """Change fields of a customer: all that are named or, when one is wrong, none.

    Lists are replaced as a whole. Each change is kept with who made it and why (customer history).

    \b
    Example:
      agi-server customer update 1000000001 --email ann@example.com --vat 21
      agi-server customer update id:12 --status suspended --reason 'invoice 12 is unpaid'
      agi-server customer update id:12 --clear campaign
    """
    texts = {**given_texts(fields), **dict.fromkeys(clear)}
    if not texts:
        raise click.UsageError("name at least one field to change")
    by = editor(session, reason)
    found = await named_account(session.db, account)
    _, changes, made = await update_with_phones(
        session.db,
        found.id,
        texts,
        by,
        session.settings.phones,
        max_callerids=session.settings.accounts.max_callerids,
    )
    shown = [{"field": each.field, "old": each.old, "new": each.new} for each in changes]
    print_list(shown, as_json=as_json, nothing="nothing changed: it is so already")
    for name, value in shown_once(made).items():
        click.echo(f"{name.replace('_', ' ')}: {value} (not shown again)", err=True)


@customer.command()
@account_argument
@with_database
async def lock(session: Session, account: str) -> None:
    """Set the customer's own lock: outgoing calls are refused (account_locked).

    \b
    Example:
      agi-server customer lock 1000000001
    """
    await _set_locked(session, account, True)


@customer.command()
@account_argument
@with_database
async def unlock(session: Session, account: str) -> None:
    """Remove the customer's own lock.

    \b
    Example:
      agi-server customer unlock 1000000001
    """
    await _set_locked(session, account, False)


@customer.command("reset-in-use")
@account_argument
@click.option("--yes", is_flag=True, help="Do not ask.")
@with_database
async def reset_in_use(session: Session, account: str, yes: bool) -> None:
    """End an account's calls that are over, and free what they hold.

    Over is what Asterisk no longer has; where it cannot be asked (setting ami), what is older than
    its limit. Calls in progress are left alone. Hardly ever needed: the daemon does the same by
    itself (setting calls.recover_every_s).

    \b
    Example:
      agi-server customer reset-in-use 1000000001
    """
    found = await named_account(session.db, account)
    redis = session.settings.redis
    links = AsteriskLinks(session.settings.ami, now=lambda: datetime.now(UTC))
    async with open_slots(session.require_redis(), redis.timeout_ms) as slots, links.reached():
        settler = Settler(
            db=session.db,
            slots=slots,
            sessions=SessionMemory(),
            links=links,
            now=lambda: datetime.now(UTC),
            charge_zero_talk=session.settings.rating.charge_zero_talk,
        )
        recovery = Recovery(
            db=session.db,
            settler=settler,
            links=links,
            unseen_end=session.settings.calls.unseen_end,
            now=lambda: datetime.now(UTC),
        )
        in_use = await find_over(recovery, found, datetime.now(UTC))
        over = len(in_use.over)
        click.echo(f"{found.in_use} calls in progress, {over} of them over")
        if not over:
            return
        if not yes:
            click.confirm(f"End these {over} calls?", abort=True)
        ended = await end_over(session.db, recovery, in_use, editor(session))
    click.echo(f"ended {ended}")


for command in (refill, pay, correct, history, note, delete, erase):
    customer.add_command(command)


async def _set_locked(session: Session, name: str, locked: bool) -> None:
    account = await named_account(session.db, name)
    state = "locked" if locked else "unlocked"
    _, changes = await update_account(session.db, account.id, {"locked": locked}, editor(session))
    click.echo(state if changes else f"{state} already")


def _print_account(shown: dict[str, Any], as_json: bool) -> None:
    """All of it as JSON; for people what is there."""
    if not as_json:
        shown = {name: value for name, value in shown.items() if value not in (None, "", [])}
    print_one(shown, as_json=as_json)
