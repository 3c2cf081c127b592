"""The calls of the demo: what Asterisk says in each is a script of `scripts/`, what must come of it
is said here."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from agi_server.calls.reasons import Reason
from agi_server.calls.records import CallRecord
from agi_server.demo.business import (
    ALICE,
    BOB,
    CAROL,
    DAN,
    ERIN,
    FRANK,
    GRACE,
    HEIDI,
    HOTEL,
    IVAN,
    JUDY,
    JUDYS_DID,
    Customer,
)

WRONG_NUMBERS_ALLOWED = 3
"""Guesses until a caller is locked out; the default would make the demo longer."""

LONDON = "442079460000"
FRANCE = "33123456789"
SPAIN = "34911234567"
GERMANY = "4930123456"
SATELLITE = "8821612345678"
JAPAN = "81312345678"

_PHONE = "authorize?identify=accountcode"
_ACCESS_NUMBER = "call?ask=missing"
_FROM_OUTSIDE = "did"


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What a call's record says. Money in micros; what does not apply is None."""

    reason: str | None = None
    """None: the call was allowed."""
    limit_ms: int | None = None
    trunk: str | None = None
    dialstatus: str | None = None
    talk_ms: int | None = None
    billed_seconds: int | None = None
    cost_micros: int | None = None

    @property
    def allowed(self) -> bool:
        return self.reason is None


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One call: its title in a line of the demo, who pays, and what must come of it."""

    title: str
    customer: Customer | None
    outcome: Outcome


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """A script, the values of its placeholders, and its calls in their order."""

    script: str
    defines: Mapping[str, str] = field(default_factory=dict)
    calls: tuple[Call, ...]


def outcome_of(record: CallRecord) -> Outcome:
    """A record of the books in the words of the demo."""
    if record.state == "denied":
        return Outcome(reason=record.reason)
    return Outcome(
        limit_ms=record.limit_ms,
        trunk=record.trunk,
        dialstatus=record.dialstatus,
        talk_ms=record.talk_ms,
        billed_seconds=record.billed_seconds,
        cost_micros=record.cost_micros,
    )


def _allowed(
    limit_s: int,
    dialstatus: str = "ANSWER",
    *,
    talk_ms: int = 0,
    billed_seconds: int = 0,
    cost_micros: int = 0,
    trunk: str | None = "carrier-a",
) -> Outcome:
    return Outcome(
        limit_ms=limit_s * 1000,
        trunk=trunk,
        dialstatus=dialstatus,
        talk_ms=talk_ms,
        billed_seconds=billed_seconds,
        cost_micros=cost_micros,
    )


def _scene(
    script: str,
    customer: Customer | None,
    number: str,
    *calls: tuple[str, Outcome],
    route: str = _PHONE,
    **defines: str,
) -> Scene:
    """A scene of one caller. A phone has its account number as accountcode."""
    first = calls[0][1]
    if route == _PHONE and customer is not None:
        defines.setdefault("accountcode", customer.account_number)
    if customer is not None:
        defines["account_number"] = customer.account_number
    return Scene(
        script=script,
        defines={
            "script": route,
            "number": number,
            "accountcode": "",
            "callerid": "unknown",
            "limit_ms": str(first.limit_ms),
            "reason": first.reason or "",
            **defines,
        },
        calls=tuple(
            Call(title=title, customer=customer, outcome=outcome) for title, outcome in calls
        ),
    )


def _refused(customer: Customer | None, number: str, title: str, reason: Reason) -> Scene:
    return _scene("refused", customer, number, (title, Outcome(reason=reason)))


SCENES = (
    # Allowed, by each way to know who is calling.
    _scene(
        "answered", ALICE, LONDON,
        (
            "Alice (accountcode) calls London",
            _allowed(3600, talk_ms=95_000, billed_seconds=95, cost_micros=95_000),
        ),
    ),
    _scene(
        "answered", BOB, GERMANY,
        (
            "Bob (CallerID) calls Germany",
            _allowed(3330, talk_ms=95_000, billed_seconds=96, cost_micros=144_000),
        ),
        route="authorize", callerid="447700900123",
    ),
    _scene(
        "answered", HOTEL, FRANCE,
        (
            "Hotel room (account=) calls France",
            _allowed(3600, talk_ms=95_000, billed_seconds=120, cost_micros=240_000),
        ),
        route=f"authorize?account={HOTEL.account_number}",
    ),
    _scene(
        "pin-call", CAROL, SPAIN,
        (
            "Carol (typed her PIN) calls Spain",
            _allowed(2496, talk_ms=180_000, billed_seconds=180, cost_micros=900_000),
        ),
        route=_ACCESS_NUMBER, callerid="35312345678",
    ),
    # How calls end.
    _scene(
        "failover", ALICE, SPAIN,
        (
            "Alice: carrier-a fails, b connects",
            _allowed(
                1980, talk_ms=61_000, billed_seconds=66, cost_micros=330_000, trunk="carrier-b"
            ),
        ),
        route="call", accountcode=ALICE.account_number,
    ),
    _scene(
        "unanswered", BOB, LONDON,
        ("Bob calls London", _allowed(3600, "BUSY")),
        route="authorize", callerid="447700900123", dialstatus="BUSY", hangupcause="17",
    ),
    _scene(
        "unanswered", ALICE, GERMANY,
        ("Alice hangs up while it rings", _allowed(3600, "CANCEL")),
        dialstatus="CANCEL", hangupcause="127",
    ),
    _scene(
        "settled-three-times", ERIN, LONDON,
        (
            "Erin: end reported three times",
            _allowed(3600, talk_ms=12_000, billed_seconds=12, cost_micros=12_000),
        ),
    ),
    _scene(
        "cut-by-the-limit", DAN, LONDON,
        (
            "Dan calls London for his last 0.05",
            _allowed(50, talk_ms=50_008, billed_seconds=50, cost_micros=50_000),
        ),
    ),
    _scene(
        "did-answered", JUDY, JUDYS_DID,
        (
            "Judy is called on her own number",
            _allowed(3600, talk_ms=61_000, billed_seconds=61, cost_micros=61_000, trunk=None),
        ),
        route=_FROM_OUTSIDE, callerid="33698765432",
    ),
    # Refused.
    _scene(
        "refused", None, "442079469999",
        ("A call to a number that is nobody's", Outcome(reason=Reason.DID_NOT_FOUND)),
        route=_FROM_OUTSIDE, callerid="33698765432",
    ),
    _refused(DAN, LONDON, "Dan calls again", Reason.NO_CREDIT),
    _scene(
        "two-at-once", ERIN, FRANCE,
        (
            "Erin may have one call at a time",
            _allowed(3600, talk_ms=20_000, billed_seconds=60, cost_micros=120_000),
        ),
        ("Erin calls a second time meanwhile", Outcome(reason=Reason.TOO_MANY_CALLS)),
    ),
    _scene(
        "refused", None, LONDON,
        ("A phone that nobody knows", Outcome(reason=Reason.ACCOUNT_NOT_FOUND)),
        accountcode="1999999999",
    ),
    _refused(FRANK, LONDON, "Frank owes money", Reason.ACCOUNT_SUSPENDED),
    _refused(GRACE, LONDON, "Grace, whose account ended in 2024", Reason.ACCOUNT_EXPIRED),
    _refused(HEIDI, LONDON, "Heidi locked her phone", Reason.ACCOUNT_LOCKED),
    _refused(IVAN, SATELLITE, "Ivan calls a satellite phone",
             Reason.NUMBER_RESTRICTED),
    _refused(ALICE, JAPAN, "Alice calls Japan", Reason.NO_RATE),
    _refused(ALICE, "12", "Alice dials 12", Reason.NUMBER_INVALID),
    _scene(
        "guessed-numbers", None, LONDON,
        ("Somebody guesses PINs, three times",
         Outcome(reason=Reason.ACCOUNT_NOT_FOUND)),
        ("A right one after that",
         Outcome(reason=Reason.TOO_MANY_ATTEMPTS)),
        route=_ACCESS_NUMBER, callerid="35387654321", account_number=ALICE.account_number,
    ),
)  # fmt: skip
"""All that is played, in this order."""
