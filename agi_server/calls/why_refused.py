"""Why the hold of a call was refused that an earlier read of the account had allowed."""

from typing import Any

from agi_server.calls.candidate import Candidate, Funds
from agi_server.calls.caps import caps_of
from agi_server.calls.identify import Method
from agi_server.calls.packages import use_of_json
from agi_server.calls.policy import ACTIVE, STATUS_REASONS, no_unit_left, second_runs
from agi_server.calls.reasons import Reason
from agi_server.storage.postgres.statements import statement


async def why_refused(db: Any, call: Candidate) -> Reason | Funds:
    """The reason by the account's row as it is now, or the funds it has now."""
    now = call.now
    row = await db.fetchrow(statement("calls/why_refused"), call.account.id, now)
    if row["status"] != ACTIVE:
        return STATUS_REASONS[row["status"]]
    if row["locked"] and call.direction != "inbound":
        return Reason.ACCOUNT_LOCKED
    method = call.found.method
    if (
        row["calls_per_second"]
        and method is not Method.FORWARD
        and row["calls_in_second"] >= row["calls_per_second"]
        and second_runs(row["second_started_at"], now)
    ):
        return Reason.TOO_FAST
    limit = row["simultaneous_access"]
    if limit and no_unit_left(method.value, row["open_calls"], row["open_forwards"], limit):
        return Reason.TOO_MANY_CALLS
    available_micros = row["balance_micros"] + row["credit_limit_micros"] - row["held_micros"]
    return Funds(
        available_micros=available_micros // call.legs,
        caps=caps_of(row, now),
        package_use=use_of_json(row["package_use"]),
    )
