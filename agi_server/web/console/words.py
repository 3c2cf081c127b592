"""Words for the values that the business knows by codes, and what pages say when all went well."""

from collections.abc import Mapping
from typing import Any

from agi_server.accounts.account import AccountStatus, ExpiryMode, PaymentType, Restriction
from agi_server.calls.reasons import Reason
from agi_server.web.auth.roles import Role
from agi_server.web.console.languages import N_
from rating.routing import RouteOrder, SellPrice

NOTICES: Mapping[str, str] = {
    "created": N_("The customer was created."),
    "changed": N_("Saved."),
    "unchanged": N_("Nothing was changed."),
    "refilled": N_("The credit was given."),
    "refilled-before": N_("This refill was made before: nothing was given twice."),
    "locked": N_("Outgoing calls are locked."),
    "unlocked": N_("Outgoing calls are unlocked."),
    "callerid-added": N_("The CallerID was added."),
    "callerid-removed": N_("The CallerID was removed."),
    "callerid-on": N_("The CallerID is on: calls from it find this customer."),
    "callerid-off": N_("The CallerID is off: it finds nobody."),
    "paid": N_("The payment was recorded."),
    "paid-refilled": N_("The payment was recorded and the credit given."),
    "paid-before": N_("This payment was recorded before: nothing was booked twice."),
    "corrected": N_("The balance was corrected."),
    "corrected-before": N_("This correction was made before: nothing was booked twice."),
    "erased": N_("The person was erased: the ledger and the calls stay."),
    "note-added": N_("The note was added."),
    "activated": N_("The version is active: it prices calls from now on."),
    "hung-up": N_("The call is being hung up."),
    "saved": N_("Saved."),
    "removed": N_("Deleted."),
    "bulk-changed": N_("The customers were changed."),
    "bulk-changed-before": N_("These customers have these values already: nothing was done."),
    "deleted": N_("The customer was deleted: no call, no sign-in; the ledger stays."),
}
"""By the word in `?done=`."""

YES, NO = N_("yes"), N_("no")

WORDS: Mapping[str, Mapping[Any, str]] = {
    "status": {
        AccountStatus.CANCELLED: N_("cancelled"),
        AccountStatus.ACTIVE: N_("active"),
        AccountStatus.NEW: N_("new"),
        AccountStatus.UNCONFIRMED: N_("waiting for mail confirmation"),
        AccountStatus.RESERVED: N_("reserved"),
        AccountStatus.EXPIRED: N_("expired"),
        AccountStatus.SUSPENDED: N_("suspended (underpayment)"),
        AccountStatus.SUSPENDED_LITIGATION: N_("suspended (litigation)"),
        AccountStatus.WAITING_PAYMENT: N_("waiting for subscription payment"),
    },
    "payment_type": {PaymentType.PREPAID: N_("prepaid"), PaymentType.POSTPAID: N_("postpaid")},
    "expiry": {
        ExpiryMode.NEVER: N_("never"),
        ExpiryMode.AT_DATE: N_("at a date"),
        ExpiryMode.AFTER_FIRST_USE: N_("days after first use"),
        ExpiryMode.AFTER_CREATION: N_("days after creation"),
    },
    "restriction": {
        Restriction.NONE: N_("none"),
        Restriction.BLACKLIST: N_("blacklist: may not call the listed numbers"),
        Restriction.WHITELIST: N_("whitelist: may call only the listed numbers"),
    },
    "reason": {
        Reason.ACCOUNT_NOT_FOUND: N_("account not found"),
        Reason.ACCOUNT_CANCELLED: N_("account cancelled"),
        Reason.ACCOUNT_NEW: N_("account new"),
        Reason.ACCOUNT_UNCONFIRMED: N_("account not confirmed"),
        Reason.ACCOUNT_RESERVED: N_("account reserved"),
        Reason.ACCOUNT_EXPIRED: N_("account expired"),
        Reason.ACCOUNT_SUSPENDED: N_("account suspended"),
        Reason.ACCOUNT_SUSPENDED_LITIGATION: N_("account suspended (litigation)"),
        Reason.ACCOUNT_WAITING_PAYMENT: N_("waiting for payment"),
        Reason.ACCOUNT_LOCKED: N_("locked by the customer"),
        Reason.GROUP_FORBIDDEN: N_("group may not call"),
        Reason.NUMBER_INVALID: N_("number invalid"),
        Reason.NUMBER_RESTRICTED: N_("number restricted"),
        Reason.NO_RATE: N_("no rate"),
        Reason.NO_ROUTE: N_("no route"),
        Reason.DID_NOT_FOUND: N_("DID unknown"),
        Reason.DID_NOT_ASSIGNED: N_("DID without a customer"),
        Reason.DID_INACTIVE: N_("DID not active"),
        Reason.DID_NO_DESTINATION: N_("DID without a destination"),
        Reason.NO_CREDIT: N_("no credit"),
        Reason.TOO_MANY_CALLS: N_("too many calls"),
        Reason.TOO_MANY_ATTEMPTS: N_("too many attempts"),
        Reason.TOO_FAST: N_("too fast"),
        Reason.FRAUD_GUARD: N_("fraud guard"),
        Reason.CANCELLED: N_("caller hung up"),
        Reason.UNAVAILABLE: N_("unavailable"),
    },
    "state": {
        "open": N_("in progress"),
        "settled": N_("ended"),
        "void": N_("not dialled"),
        "denied": N_("refused"),
    },
    "dialstatus": {
        "ANSWER": N_("answered"),
        "BUSY": N_("busy"),
        "NOANSWER": N_("no answer"),
        "CANCEL": N_("caller hung up"),
        "CONGESTION": N_("congestion"),
        "CHANUNAVAIL": N_("unreachable"),
        "DONTCALL": N_("declined"),
        "TORTURE": N_("declined"),
        "INVALIDARGS": N_("failed"),
    },
    "kind": {
        "call": N_("call"),
        "refill": N_("refill"),
        "payment": N_("payment"),
        "correction": N_("correction"),
        "fee": N_("fee"),
        "opening": N_("opening balance"),
    },
    "side": {
        "customer": N_("customer"),
        "refills": N_("credit given"),
        "payments": N_("money received"),
        "overrun": N_("overrun"),
        "revenue": N_("revenue"),
        "corrections": N_("corrections"),
    },
    "route_order": {
        RouteOrder.LCR: N_("cheapest trunk first"),
        RouteOrder.LCD: N_("cheapest price first"),
        RouteOrder.PRIORITY: N_("as the rate cards order them"),
    },
    "sell_price": {
        SellPrice.FIRST_CARD: N_("of the first rate card"),
        SellPrice.ROUTE: N_("of the route that is used"),
    },
    "role": {
        Role.ADMIN: N_("administrator"),
        Role.SUPPORT: N_("support, read-only"),
        Role.RESELLER: N_("reseller"),
    },
    "report_by": {
        "day": N_("day"),
        "destination": N_("destination"),
        "trunk": N_("trunk"),
        "account": N_("customer"),
        "group": N_("group"),
    },
    "measure": {
        "minutes": N_("minutes"),
        "revenue": N_("revenue"),
        "cost": N_("cost"),
        "margin": N_("margin"),
        "asr": N_("ASR: answered of the dialled calls"),
        "acd": N_("ACD: average talk of an answered call"),
    },
    "change": {
        "new": N_("new"),
        "up": N_("dearer"),
        "down": N_("cheaper"),
        "removed": N_("removed"),
        "other": N_("other terms"),
        "unchanged": N_("unchanged"),
    },
}
