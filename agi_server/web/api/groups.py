"""Customer groups, series and campaigns."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path, Request
from pydantic import BaseModel, ConfigDict, Field

from agi_server.accounts import campaigns, groups
from agi_server.accounts import series as all_series
from agi_server.accounts.account import Restriction
from agi_server.accounts.restrictions import set_group_rules
from agi_server.editor import Editor
from agi_server.refused import InvalidFieldError
from agi_server.web.api.access import Caller, having
from agi_server.web.api.callerids import Restricted
from agi_server.web.api.customers import signature
from agi_server.web.api.once import IdempotencyKey, answer_in_the_end
from agi_server.web.api.shapes import Flag, RestrictionWord, Text, Whole, money
from agi_server.web.auth.roles import Operator, Right
from agi_server.web.services import services_of
from rating.money import MoneyError, parse_money

router = APIRouter(tags=["groups"], dependencies=[Depends(having(Right.SEE_BUSINESS))])

Name = Annotated[Text, Path(max_length=200)]
_MAY_CHANGE = Depends(having(Right.CHANGE_BUSINESS))
_MAY_MOVE_MONEY = Depends(having(Right.MOVE_MONEY))


class Permissions(BaseModel):
    """What the group's customers may do; what is left out stays as it is."""

    model_config = ConfigDict(extra="forbid")
    may_call: Flag | None = None
    may_self_care: Flag | None = None
    may_top_up: Flag | None = None
    may_request_services: Flag | None = None
    plans: list[Text] | None = Field(
        default=None, max_length=100, description="Call plans they may use; empty: all."
    )
    defaults: dict[Text, Text] | None = Field(
        default=None, description="For new customers: texts by the name of the field."
    )


class NewGroup(Permissions):
    """A group to be created; without a word its customers may do everything."""

    name: Text = Field(max_length=63)
    restriction: RestrictionWord = "none"
    restricted_numbers: list[Text] = Field(default=[], max_length=1000)


class Group(BaseModel):
    """A group of customers."""

    name: str
    may_call: bool
    may_self_care: bool
    may_top_up: bool
    may_request_services: bool
    plans: list[str]
    defaults: dict[str, Any]
    restriction: RestrictionWord
    restricted_numbers: list[str]
    customers: int


class Series(BaseModel):
    """Serials, given one after the other."""

    name: str
    digits: int
    next_serial: str
    customers: int


class NewSeries(BaseModel):
    """A series to be created."""

    model_config = ConfigDict(extra="forbid")
    name: Text = Field(max_length=63)
    digits: Whole = Field(default=7, ge=1, le=18, description="Filled up with zeros.")
    first: Whole = Field(default=1, ge=0, lt=10**18)


class Campaign(BaseModel):
    """Customers that are acted on together."""

    name: str
    description: str
    customers: int


class NewCampaign(BaseModel):
    """A campaign to be created."""

    model_config = ConfigDict(extra="forbid")
    name: Text = Field(max_length=63)
    description: Text = Field(default="", max_length=200)


class CampaignRefill(BaseModel):
    """Credit for each customer of a campaign, in the customer's own currency."""

    model_config = ConfigDict(extra="forbid")
    amount: Text = Field(max_length=40, description="Decimal string.")
    note: Text = Field(default="", max_length=200, description="Kept in the ledger.")


class CampaignRefilled(BaseModel):
    """How many customers have the credit now."""

    campaign: str
    amount: str
    customers: int


@router.get("/groups", response_model=list[Group])
async def find_groups(request: Request) -> Any:
    """All customer groups."""
    return [_group(each) for each in await groups.list_groups(services_of(request).db)]


@router.post("/groups", response_model=Group, status_code=201, dependencies=[_MAY_CHANGE])
async def make_group(request: Request, operator: Caller, new: NewGroup) -> Any:
    """Create a group."""
    given = new.model_dump(exclude_none=True)
    given["restriction"] = Restriction[new.restriction.upper()]
    given["editor"] = _editor(request, operator)
    return _group(await groups.create_group(services_of(request).db, **given))


@router.get("/groups/{name}", response_model=Group)
async def read_group(request: Request, name: Name) -> Any:
    """One group."""
    return _group(await groups.find_group(services_of(request).db, name))


@router.patch("/groups/{name}", response_model=Group, dependencies=[_MAY_CHANGE])
async def change_group(request: Request, operator: Caller, name: Name, change: Permissions) -> Any:
    """Change what is given; plans and defaults are replaced as a whole. Calls heed it at once."""
    db, editor = services_of(request).db, _editor(request, operator)
    return _group(await groups.update_group(db, name, **change.model_dump(), editor=editor))


@router.put("/groups/{name}/restriction", response_model=Group, dependencies=[_MAY_CHANGE])
async def restrict_group(request: Request, operator: Caller, name: Name, asked: Restricted) -> Any:
    """Replace the restriction and all of its numbers; it is checked before the customer's own."""
    services = services_of(request)
    group = await groups.find_group(services.db, name)
    await set_group_rules(
        services.db,
        group.id,
        Restriction[asked.restriction.upper()],
        asked.restricted_numbers,
        editor=_editor(request, operator),
    )
    return _group(await groups.find_group(services.db, name))


@router.delete("/groups/{name}", status_code=204, dependencies=[_MAY_CHANGE])
async def remove_group(request: Request, operator: Caller, name: Name) -> None:
    """Delete a group that has no customers; deleted ones leave it."""
    await groups.delete_group(services_of(request).db, name, _editor(request, operator))


@router.get("/series", response_model=list[Series])
async def find_series(request: Request) -> Any:
    """All series."""
    return [_series(each) for each in await all_series.list_series(services_of(request).db)]


@router.post("/series", response_model=Series, status_code=201, dependencies=[_MAY_CHANGE])
async def make_series(request: Request, operator: Caller, new: NewSeries) -> Any:
    """Create a series."""
    db, editor = services_of(request).db, _editor(request, operator)
    return _series(
        await all_series.create_series(
            db, new.name, digits=new.digits, first=new.first, editor=editor
        )
    )


@router.delete("/series/{name}", status_code=204, dependencies=[_MAY_CHANGE])
async def remove_series(request: Request, operator: Caller, name: Name) -> None:
    """Delete a series of which no customer has a serial; deleted ones keep theirs without it."""
    await all_series.delete_series(services_of(request).db, name, _editor(request, operator))


@router.get("/campaigns", response_model=list[Campaign])
async def find_campaigns(request: Request) -> Any:
    """All campaigns; their customers are `/customers?campaign=…`."""
    return [_campaign(each) for each in await campaigns.list_campaigns(services_of(request).db)]


@router.post("/campaigns", response_model=Campaign, status_code=201, dependencies=[_MAY_CHANGE])
async def make_campaign(request: Request, operator: Caller, new: NewCampaign) -> Any:
    """Create a campaign."""
    db, editor = services_of(request).db, _editor(request, operator)
    return _campaign(await campaigns.create_campaign(db, new.name, new.description, editor))


@router.delete("/campaigns/{name}", status_code=204, dependencies=[_MAY_CHANGE])
async def remove_campaign(request: Request, operator: Caller, name: Name) -> None:
    """Delete a campaign that no customer is in; deleted ones leave it."""
    await campaigns.delete_campaign(services_of(request).db, name, _editor(request, operator))


@router.post(
    "/campaigns/{name}/refills",
    response_model=CampaignRefilled,
    status_code=201,
    dependencies=[_MAY_MOVE_MONEY],
)
async def refill_campaign(
    request: Request, operator: Caller, name: Name, key: IdempotencyKey, asked: CampaignRefill
) -> Any:
    """Give each customer that is not cancelled credit, once for each Idempotency-Key.

    Not in one transaction, which would keep calls waiting: what broke off is completed by asking
    again with the same key.
    """
    services = services_of(request)
    try:
        amount_micros = parse_money(asked.amount)
    except MoneyError as error:
        raise InvalidFieldError("amount", str(error)) from None
    if not amount_micros:
        raise InvalidFieldError("amount", "must be greater than 0")

    async def act() -> tuple[int, dict[str, Any]]:
        customers = 0
        async for _ in campaigns.refill_campaign(
            services.db,
            name,
            amount_micros,
            _editor(request, operator),
            reference=f"api:{operator.id}:{key}",
            note=asked.note,
        ):
            customers += 1
        return 201, {"campaign": name, "amount": money(amount_micros), "customers": customers}

    await campaigns.find_campaign(services.db, name)
    request_of_key = {"campaign": name, **asked.model_dump()}
    return await answer_in_the_end(services, operator, key, request_of_key, act)


def _editor(request: Request, operator: Operator) -> Editor:
    return Editor(changed_by=signature(operator), at=services_of(request).now())


def _group(found: groups.Group) -> dict[str, Any]:
    same = ("name", "may_call", "may_self_care", "may_top_up", "may_request_services", "plans",
            "defaults", "restricted_numbers")  # fmt: skip
    return {
        **{name: getattr(found, name) for name in same},
        "restriction": found.restriction.name.lower(),
        "customers": found.accounts,
    }


def _series(found: all_series.Series) -> dict[str, Any]:
    return {
        "name": found.name,
        "digits": found.digits,
        "next_serial": str(found.next_serial).zfill(found.digits),
        "customers": found.accounts,
    }


def _campaign(found: campaigns.Campaign) -> dict[str, Any]:
    return {"name": found.name, "description": found.description, "customers": found.accounts}
