"""Sound files the caller hears: all of the standard core sound set, so every Asterisk has them."""

from agi_server.calls.reasons import Reason

ENTER_ACCOUNT_NUMBER = "agent-user"
WRONG_ACCOUNT_NUMBER = "auth-incorrect"
ENTER_PIN = "agent-pass"
WRONG_PIN = "auth-incorrect"
LOCKED = "activated"
UNLOCKED = "de-activated"
ENTER_DESTINATION = "vm-enter-num-to-call"
YOU_HAVE = "vm-youhave"
AND = "vm-and"
DOLLARS = "digits/dollars"
MINUS = "digits/minus"
MINUTES = "minutes"
SECONDS = "seconds"
GOODBYE = "vm-goodbye"

_TRY_LATER = "please-try-call-later"
_NOT_IN_SERVICE = "ss-noservice"
_NUMBER_WRONG = "check-number-dial-again"
_NOT_AVAILABLE = "feature-not-avail-line"

DENIAL_PROMPTS = {
    Reason.ACCOUNT_NOT_FOUND: "auth-incorrect",
    Reason.ACCOUNT_CANCELLED: _NOT_IN_SERVICE,
    Reason.ACCOUNT_NEW: _NOT_IN_SERVICE,
    Reason.ACCOUNT_UNCONFIRMED: _NOT_IN_SERVICE,
    Reason.ACCOUNT_RESERVED: _NOT_IN_SERVICE,
    Reason.ACCOUNT_EXPIRED: _NOT_IN_SERVICE,
    Reason.ACCOUNT_SUSPENDED: _NOT_IN_SERVICE,
    Reason.ACCOUNT_SUSPENDED_LITIGATION: _NOT_IN_SERVICE,
    Reason.ACCOUNT_WAITING_PAYMENT: _NOT_IN_SERVICE,
    Reason.ACCOUNT_LOCKED: _NOT_AVAILABLE,
    Reason.GROUP_FORBIDDEN: _NOT_AVAILABLE,
    Reason.NUMBER_INVALID: _NUMBER_WRONG,
    Reason.NUMBER_RESTRICTED: "cannot-complete-as-dialed",
    Reason.NO_RATE: "cannot-complete-as-dialed",
    Reason.NO_ROUTE: "all-circuits-busy-now",
    Reason.DID_NOT_FOUND: _NOT_IN_SERVICE,
    Reason.DID_NOT_ASSIGNED: _NOT_IN_SERVICE,
    Reason.DID_INACTIVE: _NOT_IN_SERVICE,
    Reason.DID_NO_DESTINATION: _NOT_IN_SERVICE,
    Reason.NO_CREDIT: _NOT_AVAILABLE,
    Reason.TOO_MANY_CALLS: "simul-call-limit-reached",
    Reason.TOO_MANY_ATTEMPTS: _TRY_LATER,
    Reason.TOO_FAST: _TRY_LATER,
    Reason.FRAUD_GUARD: _NOT_AVAILABLE,
    Reason.CANCELLED: GOODBYE,
    Reason.UNAVAILABLE: _TRY_LATER,
}
