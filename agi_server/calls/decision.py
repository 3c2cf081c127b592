"""The answer to Asterisk: may this call start, for how long, and over which routes."""

from dataclasses import dataclass

from agi_server.calls.reasons import Reason
from agi_server.tariffs.tables import Trunk


@dataclass(frozen=True, slots=True, kw_only=True)
class Grant:
    """An allowed call: money is held and a slot is taken for it until it is settled or voided.

    The hold pays for `limit_ms` of talk. In rolling mode that is the first slice: then
    `absolute_timeout_s` is the channel's timeout until the answer, ringing included (None: in full
    mode). `affordable_ms` is for how long the funds last.
    `presented_callerid` is a number, `withheld`, or empty for the caller's own. `trunks` are those
    of `dial_targets`; `lease_ms` is for how long it may be on them.
    """

    call_id: str
    account_id: int
    account_number: str
    language: str
    presented_callerid: str
    identified_by: str
    destination: str
    prefix: str
    plan_id: int | None
    limit_ms: int
    affordable_ms: int
    absolute_timeout_s: int | None
    held_micros: int
    available_micros: int
    ring_timeout_s: int
    dial_targets: tuple[str, ...]
    dial_options: str
    trunks: tuple[Trunk, ...]
    lease_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class EmergencyCall:
    """A call to an emergency number: no account, no hold, no session, nothing to settle."""

    number: str
    dial_target: str
    dial_options: str
    limit_ms: int
    ring_timeout_s: int


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


Decision = Grant | Denial | EmergencyCall
