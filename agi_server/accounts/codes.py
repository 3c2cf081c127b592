"""Coded values of accounts. The numbers are A2Billing's, for those who move over."""

from enum import IntEnum, StrEnum


class AccountStatus(IntEnum):
    """Only an active account may call."""

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
