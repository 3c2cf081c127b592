"""`agi-server plan`: what accounts are sold."""

from collections.abc import Callable
from typing import Any, Literal, get_args

import click

from agi_server.cli.backends import Group, Session, backend_options, with_database
from agi_server.cli.business_history import history_of
from agi_server.cli.output import print_json, print_list
from agi_server.cli.parameters import editor, json_option
from agi_server.refused import InvalidFieldError
from agi_server.settings import HoldMode
from agi_server.tariffs import plans
from agi_server.tariffs.dialling_texts import local_digits_of, short_codes_of
from agi_server.tariffs.plans import StoredPlan
from rating.routing import RouteOrder, SellPrice


@click.group(cls=Group)
@backend_options
def plan() -> None:
    """Call plans: ordered rate cards that price a customer's calls.

    \b
    Example:
      agi-server plan create standard --card retail
    """


_order_option = click.option(
    "--route-order",
    type=click.Choice([order.value for order in RouteOrder]),
    help="Cheapest to buy first (lcr), cheapest to sell first (lcd), or as the cards stand.",
)
_sell_price_option = click.option(
    "--sell-price",
    type=click.Choice([price.value for price in SellPrice]),
    help="What the customer pays: the first card's price, or that of the route that carries.",
)
_package_option = click.option(
    "--package",
    "packages",
    multiple=True,
    metavar="NAME",
    help="Pays before money does; repeatable: of equally good ones the first counts.",
)
_allow_loss_option = click.option(
    "--allow-loss/--no-allow-loss", default=None, help="Keep routes that cost more than they bring."
)


class _Listed(click.ParamType[tuple[Any, ...]]):
    """Values with commas between; an empty text is none."""

    name = "list"

    def __init__(self, read: Callable[[str], tuple[Any, ...]]) -> None:
        self._read = read

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[Any, ...]:
        if isinstance(value, tuple):
            return value
        try:
            return self._read(value)
        except InvalidFieldError as error:
            self.fail(error.message, param, ctx)


def _dialling_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """How the plan's customers dial."""
    for option in (
        click.option(
            "--short-codes",
            type=_Listed(short_codes_of),
            metavar="CODES",
            help="Kept as dialled beside the country's own, e.g. 100,77XX.",
        ),
        click.option(
            *("--local-digits", "local_lengths"),
            type=_Listed(local_digits_of),
            metavar="LENGTHS",
            help="Numbers of so many digits are local to the area code, e.g. 7,8.",
        ),
        click.option(
            "--area-code",
            metavar="DIGITS",
            help="Goes before local numbers.",
        ),
        click.option(
            "--country",
            metavar="CODE",
            help="Its customers dial as in this country, whatever theirs is, e.g. GB.",
        ),
    ):
        command = option(command)
    return command


def _dialling(options: dict[str, Any]) -> dict[str, Any]:
    given = {name: value for name, value in options.items() if value is not None}
    if "country" in given:
        given["country"] = given["country"].upper()
    return given


_HOLD_HELP = "What is held for a call: all of its limit, or slice by slice (needs AMI)."


@plan.command()
@click.argument("name")
@click.option(
    "--card",
    "cards",
    multiple=True,
    required=True,
    metavar="NAME",
    help="Repeatable: the first card that prices a number counts.",
)
@_order_option
@_sell_price_option
@_allow_loss_option
@_package_option
@click.option("--hold-mode", type=click.Choice(get_args(HoldMode)), help=_HOLD_HELP)
@_dialling_options
@json_option
@with_database
async def create(
    session: Session,
    name: str,
    cards: tuple[str, ...],
    route_order: str | None,
    sell_price: str | None,
    allow_loss: bool | None,
    packages: tuple[str, ...],
    hold_mode: HoldMode | None,
    as_json: bool,
    **dialling: Any,
) -> None:
    """Create a call plan. Unless told otherwise its routes are tried as the cards stand, the first
    card's price is what the customer pays, routes at a loss are not used, and calls are held as the
    setting calls.hold_mode says. Numbers are dialled as in the customer's country.

    \b
    Example:
      agi-server plan create standard --card mobile --card retail --route-order lcr
      agi-server plan create london --card retail --country GB --area-code 20 --local-digits 8
    """
    created = await plans.create_plan(
        session.db,
        name,
        cards,
        route_order=RouteOrder(route_order or RouteOrder.PRIORITY),
        sell_price=SellPrice(sell_price or SellPrice.FIRST_CARD),
        allow_loss=bool(allow_loss),
        packages=packages,
        hold_mode=hold_mode,
        dialling=_dialling(dialling),
        editor=editor(session),
    )
    _tell(created, f"call plan {name} created", as_json)


@plan.command()
@click.argument("name")
@click.option(
    "--card",
    "cards",
    multiple=True,
    metavar="NAME",
    help="Repeatable: instead of all that it had, in this order.",
)
@_order_option
@_sell_price_option
@_allow_loss_option
@_package_option
@click.option("--no-packages", is_flag=True, help="Take all packages from the plan.")
@click.option("--hold-mode", type=click.Choice([*get_args(HoldMode), "default"]), help=_HOLD_HELP)
@_dialling_options
@json_option
@with_database
async def update(
    session: Session,
    name: str,
    cards: tuple[str, ...],
    route_order: str | None,
    sell_price: str | None,
    allow_loss: bool | None,
    packages: tuple[str, ...],
    no_packages: bool,
    hold_mode: HoldMode | Literal["default"] | None,
    as_json: bool,
    **dialling: Any,
) -> None:
    """Change how a call plan routes, sells, holds and dials; new calls go by it at once.

    Cards, packages, lengths and codes replace those it had; an empty text ('') takes one away.

    \b
    Example:
      agi-server plan update standard --route-order lcr
      agi-server plan update standard --package bundle
    """
    if packages and no_packages:
        raise click.UsageError("--package and --no-packages exclude each other")
    changed = await plans.change_plan(
        session.db,
        name,
        cards=cards or None,
        route_order=None if route_order is None else RouteOrder(route_order),
        sell_price=None if sell_price is None else SellPrice(sell_price),
        allow_loss=allow_loss,
        packages=packages if packages or no_packages else None,
        hold_mode=hold_mode,
        dialling=_dialling(dialling),
        editor=editor(session),
    )
    _tell(changed, f"call plan {name} changed", as_json)


@plan.command("list")
@json_option
@with_database
async def list_(session: Session, as_json: bool) -> None:
    """List the call plans, their cards and packages in order and how many customers have them.

    \b
    Example:
      agi-server plan list --json
    """
    shown = [_fields(each) for each in await plans.list_plans(session.db)]
    print_list(shown, as_json=as_json, nothing="no call plans")


plan.add_command(history_of("plan", "standard"))


def _tell(found: StoredPlan, what: str, as_json: bool) -> None:
    if as_json:
        print_json(_fields(found))
    else:
        click.echo(what)


def _fields(found: StoredPlan) -> dict[str, object]:
    return {
        "name": found.name,
        "cards": list(found.cards),
        "route_order": found.route_order.value,
        "sell_price": found.sell_price.value,
        "allow_loss": found.allow_loss,
        "packages": list(found.packages),
        "hold_mode": found.hold_mode,
        "country": found.dialling.country or None,
        "area_code": found.dialling.area_code,
        "local_digits": list(found.dialling.local_lengths),
        "short_codes": list(found.dialling.short_codes),
        "customers": found.accounts,
    }
