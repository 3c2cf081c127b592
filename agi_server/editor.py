"""Who changes something, when and why: for the rows that tell it afterwards."""

from dataclasses import dataclass
from datetime import datetime

from agi_server.refused import InvalidFieldError

LONGEST_REASON = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Editor:
    """Who changes something, and when: `changed_by` like `cli:ann`, `api:shop`, `job:expiry`.

    `reason` is why, None when it was not said; kept with changes of accounts.
    """

    changed_by: str
    at: datetime
    reason: str | None = None


def checked_reason(text: str | None) -> str | None:
    """A reason as it was typed; None for an empty one. Raises InvalidFieldError."""
    reason = (text or "").strip()
    if not reason.isprintable():
        raise InvalidFieldError("reason", "must be one line without control characters")
    if len(reason) > LONGEST_REASON:
        raise InvalidFieldError("reason", f"must have at most {LONGEST_REASON} characters")
    return reason or None
