"""CallerIDs and restricted numbers of a customer."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path, Request
from pydantic import BaseModel, ConfigDict, Field

from agi_server.accounts import callerids
from agi_server.accounts.account import texts_to_values
from agi_server.accounts.audit import Editor
from agi_server.accounts.changes import update_account
from agi_server.refused import NotFoundError
from agi_server.web.api.access import Caller, having
from agi_server.web.api.customers import CustomerId, signature
from agi_server.web.api.shapes import Flag, RestrictionWord, Text
from agi_server.web.auth.roles import Operator, Right
from agi_server.web.scope import customer_in_scope
from agi_server.web.services import services_of

router = APIRouter(prefix="/customers/{customer}", tags=["customers"])

Number = Annotated[Text, Path(max_length=40)]
_MAY_CHANGE = Depends(having(Right.CHANGE_CUSTOMERS))


class CallerId(BaseModel):
    """A number from which calls need no account number, unless it is switched off."""

    number: str
    active: bool


class NewCallerId(BaseModel):
    """A CallerID to be given to the customer."""

    model_config = ConfigDict(extra="forbid")
    number: Text = Field(max_length=40)


class CallerIdSwitch(BaseModel):
    """On or off."""

    model_config = ConfigDict(extra="forbid")
    active: Flag


class Restricted(BaseModel):
    """Which numbers may not be called, or alone may be."""

    model_config = ConfigDict(extra="forbid")
    restriction: RestrictionWord
    restricted_numbers: list[Text] = Field(
        max_length=1000,
        description="Numbers (442079460000), prefixes (4420*), Asterisk patterns (_44[12]XXXX.).",
    )


@router.get("/callerids", response_model=list[CallerId])
async def find_callerids(request: Request, operator: Caller, customer: CustomerId) -> Any:
    """All of the customer's CallerIDs."""
    db = services_of(request).db
    account = await customer_in_scope(db, operator, customer)
    return [_callerid(each) for each in await callerids.list_callerids(db, account.id)]


@router.post("/callerids", response_model=CallerId, status_code=201, dependencies=[_MAY_CHANGE])
async def give_callerid(
    request: Request, operator: Caller, customer: CustomerId, new: NewCallerId
) -> Any:
    """Give the customer a CallerID that belongs to nobody."""
    services = services_of(request)
    account = await customer_in_scope(services.db, operator, customer)
    number = await callerids.add_callerid(
        services.db,
        account.id,
        new.number,
        _editor(request, operator),
        max_callerids=services.settings.accounts.max_callerids,
    )
    return {"number": number, "active": True}


@router.patch("/callerids/{number}", response_model=CallerId, dependencies=[_MAY_CHANGE])
async def switch_callerid(
    request: Request, operator: Caller, customer: CustomerId, number: Number, to: CallerIdSwitch
) -> Any:
    """Switch a CallerID on or off."""
    await _check_own(request, operator, customer, number)
    db = services_of(request).db
    await callerids.switch_callerid(db, number, to.active, _editor(request, operator))
    return {"number": number, "active": to.active}


@router.delete("/callerids/{number}", status_code=204, dependencies=[_MAY_CHANGE])
async def take_callerid(
    request: Request, operator: Caller, customer: CustomerId, number: Number
) -> None:
    """Take a CallerID away; it may be given to others then."""
    await _check_own(request, operator, customer, number)
    db = services_of(request).db
    await callerids.remove_callerid(db, number, _editor(request, operator))


@router.get("/restriction", response_model=Restricted)
async def read_restriction(request: Request, operator: Caller, customer: CustomerId) -> Any:
    """The customer's own; that of the group is checked before it."""
    account = await customer_in_scope(services_of(request).db, operator, customer)
    return _restriction(account)


@router.put("/restriction", response_model=Restricted, dependencies=[_MAY_CHANGE])
async def set_restriction(
    request: Request, operator: Caller, customer: CustomerId, asked: Restricted
) -> Any:
    """Replace the restriction and all of its numbers."""
    services = services_of(request)
    account = await customer_in_scope(services.db, operator, customer)
    values = texts_to_values(asked.model_dump())
    changed, _ = await update_account(services.db, account.id, values, _editor(request, operator))
    return _restriction(changed)


def _restriction(owner: Any) -> dict[str, Any]:
    return {
        "restriction": owner.restriction.name.lower(),
        "restricted_numbers": list(owner.restricted_numbers),
    }


def _callerid(found: callerids.CallerId) -> dict[str, Any]:
    return {"number": found.number, "active": found.active}


async def _check_own(request: Request, operator: Operator, customer: int, number: str) -> None:
    db = services_of(request).db
    account = await customer_in_scope(db, operator, customer)
    if number not in [each.number for each in await callerids.list_callerids(db, account.id)]:
        raise NotFoundError("the customer has no such CallerID")


def _editor(request: Request, operator: Operator) -> Editor:
    return Editor(changed_by=signature(operator), at=services_of(request).now())
