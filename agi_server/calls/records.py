"""Call sessions and CDRs for people: what was asked, decided, dialled and debited."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Literal

from agi_server.storage.postgres.statements import statement

CallState = Literal["open", "settled", "void", "denied"]


@dataclass(frozen=True, slots=True, kw_only=True)
class CallRecord:
    """One call session; what does not apply to its state is None. Money in micros of `currency`.

    `price_lines` are as the settlement stored them, or the last correction; `card` and its version
    name the price of the customer, `exchange` is the factor from the card's currency; `trunk` is
    the route dialled last, or the first one as long as nothing is known. `package` is what paid
    before money, with `package_used` of its seconds or calls, or as long as the call is open with
    `package_held` at most. `seen_answered_at` and `seen_at` are what supervision saw: the answer,
    and the last sign of life. `did` is the one called, `direction` whether from outside (`inbound`)
    or by a customer (`on_net`).
    """

    call_id: str
    account_id: int
    state: CallState
    server: str
    uniqueid: str
    channel: str
    direction: str
    did: str | None
    identified_by: str | None
    callerid: str
    dialled: str
    destination: str | None
    reason: str | None
    authorized_at: datetime
    expires_at: datetime | None
    limit_ms: int | None
    held_micros: int
    currency: str | None
    plan: str | None
    prefix: str | None
    trunk: str | None
    route: int | None
    dialstatus: str | None
    hangupcause: int | None
    answered_at: datetime | None
    ended_at: datetime | None
    talk_ms: int | None
    billed_seconds: int | None
    cost_micros: int | None
    corrected_cost_micros: int | None
    buy_cost_micros: int | None
    card: str | None
    card_version: int | None
    discount_basis_points: int
    exchange: str | None
    price_lines: Any
    package: str | None
    package_unit: str | None
    package_begins_on: date | None
    package_held: int
    package_used: int | None
    witness: str | None
    review: str | None
    seen_answered_at: datetime | None
    seen_at: datetime | None
    settled_at: datetime | None


async def list_calls(
    db: Any,
    *,
    account_id: int | None = None,
    state: CallState | None = None,
    reason: str | None = None,
    since: datetime | None = None,
    call_id: str | None = None,
    review: bool = False,
    limit: int = 50,
) -> list[CallRecord]:
    """Calls that meet all filters, newest first; `review`: only those to be reviewed."""
    rows = await db.fetch(
        statement("calls/list_sessions"), account_id, state, reason, since, call_id, limit, review
    )
    return [_record(dict(row)) for row in rows]


def _record(row: dict[str, Any]) -> CallRecord:
    return CallRecord(
        plan=row.pop("plan_name"), trunk=row.pop("trunk_name"), card=row.pop("card_name"), **row
    )
