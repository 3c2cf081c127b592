"""Call plans: what an account is sold, an ordered list of rate cards."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, astuple, dataclass
from typing import Any, Literal

from agi_server.business_audit import record_changes
from agi_server.editor import Editor
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
    editor: Editor | None = None,
) -> StoredPlan:
    """Create a plan; `dialling` are fields of `Dialling`.

    Raises InvalidFieldError, NotFoundError (card, package), RefusedError (the name is taken).
    """
    check_name(name)
    async with pool.acquire() as db, db.transaction():
        new_id = await db.fetchval(
            statement("tariffs/insert_plan"),
            *(name, route_order, sell_price, allow_loss, hold_mode),
            *astuple(_dialling(dialling or {})),
        )
        if new_id is None:
            raise RefusedError(f"a call plan {name} exists already", field="name")
        await _store_cards(db, new_id, cards)
        await _store_packages(db, new_id, packages)
        created = await find_plan(db, name)
        await record_changes(db, "plan", name, {}, _shown(created), editor)
    return created


async def change_plan(
    pool: Any,
    name: str,
    *,
    cards: Sequence[str] | None = None,
    route_order: RouteOrder | None = None,
    sell_price: SellPrice | None = None,
    allow_loss: bool | None = None,
    packages: Sequence[str] | None = None,
    hold_mode: HoldMode | Literal["default"] | None = None,
    dialling: Mapping[str, Any] | None = None,
    editor: Editor | None = None,
) -> StoredPlan:
    """Change what is given; daemons notice at once. Raises InvalidFieldError, NotFoundError.

    `hold_mode` `default` is again the setting's. `dialling` are fields of `Dialling` to change.
    """
    async with pool.acquire() as db, db.transaction():
        await db.execute(statement("tariffs/lock_plan"), name)
        before = await find_plan(db, name)
        dials = _dialling({**asdict(before.dialling), **(dialling or {})})
        await db.execute(
            statement("tariffs/update_plan"),
            *(name, route_order, sell_price, allow_loss, hold_mode),
            *(astuple(dials) if dialling else (None,) * 4),
        )
        if cards is not None:
            await db.execute(statement("tariffs/clear_plan_cards"), before.id)
            await _store_cards(db, before.id, cards)
        if packages is not None:
            await db.execute(statement("tariffs/clear_plan_packages"), before.id)
            await _store_packages(db, before.id, packages)
        changed = await find_plan(db, name)
        await record_changes(db, "plan", name, _shown(before), _shown(changed), editor)
    return changed


async def find_plan(db: Any, name: str) -> StoredPlan:
    """A call plan by its name. Raises NotFoundError."""
    rows = await db.fetch(statement("tariffs/list_plans"), name)
    if not rows:
        raise NotFoundError(f"there is no call plan {name}")
    return _plan(rows[0])


async def plan_id(db: Any, name: str) -> int:
    """The id of a call plan. Raises NotFoundError."""
    return (await find_plan(db, name)).id


async def list_plans(db: Any) -> list[StoredPlan]:
    """All call plans by name."""
    return [_plan(row) for row in await db.fetch(statement("tariffs/list_plans"), None)]


async def _store_cards(db: Any, changed_id: int, cards: Sequence[str]) -> None:
    if not cards:
        raise InvalidFieldError("card", "a plan needs at least one rate card")
    if len(set(cards)) != len(cards):
        raise InvalidFieldError("card", "names a rate card twice")
    for position, card in enumerate(cards):
        sql = statement("tariffs/insert_plan_card")
        if await db.fetchval(sql, changed_id, position, card) is None:
            raise NotFoundError(f"there is no rate card {card}", field="card")


async def _store_packages(db: Any, changed_id: int, packages: Sequence[str]) -> None:
    if len(set(packages)) != len(packages):
        raise InvalidFieldError("package", "names a package twice")
    for position, package in enumerate(packages):
        sql = statement("tariffs/insert_plan_package")
        if await db.fetchval(sql, changed_id, position, package) is None:
            raise NotFoundError(f"there is no package {package}", field="package")


def _dialling(values: Mapping[str, Any]) -> Dialling:
    try:
        return Dialling(**values)
    except NumberRulesError as error:
        field, _, message = str(error).partition(": ")
        raise InvalidFieldError(_DIALLING_FIELDS.get(field, field), message) from error


# As commands and forms call what the rules call otherwise.
_DIALLING_FIELDS = {"local_lengths": "local_digits"}


def _shown(plan: StoredPlan) -> dict[str, object]:
    """What is told of a plan's changes."""
    return {
        "cards": plan.cards,
        "route_order": plan.route_order.value,
        "sell_price": plan.sell_price.value,
        "allow_loss": plan.allow_loss,
        "packages": plan.packages,
        "hold_mode": plan.hold_mode,
        "country": plan.dialling.country,
        "area_code": plan.dialling.area_code,
        "local_digits": plan.dialling.local_lengths,
        "short_codes": plan.dialling.short_codes,
    }


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
