"""Who is calling: which account a call belongs to, found in one read."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from agi_server.calls.caps import Caps, caps_of
from agi_server.calls.packages import PackageUse, use_of_json
from agi_server.calls.request import CallRequest, account_id_of
from agi_server.storage.postgres.statements import statement

_ENDING_DIGITS = 7  # as the index did_ending


class Method(StrEnum):
    """How the caller is known. The first is trusted, being written in the dialplan."""

    ACCOUNT = "account"
    ACCOUNTCODE = "accountcode"
    CALLERID = "callerid"
    PIN = "pin"
    DID = "did"
    """A call from outside to a DID: its owner's."""
    FORWARD = "forward"
    """An inbound call that goes on to a number: named by its id, the owner's outgoing call."""

    @property
    def counts_failures(self) -> bool:
        """A passed or typed account number counts for the lock-out; an accountcode never."""
        return self in (Method.ACCOUNT, Method.PIN)


@dataclass(frozen=True, slots=True, kw_only=True)
class Lookup:
    """What to look for: an account number, a CallerID, a DID, or an inbound call by its id."""

    method: Method
    account_number: str | None = None
    callerid: str | None = None
    did: str | None = None
    call_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """What the checks of a call need to know of an account. Money in micros."""

    id: int
    account_number: str
    status: int
    locked: bool
    plan_id: int | None
    currency: str
    available_micros: int
    open_calls: int
    open_forwards: int
    simultaneous_access: int
    calls_per_second: int
    second_started_at: datetime | None
    calls_in_second: int
    max_price_micros_per_minute: int | None
    discount_basis_points: int
    country: str | None
    language: str
    timezone: str
    package_use: PackageUse
    valid_until: datetime | None
    presented_callerid: str
    caps: Caps
    restriction: int
    rules: tuple[str, ...]
    group_may_call: bool
    group_plan_ids: tuple[int, ...]
    group_restriction: int
    group_rules: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class EarlierCall:
    """A session; `rolling`: the channel has a timeout from it."""

    account_id: int
    call_id: str
    rolling: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundDid:
    """A DID that was called; `destinations` are those switched on, kind and name, in their order.

    The name is a number or a phone's user; None where the owner has no such phone.
    """

    number: str
    assigned: bool
    active: bool
    plan_id: int | None
    valid_from: datetime | None
    valid_until: datetime | None
    destinations: tuple[tuple[str, str | None], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """The answer of one look-up; `account` is None when nobody has this number.

    `did` is the one that was looked for. `on_net` are DIDs that end as `dialled` does, if they were
    asked for. `earlier_call` is a session of this very channel that is still open.
    """

    lookup: Lookup
    account: Account | None
    did: FoundDid | None
    dialled: str
    on_net: tuple[str, ...]
    caller_failures: int
    source_failures: int
    earlier_call: EarlierCall | None

    @property
    def method(self) -> Method:
        """How the caller is known."""
        return self.lookup.method


def first_lookup(
    request: CallRequest, account_number: str | None, methods: tuple[Method, ...]
) -> Lookup | None:
    """The first method that applies, in order; None when only asking the caller is left.

    An accountcode that is present decides: when unknown the call is refused, it does not fall
    through to the CallerID (contracts.md, section 1).
    """
    if account_number is not None:
        return Lookup(method=Method.ACCOUNT, account_number=account_number)
    for method in methods:
        if method is Method.ACCOUNTCODE and request.accountcode:
            return Lookup(method=method, account_number=request.accountcode)
        if method is Method.CALLERID and request.caller is not None:
            return Lookup(method=method, callerid=request.caller)
        if method is Method.PIN:
            return None
    return None


def ending(dialled: str) -> str:
    """How a dialled number ends, whatever it begins with: as a DID, if it is one."""
    return dialled.strip("#*").removeprefix("+")[-_ENDING_DIGITS:]


async def find_account(
    db: Any, request: CallRequest, lookup: Lookup, now: datetime, *, on_net: bool = False
) -> Found:
    """Look the caller up: one round trip; `on_net`: and the DIDs that may have been dialled.

    Raises what asyncpg raises.
    """
    row = await db.fetchrow(
        statement("calls/find_account"),
        lookup.account_number,
        lookup.callerid,
        request.caller,
        request.source,
        now,
        request.server,
        request.uniqueid,
        lookup.did,
        ending(request.dialled) if on_net else None,
        None if lookup.call_id is None else account_id_of(lookup.call_id),
        lookup.call_id,
    )
    earlier = None
    if row["earlier_call_id"] is not None:
        earlier = EarlierCall(
            account_id=row["earlier_account_id"],
            call_id=row["earlier_call_id"],
            rolling=row["earlier_rolling"],
        )
    return Found(
        lookup=lookup,
        did=_did(lookup.did, row["did"]),
        dialled=request.dialled,
        on_net=tuple(row["on_net"] or ()),
        account=None if row["id"] is None else _account(row, now),
        caller_failures=row["caller_failures"] or 0,
        source_failures=row["source_failures"] or 0,
        earlier_call=earlier,
    )


def _did(number: str | None, found: Any) -> FoundDid | None:
    if number is None or found is None:
        return None
    dates = {
        name: None if found[name] is None else datetime.fromisoformat(found[name])
        for name in ("valid_from", "valid_until")
    }
    destinations = tuple((kind, name) for kind, name in found["destinations"] or ())
    return FoundDid(number=number, **{**found, **dates, "destinations": destinations})


@dataclass(frozen=True, slots=True, kw_only=True)
class Failures:
    """Wrong account numbers within the window, this one included."""

    source: int
    caller: int = 0


async def count_failure(db: Any, request: CallRequest, now: datetime, window_s: int) -> Failures:
    """Remember one more wrong account number of this caller and of this source.

    Callers without a CallerID are told apart by their source alone: else one of them could lock
    out all others.
    """
    rows = await db.fetch(
        statement("calls/count_failure"),
        request.caller,
        request.source,
        now,
        now + timedelta(seconds=window_s),
    )
    return Failures(**{row["scope"]: row["failures"] for row in rows})


def _account(row: Any, now: datetime) -> Account:
    return Account(
        id=row["id"],
        account_number=row["account_number"],
        status=row["status"],
        locked=row["locked"],
        plan_id=row["plan_id"],
        currency=row["currency"],
        available_micros=(row["balance_micros"] + row["credit_limit_micros"] - row["held_micros"]),
        open_calls=row["open_calls"],
        open_forwards=row["open_forwards"],
        simultaneous_access=row["simultaneous_access"],
        calls_per_second=row["calls_per_second"],
        second_started_at=row["second_started_at"],
        calls_in_second=row["calls_in_second"],
        max_price_micros_per_minute=row["max_price_micros_per_minute"],
        discount_basis_points=row["discount_basis_points"],
        country=row["country"],
        language=row["language"],
        timezone=row["timezone"],
        package_use=use_of_json(row["package_use"]),
        valid_until=_valid_until(row),
        presented_callerid=row["presented_callerid"] or "",
        caps=caps_of(row, now),
        restriction=row["restriction"],
        rules=tuple(row["rules"] or ()),
        group_may_call=row["group_may_call"] is not False,
        group_plan_ids=tuple(row["group_plan_ids"] or ()),
        group_restriction=row["group_restriction"] or 0,
        group_rules=tuple(row["group_rules"] or ()),
    )


def _valid_until(row: Any) -> datetime | None:
    """The last instant of the account's validity by its expiry mode (accounts.md)."""
    mode, days = row["expiry_mode"], row["expiry_days"]
    if mode == 1:
        expires_at: datetime = row["expires_at"]
        return expires_at
    start = {2: row["first_use_at"], 3: row["created_at"]}.get(mode)
    return None if start is None else start + timedelta(days=days)
