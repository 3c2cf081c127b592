"""DIDs: find, add, give to customers, and where they ring."""

from datetime import UTC, datetime
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path, Query, Request
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from agi_server.accounts import did_destinations, dids, new_dids
from agi_server.accounts.audit import Editor
from agi_server.accounts.customers import find_by_id
from agi_server.accounts.dids import Did, DidState
from agi_server.accounts.new_dids import NewDid
from agi_server.refused import InvalidFieldError
from agi_server.web.api.access import Caller, having
from agi_server.web.api.customers import signature
from agi_server.web.api.shapes import Flag, Text, Whole, moment
from agi_server.web.auth.roles import Operator, Right
from agi_server.web.did_scope import did_in_scope, dids_in_scope
from agi_server.web.scope import customer_in_scope
from agi_server.web.services import services_of

router = APIRouter(prefix="/dids", tags=["dids"])

_MAY_CHANGE = Depends(having(Right.CHANGE_BUSINESS))
_MAY_CHANGE_CUSTOMERS = Depends(having(Right.CHANGE_CUSTOMERS))
Number = Annotated[Text, Path(max_length=20, description="In E.164.")]
Priority = Annotated[int, Path(ge=1, le=99)]
CustomerId = Annotated[int, Field(ge=1, lt=2**63, description="As lists show it.")]
Moment = Annotated[
    AwareDatetime, Field(ge=datetime(2000, 1, 1, tzinfo=UTC), le=datetime(2999, 1, 1, tzinfo=UTC))
]
Where = Annotated[
    Text, Field(max_length=20, description="`sip`, `iax` (the customer's phone) or a number.")
]


class DestinationShown(BaseModel):
    """Where a DID rings; the lowest priority first."""

    priority: int
    destination: str
    active: bool


class DidShown(BaseModel):
    """A DID; `state` is whether it takes calls now. Times are in UTC."""

    number: str
    state: DidState
    customer: int | None
    group: str | None
    plan: str | None = Field(description="Prices its calls to the customer.")
    active: bool
    valid_from: str | None
    valid_until: str | None
    created_at: str
    destinations: list[DestinationShown]


class DidPage(BaseModel):
    """DIDs by number; `next` is `after` of the next page."""

    dids: list[DidShown]
    next: str | None


class NewDidGiven(BaseModel):
    """A DID to be added."""

    model_config = ConfigDict(extra="forbid")
    number: Text = Field(max_length=20, description="In E.164.")
    customer: CustomerId | None = None
    group: Text | None = Field(default=None, max_length=63)
    plan: Text | None = Field(default=None, max_length=63)
    valid_from: Moment | None = None
    valid_until: Moment | None = None
    destinations: list[Where] = Field(default=[], max_length=did_destinations.MOST_DESTINATIONS)


class DidChange(BaseModel):
    """Fields to change; those left out stay, null empties one."""

    model_config = ConfigDict(extra="forbid")
    active: Flag | None = Field(default=None, description="Whether it takes calls.")
    group: Text | None = Field(default=None, max_length=63)
    plan: Text | None = Field(default=None, max_length=63)
    valid_from: Moment | None = None
    valid_until: Moment | None = None


class Assignment(BaseModel):
    """Whose the DID is to be."""

    model_config = ConfigDict(extra="forbid")
    customer: CustomerId


class NewDestination(BaseModel):
    """Where a DID rings, too; without a priority as the last."""

    model_config = ConfigDict(extra="forbid")
    destination: Where
    priority: Whole | None = Field(default=None, ge=1, le=99)


class DestinationSwitch(BaseModel):
    """Whether it rings or is passed over."""

    model_config = ConfigDict(extra="forbid")
    active: Flag


@router.get("", response_model=DidPage)
async def find_dids(
    request: Request,
    operator: Caller,
    search: Annotated[Text, Query(max_length=30, description="The digits it begins with.")] = "",
    customer: Annotated[int | None, Query(ge=1, lt=2**63)] = None,
    group: Annotated[Text | None, Query(max_length=100)] = None,
    unassigned: bool = False,
    after: Annotated[Text, Query(max_length=400)] = "",
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
) -> Any:
    """A page of DIDs."""
    services = services_of(request)
    found, next_page = await dids_in_scope(
        services.db,
        operator,
        account_id=customer,
        group=group,
        unassigned=unassigned,
        search=search,
        after=after,
        limit=limit,
    )
    return {"dids": [_json(each, services.now()) for each in found], "next": next_page}


@router.post("", response_model=DidShown, status_code=201, dependencies=[_MAY_CHANGE])
async def add_did(request: Request, operator: Caller, new: NewDidGiven) -> Any:
    """Add a DID, perhaps a customer's at once."""
    services = services_of(request)
    fields = new.model_dump()
    account_id = fields.pop("customer")
    if account_id is not None:
        await find_by_id(services.db, account_id)
    given = NewDid(**{**fields, "destinations": tuple(new.destinations)}, account_id=account_id)
    async with services.db.acquire() as db, db.transaction():
        added = await new_dids.add_did(db, given, _editor(request, operator))
    return _json(added, services.now())


@router.get("/{number}", response_model=DidShown)
async def read_did(request: Request, operator: Caller, number: Number) -> Any:
    """One DID."""
    services = services_of(request)
    return _json(await did_in_scope(services.db, operator, number), services.now())


@router.patch("/{number}", response_model=DidShown, dependencies=[_MAY_CHANGE])
async def change_did(request: Request, operator: Caller, number: Number, change: DidChange) -> Any:
    """Change a DID."""
    services = services_of(request)
    values = change.model_dump(exclude_unset=True)
    if values.get("active", True) is None:
        raise InvalidFieldError("active", "must be true or false")
    changed = await dids.update_did(services.db, number, values, _editor(request, operator))
    return _json(changed, services.now())


@router.delete("/{number}", status_code=204, dependencies=[_MAY_CHANGE])
async def delete_did(request: Request, operator: Caller, number: Number) -> None:
    """Delete a DID that is nobody's."""
    await dids.delete_did(services_of(request).db, number, _editor(request, operator))


@router.post("/{number}/assign", response_model=DidShown, dependencies=[_MAY_CHANGE])
async def assign_did(request: Request, operator: Caller, number: Number, to: Assignment) -> Any:
    """Give a DID that is nobody's to a customer."""
    services = services_of(request)
    account = await customer_in_scope(services.db, operator, to.customer)
    editor = _editor(request, operator)
    return _json(await dids.assign_did(services.db, number, account.id, editor), services.now())


@router.post("/{number}/release", response_model=DidShown, dependencies=[_MAY_CHANGE])
async def release_did(request: Request, operator: Caller, number: Number) -> Any:
    """Take a DID, with its destinations, away from its customer."""
    services = services_of(request)
    released = await dids.release_did(services.db, number, _editor(request, operator))
    return _json(released, services.now())


@router.post(
    "/{number}/destinations",
    response_model=DidShown,
    status_code=201,
    dependencies=[_MAY_CHANGE_CUSTOMERS],
)
async def add_destination(
    request: Request, operator: Caller, number: Number, new: NewDestination
) -> Any:
    """Have a DID ring there, too."""
    services = services_of(request)
    await did_in_scope(services.db, operator, number)
    changed = await did_destinations.add_destination(
        services.db, number, new.destination, _editor(request, operator), priority=new.priority
    )
    return _json(changed, services.now())


@router.patch(
    "/{number}/destinations/{priority}",
    response_model=DidShown,
    dependencies=[_MAY_CHANGE_CUSTOMERS],
)
async def switch_destination(
    request: Request,
    operator: Caller,
    number: Number,
    priority: Priority,
    switch: DestinationSwitch,
) -> Any:
    """Have a destination ring or be passed over."""
    services = services_of(request)
    await did_in_scope(services.db, operator, number)
    changed = await did_destinations.switch_destination(
        services.db, number, priority, switch.active, _editor(request, operator)
    )
    return _json(changed, services.now())


@router.delete(
    "/{number}/destinations/{priority}", status_code=204, dependencies=[_MAY_CHANGE_CUSTOMERS]
)
async def remove_destination(
    request: Request, operator: Caller, number: Number, priority: Priority
) -> None:
    """Take a destination away."""
    services = services_of(request)
    await did_in_scope(services.db, operator, number)
    editor = _editor(request, operator)
    await did_destinations.remove_destination(services.db, number, priority, editor)


def _editor(request: Request, operator: Operator) -> Editor:
    return Editor(changed_by=signature(operator), at=services_of(request).now())


def _json(did: Did, now: datetime) -> dict[str, Any]:
    return {
        "number": did.number,
        "state": did.state(now),
        "customer": did.account_id,
        "group": did.group,
        "plan": did.plan,
        "active": did.active,
        "valid_from": moment(did.valid_from),
        "valid_until": moment(did.valid_until),
        "created_at": moment(did.created_at),
        "destinations": [
            {"priority": each.priority, "destination": each.target, "active": each.active}
            for each in did.destinations
        ],
    }
