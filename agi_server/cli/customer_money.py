"""`agi-server customer refill`, `pay` and `correct`: money by hand, each once by its reference."""

import re
import uuid
from collections.abc import Callable
from typing import Any

import click

from agi_server.accounts import customers
from agi_server.accounts.account import Account
from agi_server.cli.backends import Command, Session, with_database
from agi_server.cli.output import money, print_json
from agi_server.cli.parameters import (
    MONEY,
    account_argument,
    json_option,
    named_account,
    operator,
)
from agi_server.ledger import refills

_MOST_REFERENCE = 100


def _reference(_: click.Context, __: click.Parameter, value: str | None) -> str | None:
    if value is not None and not re.fullmatch(rf"[!-~]{{1,{_MOST_REFERENCE}}}", value):
        raise click.BadParameter(
            f"must be 1 to {_MOST_REFERENCE} printable characters without a space"
        )
    return value


reference_option = click.option(
    "--reference",
    metavar="ID",
    callback=_reference,
    help="Makes asking again harmless: the same reference of an account is booked once.",
)
note_option = click.option("--note", default="", help="Kept in the ledger.")


def _positive(_: click.Context, __: click.Parameter, value: int | None) -> int | None:
    if value is not None and value <= 0:
        raise click.BadParameter("must be greater than 0")
    return value


amount_argument = click.argument("amount", type=MONEY, callback=_positive)


@click.command(cls=Command)
@account_argument
@amount_argument
@note_option
@reference_option
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
    found = await named_account(session.db, account)
    balance_micros = await _book(
        session, refills.refill, found, "refill", reference, amount_micros=amount, note=note
    )
    await _tell(session, found, as_json, {"refilled": balance_micros is not None}, amount)


@click.command(cls=Command)
@account_argument
@amount_argument
@note_option
@reference_option
@click.option("--refill", "with_refill", is_flag=True, help="Give as much credit, too.")
@json_option
@with_database
async def pay(
    session: Session,
    account: str,
    amount: int,
    note: str,
    reference: str | None,
    with_refill: bool,
    as_json: bool,
) -> None:
    """Record money that was received; the balance changes only with --refill.

    A refill is credit given, a payment is money received: `agi-server ledger totals ACCOUNT` shows
    under refills what was given and is not paid. Asked again with the same --reference, what was
    not yet done is done.

    \b
    Example:
      agi-server customer pay 1000000001 25.50 --reference bank-2026-11-817
      agi-server customer pay 1000000001 25.50 --reference bank-2026-11-818 --refill
    """
    found = await named_account(session.db, account)
    paid, refilled = await refills.receive_money(
        session.db,
        account_id=found.id,
        amount_micros=amount,
        reference=reference or str(uuid.uuid4()),
        with_refill=with_refill,
        created_by=operator(),
        note=note,
        at=session.now,
    )
    done = {"paid": paid, **({} if refilled is None else {"refilled": refilled})}
    await _tell(session, found, as_json, done, amount)


@click.command(cls=Command)
@account_argument
@click.option("--give", type=MONEY, callback=_positive, help="Add so much to the balance.")
@click.option("--take", type=MONEY, callback=_positive, help="Subtract so much from the balance.")
@click.option("--reason", required=True, help="Kept in the ledger.")
@reference_option
@json_option
@with_database
async def correct(
    session: Session,
    account: str,
    give: int | None,
    take: int | None,
    reason: str,
    reference: str | None,
    as_json: bool,
) -> None:
    """Correct a balance by a further ledger entry, with a reason.

    No more is taken than is available: what calls in progress hold stays theirs, and no balance
    falls below the credit limit. A call that was priced wrongly is corrected by `calls rerate`.

    \b
    Example:
      agi-server customer correct 1000000001 --give 2.50 --reason 'dropped call of 3 May'
      agi-server customer correct 1000000001 --take 10 --reason 'refilled twice' --reference t-93
    """
    if not reason.strip():
        raise click.BadParameter("must say why", param_hint="--reason")
    if (give is None) == (take is None):
        raise click.UsageError("one of --give and --take is needed")
    found = await named_account(session.db, account)
    balance_micros = await _book(
        session,
        refills.correct_by_hand,
        found,
        "adjustment",
        reference,
        given_micros=give if give is not None else -(take or 0),
        reason=reason,
    )
    amount = give or take or 0
    await _tell(session, found, as_json, {"corrected": balance_micros is not None}, amount)


async def _book(
    session: Session,
    how: Callable[..., Any],
    account: Account,
    prefix: str,
    reference: str | None,
    **what: Any,
) -> int | None:
    balance_micros: int | None = await how(
        session.db,
        account_id=account.id,
        movement_id=f"{prefix}:{reference or uuid.uuid4()}",
        created_by=operator(),
        at=session.now,
        **what,
    )
    return balance_micros


async def _tell(
    session: Session, account: Account, as_json: bool, done: dict[str, bool], amount: int
) -> None:
    balance = money((await customers.find_by_id(session.db, account.id)).balance_micros)
    if as_json:
        print_json({"id": account.id, **done, "balance": balance})
        return
    for what, now in done.items():
        before = "" if now else "nothing done, asked before: "
        click.echo(f"{before}{what} {money(amount)} {account.currency}, balance {balance}")
