"""The answer to Asterisk: may this call start, for how long, and over which routes."""

from dataclasses import dataclass

from agi_server.calls.reasons import Reason


@dataclass(frozen=True, slots=True, kw_only=True)
class Grant:
    """An allowed call: money is held and a slot is taken for it until it is settled or voided."""

    call_id: str
    account_id: int
    account_number: str
    language: str
    identified_by: str
    destination: str
    prefix: str
    plan_id: int
    limit_ms: int
    held_micros: int
    available_micros: int
    ring_timeout_s: int
    dial_targets: tuple[str, ...]
    dial_options: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Denial:
    """A refused call. What was found out before the refusal comes along, for log and CDR."""

    reason: Reason
    account_id: int = 0
    account_number: str = ""
    language: str = ""
    identified_by: str | None = None
    destination: str | None = None
    prefix: str | None = None
    plan_id: int | None = None


Decision = Grant | Denial
