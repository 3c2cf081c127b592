"""What an account's calls may cost: each, in an hour, in a day. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

_WINDOWS = (("hour", timedelta(hours=1)), ("day", timedelta(days=1)))


@dataclass(frozen=True, slots=True, kw_only=True)
class Caps:
    """In micros; None is without limit. `left` is what a further call may cost so that hour and day
    stay below theirs, even if every call in progress costs all that is held for it."""

    per_call_micros: int | None
    left_micros: int | None

    @property
    def of_a_call_micros(self) -> int | None:
        """What the next call may cost at most."""
        caps = [cap for cap in (self.per_call_micros, self.left_micros) if cap is not None]
        return min(caps, default=None)


def caps_of(row: Mapping[str, Any], now: datetime) -> Caps:
    """Of a row of find_account.sql or why_refused.sql.

    An hour or day begins with the first charge after the last one has ended.
    """
    left = []
    for window, length in _WINDOWS:
        cap = row[f"max_cost_micros_per_{window}"]
        if cap is not None:
            started_at = row[f"{window}_started_at"]
            running = started_at is not None and started_at > now - length
            spent = row[f"spent_micros_in_{window}"] if running else 0
            left.append(max(0, cap - spent - row["held_micros"]))
    return Caps(
        per_call_micros=row["max_cost_micros_per_call"], left_micros=min(left, default=None)
    )
