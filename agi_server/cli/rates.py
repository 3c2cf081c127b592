"""`agi-server rates`: rate cards, their versions, and what a number costs."""

import hashlib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any, TypeVar

import click
from rich.console import Console
from rich.progress import Progress

from agi_server.cli.backends import Group, Session, backend_options, with_database
from agi_server.cli.faults import REFUSED
from agi_server.cli.output import money, print_json, print_list, print_one, time
from agi_server.cli.parameters import MONEY, TIME, json_option, named_account
from agi_server.cli.rate_price import price
from agi_server.cli.rate_quote import print_quote
from agi_server.tariffs import rate_cards
from agi_server.tariffs.rate_cards import CardVersion, Source
from rating.rate import Rate
from rating.rate_diff import RateChange, RateDiff, diff_rates
from rating.rate_sheet import RateSheet, parse_plain_sheet

Item = TypeVar("Item")


@click.group(cls=Group)
@backend_options
def rates() -> None:
    """Rate cards: named sets of rates, stored as immutable versions.

    \b
    Example:
      agi-server rates import rates.csv --card retail --trunk gw --activate
    """


rates.add_command(price)


@rates.command("import")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@click.option("--card", required=True, metavar="NAME", help="Made when it is new.")
@click.option("--currency", metavar="CODE", help="Of a new card; otherwise the setting's.")
@click.option(
    "--trunk", "trunks", multiple=True, metavar="NAME", help="Carries its calls; repeat in order."
)
@click.option("--activate", is_flag=True, help="Price calls with it from now on.")
@click.option("--dry-run", is_flag=True, help="Show what would change, and stop.")
@click.option("--changes", type=click.IntRange(0), default=20, show_default=True, help="To show.")
@json_option
@with_database
async def import_(
    session: Session,
    file: Path,
    card: str,
    currency: str | None,
    trunks: tuple[str, ...],
    activate: bool,
    dry_run: bool,
    changes: int,
    as_json: bool,
) -> int:
    """Store a rate sheet as a new version of a card: all of it or, with any error, nothing.

    The sheet is CSV with a header line: prefix, destination, price_per_minute, initial, increment
    and, where wanted, connection_fee, minimum_charge, buy_price_per_minute, buy_initial,
    buy_increment, effective_from. What changes against the active version is printed first. The
    same file again makes no second version.

    \b
    Example:
      agi-server rates import rates.csv --card retail --dry-run
      agi-server rates import rates.csv --card retail --currency USD --trunk gw --activate
    """
    source, sheet = _read(file)
    if sheet.errors:
        _print_errors(file, sheet, as_json)
        return REFUSED
    diff = diff_rates(await rate_cards.active_rates(session.db, card, session.now), sheet.rates)
    if not as_json:
        _print_diff(diff, changes)
    stored = None
    if not dry_run:
        with _progress("storing", sheet.rates) as sheet_rates:
            stored = await rate_cards.store_version(
                session.db,
                card,
                sheet_rates,
                source,
                currency=currency,
                default_currency=session.settings.accounts.currency,
                trunks=trunks,
                activate=activate,
                at=session.now,
            )
    if as_json:
        shown = None if stored is None else _fields(stored)
        print_json({"card": card, "errors": [], "diff": _diff_fields(diff), "stored": shown})
    elif stored is None:
        click.echo("dry run: nothing stored")
    else:
        _tell(stored)
    return 0


@rates.command()
@click.argument("card")
@click.option("--version", type=click.IntRange(1), help="Otherwise the newest.")
@json_option
@with_database
async def activate(session: Session, card: str, version: int | None, as_json: bool) -> None:
    """Price calls with a version of a card from now on; an older one may come back.

    \b
    Example:
      agi-server rates activate retail --version 3
    """
    activated = await rate_cards.activate_version(session.db, card, version, at=session.now)
    if as_json:
        print_one(_fields(activated), as_json=True)
    else:
        _tell(activated)


@rates.command("list")
@click.argument("card", required=False)
@json_option
@with_database
async def list_(session: Session, card: str | None, as_json: bool) -> None:
    """List the versions of a card, or of all, newest first.

    \b
    Example:
      agi-server rates list retail
    """
    columns = ("card", "version", "active", "rates", "currency", "trunks", "file", "imported_at")
    shown = [
        _fields(each) for each in await rate_cards.list_versions(session.db, card, at=session.now)
    ]
    print_list(shown, as_json=as_json, nothing="no rate cards", columns=columns)


@rates.command()
@click.argument("number")
@click.option("--plan", metavar="NAME", help="Needed where there are several.")
@click.option(
    "--customer", metavar="ACCOUNT", help="As for this customer: plan, discount, country."
)
@click.option(
    "--seconds", type=click.IntRange(0), default=60, show_default=True, help="Talk time to price."
)
@click.option("--at", type=TIME, metavar="TIME", help="When the call starts; otherwise now. UTC.")
@click.option("--credit", type=MONEY, help="Show for how long it would last.")
@json_option
@with_database
async def quote(
    session: Session,
    number: str,
    plan: str | None,
    customer: str | None,
    seconds: int,
    at: datetime | None,
    credit: int | None,
    as_json: bool,
) -> None:
    """Show what a call would cost, and each step from what was dialled to the price.

    \b
    Example:
      agi-server rates quote 442079460000 --seconds 95 --credit 10
    """
    await print_quote(
        session,
        number,
        plan=plan,
        customer=None if customer is None else await named_account(session.db, customer),
        seconds=seconds,
        at=at or session.now,
        credit_micros=credit,
        as_json=as_json,
    )


def _read(file: Path) -> tuple[Source, RateSheet]:
    """Raises OSError, and ClickException for a file that is no sheet at all."""
    content = file.read_bytes()
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        raise click.ClickException(f"{file}:{line}: is not UTF-8 text") from None
    with _progress("reading", text.splitlines(keepends=True)) as lines:
        sheet = parse_plain_sheet(lines)
    if not sheet.rates and not sheet.errors:
        raise click.ClickException(f"{file}: has no rates")
    return Source(name=file.name, sha256=hashlib.sha256(content).hexdigest()), sheet


def _print_errors(file: Path, sheet: RateSheet, as_json: bool) -> None:
    if as_json:
        errors = [
            {"line": each.line, "column": each.column, "message": each.message}
            for each in sheet.errors
        ]
        print_json({"errors": errors, "stored": None})
        return
    for error in sheet.errors:
        where = f"{file}:{error.line}: " + (f"{error.column}: " if error.column else "")
        click.echo(where + error.message, err=True)
    click.echo(f"{len(sheet.errors)} errors: nothing stored", err=True)


def _print_diff(diff: RateDiff, most: int) -> None:
    fields = _diff_fields(diff)
    listed = fields.pop("changes")
    click.echo(", ".join(f"{count} {kind.replace('_', ' ')}" for kind, count in fields.items()))
    if listed and most:
        print_list(listed[:most], as_json=False)
    if len(listed) > most:
        click.echo(f"… and {len(listed) - most} more changes (--changes {len(listed)} shows all)")


def _diff_fields(diff: RateDiff) -> dict[str, Any]:
    """The counts by kind, and every change; dearer and cheaper ones first, by their weight."""
    moved = diff.largest(len(diff.up) + len(diff.down))
    kinds = (("other", diff.other), ("new", diff.new), ("removed", diff.removed))
    return {
        "new": len(diff.new),
        "up": len(diff.up),
        "down": len(diff.down),
        "removed": len(diff.removed),
        "other_terms": len(diff.other),
        "unchanged": diff.unchanged,
        "changes": [_change("up" if c.price_change_micros > 0 else "down", c) for c in moved]
        + [_change(kind, change) for kind, changes in kinds for change in changes],
    }


def _change(kind: str, change: RateChange) -> dict[str, Any]:
    known = change.new or change.old
    return {
        "change": kind,
        "prefix": change.prefix,
        "destination": known.destination if known else "",
        "old": _terms(change.old),
        "new": _terms(change.new),
    }


def _terms(rate: Rate | None) -> str | None:
    """Price per minute and increments, e.g. `0.0125 60/6`."""
    if rate is None:
        return None
    return f"{money(rate.price_micros_per_minute)} {rate.initial_s}/{rate.increment_s}"


def _tell(version: CardVersion) -> None:
    state = "active" if version.active else "not active: rates activate makes it so"
    click.echo(f"{version.card} version {version.version}, {version.rates} rates, {state}")
    if not version.trunks:
        click.echo(f"{version.card} has no trunk: its calls are refused (no_route)", err=True)


def _fields(version: CardVersion) -> dict[str, Any]:
    return {
        "card": version.card,
        "version": version.version,
        "active": version.active,
        "rates": version.rates,
        "currency": version.currency,
        "trunks": list(version.trunks),
        "file": version.source_name,
        "sha256": version.source_sha256,
        "imported_at": time(version.imported_at),
        "activated_at": time(version.activated_at),
    }


@contextmanager
def _progress(label: str, items: list[Item]) -> Iterator[Iterable[Item]]:
    """The items, with a bar on stderr while people wait; none where nobody reads along."""
    console = Console(stderr=True)
    with Progress(console=console, transient=True, disable=not console.is_terminal) as progress:
        yield progress.track(items, description=label, update_period=0.2)
