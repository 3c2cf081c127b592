"""The end of a call: price it, debit once, release hold and slot.

There is one way to settle. Hangup handler, `call` route and recovery all come here, in any order
and number; the database lets only the first one through. What another witness tells differently is
logged and noted for review.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

import structlog

from agi_server.asterisk.link import AsteriskLinks
from agi_server.calls.call_end import CallEnd, ReportedEnd
from agi_server.calls.pricing import lines_as_json
from agi_server.calls.request import account_id_of
from agi_server.calls.sessions import (
    OpenSession,
    SessionMemory,
    read_session,
)
from agi_server.calls.witnesses import Evidence, Testimony, Witness, differ
from agi_server.storage.postgres.standby import confirm_commits
from agi_server.storage.postgres.statements import statement
from agi_server.storage.redis.slots import Slots

log = structlog.get_logger()

# A slice lasts for seconds or minutes: a settlement is overtaken by the next one hardly ever.
_MOST_EXTENSIONS = 5


class NotThisCallError(Exception):
    """Nobody has this call id with this uniqueid: nothing is debited, nothing is freed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settlement:
    """What was debited. `repeated`: it had been settled before, and nothing happened now."""

    account_id: int
    call_id: str
    repeated: bool
    billed_seconds: int = 0
    cost_micros: int = 0
    balance_micros: int = 0


class Settler:
    """Settles calls, idempotently.

    Without `charge_zero_talk` an answered call that lasted no millisecond costs nothing.
    """

    def __init__(
        self,
        *,
        db: Any,
        slots: Slots,
        sessions: SessionMemory,
        links: AsteriskLinks,
        now: Callable[[], datetime],
        charge_zero_talk: bool = True,
    ) -> None:
        self._db = db
        self._slots = slots
        self._sessions = sessions
        self._links = links
        self._now = now
        self._charge_zero_talk = charge_zero_talk

    async def settle(
        self,
        call_id: str,
        uniqueid: str,
        reported: ReportedEnd,
        witness: Witness,
        elapsed_ms: Callable[[], int],
    ) -> Settlement:
        """Settle by what Asterisk reported. One statement in the usual case.

        Raises NotThisCallError for another call's or a guessed id, UnbelievableEndError for a time
        that cannot be (both leave the session as it is), and what the backends raise; after those
        asking again is safe.
        """
        session = self._sessions.recall(call_id)
        if session is None:
            stored = await self._read(call_id)
            if stored.session.uniqueid != uniqueid:
                raise NotThisCallError("the call id is of another call")
            if stored.state != "open":
                return await self._repeated(stored.session, elapsed_ms)
            session = stored.session
        elif session.uniqueid != uniqueid:
            raise NotThisCallError("the call id is of another call")
        age = self._sessions.age(call_id)
        end = reported.read(session.authorized_at, self._now(), age)
        seen = self._seen(session)
        differing = _differing(end.talk_ms, [] if seen is None else [seen])
        settlement = await self._post(session, end, witness, _review(differing), elapsed_ms)
        _tell(session, settlement, witness, end.talk_ms, differing)
        return settlement

    async def settle_by_witness(
        self,
        session: OpenSession,
        believed: Testimony,
        end: CallEnd,
        others: Sequence[Testimony],
        elapsed_ms: Callable[[], int],
    ) -> Settlement:
        """Settle a call whose end nobody reported, by the best witness there is.

        Without its route it is priced as of the first; that is flagged where its price depends on
        it.
        """
        differing = _differing(believed.talk_ms, others)
        guess = None
        if end.talk_ms is not None and end.route is None and session.terms.priced_by_route:
            guess = "priced as of its first route: nobody saw which one carried it"
        review = "; ".join(filter(None, (believed.review, guess, _review(differing)))) or None
        witness = believed.witness
        settlement = await self._post(session, end, witness, review, elapsed_ms)
        _tell(session, settlement, witness, believed.talk_ms, differing)
        return settlement

    def _seen(self, session: OpenSession) -> Testimony | None:
        """What supervision has seen of a call that has just ended; None without AMI."""
        link = self._links.of(session.uniqueid, session.server)
        channel = link.channels.get(session.uniqueid) if link and link.connected else None
        if channel is None or channel.answered_at is None or channel.unsure:
            return None
        now = self._now()
        ended = replace(channel, ended_at=now)  # its hangup handler runs: told in a moment
        return Evidence(
            authorized_at=session.authorized_at, limit_ms=session.limit_ms, now=now, channel=ended
        ).ami()

    async def _read(self, call_id: str) -> Any:
        account_id = account_id_of(call_id)
        if account_id is None:
            raise NotThisCallError("not a call id")
        stored = await read_session(self._db, account_id, call_id)
        if stored is None:
            raise NotThisCallError("no such call")
        return stored

    async def _post(
        self,
        session: OpenSession,
        end: CallEnd,
        witness: Witness,
        review: str | None,
        elapsed_ms: Callable[[], int],
    ) -> Settlement:
        for _ in range(_MOST_EXTENSIONS):
            settlement = await self._post_once(session, end, witness, review, elapsed_ms)
            if settlement is not None:
                return settlement
            # Ended already, or a rolling hold that was extended since it was read.
            stored = await read_session(self._db, session.account_id, session.call_id)
            if stored is None or stored.state != "open":
                return await self._repeated(session, elapsed_ms)
            session = stored.session
        raise TimeoutError("the call is being extended all the time")

    async def _post_once(
        self,
        session: OpenSession,
        end: CallEnd,
        witness: Witness,
        review: str | None,
        elapsed_ms: Callable[[], int],
    ) -> Settlement | None:
        """None when the session is not open any more, or no longer with this limit."""
        now = self._now()
        price = None
        if end.talk_ms != 0 or self._charge_zero_talk:
            price = session.terms.price(end, session.authorized_at, session.limit_ms, now)
        routes = len(session.terms.routes)
        cost_micros = price.total_micros if price else 0
        billed_seconds = price.billed_seconds if price else 0
        row = await self._db.fetchrow(
            statement("calls/settle_session"),
            session.account_id,
            session.call_id,
            session.uniqueid,
            now,
            end.dialstatus,
            end.hangupcause,
            end.route if end.route is not None and 1 <= end.route <= routes else None,
            end.answered_at,
            end.ended_at,
            end.talk_ms or 0,
            billed_seconds,
            cost_micros,
            price.buy_total_micros if price else 0,
            lines_as_json(price),
            witness.value,
            review,
            session.terms.package.used(price) if session.terms.package else None,
            session.limit_ms,
        )
        self._sessions.forget(session.call_id)
        if row is None:
            return None
        log.info(
            _event(witness),
            call_id=session.call_id,
            account_id=session.account_id,
            account=session.account_number,
            uniqueid=session.uniqueid,
            duration_ms=elapsed_ms(),
            dialstatus=end.dialstatus,
            talk_ms=end.talk_ms or 0,
            billed_seconds=billed_seconds,
            cost_micros=cost_micros,
            overrun_micros=cost_micros - row["debit_micros"],
            balance_micros=row["balance_micros"],
            witness=witness.value,
        )
        await self._slots.release(session.account_id, session.call_id, session.counted_trunk_ids)
        return Settlement(
            account_id=session.account_id,
            call_id=session.call_id,
            repeated=False,
            billed_seconds=billed_seconds,
            cost_micros=cost_micros,
            balance_micros=row["balance_micros"],
        )

    async def _repeated(self, session: OpenSession, elapsed_ms: Callable[[], int]) -> Settlement:
        """It was settled before: perhaps here, but the answer was lost and so was the release."""
        await confirm_commits(self._db)
        await self._slots.release(session.account_id, session.call_id, session.counted_trunk_ids)
        log.info(
            "call.settle_repeated",
            call_id=session.call_id,
            account_id=session.account_id,
            account=session.account_number,
            uniqueid=session.uniqueid,
            duration_ms=elapsed_ms(),
        )
        return Settlement(account_id=session.account_id, call_id=session.call_id, repeated=True)


def _event(witness: Witness) -> str:
    match witness:
        case Witness.HANDLER | Witness.CALL:
            return "call.settled"
        case Witness.AMI | Witness.CDR:
            return "call.recovered"
        case Witness.LAST_SEEN | Witness.ORPHAN:
            return "call.orphan_settled"


def _differing(talk_ms: int | None, others: Sequence[Testimony]) -> list[Testimony]:
    """The witnesses that disagree with the one that is believed."""
    return [other for other in others if differ(talk_ms, other.talk_ms)]


def _review(differing: Sequence[Testimony]) -> str | None:
    return "; ".join(f"{o.witness.value} saw {_talk(o.talk_ms)}" for o in differing) or None


def _tell(
    session: OpenSession,
    settlement: Settlement,
    witness: Witness,
    talk_ms: int | None,
    differing: Sequence[Testimony],
) -> None:
    """Log a disagreement, with the settlement that it is about."""
    for other in differing if not settlement.repeated else ():
        log.warning(
            "call.witnesses_differ",
            call_id=session.call_id,
            account_id=session.account_id,
            account=session.account_number,
            uniqueid=session.uniqueid,
            duration_ms=0,
            witness=witness.value,
            talk_ms=talk_ms,
            other_witness=other.witness.value,
            other_talk_ms=other.talk_ms,
        )


def _talk(talk_ms: int | None) -> str:
    return "no answer" if talk_ms is None else f"a talk of {talk_ms} ms"
