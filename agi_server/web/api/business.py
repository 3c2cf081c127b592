"""What the business sells: rate cards, call plans, trunks."""

from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path, Query, Request
from pydantic import BaseModel, ConfigDict, Field

from agi_server.editor import Editor
from agi_server.storage.postgres.statements import statement
from agi_server.tariffs.plans import create_plan, list_plans
from agi_server.tariffs.rate_cards import activate_version
from agi_server.tariffs.trunks import create_trunk, list_trunks, switch_trunk
from agi_server.web.api.access import Caller, having
from agi_server.web.api.customers import signature
from agi_server.web.api.shapes import Flag, Text, Whole, money
from agi_server.web.auth.roles import Operator, Right
from agi_server.web.services import services_of
from agi_server.web.sheet_form import said_of_sheet
from agi_server.web.sheet_upload import Sheet, take_sheet
from rating.rate import Rate
from rating.routing import RouteOrder

router = APIRouter(tags=["business"], dependencies=[Depends(having(Right.SEE_BUSINESS))])

_MAY_CHANGE = Depends(having(Right.CHANGE_BUSINESS))
Name = Annotated[Text, Path(max_length=63)]


class Card(BaseModel):
    """A rate card; `in_force` is the version that prices calls now."""

    name: str
    currency: str
    newest: int | None
    in_force: int | None
    trunks: list[str]


class SheetWords(BaseModel):
    """What a sheet does not say itself, as the options of `agi-server rates import`."""

    columns: Text | None = Field(
        None, description="HEADING=NAME,… or, without a header, our names."
    )
    ignore: Text | None = Field(None, description="Headings of columns to leave out.")
    skip_lines: Text | None = Field(None, description="Lines above the header.")
    dates: Text | None = Field(None, description="Order of dates: dmy, mdy or ymd.")
    decimal: Text | None = Field(None, description="The sign before decimals.")
    increments: Text | None = Field(None, description="Of all rates, like 60/6.")
    country_code: Text | None = Field(None, description="Goes before each prefix.")
    worksheet: Text | None = Field(None, description="Of a workbook.")
    timezone: Text | None = Field(None, description="Of dates without a time and of hours.")


class SheetQuery(SheetWords):
    """How a sheet is taken."""

    model_config = ConfigDict(extra="forbid")
    dry_run: bool = False
    currency: str | None = Field(None, pattern="^[A-Z]{3}$", description="Its card's.")
    trunk: Text | None = Field(None, max_length=63)
    changes_only: bool = Field(False, description="All other rates of the card stay.")


class SheetProblem(BaseModel):
    """What is wrong with a line of a sheet."""

    line: int
    column: str | None
    message: str


class RateChangeShown(BaseModel):
    """A prefix whose price changes; null where it is new or removed, and where it does at once."""

    prefix: str
    begins: datetime | None
    old_price_per_minute: str | None
    new_price_per_minute: str | None


class RateGapShown(BaseModel):
    """Numbers with this prefix would have no rate for a time."""

    prefix: str
    begins: datetime
    ends: datetime


class SheetResult(BaseModel):
    """What a sheet changes, and the version it became; nothing is stored with any error.

    `notes` tell what was left out or assumed.
    """

    errors: list[SheetProblem]
    notes: list[str]
    counts: dict[str, int]
    changes: list[RateChangeShown]
    gaps: list[RateGapShown]
    replaces: int | None
    version: int | None


class Plan(BaseModel):
    """A call plan."""

    name: str
    cards: list[str]
    route_order: RouteOrder
    customers: int


class NewPlan(BaseModel):
    """A call plan to be created."""

    model_config = ConfigDict(extra="forbid")
    name: Text = Field(max_length=63)
    cards: list[Text] = Field(max_length=20)
    route_order: RouteOrder = RouteOrder.PRIORITY


class Trunk(BaseModel):
    """A way out."""

    name: str
    dial: str
    enabled: bool
    capacity: int


class NewTrunk(BaseModel):
    """A trunk to be created."""

    model_config = ConfigDict(extra="forbid")
    name: Text = Field(max_length=63)
    dial: Text = Field(max_length=200, description="E.g. PJSIP/{number}@gw.")
    capacity: Whole = Field(default=0, ge=0, le=1_000_000, description="0: any number of calls.")


class TrunkSwitch(BaseModel):
    """In or out of service."""

    model_config = ConfigDict(extra="forbid")
    enabled: Flag


@router.get("/rate-cards", response_model=list[Card])
async def find_cards(request: Request) -> Any:
    """All rate cards."""
    services = services_of(request)
    rows = await services.db.fetch(statement("web/list_cards"), services.now())
    return [{**row} for row in rows]


@router.put(
    "/rate-cards/{card}/sheet",
    response_model=SheetResult,
    dependencies=[_MAY_CHANGE],
    openapi_extra={
        "requestBody": {
            "required": True,
            "content": {"application/octet-stream": {"schema": {"type": "string"}}},
        }
    },
)
async def import_sheet(
    request: Request,
    card: Name,
    query: Annotated[SheetQuery, Query()],
) -> Any:
    """Compare a sheet (the body: CSV or XLSX) and, without `dry_run`, store it, not active yet.

    What the sheet does not say itself is said as the options of `agi-server rates import` do."""
    services = services_of(request)
    sheet = Sheet(
        card=card,
        name="api",
        content=await request.body(),
        currency=query.currency or "",
        default_currency=services.settings.accounts.currency,
        said=said_of_sheet(
            query.model_dump(exclude_none=True, include=set(SheetWords.model_fields))
        ),
        changes_only=query.changes_only,
        trunks=(query.trunk,) if query.trunk else (),
        store=not query.dry_run,
    )
    outcome = await take_sheet(services.postgres_dsn, sheet, services.now())
    diff = outcome.diff
    return {
        "errors": [
            {"line": each.line, "column": each.column, "message": each.message}
            for each in outcome.errors[:1000]
        ],
        "notes": list(outcome.notes),
        "counts": {}
        if diff is None
        else {kind: count for kind, count in diff.counts.items() if kind != "gaps"},
        "changes": [
            {
                "prefix": each.prefix,
                "begins": each.begins,
                "old_price_per_minute": _price(each.old),
                "new_price_per_minute": _price(each.new),
            }
            for each in (() if diff is None else diff.changes())
        ],
        "gaps": [
            {"prefix": each.prefix, "begins": each.begins, "ends": each.ends}
            for each in (() if diff is None else diff.gaps)
        ],
        "replaces": outcome.replaces,
        "version": outcome.stored.version if outcome.stored else None,
    }


@router.post(
    "/rate-cards/{card}/versions/{version}/activate",
    status_code=204,
    dependencies=[_MAY_CHANGE],
)
async def activate_card_version(
    request: Request, card: Name, version: Annotated[int, Path(ge=1, lt=2**31)]
) -> None:
    """Have a version price calls from now on."""
    services = services_of(request)
    await activate_version(services.db, card, version, at=services.now())


@router.get("/plans", response_model=list[Plan])
async def find_plans(request: Request) -> Any:
    """All call plans."""
    return [_plan(each) for each in await list_plans(services_of(request).db)]


@router.post("/plans", response_model=Plan, status_code=201, dependencies=[_MAY_CHANGE])
async def make_plan(request: Request, operator: Caller, new: NewPlan) -> Any:
    """Create a call plan; the first of its cards that prices a number counts."""
    db = services_of(request).db
    editor = _editor(request, operator)
    return _plan(
        await create_plan(db, new.name, new.cards, route_order=new.route_order, editor=editor)
    )


@router.get("/trunks", response_model=list[Trunk])
async def find_trunks(request: Request) -> Any:
    """All trunks."""
    return [_trunk(each) for each in await list_trunks(services_of(request).db)]


@router.post("/trunks", response_model=Trunk, status_code=201, dependencies=[_MAY_CHANGE])
async def make_trunk(request: Request, operator: Caller, new: NewTrunk) -> Any:
    """Create a trunk."""
    db = services_of(request).db
    editor = _editor(request, operator)
    return _trunk(await create_trunk(db, new.name, new.dial, capacity=new.capacity, editor=editor))


@router.patch("/trunks/{name}", response_model=Trunk, dependencies=[_MAY_CHANGE])
async def change_trunk_state(
    request: Request, operator: Caller, name: Name, change: TrunkSwitch
) -> Any:
    """Take a trunk in or out of service."""
    db, editor = services_of(request).db, _editor(request, operator)
    return _trunk(await switch_trunk(db, name, change.enabled, editor))


def _editor(request: Request, operator: Operator) -> Editor:
    return Editor(changed_by=signature(operator), at=services_of(request).now())


def _price(rate: Rate | None) -> str | None:
    return None if rate is None else money(rate.price_micros_per_minute)


def _plan(plan: Any) -> dict[str, Any]:
    return {
        "name": plan.name,
        "cards": plan.cards,
        "route_order": plan.route_order,
        "customers": plan.accounts,
    }


def _trunk(trunk: Any) -> dict[str, Any]:
    return {name: getattr(trunk, name) for name in ("name", "dial", "enabled", "capacity")}
