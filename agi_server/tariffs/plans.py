"""Call plans: what an account is sold, an ordered list of rate cards."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, astuple, dataclass
from typing import Any, Literal

from agi_server.refused import InvalidFieldError, NotFoundError, RefusedError
from agi_server.settings import HoldMode
from agi_server.storage.postgres.statements import statement
from agi_server.tariffs.tables import dialling_of_row
from agi_server.tariffs.trunks import check_name
from rating.country_rules import Dialling
from rating.number import NumberRulesError
from rating.routing import RouteOrder, SellPrice


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredPlan:
    """A call plan.

    The first of its `cards` that prices a number is what the customer pays, unless `sell_price` is
    by route. Routes that cost more than they bring are dropped unless `allow_loss`. Its `packages`
    pay before money does; of those that are equally good for a call the first.
    `hold_mode` None is the setting's. `dialling` is how its customers dial.
    """

    id: int
    name: str
    cards: tuple[str, ...]
    route_order: RouteOrder
    sell_price: SellPrice
    allow_loss: bool
    packages: tuple[str, ...]
    hold_mode: HoldMode | None
    accounts: int
    dialling: Dialling


async def create_plan(
    pool: Any,
    name: str,
    cards: Sequence[str],
    *,
    route_order: RouteOrder = RouteOrder.PRIORITY,
    sell_price: SellPrice = SellPrice.FIRST_CARD,
    allow_loss: bool = False,
    packages: Sequence[str] = (),
    hold_mode: HoldMode | None = None,
    dialling: Mapping[str, Any] | None = None,
) -> StoredPlan:
    """Create a plan; `dialling` are fields of `Dialling`.

    Raises InvalidFieldError, NotFoundError (card, package), RefusedError (the name is taken).
    """
    check_name(name)
    if not cards:
        raise InvalidFieldError("card", "a plan needs at least one rate card")
    if len(set(cards)) != len(cards):
        raise InvalidFieldError("card", "names a rate card twice")
    async with pool.acquire() as db, db.transaction():
        new_id = await db.fetchval(
            statement("tariffs/insert_plan"),
            *(name, route_order, sell_price, allow_loss, hold_mode),
            *astuple(_dialling(dialling or {})),
        )
        if new_id is None:
            raise RefusedError(f"a call plan {name} exists already")
        for position, card in enumerate(cards):
            sql = statement("tariffs/insert_plan_card")
            if await db.fetchval(sql, new_id, position, card) is None:
                raise NotFoundError(f"there is no rate card {card}")
        await _store_packages(db, new_id, packages)
        (row,) = await db.fetch(statement("tariffs/list_plans"), name)
    return _plan(row)


async def change_plan(
    pool: Any,
    name: str,
    *,
    route_order: RouteOrder | None = None,
    sell_price: SellPrice | None = None,
    allow_loss: bool | None = None,
    packages: Sequence[str] | None = None,
    hold_mode: HoldMode | Literal["default"] | None = None,
    dialling: Mapping[str, Any] | None = None,
) -> StoredPlan:
    """Change what is given; daemons notice at once. Raises InvalidFieldError, NotFoundError.

    `hold_mode` `default` is again the setting's. `dialling` are fields of `Dialling` to change.
    """
    async with pool.acquire() as db, db.transaction():
        rows = await db.fetch(statement("tariffs/list_plans"), name)
        if not rows:
            raise NotFoundError(f"there is no call plan {name}")
        changed = _dialling({**asdict(_plan(rows[0]).dialling), **(dialling or {})})
        sql = statement("tariffs/update_plan")
        changed_id = await db.fetchval(
            sql,
            *(name, route_order, sell_price, allow_loss, hold_mode),
            *(astuple(changed) if dialling else (None,) * 4),
        )
        if packages is not None:
            await db.execute(statement("tariffs/clear_plan_packages"), changed_id)
            await _store_packages(db, changed_id, packages)
        (row,) = await db.fetch(statement("tariffs/list_plans"), name)
    return _plan(row)


async def plan_id(db: Any, name: str) -> int:
    """The id of a call plan. Raises NotFoundError."""
    rows = await db.fetch(statement("tariffs/list_plans"), name)
    if not rows:
        raise NotFoundError(f"there is no call plan {name}")
    return _plan(rows[0]).id


async def list_plans(db: Any) -> list[StoredPlan]:
    """All call plans by name."""
    return [_plan(row) for row in await db.fetch(statement("tariffs/list_plans"), None)]


async def _store_packages(db: Any, changed_id: int, packages: Sequence[str]) -> None:
    if len(set(packages)) != len(packages):
        raise InvalidFieldError("package", "names a package twice")
    for position, package in enumerate(packages):
        sql = statement("tariffs/insert_plan_package")
        if await db.fetchval(sql, changed_id, position, package) is None:
            raise NotFoundError(f"there is no package {package}")


def _dialling(values: Mapping[str, Any]) -> Dialling:
    try:
        return Dialling(**values)
    except NumberRulesError as error:
        field, _, message = str(error).partition(": ")
        raise InvalidFieldError(field, message) from error


def _plan(row: Any) -> StoredPlan:
    return StoredPlan(
        id=row["id"],
        name=row["name"],
        cards=tuple(row["cards"]),
        route_order=RouteOrder(row["route_order"]),
        sell_price=SellPrice(row["sell_price"]),
        allow_loss=row["allow_loss"],
        packages=tuple(row["packages"]),
        hold_mode=row["hold_mode"],
        accounts=row["accounts"],
        dialling=dialling_of_row(row),
    )
