"""`agi-server customer`: accounts, shown with their full number only to those who know it."""

import uuid
from datetime import datetime
from typing import Any

import click

from agi_server.accounts import customers
from agi_server.accounts.account import (
    Account,
    AccountStatus,
    ExpiryMode,
    PaymentType,
    Restriction,
    new_account,
)
from agi_server.calls.recover import Recovery
from agi_server.calls.sessions import SessionMemory
from agi_server.calls.settle import Settler
from agi_server.cli.backends import Group, Session, backend_options, with_database
from agi_server.cli.output import (
    money,
    percent,
    print_json,
    print_list,
    print_one,
    time,
    word,
)
from agi_server.cli.package_showing import package_in_words, packages_of
from agi_server.cli.parameters import (
    MONEY,
    PERCENT,
    account_argument,
    json_option,
    limit_option,
    named_account,
    operator,
    restriction_option,
    words,
)
from agi_server.ledger.refills import refill as give_credit
from agi_server.observe.masking import mask_account_number
from agi_server.storage.postgres.statements import statement
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
_EXPIRY = [mode.name.lower().replace("_", "-") for mode in ExpiryMode]


@click.group(cls=Group)
@backend_options
def customer() -> None:
    """Customer accounts.

    ACCOUNT is an account number, or id:N as listings show it. The number is a secret: who types it
    calls on its credit. So listings mask it, and only `create`, or `show` of a number that you
    typed yourself, print it in full.

    \b
    Example:
      agi-server customer create --plan standard --refill 10
    """


@customer.command()
@click.option("--account-number", metavar="DIGITS", help="6 to 15 digits; otherwise generated.")
@click.option("--plan", metavar="NAME", help="Call plan; without one no call is priced.")
@click.option("--group", metavar="NAME", help="Customer group.")
@click.option("--status", type=words(AccountStatus), default="active", show_default=True)
@click.option("--currency", metavar="CODE", help="ISO 4217; otherwise the setting's.")
@click.option("--refill", type=MONEY, default=0, help="First credit, e.g. 10 or 12.50.")
@click.option(
    "--payment-type",
    type=click.Choice([kind.value for kind in PaymentType]),
    default="prepaid",
    show_default=True,
)
@click.option("--credit-limit", type=MONEY, default=0, help="Postpaid: how far below zero.")
@click.option(
    "--simultaneous-access",
    type=click.IntRange(min=0),
    default=1,
    show_default=True,
    help="Calls at a time; 0 is without limit.",
)
@click.option(
    "--calls-per-second", type=click.IntRange(min=0), default=0, help="0 is without limit."
)
@click.option("--max-price-per-minute", type=MONEY, help="Refuse calls that cost more.")
@click.option("--discount", type=PERCENT, default=0, help="Percent off the price, e.g. 7.5.")
@click.option("--country", metavar="CODE", help="ISO 3166: how its numbers are dialled, e.g. GB.")
@click.option("--callerid", "callerids", multiple=True, metavar="NUMBER", help="May be repeated.")
@restriction_option
@click.option(
    "--restricted-number",
    "restricted_numbers",
    multiple=True,
    metavar="RULE",
    help="A number, a prefix (4420*) or a pattern (_44[12]XXXX.); may be repeated.",
)
@click.option("--language", default="en", show_default=True, help="Of prompts, e.g. fr.")
@click.option("--timezone", default="UTC", show_default=True, help="E.g. Europe/Paris.")
@click.option("--expiry", type=click.Choice(_EXPIRY), default="never", show_default=True)
@click.option(
    "--expiry-date",
    type=click.DateTime(["%Y-%m-%d %H:%M:%S", "%Y-%m-%d"]),
    help="For at-date, in the account's time zone.",
)
@click.option("--expiry-days", type=click.IntRange(min=1), help="For after-….")
@json_option
@with_database
async def create(
    session: Session,
    refill: int,
    status: str,
    restriction: str | None,
    expiry: str,
    expiry_date: datetime | None,
    currency: str | None,
    credit_limit: int,
    max_price_per_minute: int | None,
    discount: int,
    as_json: bool,
    **fields: Any,
) -> None:
    """Create a customer; prints the account number, which is shown in full only now.

    \b
    Example:
      agi-server customer create --account-number 1000000001 --plan standard --refill 10 \\
        --simultaneous-access 2 --callerid 442079460000
    """
    new = new_account(
        status=AccountStatus[status.upper()],
        restriction=Restriction[(restriction or "none").upper()],
        expiry_mode=ExpiryMode[expiry.upper().replace("-", "_")],
        expiry_date=expiry_date,
        currency=currency or session.settings.accounts.currency,
        credit_limit_micros=credit_limit,
        max_price_micros_per_minute=max_price_per_minute,
        discount_basis_points=discount,
        **fields,
    )
    account = await customers.create_account(
        session.db,
        new,
        number_length=session.settings.accounts.number_length,
        max_callerids=session.settings.accounts.max_callerids,
        refill_micros=refill,
        created_by=operator(),
        at=session.now,
    )
    _print_account(account, account.account_number, as_json)
    if new.account_number is None and not as_json:
        click.echo("keep the account number: listings mask it", err=True)


@customer.command()
@account_argument
@json_option
@with_database
async def show(session: Session, account: str, as_json: bool) -> None:
    """Show a customer: funds, limits, calls in progress, what is left of its packages.

    ACCOUNT is the account number, or id:N as listings show it; the number is masked unless you
    typed it.

    \b
    Example:
      agi-server customer show 1000000001
      agi-server customer show id:12 --json
    """
    found = await named_account(session.db, account)
    shown = (
        account if account == found.account_number else mask_account_number(found.account_number)
    )
    fields = _fields(found, shown)
    left = await packages_of(session, found)
    fields["packages"] = left if as_json else [package_in_words(each) for each in left]
    print_one(fields, as_json=as_json)


@customer.command("list")
@click.option("--status", type=words(AccountStatus))
@click.option("--group", metavar="NAME")
@click.option("--plan", metavar="NAME")
@click.option("--callerid", metavar="NUMBER", help="The customer with this CallerID.")
@click.option("--after", metavar="ID", type=click.IntRange(min=0), default=0, help="Next page.")
@limit_option(100)
@json_option
@with_database
async def list_(
    session: Session,
    status: str | None,
    group: str | None,
    plan: str | None,
    callerid: str | None,
    after: int,
    limit: int,
    as_json: bool,
) -> None:
    """List customers in the order of their ids, account numbers masked.

    \b
    Example:
      agi-server customer list --status active --plan standard
      agi-server customer list --after 100
    """
    found = await customers.list_accounts(
        session.db,
        status=None if status is None else AccountStatus[status.upper()],
        group=group,
        plan=plan,
        callerid=callerid,
        after_id=after,
        limit=limit,
    )
    shown = [_fields(each, mask_account_number(each.account_number)) for each in found]
    print_list(shown, as_json=as_json, nothing="no customers", columns=_LISTED)
    if len(found) == limit:
        click.echo(f"there may be more: --after {found[-1].id}", err=True)


@customer.command()
@account_argument
@click.argument("amount", type=MONEY)
@click.option("--note", default="", help="Kept in the ledger.")
@click.option(
    "--reference",
    metavar="ID",
    help="Makes a repeated refill harmless: the same reference credits once a month.",
)
@json_option
@with_database
async def refill(
    session: Session, account: str, amount: int, note: str, reference: str | None, as_json: bool
) -> None:
    """Give an account credit by one ledger entry.

    \b
    Example:
      agi-server customer refill 1000000001 25.50 --note 'paid in cash' --reference receipt-817
    """
    if amount <= 0:
        raise click.BadParameter("must be greater than 0", param_hint="AMOUNT")
    found = await named_account(session.db, account)
    balance_micros = await give_credit(
        session.db,
        account_id=found.id,
        amount_micros=amount,
        movement_id=f"refill:{reference or uuid.uuid4()}",
        created_by=operator(),
        note=note,
        at=session.now,
    )
    given = balance_micros is not None
    if balance_micros is None:
        balance_micros = (await customers.find_by_id(session.db, found.id)).balance_micros
    balance = money(balance_micros)
    if as_json:
        print_json({"id": found.id, "refilled": given, "balance": balance})
    elif given:
        click.echo(f"refilled {money(amount)} {found.currency}, balance {balance}")
    else:
        click.echo(f"nothing done: {reference} was refilled before, balance {balance}")


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
    """End an account's calls that are older than their limit, and free what they hold.

    Calls within their limit are left alone. Hardly ever needed: the daemon does the same by itself
    (setting calls.recover_every_s).

    \b
    Example:
      agi-server customer reset-in-use 1000000001
    """
    found = await named_account(session.db, account)
    rows = await session.db.fetch(statement("calls/overdue_sessions"), session.now, found.id)
    click.echo(f"{found.in_use} calls in progress, {len(rows)} of them older than their limit")
    if not rows:
        return
    if not yes:
        click.confirm(f"End these {len(rows)} calls?", abort=True)
    redis = session.settings.redis
    async with open_slots(session.require_redis(), redis.timeout_ms) as slots:
        settler = Settler(
            db=session.db, slots=slots, sessions=SessionMemory(), now=lambda: session.now
        )
        recovery = Recovery(
            db=session.db,
            settler=settler,
            charge_hold=session.settings.calls.unseen_end == "hold",
            now=lambda: session.now,
        )
        ended = await recovery.settle_overdue(found.id)
    customers.log_reset(found, ended, changed_by=operator())
    click.echo(f"ended {ended}")


async def _set_locked(session: Session, name: str, locked: bool) -> None:
    account = await named_account(session.db, name)
    state = "locked" if locked else "unlocked"
    if await customers.set_locked(session.db, account, locked, changed_by=operator()):
        click.echo(state)
    else:
        click.echo(f"{state} already")


def _print_account(account: Account, shown_number: str, as_json: bool) -> None:
    print_one(_fields(account, shown_number), as_json=as_json)


def _fields(account: Account, shown_number: str) -> dict[str, Any]:
    """What is shown of an account, in the order of its page; all amounts in its currency."""
    return {
        "id": account.id,
        "account_number": shown_number,
        "status": word(account.status),
        "plan": account.plan,
        "group": account.group,
        "currency": account.currency,
        "balance": money(account.balance_micros),
        "held": money(account.held_micros),
        "available": money(account.available_micros),
        "payment_type": account.payment_type.value,
        "credit_limit": money(account.credit_limit_micros),
        "in_use": account.in_use,
        "simultaneous_access": account.simultaneous_access,
        "calls_per_second": account.calls_per_second,
        "max_price_per_minute": money(account.max_price_micros_per_minute),
        "discount": percent(account.discount_basis_points),
        "country": account.country,
        "locked": account.locked,
        "callerids": list(account.callerids),
        "restriction": word(account.restriction),
        "restricted_numbers": list(account.restricted_numbers),
        "language": account.language,
        "timezone": account.timezone,
        "expiry": word(account.expiry_mode),
        "expires_at": time(account.expires_at),
        "expiry_days": account.expiry_days,
        "first_use_at": time(account.first_use_at),
        "created_at": time(account.created_at),
    }
