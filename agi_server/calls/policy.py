"""May they call? The checks of the contract, in its order, on values alone."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from fractions import Fraction

from agi_server.accounts.restriction_rules import matches
from agi_server.calls.identify import Account, Found, FoundDid, Method
from agi_server.calls.reasons import Reason

ACTIVE = 1
STATUS_REASONS = {
    0: Reason.ACCOUNT_CANCELLED,
    2: Reason.ACCOUNT_NEW,
    3: Reason.ACCOUNT_UNCONFIRMED,
    4: Reason.ACCOUNT_RESERVED,
    5: Reason.ACCOUNT_EXPIRED,
    6: Reason.ACCOUNT_SUSPENDED,
    7: Reason.ACCOUNT_SUSPENDED_LITIGATION,
    8: Reason.ACCOUNT_WAITING_PAYMENT,
}
_BLACKLIST, _WHITELIST = 1, 2


@dataclass(frozen=True, slots=True, kw_only=True)
class LockOut:
    """How many wrong account numbers a caller and a source may give within a window."""

    failures_per_caller: int
    failures_per_source: int


def refuse_caller(found: Found, lock_out: LockOut, now: datetime) -> Reason | None:
    """The checks before the number matters; None when all passed."""
    if found.method.counts_failures and (
        found.caller_failures >= lock_out.failures_per_caller
        or found.source_failures >= lock_out.failures_per_source
    ):
        return Reason.TOO_MANY_ATTEMPTS
    inbound = found.method is Method.DID
    if inbound and (reason := refuse_did(found.did, now)) is not None:
        return reason
    account = found.account
    if account is None:
        return Reason.ACCOUNT_NOT_FOUND
    if account.status != ACTIVE:
        return STATUS_REASONS[account.status]
    if account.valid_until is not None and now > account.valid_until:
        return Reason.ACCOUNT_EXPIRED
    if account.locked and not inbound:
        return Reason.ACCOUNT_LOCKED
    return None


def refuse_did(did: FoundDid | None, now: datetime) -> Reason | None:
    """Whether a DID takes calls at all; the last instant of its validity is in it."""
    if did is None:
        return Reason.DID_NOT_FOUND
    if not did.assigned:
        return Reason.DID_NOT_ASSIGNED
    early = did.valid_from is not None and now < did.valid_from
    late = did.valid_until is not None and now > did.valid_until
    return Reason.DID_INACTIVE if early or late or not did.active else None


def refuse_number(
    account: Account, number: str, dialled: str, plan_id: int | None
) -> Reason | None:
    """What the group may do, then restrictions, on the normalised number and on what was dialled.

    A group that names call plans may use no other, even one that the dialplan forces.
    """
    if not account.group_may_call:
        return Reason.GROUP_FORBIDDEN
    if account.group_plan_ids and plan_id is not None and plan_id not in account.group_plan_ids:
        return Reason.GROUP_FORBIDDEN
    if _restricted(account.group_restriction, account.group_rules, number, dialled):
        return Reason.NUMBER_RESTRICTED
    if _restricted(account.restriction, account.rules, number, dialled):
        return Reason.NUMBER_RESTRICTED
    return None


def refuse_price(account: Account, price_micros_per_minute: Fraction) -> Reason | None:
    """The account's cap on what a minute may cost."""
    cap = account.max_price_micros_per_minute
    return Reason.FRAUD_GUARD if cap is not None and price_micros_per_minute > cap else None


def refuse_pace(account: Account, method: Method, now: datetime) -> Reason | None:
    """Calls per second; the hold checks the same again while it has the account's row.

    What a forwarded call goes on to belongs to the call that came in.
    """
    if method is Method.FORWARD:
        return None
    full = account.calls_in_second >= account.calls_per_second
    if account.calls_per_second and full and second_runs(account.second_started_at, now):
        return Reason.TOO_FAST
    return None


def second_runs(started_at: datetime | None, now: datetime) -> bool:
    """Whether the second in which calls are counted is not over. One that begins later than now was
    counted before the clock was set back."""
    return started_at is not None and abs(started_at - now) < timedelta(seconds=1)


def refuse_parallel(account: Account, method: Method) -> Reason | None:
    """Simultaneous access by PostgreSQL's count; 0 is without limit."""
    if not account.simultaneous_access:
        return None
    full = no_unit_left(
        method.value, account.open_calls, account.open_forwards, account.simultaneous_access
    )
    return Reason.TOO_MANY_CALLS if full else None


def no_unit_left(
    identified_by: str, open_calls: int, open_forwards: int, simultaneous_access: int
) -> bool:
    """Whether the limit (not 0) keeps a call out, as the hold has it.

    A forwarded call is one call: its second part goes with the first, which has the unit. One more
    may be open, where the next destination is tried while the part to the last one is just ending.
    """
    counted = open_calls - open_forwards
    if identified_by == Method.FORWARD.value:
        return counted == 0 or open_forwards > counted
    return counted >= simultaneous_access


def _restricted(mode: int, rules: tuple[str, ...], number: str, dialled: str) -> bool:
    if mode not in (_BLACKLIST, _WHITELIST):
        return False
    listed = any(matches(rule, number) or matches(rule, dialled) for rule in rules)
    return listed if mode == _BLACKLIST else not listed
