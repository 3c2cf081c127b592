"""`agi-server rates import`: a sheet as a carrier sends it becomes a version of a card."""

import hashlib
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import click

from agi_server.cli.backends import Command, Session, with_database
from agi_server.cli.faults import REFUSED
from agi_server.cli.output import print_json
from agi_server.cli.parameters import TIME, ZONE, json_option
from agi_server.cli.progress import progress_bar
from agi_server.cli.rate_showing import (
    diff_fields,
    print_diff,
    print_rules,
    tell_version,
    version_fields,
)
from agi_server.tariffs import rate_cards
from agi_server.tariffs.rate_cards import CardImport, CardVersion, Source
from agi_server.tariffs.sheet_import import (
    complete_sheet,
    rules_in_force,
    rules_of_import,
    stage_sheet,
)
from agi_server.tariffs.stored_rates import rules_as_json
from rating.money import RoundingMode
from rating.rate_card import OWN_RULES, PricingRules
from rating.rate_diff import DiffSummary
from rating.rate_sheet import DateOrder, SheetFormat, SheetOptions, SheetReading
from rating.sheet_options import (
    SheetOptionError,
    parse_columns,
    parse_country_code,
    parse_increments,
)
from rating.sheet_rows import is_workbook

_SHEET_OPTIONS = (
    *("format", "date_order", "decimal", "ignored", "worksheet", "country_code", "skip_lines"),
)
_RULES = ("rounding_decimals", "rounding_mode", "increments_from_zero", "price_by_start")


class _Declared(click.ParamType[Any]):
    """What a sheet does not say, read as the web reads it."""

    def __init__(self, name: str, parse: Callable[[str], Any]) -> None:
        self.name = name
        self._parse = parse

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        if not isinstance(value, str):
            return value
        try:
            return self._parse(value)
        except SheetOptionError as error:
            self.fail(str(error), param, ctx)


def _sheet_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """What a sheet does not say itself."""
    for option in (
        click.option(
            "--worksheet",
            metavar="NAME",
            default="",
            help="Of a workbook; else the first with rates that is not hidden.",
        ),
        click.option(
            "--ignore",
            "ignored",
            multiple=True,
            metavar="HEADING",
            help="Leave a column out; repeat.",
        ),
        click.option(
            "--columns",
            type=_Declared("names", parse_columns),
            help="What columns are: HEADING=NAME,… or, without a header, our NAMES in order.",
        ),
        click.option(
            "--skip-lines",
            type=click.IntRange(0),
            default=0,
            metavar="N",
            help="Lines above the header that are not to be looked at.",
        ),
        click.option(
            "--country-code",
            type=_Declared("digits", parse_country_code),
            help="Goes before each prefix.",
        ),
        click.option(
            "--increments",
            type=_Declared("increments", parse_increments),
            metavar="60/6",
            help="Where the sheet has none.",
        ),
        click.option(
            *("--decimal", "decimal"),
            type=click.Choice((".", ",")),
            help="The sign before decimals.",
        ),
        click.option(
            *("--dates", "date_order"),
            type=click.Choice([order.value for order in DateOrder]),
            help="The order of dates like 31/01/2026.",
        ),
        click.option(
            "--format",
            type=click.Choice([each.value for each in SheetFormat]),
            default=SheetFormat.AUTO.value,
            show_default=True,
            help="a2billing: its export; csv: any other sheet, also XLSX.",
        ),
    ):
        command = option(command)
    return command


def _rules_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """How the card's rates price; each otherwise as in the version in force."""
    for option in (
        click.option(
            "--price-by-start/--price-by-hours",
            default=None,
            help="A call keeps the price of its first second, or changes it with the hours.",
        ),
        click.option(
            "--increments-from-zero/--increments-from-initial",
            default=None,
            help="Count further increments from the call's start, or from the initial one's end.",
        ),
        click.option(
            "--rounding-mode",
            type=click.Choice([mode.value for mode in RoundingMode]),
            help="Of a call's price.",
        ),
        click.option("--rounding-decimals", type=click.IntRange(0, 6), help="Of a call's price."),
        click.option(
            "--timezone",
            type=ZONE,
            metavar="ZONE",
            help="Of dates without a time and of hours, like Europe/Berlin.",
        ),
    ):
        command = option(command)
    return command


@click.command("import", cls=Command)
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@click.option("--card", required=True, metavar="NAME", help="Made when it is new.")
@click.option("--currency", metavar="CODE", help="Its card's; of a new card else the setting's.")
@click.option(
    "--trunk", "trunks", multiple=True, metavar="NAME", help="Carries its calls; repeat in order."
)
@click.option("--changes-only", is_flag=True, help="All other rates of the card stay.")
@_sheet_options
@_rules_options
@click.option("--activate", is_flag=True, help="Price calls with it from now on.")
@click.option("--at", type=TIME, metavar="TIME", help="With --activate: from then on. UTC.")
@click.option("--dry-run", is_flag=True, help="Show what would change, and stop.")
@click.option("--changes", type=click.IntRange(0), default=20, show_default=True, help="To show.")
@json_option
@with_database
async def import_(
    session: Session,
    file: Path,
    card: str,
    *,
    currency: str | None,
    trunks: tuple[str, ...],
    changes_only: bool,
    activate: bool,
    at: datetime | None,
    dry_run: bool,
    changes: int,
    as_json: bool,
    **options: Any,
) -> int:
    """Store a rate sheet as a new version of a card: all of it or, with any error, nothing.

    FILE is CSV of any dialect, an XLSX workbook, or A2Billing's export of rates. Its header may use
    our names (prefix, destination, price_per_minute, initial and, where wanted, others), the words
    carriers use, or others that --columns declares. Every column is in the table "Columns of a rate
    sheet" of docs/rating.md: fees, stages, hours, what they mean and how they are written;
    config/rates-every-column.csv is a sheet with all of them. Rows may block or delete their
    prefixes. Titles and notes are told, never rates.

    All errors are shown by line. What changes against the version in force (with --at: the one in
    force then), and from which date, is printed before anything is written. What a prefix has stays
    in force until a date that lies ahead. The same file read the same way makes no
    second version.

    \b
    Example:
      agi-server rates import rates.csv --card retail --dry-run
      agi-server rates import rates.csv --card retail --currency USD --trunk gw --activate
      agi-server rates import carrier.xlsx --card carrier --dates dmy --timezone Europe/Berlin
      agi-server rates import offer.csv --card carrier --columns 'Where=destination,Cost=rate'
      agi-server rates import changes.csv --card carrier --changes-only --activate --at 2030-06-01
    """
    if at is not None and not activate:
        raise click.UsageError("--at says when to activate: add --activate")
    content, source = _read(file)
    async with rate_cards.begin_import(
        session.db,
        card,
        currency=currency,
        default_currency=session.settings.accounts.currency,
        at=session.now,
        effective_at=at,
    ) as importing:
        zone = options["timezone"] or rules_in_force(importing).zone
        reading = await _stage(importing, content, _options(options, importing.currency, zone))
        if reading.errors:
            _print_errors(file, reading, as_json)
            return REFUSED
        rules = rules_of_import(importing, reading, _rules_asked_for(options))
        with progress_bar("comparing", None):
            await complete_sheet(importing, reading, str(file), changes_only=changes_only)
            diff = await importing.compare(changes)
        if not as_json:
            _print_comparison(importing, reading, diff, rules)
        stored = None
        if not dry_run:
            with progress_bar("storing", None):
                stored = await importing.store(
                    source, trunks=trunks, rules=rules, activate=activate
                )
    if as_json:
        _print_result(importing, reading, diff, rules, stored)
    elif stored is None:
        click.echo("dry run: nothing stored")
    else:
        if importing.is_known:
            why = "this file was imported before" if diff.changed else "nothing changes"
            click.echo(f"{why}: no new version")
        tell_version(stored)
    return 0


def _read(file: Path) -> tuple[bytes, Source]:
    content = file.read_bytes()
    return content, Source(name=file.name, sha256=hashlib.sha256(content).hexdigest())


async def _stage(importing: CardImport, content: bytes, options: SheetOptions) -> SheetReading:
    lines = None if is_workbook(content) else content.count(b"\n")
    with progress_bar("reading", lines) as reached:
        return await stage_sheet(importing, content, options, reached)


def _options(options: dict[str, Any], currency: str, zone: Any) -> SheetOptions:
    columns, headings = options["columns"] or ((), ())
    chosen = {name: options[name] for name in _SHEET_OPTIONS}
    return SheetOptions(
        **{
            **chosen,
            "format": SheetFormat(chosen["format"]),
            "date_order": chosen["date_order"] and DateOrder(chosen["date_order"]),
            "decimal": chosen["decimal"] or "",
            "country_code": chosen["country_code"] or "",
        },
        increments=options["increments"],
        columns=columns,
        headings=headings,
        currency=currency,
        zone=zone,
    )


def _rules_asked_for(options: dict[str, Any]) -> dict[str, Any]:
    asked = {name: options[name] for name in _RULES if options[name] is not None}
    if "rounding_mode" in asked:
        asked["rounding_mode"] = RoundingMode(asked["rounding_mode"])
    if options["timezone"] is not None:
        asked["zone"] = options["timezone"]
    return asked


def rules_options(rules: PricingRules) -> list[str]:
    """The options of an import that make these rules of our own convention."""
    words = []
    if rules.zone != OWN_RULES.zone:
        words += ["--timezone", str(rules.zone)]
    if rules.rounding_decimals != OWN_RULES.rounding_decimals:
        words += ["--rounding-decimals", str(rules.rounding_decimals)]
    if rules.rounding_mode != OWN_RULES.rounding_mode:
        words += ["--rounding-mode", rules.rounding_mode.value]
    if rules.increments_from_zero:
        words.append("--increments-from-zero")
    if rules.price_by_start:
        words.append("--price-by-start")
    return words


def _print_errors(file: Path, reading: SheetReading, as_json: bool) -> None:
    if as_json:
        errors = [
            {"line": each.line, "column": each.column, "message": each.message}
            for each in reading.errors
        ]
        print_json({"errors": errors, "notes": reading.notes, "stored": None})
        return
    for error in reading.errors:
        where = f"{file}:{error.line}: " + (f"{error.column}: " if error.column else "")
        click.echo(where + error.message, err=True)
    count = len(reading.errors)
    click.echo(f"{count} error{'s' if count > 1 else ''}: nothing stored", err=True)


def _print_comparison(
    importing: CardImport, reading: SheetReading, diff: DiffSummary, rules: PricingRules
) -> None:
    for note in reading.notes:
        click.echo(f"note: {note}", err=True)
    replaced = importing.replaces
    click.echo(
        f"{importing.card}: compared with "
        + (f"version {replaced.version}" if replaced else "no version in force")
    )
    print_diff(diff, rules.zone)
    print_rules(rules_in_force(importing), rules)


def _print_result(
    importing: CardImport,
    reading: SheetReading,
    diff: DiffSummary,
    rules: PricingRules,
    stored: CardVersion | None,
) -> None:
    print_json(
        {
            "card": importing.card,
            "replaces": importing.replaces.version if importing.replaces else None,
            "errors": [],
            "notes": reading.notes,
            "diff": diff_fields(diff),
            "rules": rules_as_json(rules),
            "stored": None if stored is None else version_fields(stored),
            "is_new_version": stored is not None and not importing.is_known,
        }
    )
