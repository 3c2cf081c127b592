"""The canonical line of a decision, and the CDR of a refused call."""

import secrets
from collections.abc import Callable
from datetime import datetime
from typing import Any

import structlog

from agi_server.calls.decision import Decision, Denial, EmergencyCall, Grant
from agi_server.calls.request import CallRequest
from agi_server.storage.postgres.statements import statement

log = structlog.get_logger()


class OutcomeLog:
    """Told of each decision once, after it was given to Asterisk."""

    def __init__(self, *, db: Any, now: Callable[[], datetime]) -> None:
        self._db = db
        self._now = now

    async def decided(self, request: CallRequest, decision: Decision, duration_ms: int) -> None:
        """Log the decision; a refusal is kept as a CDR too, if the database is there to keep it.

        An emergency call is logged and nothing else: it must not wait for a database.
        """
        if isinstance(decision, Grant):
            log.info(
                "call.authorized",
                call_id=decision.call_id,
                account_id=decision.account_id,
                account=decision.account_number,
                uniqueid=request.uniqueid,
                duration_ms=duration_ms,
                reason="",
                destination=decision.destination,
                destination_prefix=decision.prefix,
                limit_ms=decision.limit_ms,
                held_micros=decision.held_micros,
            )
            return
        if isinstance(decision, EmergencyCall):
            log.warning(
                "call.emergency",
                uniqueid=request.uniqueid,
                channel=request.channel,
                callerid=request.callerid,
                duration_ms=duration_ms,
                destination=decision.number,
                target=decision.dial_target,
                limit_ms=decision.limit_ms,
            )
            return
        call_id = f"{decision.account_id}-{secrets.token_hex(16)}"
        log.info(
            "call.denied",
            call_id=call_id,
            account_id=decision.account_id,
            account=decision.account_number,
            uniqueid=request.uniqueid,
            duration_ms=duration_ms,
            reason=decision.reason.value,
            destination=decision.destination,
            destination_prefix=decision.prefix,
            limit_ms=0,
            held_micros=0,
        )
        await self._keep(request, decision, call_id)

    async def _keep(self, request: CallRequest, denial: Denial, call_id: str) -> None:
        await self._db.execute(
            statement("calls/record_denied"),
            denial.account_id,
            call_id,
            denial.reason.value,
            request.server,
            request.uniqueid,
            request.channel,
            denial.identified_by,
            request.callerid,
            request.dialled,
            denial.destination,
            self._now(),
            denial.prefix,
            denial.plan_id,
        )
