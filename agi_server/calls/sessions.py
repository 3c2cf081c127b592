"""Open call sessions: what authorize promised and settle needs."""

import re
import secrets
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from agi_server.storage.postgres.statements import statement
from rating.rate import Rate

_CALL_ID = re.compile(r"([1-9][0-9]{0,17})-[0-9a-f]{32}")
_RATE_FIELDS = (
    "prefix",
    "price_micros_per_minute",
    "initial_s",
    "increment_s",
    "connection_fee_micros",
    "minimum_charge_micros",
    "buy_price_micros_per_minute",
    "buy_initial_s",
    "buy_increment_s",
    "effective_from",
)
# Sessions remembered by the daemon that authorized them: it spares settle a read. About 1 KB each.
MAX_REMEMBERED = 100_000


def new_call_id(account_id: int) -> str:
    """Names the account, so that settle touches one shard, and 128 bits that nobody guesses."""
    return f"{account_id}-{secrets.token_hex(16)}"


def account_id_of(call_id: str) -> int | None:
    """The account a call id names; None when it is not a call id."""
    match = _CALL_ID.fullmatch(call_id)
    return int(match[1]) if match else None


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenSession:
    """A call between authorize and settle, with the rate it was promised."""

    account_id: int
    account_number: str
    call_id: str
    uniqueid: str
    authorized_at: datetime
    limit_ms: int
    held_micros: int
    currency: str
    prefix: str
    rate: Rate
    routes: int


class SessionMemory:
    """The open sessions this daemon authorized; the oldest go first when there are too many."""

    def __init__(self, most: int = MAX_REMEMBERED) -> None:
        self._sessions: dict[str, OpenSession] = {}
        self._most = most

    def remember(self, session: OpenSession) -> None:
        """Keep it until it is forgotten or crowded out."""
        self._sessions[session.call_id] = session
        if len(self._sessions) > self._most:
            del self._sessions[next(iter(self._sessions))]

    def recall(self, call_id: str) -> OpenSession | None:
        """The session, if this daemon authorized it and it is still open as far as it knows."""
        return self._sessions.get(call_id)

    def forget(self, call_id: str) -> None:
        """It ended."""
        self._sessions.pop(call_id, None)


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredSession:
    """A session as the database has it: its state, and what settling it needs."""

    state: str
    session: OpenSession


async def read_session(db: Any, account_id: int, call_id: str) -> StoredSession | None:
    """Read a session that may be open or ended; None when there is none or it was a denied call."""
    row = await db.fetchrow(statement("calls/read_session"), account_id, call_id)
    if row is None or row["limit_ms"] is None:
        return None
    rate = Rate(destination=row["rate_destination"], **{name: row[name] for name in _RATE_FIELDS})
    return StoredSession(
        state=row["state"],
        session=OpenSession(
            account_id=row["account_id"],
            account_number=row["account_number"],
            call_id=row["call_id"],
            uniqueid=row["uniqueid"],
            authorized_at=row["authorized_at"],
            limit_ms=row["limit_ms"],
            held_micros=row["held_micros"],
            currency=row["currency"],
            prefix=row["prefix"],
            rate=rate,
            routes=len(row["trunk_ids"]),
        ),
    )
