"""The customer account and the rules of its fields (shared/accounts.md)."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import IntEnum, StrEnum
from typing import Annotated, Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    ValidationError,
    model_validator,
)

from agi_server.accounts.number import check_account_number
from agi_server.accounts.restriction_rules import check_rule
from agi_server.refused import InvalidFieldError
from rating.country_rules import rules_of_country
from rating.money import MAX_MONEY_MICROS

# PostgreSQL's integer.
_LARGEST_COUNT = 2**31 - 1
_LANGUAGE = re.compile(r"[A-Za-z]{2,3}([-_][A-Za-z0-9]{2,8})*")
_CALLERID = re.compile(r"\+?([0-9]{3,15})")


class AccountStatus(IntEnum):
    """Only an active account may call. The codes are A2Billing's, for those who move over."""

    CANCELLED = 0
    ACTIVE = 1
    NEW = 2
    UNCONFIRMED = 3
    RESERVED = 4
    EXPIRED = 5
    SUSPENDED = 6
    SUSPENDED_LITIGATION = 7
    WAITING_PAYMENT = 8


class ExpiryMode(IntEnum):
    """When an account expires: never, at a date, or days after its first use or its creation."""

    NEVER = 0
    AT_DATE = 1
    AFTER_FIRST_USE = 2
    AFTER_CREATION = 3


class Restriction(IntEnum):
    """What the restricted numbers are: nothing, those not to call, or the only ones to call."""

    NONE = 0
    BLACKLIST = 1
    WHITELIST = 2


class PaymentType(StrEnum):
    """Prepaid funds are the balance; postpaid adds the credit limit."""

    PREPAID = "prepaid"
    POSTPAID = "postpaid"


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """One customer account as stored. Money in micros of `currency`; times in UTC."""

    id: int
    account_number: str
    status: AccountStatus
    group: str | None
    plan: str | None
    payment_type: PaymentType
    currency: str
    balance_micros: int
    held_micros: int
    credit_limit_micros: int
    in_use: int
    simultaneous_access: int
    calls_per_second: int
    max_price_micros_per_minute: int | None
    discount_basis_points: int
    country: str | None
    locked: bool
    language: str
    timezone: str
    expiry_mode: ExpiryMode
    expires_at: datetime | None
    expiry_days: int | None
    restriction: Restriction
    restricted_numbers: tuple[str, ...]
    callerids: tuple[str, ...]
    first_use_at: datetime | None
    created_at: datetime

    @property
    def available_micros(self) -> int:
        """What a further call can spend."""
        return self.balance_micros + self.credit_limit_micros - self.held_micros


def _check_timezone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ValueError("must be an IANA time zone such as Europe/Paris") from None
    return name


def _check_language(tag: str) -> str:
    if not _LANGUAGE.fullmatch(tag):
        raise ValueError("must be a language tag such as en or fr-CA")
    return tag


def _check_country(code: str) -> str:
    if rules_of_country(code) is None:
        raise ValueError("must be an ISO 3166 code whose dialling rules are known, such as GB")
    return code.upper()


def check_callerid(text: str) -> str:
    """The digits of a CallerID, a leading `+` gone. Raises ValueError."""
    number = _CALLERID.fullmatch(text.strip())
    if number is None:
        raise ValueError("must be 3 to 15 digits")
    return number[1]


Count = Annotated[int, Field(ge=0, le=_LARGEST_COUNT)]
Money = Annotated[int, Field(ge=0, le=MAX_MONEY_MICROS)]


class NewAccount(BaseModel):
    """What an operator says of an account that is to be created; made by `new_account`."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    account_number: Annotated[str, AfterValidator(check_account_number)] | None = None
    currency: Annotated[str, Field(pattern=r"^[A-Z]{3}$")]
    plan: str | None = None
    group: str | None = None
    status: AccountStatus = AccountStatus.ACTIVE
    payment_type: PaymentType = PaymentType.PREPAID
    credit_limit_micros: Money = 0
    simultaneous_access: Count = 1
    calls_per_second: Count = 0
    max_price_micros_per_minute: Money | None = None
    discount_basis_points: Annotated[int, Field(ge=0, le=9_999)] = 0
    """Hundredths of a percent that come off the price of calls."""
    country: Annotated[str, AfterValidator(_check_country)] | None = None
    language: Annotated[str, AfterValidator(_check_language)] = "en"
    timezone: Annotated[str, AfterValidator(_check_timezone)] = "UTC"
    expiry_mode: ExpiryMode = ExpiryMode.NEVER
    expiry_date: datetime | None = None
    """In the account's time zone; the account is valid up to and including this instant."""
    expiry_days: Annotated[int, Field(gt=0, le=36_500)] | None = None
    restriction: Restriction = Restriction.NONE
    restricted_numbers: tuple[Annotated[str, AfterValidator(check_rule)], ...] = ()
    callerids: tuple[Annotated[str, AfterValidator(check_callerid)], ...] = ()

    @model_validator(mode="after")
    def _fields_agree(self) -> "NewAccount":
        if self.credit_limit_micros and self.payment_type is PaymentType.PREPAID:
            raise InvalidFieldError("credit_limit", "is for postpaid accounts only")
        if (self.expiry_mode is ExpiryMode.AT_DATE) != (self.expiry_date is not None):
            raise InvalidFieldError("expiry_date", "goes with expiry at-date, and only with it")
        counts_days = self.expiry_mode in (ExpiryMode.AFTER_FIRST_USE, ExpiryMode.AFTER_CREATION)
        if counts_days != (self.expiry_days is not None):
            raise InvalidFieldError(
                "expiry_days", "goes with expiry after-first-use or after-creation, and only so"
            )
        if self.restricted_numbers and self.restriction is Restriction.NONE:
            raise InvalidFieldError(
                "restriction", "must say blacklist or whitelist for the numbers"
            )
        return self

    @property
    def expires_at(self) -> datetime | None:
        """The expiry date in UTC."""
        if self.expiry_date is None:
            return None
        return self.expiry_date.replace(tzinfo=ZoneInfo(self.timezone)).astimezone(UTC)


def new_account(**fields: Any) -> NewAccount:
    """Check the fields of an account to be created. Raises InvalidFieldError for the first bad one.

    Messages never contain the value, which could be an account number.
    """
    try:
        return NewAccount(**fields)
    except ValidationError as invalid:
        problem = invalid.errors()[0]
        cause = problem.get("ctx", {}).get("error")
        if isinstance(cause, InvalidFieldError):
            raise cause from None
        message = str(problem["msg"]).removeprefix("Value error, ")
        message = message.replace("Input should be", "must be").replace("String should", "must")
        raise InvalidFieldError(str(problem["loc"][0]), message) from None
