"""`agi-server calls`: what is going on, and what was."""

from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, get_args

import click

from agi_server.asterisk.ami import AmiError
from agi_server.asterisk.link import AsteriskLinks
from agi_server.calls.reasons import Reason
from agi_server.calls.records import CallRecord, CallState, list_calls
from agi_server.calls.rerate import Correction, Rerated, correct_all, rerate
from agi_server.cli.backends import Group, Session, backend_options, with_database
from agi_server.cli.output import (
    amount,
    clock,
    moment,
    money,
    percent,
    print_list,
    print_one,
    time,
    units,
)
from agi_server.cli.parameters import TIME, json_option, limit_option, named_account, operator
from agi_server.refused import NotFoundError, RefusedError
from agi_server.tariffs.tables import read_exchange_table


@click.group(cls=Group)
@backend_options
def calls() -> None:
    """Calls in progress, and the records (CDRs) of those that ended or were refused.

    \b
    Example:
      agi-server calls live
    """


@calls.command()
@limit_option(100)
@json_option
@with_database
async def live(session: Session, limit: int, as_json: bool) -> None:
    """List the calls in progress: authorized and not yet settled.

    Since when each talks is told by supervision, where the settings name Asterisk's AMI.

    \b
    Example:
      agi-server calls live --json
    """
    found = await list_calls(session.db, state="open", limit=limit)
    shown = [_fields(each) if as_json else _live_row(each) for each in found]
    print_list(shown, as_json=as_json, nothing="no calls in progress")


@calls.command("list")
@click.option("--customer", metavar="ACCOUNT", help="Calls of this customer.")
@click.option("--state", type=click.Choice(get_args(CallState)))
@click.option("--reason", type=click.Choice([each.value for each in Reason]))
@click.option("--since", type=TIME, metavar="TIME", help="Authorized then or later; UTC.")
@click.option("--review", is_flag=True, help="Only calls that somebody should look at.")
@limit_option(50)
@json_option
@with_database
async def list_(
    session: Session,
    customer: str | None,
    state: CallState | None,
    reason: str | None,
    since: datetime | None,
    review: bool,
    limit: int,
    as_json: bool,
) -> None:
    """List calls, newest first.

    --review shows those whose end was guessed, or told differently by two witnesses, with the
    reason why.

    \b
    Example:
      agi-server calls list --customer 1000000001 --limit 20
      agi-server calls list --reason no_credit --since 2026-03-01
      agi-server calls list --review
    """
    account_id = None if customer is None else (await named_account(session.db, customer)).id
    found = await list_calls(
        session.db,
        account_id=account_id,
        state=state,
        reason=reason,
        since=since,
        review=review,
        limit=limit,
    )
    row = _review_row if review else _row
    shown = [_fields(each) if as_json else row(each) for each in found]
    print_list(shown, as_json=as_json, nothing="no calls")


@calls.command()
@click.argument("call_id")
@json_option
@with_database
async def show(session: Session, call_id: str, as_json: bool) -> None:
    """Show all that is known of a call, its price line by line.

    \b
    Example:
      agi-server calls show 12-5f0c8a0f3b6e4d0f9a7c1e2d3b4a5968
    """
    found = await list_calls(session.db, call_id=call_id, limit=1)
    if not found:
        raise NotFoundError(f"there is no call {call_id[:60]}")
    fields = _fields(found[0])
    if as_json:
        print_one(fields, as_json=True)
        return
    lines = fields.pop("price_lines") or []
    for name in ("package_held", "package_used"):
        fields[name] = units(fields[name], fields["package_unit"])
    del fields["package_unit"]
    print_one(fields, as_json=False)
    if lines:
        click.echo()
        print_list(lines, as_json=False)


@calls.command()
@click.argument("call_id")
@with_database
async def hangup(session: Session, call_id: str) -> None:
    """Hang up a call in progress, over AMI; it is then settled as any other.

    \b
    Example:
      agi-server calls hangup 12-5f0c8a0f3b6e4d0f9a7c1e2d3b4a5968
    """
    found = await list_calls(session.db, call_id=call_id, limit=1)
    if not found:
        raise NotFoundError(f"there is no call {call_id[:60]}")
    call = found[0]
    if call.state != "open":
        raise RefusedError(f"the call is not in progress: {_outcome(call)}")
    links = AsteriskLinks(session.settings.ami, now=lambda: datetime.now(UTC))
    async with links.reached():
        link = links.of(call.uniqueid, call.server)
        if link is None or not link.connected:
            raise RefusedError(
                f"its Asterisk (uniqueid {call.uniqueid}, from {call.server}) cannot be reached:"
                " see [[ami]] in the settings, and agi-server doctor"
            )
        channel = link.channels.get(call.uniqueid)
        if channel is None:
            raise RefusedError(
                "Asterisk no longer has this call; customer reset-in-use ends it at once"
            )
        try:
            await link.hangup(channel.channel)
        except AmiError as error:
            raise RefusedError(str(error)) from None
    click.echo(f"hung up {channel.channel}")


@calls.command("rerate")
@click.option("--from", "begin", type=TIME, required=True, metavar="TIME", help="UTC.")
@click.option("--to", "end", type=TIME, required=True, metavar="TIME", help="Not included.")
@click.option(
    "--in-force",
    is_flag=True,
    help="By the version of each card that is in force at the call's start by now.",
)
@click.option(
    "--exchange-rates",
    is_flag=True,
    help="Convert by the exchange rates of the call's start as they stand now.",
)
@click.option("--apply", is_flag=True, help="Book the differences by correcting entries.")
@click.option("--reason", metavar="TEXT", help="Why; kept in the ledger. Needed to apply.")
@json_option
@with_database
async def rerate_(
    session: Session,
    begin: datetime,
    end: datetime,
    in_force: bool,
    exchange_rates: bool,
    apply: bool,
    reason: str | None,
    as_json: bool,
) -> None:
    """Price settled calls again and report those that come out differently.

    Each by the terms it was promised or last corrected to, or with --in-force by the rates as they
    stand now; converted as it was, or with --exchange-rates as these stand now. Nothing is
    changed without --apply; then each difference becomes a correcting ledger entry, and what that
    frees of a package goes to the calls that need more. Exit code 1 when one could not be
    corrected.

    \b
    Example:
      agi-server calls rerate --from 2026-03-01 --to 2026-04-01 --in-force
      agi-server calls rerate --from 2026-03-01 --to 2026-04-01 --in-force --apply \\
        --reason 'wrong price of 4420'
    """
    if apply and not (reason or "").strip():
        raise click.UsageError("--apply needs --reason")
    if begin >= end:
        raise click.UsageError("--from must be before --to")
    base = session.settings.accounts.currency
    table = await read_exchange_table(session.db, base) if exchange_rates else None
    if not apply:
        again = rerate(session.db, begin, end, in_force=in_force, exchange_table=table)
        differing = [each async for each in again]
        _print_rerated([(each, None) for each in differing], as_json)
        if differing:
            rateless = _rateless(differing)
            differ = f"{len(differing)} calls differ" + (rateless and f", of which {rateless}")
            click.echo(f"{differ}; nothing changed: --apply corrects them", err=True)
        return
    done = await correct_all(
        session.db,
        begin,
        end,
        in_force=in_force,
        exchange_table=table,
        created_by=operator(),
        reason=reason or "",
        at=session.now,
    )
    _print_rerated(done.calls, as_json)
    became = Counter(correction for _, correction in done.calls)
    if by_another := became[Correction.BOOKED_BY_ANOTHER]:
        click.echo(f"{by_another} of them were corrected so by somebody else meanwhile", err=True)
    overtaken = became[Correction.OVERTAKEN]
    raced = "changed meanwhile, or what is left of their package: run it again"
    why = [_rateless([call for call, _ in done.calls]), f"{overtaken} {raced}" if overtaken else ""]
    if any(why):
        raise RefusedError(f"not all calls were corrected: {'; '.join(filter(None, why))}")
    if not done.settled:
        raise RefusedError("others keep changing calls of the same packages: run it again")


def _rateless(calls: Sequence[Rerated]) -> str:
    without_rate = sum(call.price is None for call in calls)
    return f"{without_rate} have no rate in force" if without_rate else ""


def _print_rerated(calls: Sequence[tuple[Rerated, Correction | None]], as_json: bool) -> None:
    shown = [
        {
            "authorized_at": time(call.authorized_at),
            "account_id": call.account_id,
            "prefix": call.prefix,
            "cost": money(call.cost_micros),
            "rerated": None if call.price is None else money(call.price.total_micros),
            "difference": money(call.difference_micros),
            "buy_cost": money(call.buy_cost_micros),
            "buy_rerated": None if call.price is None else money(call.price.buy_total_micros),
            "currency": call.currency,
            "package_used": call.package_used,
            "package_rerated": call.package_rerated,
            "corrected": correction in (Correction.BOOKED, Correction.BOOKED_BY_ANOTHER),
            "call_id": call.call_id,
        }
        for call, correction in calls
    ]
    print_list(shown, as_json=as_json, nothing="no call comes out differently")


def _live_row(call: CallRecord) -> dict[str, Any]:
    return {
        "at (UTC)": moment(call.authorized_at),
        "account": call.account_id,
        "callerid": call.callerid,
        "destination": call.destination,
        "trunk": call.trunk,
        "answered": call.seen_answered_at and moment(call.seen_answered_at),
        "limit": clock(call.limit_ms),
        "held": amount(call.held_micros, call.currency),
        "call": call.call_id,
    }


def _row(call: CallRecord) -> dict[str, Any]:
    return {
        "at (UTC)": moment(call.authorized_at),
        "account": call.account_id or None,
        "callerid": call.callerid,
        "dialled": call.dialled,
        "outcome": _outcome(call),
        "talk": clock(call.talk_ms),
        "cost": amount(call.cost_micros, call.currency),
        "call": call.call_id,
    }


def _review_row(call: CallRecord) -> dict[str, Any]:
    return {
        "at (UTC)": moment(call.authorized_at),
        "account": call.account_id or None,
        "witness": call.witness,
        "talk": clock(call.talk_ms),
        "cost": amount(call.cost_micros, call.currency),
        "review": call.review,
        "call": call.call_id,
    }


def _outcome(call: CallRecord) -> str:
    """In a word: the reason why it was refused or not dialled, or how it ended."""
    match call.state:
        case "open":
            return "in progress"
        case "denied" | "void":
            return call.reason or ""
        case "settled":
            return call.dialstatus or f"ended by {call.witness}"


def _fields(call: CallRecord) -> dict[str, Any]:
    denied = call.state == "denied"
    return {
        "call_id": call.call_id,
        "account_id": call.account_id,
        "state": call.state,
        "decision": "deny" if denied else "allow",
        "reason": call.reason,
        "uniqueid": call.uniqueid,
        "server": call.server,
        "asterisk": call.uniqueid.rpartition("-")[0] or None,
        "channel": call.channel,
        "direction": call.direction,
        "did": call.did,
        "identified_by": call.identified_by,
        "callerid": call.callerid,
        "dialled": call.dialled,
        "destination": call.destination,
        "plan": call.plan,
        "card": call.card,
        "card_version": call.card_version,
        "prefix": call.prefix,
        "trunk": call.trunk,
        "route": call.route,
        "authorized_at": time(call.authorized_at),
        "expires_at": time(call.expires_at),
        "limit_ms": call.limit_ms,
        "held": None if denied else money(call.held_micros),
        "dialstatus": call.dialstatus,
        "hangupcause": call.hangupcause,
        "answered_at": time(call.answered_at),
        "ended_at": time(call.ended_at),
        "talk_ms": call.talk_ms,
        "billed_seconds": call.billed_seconds,
        "cost": money(call.cost_micros),
        "corrected_cost": money(call.corrected_cost_micros),
        "buy_cost": money(call.buy_cost_micros),
        "discount": percent(call.discount_basis_points),
        "exchange": call.exchange,
        "currency": call.currency,
        "package": call.package,
        "package_unit": call.package_unit,
        "package_begins_on": (
            call.package_begins_on.isoformat() if call.package_begins_on else None
        ),
        "package_held": call.package_held if call.package else None,
        "package_used": call.package_used,
        "price_lines": _price_lines(call.price_lines),
        "seen_answered_at": time(call.seen_answered_at),
        "seen_at": time(call.seen_at),
        "witness": call.witness,
        "review": call.review,
        "settled_at": time(call.settled_at),
    }


def _price_lines(lines: list[dict[str, Any]] | None) -> list[dict[str, Any]] | None:
    if lines is None:
        return None
    return [
        {
            "kind": line["kind"],
            "seconds": line["seconds"],
            "price_per_minute": money(line["price_micros_per_minute"]),
            "amount": money(line["amount_micros"]),
        }
        for line in lines
    ]
