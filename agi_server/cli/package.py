"""`agi-server package`: free minutes or calls that call plans give."""

from collections.abc import Callable
from typing import Any

import click

from agi_server.cli.backends import Group, Session, backend_options, with_database
from agi_server.cli.output import print_json, print_list, print_one
from agi_server.cli.parameters import json_option
from agi_server.tariffs import packages
from agi_server.tariffs.packages import StoredPackage
from rating.package import MAX_AMOUNT, PackagePeriod, PackageUnit


@click.group(cls=Group)
@backend_options
def package() -> None:
    """Packages: free minutes or calls of a period, used up before a customer's money is.

    `plan create --package` or `plan update --package` gives one to customers.

    \b
    Example:
      agi-server package create bundle --minutes 300
    """


def _amount_options(command: Callable[..., Any]) -> Callable[..., Any]:
    most = click.IntRange(0, MAX_AMOUNT)
    for name, help_text in (
        ("--calls", "Free calls a period."),
        ("--seconds", "Free seconds of talk a period."),
        ("--minutes", "Free minutes of talk a period."),
    ):
        command = click.option(name, type=most, help=help_text)(command)
    return command


_prefix_option = click.option(
    "--prefix",
    "prefixes",
    multiple=True,
    metavar="DIGITS",
    help="Pays for calls to numbers that begin so; repeatable. Otherwise for all calls.",
)


@package.command()
@click.argument("name")
@_amount_options
@click.option(
    "--period",
    type=click.Choice([period.value for period in PackagePeriod]),
    default=PackagePeriod.MONTH.value,
    show_default=True,
    help="How often it gives them; what is left at the end is lost.",
)
@click.option(
    "--first-day",
    type=click.IntRange(1, 28),
    default=1,
    show_default=True,
    help="Of the month, or of the week (1 is Monday): it begins then at midnight, in the"
    " customer's time zone.",
)
@_prefix_option
@json_option
@with_database
async def create(
    session: Session,
    name: str,
    minutes: int | None,
    seconds: int | None,
    calls: int | None,
    period: str,
    first_day: int,
    prefixes: tuple[str, ...],
    as_json: bool,
) -> None:
    """Create a package; `plan create --package` or `plan update --package` gives it to customers.

    It is for all customers of these plans alike, each with an amount of their own.

    \b
    Example:
      agi-server package create bundle --minutes 300 --prefix 44 --prefix 33
      agi-server package create hello --calls 2 --period day
    """
    amount = _amount(minutes, seconds, calls)
    if amount is None:
        raise click.UsageError("say how much it gives: --minutes, --seconds or --calls")
    created = await packages.create_package(
        session.db,
        name,
        *amount,
        period=PackagePeriod(period),
        first_day=first_day,
        prefixes=prefixes,
    )
    _tell(created, f"package {name} created", as_json)


@package.command()
@click.argument("name")
@_amount_options
@_prefix_option
@click.option("--all-prefixes", is_flag=True, help="Pay for all calls.")
@json_option
@with_database
async def update(
    session: Session,
    name: str,
    minutes: int | None,
    seconds: int | None,
    calls: int | None,
    prefixes: tuple[str, ...],
    all_prefixes: bool,
    as_json: bool,
) -> None:
    """Change how much a package gives, from the running period on, and what it pays for.

    Prefixes replace those it had. New calls go by it at once; those in progress keep what they were
    promised. Whether it counts minutes or calls, and its period, stay: make another package.

    \b
    Example:
      agi-server package update bundle --minutes 400
    """
    if prefixes and all_prefixes:
        raise click.UsageError("--prefix and --all-prefixes exclude each other")
    amount = _amount(minutes, seconds, calls)
    found = await packages.find_package(session.db, name)
    if amount is not None and amount[0] is not found.package.unit:
        raise click.UsageError(f"package {name} counts {found.package.unit.value}")
    changed = await packages.change_package(
        session.db,
        name,
        amount=None if amount is None else amount[1],
        prefixes=prefixes if prefixes or all_prefixes else None,
    )
    _tell(changed, f"package {name} changed", as_json)


@package.command("list")
@json_option
@with_database
async def list_(session: Session, as_json: bool) -> None:
    """List the packages and the call plans that give them.

    \b
    Example:
      agi-server package list
    """
    shown = [_fields(each) for each in await packages.list_packages(session.db)]
    print_list(shown, as_json=as_json, nothing="no packages")


@package.command()
@click.argument("name")
@json_option
@with_database
async def show(session: Session, name: str, as_json: bool) -> None:
    """Show a package. What a customer has left of it is in `customer show`.

    \b
    Example:
      agi-server package show bundle
    """
    print_one(_fields(await packages.find_package(session.db, name)), as_json=as_json)


def _amount(
    minutes: int | None, seconds: int | None, calls: int | None
) -> tuple[PackageUnit, int] | None:
    given = [each for each in (minutes, seconds, calls) if each is not None]
    if len(given) > 1:
        raise click.UsageError("--minutes, --seconds and --calls exclude each other")
    if calls is not None:
        return PackageUnit.CALLS, calls
    if minutes is not None:
        return PackageUnit.SECONDS, 60 * minutes
    return None if seconds is None else (PackageUnit.SECONDS, seconds)


def _tell(found: StoredPackage, what: str, as_json: bool) -> None:
    if as_json:
        print_json(_fields(found))
    else:
        click.echo(what)


def _fields(found: StoredPackage) -> dict[str, object]:
    package = found.package
    return {
        "name": found.name,
        "unit": package.unit.value,
        "amount": package.amount,
        "period": package.period.value,
        "first_day": package.first_day,
        "prefixes": list(package.prefixes),
        "plans": list(found.plans),
    }
