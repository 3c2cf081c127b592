"""What the API takes and gives of a customer, made of the one model of the account."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, Strict, create_model

from agi_server.accounts.account import FIELDS, Account
from agi_server.accounts.field_kinds import show_value
from agi_server.accounts.fields import AccountField, Kind, Settable
from agi_server.editor import LONGEST_REASON
from agi_server.observe.masking import mask_account_number
from rating.money import format_money


def _sendable(text: str) -> str:
    if any(sign == "\0" or "\ud800" <= sign <= "\udfff" for sign in text):
        raise ValueError("must not hold NUL or half a character")
    return text


Text = Annotated[str, AfterValidator(_sendable)]
Whole = Annotated[int, Strict()]
"""A number of JSON: no text that looks like one, no true."""
Flag = Annotated[bool, Strict()]
"""true or false of JSON."""

RestrictionWord = Literal["none", "blacklist", "whitelist"]
"""What listed numbers are."""


def _readable(field: AccountField) -> Any:
    kinds: dict[Kind, Any] = {Kind.NUMBER: int, Kind.FLAG: bool, Kind.LIST: list[str]}
    return kinds.get(field.kind, str) | None


def _writable(field: AccountField) -> Any:
    kinds: dict[Kind, Any] = {Kind.NUMBER: Whole, Kind.FLAG: Flag, Kind.LIST: list[Text]}
    return kinds.get(field.kind, Text) | None


def _description(field: AccountField) -> str:
    words = f" One of {', '.join(field.choice_words)}." if field.choices else ""
    return f"{field.help}{words}"


def _model(
    name: str, doc: str, wanted: Callable[[AccountField], bool], **more: Any
) -> type[BaseModel]:
    fields: dict[str, Any] = {
        field.name: (_writable(field), Field(default=None, description=_description(field)))
        for field in FIELDS
        if wanted(field)
    } | more
    model: type[BaseModel] = create_model(
        name, __doc__=doc, __config__=ConfigDict(extra="forbid"), **fields
    )
    return model


NEW_CUSTOMER = _model(
    "NewCustomer",
    "A customer to be created; what is left out is as the group or the settings say, and what is"
    " null or an empty list is empty.",
    lambda field: field.settable is not Settable.NEVER,
)
CUSTOMER_CHANGE = _model(
    "CustomerChange",
    "Fields to change; those left out stay, null empties one.",
    lambda field: field.settable is Settable.ALWAYS,
    reason=(
        Text | None,
        Field(
            default=None,
            max_length=LONGEST_REASON,
            description="Why: one line, kept in the customer's history with each change.",
        ),
    ),
)
_SHOWN = [field for field in FIELDS if field.kind is not Kind.SECRET and field.name != "note"]
_customer_fields: dict[str, Any] = {
    "id": (int, ...),
    "held": (str, Field(description="Reserved for calls in progress.")),
    "available": (str, Field(description="What a further call can spend.")),
    "created_at": (str, ...),
    "deleted_at": (str | None, Field(description="Deleted for good: nothing changes any more.")),
    **{field.name: (_readable(field), Field(description=_description(field))) for field in _SHOWN},
}
CUSTOMER: type[BaseModel] = create_model(
    "Customer",
    __doc__="Money is a decimal string in the account's currency; times are in UTC.",
    **_customer_fields,
)


def customer_json(account: Account, *, full_number: bool = False) -> dict[str, Any]:
    """A customer; the account number is masked unless it was made just now."""
    fields = {field.name: show_value(field, getattr(account, field.attribute)) for field in _SHOWN}
    if not full_number:
        fields["account_number"] = mask_account_number(account.account_number)
    return {
        "id": account.id,
        "held": format_money(account.held_micros),
        "available": format_money(account.available_micros),
        "created_at": moment(account.created_at),
        "deleted_at": moment(account.deleted_at),
        **fields,
    }


def moment(value: datetime | None) -> str | None:
    """UTC, to the millisecond."""
    if value is None:
        return None
    return value.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def money(micros: int | None) -> str | None:
    """A decimal string."""
    return None if micros is None else format_money(micros)
