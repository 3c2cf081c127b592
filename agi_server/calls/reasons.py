"""Why a call is refused: values, not exceptions. Each is a counter label and has one prompt."""

from enum import StrEnum


class Reason(StrEnum):
    """The reasons of the contract; the sentence of each is what an operator reads."""

    sentence: str

    def __new__(cls, value: str, sentence: str) -> "Reason":
        member = str.__new__(cls, value)
        member._value_ = value
        member.sentence = sentence
        return member

    ACCOUNT_NOT_FOUND = "account_not_found", "No account has this number or CallerID."
    ACCOUNT_CANCELLED = "account_cancelled", "The account was cancelled."
    ACCOUNT_NEW = "account_new", "The account is new and not yet active."
    ACCOUNT_UNCONFIRMED = "account_unconfirmed", "The customer has not confirmed the mail address."
    ACCOUNT_RESERVED = "account_reserved", "The account is reserved."
    ACCOUNT_EXPIRED = "account_expired", "The account has expired."
    ACCOUNT_SUSPENDED = "account_suspended", "The account is suspended for underpayment."
    ACCOUNT_SUSPENDED_LITIGATION = (
        "account_suspended_litigation",
        "The account is suspended for litigation.",
    )
    ACCOUNT_WAITING_PAYMENT = "account_waiting_payment", "The subscription has not been paid yet."
    ACCOUNT_LOCKED = "account_locked", "The customer has locked outgoing calls."
    GROUP_FORBIDDEN = (
        "group_forbidden",
        "The customer's group may not make calls, or not by this call plan.",
    )
    NUMBER_INVALID = "number_invalid", "What was dialled is not a number that can be called."
    NUMBER_RESTRICTED = "number_restricted", "The account or its group may not call this number."
    NO_RATE = "no_rate", "No rate card of the call plan prices this destination."
    NO_ROUTE = "no_route", "No enabled trunk carries this destination."
    DID_NOT_FOUND = "did_not_found", "There is no such DID."
    DID_NOT_ASSIGNED = "did_not_assigned", "The DID belongs to no customer."
    DID_INACTIVE = "did_inactive", "The DID is switched off, or this is not within its dates."
    DID_NO_DESTINATION = (
        "did_no_destination",
        "The DID rings nowhere: it has no destination, or its owner no such phone.",
    )
    NO_CREDIT = "no_credit", "The available funds do not pay the least that the call costs."
    TOO_MANY_CALLS = "too_many_calls", "The account has as many calls in progress as it may."
    TOO_MANY_ATTEMPTS = "too_many_attempts", "Too many wrong account numbers: locked for a while."
    TOO_FAST = "too_fast", "The account starts more calls a second than it may."
    FRAUD_GUARD = "fraud_guard", "The call costs more than the account's caps allow."
    CANCELLED = "cancelled", "The caller hung up before the call could be dialled."
    UNAVAILABLE = "unavailable", "A backend is away or the deadline has passed."
