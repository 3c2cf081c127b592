"""Open call sessions: what authorize promised and settle needs."""

import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from fractions import Fraction
from time import monotonic
from typing import Any

from agi_server.calls.packages import terms_of_package_row
from agi_server.calls.pricing import CallTerms, CardTerms
from agi_server.storage.postgres.statements import statement
from agi_server.tariffs.free import free_rate
from agi_server.tariffs.stored_rates import rate_of_json_row, rules_of_json
from rating.rate_card import OWN_RULES
from rating.routing import SellPrice

# Sessions remembered by the daemon that authorized them: it spares settle a read. About 1 KB each.
MAX_REMEMBERED = 100_000


def new_call_id(account_id: int) -> str:
    """Names the account, so that settle touches one shard, and 128 bits that nobody guesses."""
    return f"{account_id}-{secrets.token_hex(16)}"


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenSession:
    """A call between authorize and settle, with the terms it was promised.

    Its hold pays for `limit_ms` of talk; a rolling one grows up to `cap_ms` (None: in full mode).
    `server` and `uniqueid` name its channel: the address of its Asterisk, and the id there.
    `counted_trunk_ids` are those of its trunks whose capacity is counted.
    """

    account_id: int
    account_number: str
    call_id: str
    server: str
    uniqueid: str
    authorized_at: datetime
    limit_ms: int
    cap_ms: int | None
    held_micros: int
    currency: str
    prefix: str
    terms: CallTerms
    counted_trunk_ids: tuple[int, ...]


class SessionMemory:
    """The open sessions this daemon authorized; the oldest go first when there are too many."""

    def __init__(self, most: int = MAX_REMEMBERED) -> None:
        self._sessions: dict[str, OpenSession] = {}
        self._since: dict[str, float] = {}
        self._most = most

    def remember(self, session: OpenSession) -> None:
        """Keep it until it is forgotten or crowded out."""
        self._sessions[session.call_id] = session
        self._since.setdefault(session.call_id, monotonic())
        if len(self._sessions) > self._most:
            self.forget(next(iter(self._sessions)))

    def recall(self, call_id: str) -> OpenSession | None:
        """The session, if this daemon authorized it and it is still open as far as it knows."""
        return self._sessions.get(call_id)

    def forget(self, call_id: str) -> None:
        """It ended."""
        self._sessions.pop(call_id, None)
        self._since.pop(call_id, None)

    def age(self, call_id: str) -> timedelta:
        """For how long it has been remembered, whatever became of the clock; 0 if it is not."""
        since = self._since.get(call_id)
        return timedelta(seconds=0 if since is None else monotonic() - since)


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredSession:
    """A session as the database has it: its state, and what settling it needs.

    `seen_answered_at` and `seen_at` are what supervision has kept: when it was answered, and when
    it was last seen up. `trunk_dials` are the templates of its routes' trunks, as they are now.
    """

    state: str
    session: OpenSession
    seen_answered_at: datetime | None
    seen_at: datetime | None
    trunk_dials: tuple[str, ...]


async def read_session(db: Any, account_id: int, call_id: str) -> StoredSession | None:
    """Read a session that may be open or ended; None when there is none or it was a denied call."""
    row = await db.fetchrow(statement("calls/read_session"), account_id, call_id)
    if row is None or row["limit_ms"] is None:
        return None
    return StoredSession(
        state=row["state"],
        seen_answered_at=row["seen_answered_at"],
        seen_at=row["seen_at"],
        trunk_dials=tuple(row["trunk_dials"] or ()),
        session=OpenSession(
            account_id=row["account_id"],
            account_number=row["account_number"],
            call_id=row["call_id"],
            server=row["server"],
            uniqueid=row["uniqueid"],
            authorized_at=row["authorized_at"],
            limit_ms=row["limit_ms"],
            cap_ms=row["cap_ms"],
            held_micros=row["held_micros"],
            currency=row["currency"],
            prefix=row["prefix"],
            terms=terms_of_row(row),
            counted_trunk_ids=tuple(row["counted_trunk_ids"] or ()),
        ),
    )


def terms_of_row(row: Any) -> CallTerms:
    """The terms of a stored session; its rates and rules come along as JSON."""
    sell = _card_terms(row["version_id"], row["prefix"], row["exchange"], row)
    routes = (sell,) * len(row["trunk_ids"])
    if row["routes"] is not None:
        routes = tuple(
            _card_terms(named["version_id"], named["prefix"], named["exchange"], stored)
            for named, stored in zip(row["routes"], row["route_rates"], strict=True)
        )
    return CallTerms(
        sell=sell,
        routes=routes,
        sell_price=SellPrice(row["sell_price"]),
        discount_basis_points=row["discount_basis_points"],
        answer_by=row["answer_by"],
        package=terms_of_package_row(row),
    )


def _card_terms(version_id: int | None, prefix: str, exchange: str | None, row: Any) -> CardTerms:
    """Of a stored rate; without a version it was free. A rate that is missing is a fault."""
    if version_id is None:
        return CardTerms(version_id=None, rate=free_rate(prefix), rules=OWN_RULES)
    return CardTerms(
        version_id=version_id,
        rate=rate_of_json_row(row["rate"]),
        rules=rules_of_json(row["rules"]),
        factor=Fraction(exchange or 1),
    )


def routes_as_json(terms: CallTerms) -> list[dict[str, Any]] | None:
    """What names the terms of each route; None where all are those of the card that sells."""
    if all(route == terms.sell for route in terms.routes):
        return None
    return [
        {
            "version_id": route.version_id,
            "prefix": route.rate.prefix,
            "effective_from": (
                None if route.rate.effective_from is None else route.rate.effective_from.isoformat()
            ),
            "exchange": str(route.factor),
        }
        for route in terms.routes
    ]
