"""`settle`: the end of a call, told by a hangup handler."""

import asyncio

import structlog

from agi_server.calls.call_end import ReportedEnd, UnbelievableEndError
from agi_server.calls.request import account_id_of
from agi_server.calls.settle import NotThisCallError, Settlement
from agi_server.calls.witnesses import Witness
from agi_server.fastagi.session import AgiSession
from agi_server.routes.parameters import BadRequestError
from agi_server.routes.services import RouteServices
from agi_server.storage.postgres.health import BACKEND_FAULTS
from agi_server.storage.postgres.statements import statement

log = structlog.get_logger()

_LEAST_ARGUMENTS, _MOST_ARGUMENTS = 4, 7
# While PostgreSQL is away a settlement waits here; then the dialplan is told to ask again.
_PAUSES_S = (0.1, 0.3, 1.0, 2.0, 3.0, 5.0, 5.0, 5.0, 5.0)


async def settle(session: AgiSession, services: RouteServices) -> None:
    """Debit once. Arguments: CALL, DIALSTATUS, ANSWEREDTIME_MS, HANGUPCAUSE, ROUTE, and the two
    epoch times of answer and end. An empty CALL does nothing: no call was granted.

    When the database stays away Asterisk is told of the failure, so that the samples ask again.
    """
    arguments = session.environment.arguments
    if not arguments or not arguments[0]:
        return
    if not _LEAST_ARGUMENTS <= len(arguments) <= _MOST_ARGUMENTS:
        raise BadRequestError("settle: takes 4 to 7 arguments")
    call_id, dialstatus, answeredtime_ms, hangupcause = arguments[:4]
    route, answered_at, ended_at = (*arguments[4:], "", "", "")[:3]
    reported = ReportedEnd(
        dialstatus=dialstatus,
        answeredtime_ms=answeredtime_ms,
        hangupcause=hangupcause,
        route=route,
        answered_at=answered_at,
        ended_at=ended_at,
    )
    uniqueid = session.values.get("agi_uniqueid", "")
    done: Settlement | bool = False
    try:
        done = await settle_patiently(
            session, services, call_id, uniqueid, reported, Witness.HANDLER
        )
    finally:
        if not done:  # also when we are told to stop
            session.fail()


async def settle_patiently(
    session: AgiSession,
    services: RouteServices,
    call_id: str,
    uniqueid: str,
    reported: ReportedEnd,
    witness: Witness,
) -> Settlement | bool:
    """Settle, trying again while the database is away: asking twice never debits twice.

    False when it stayed away; True when the end could not be believed or the call is not this one,
    which is logged, and asking again would change nothing.
    """
    deadline_s = services.settings.fastagi.deadline_ms / 1000
    for pause_s in (*_PAUSES_S, None):
        try:
            async with asyncio.timeout(deadline_s):
                settlement = await services.settler.settle(
                    call_id, uniqueid, reported, witness, session.elapsed_ms
                )
        except (NotThisCallError, UnbelievableEndError) as error:
            await tell_not_settled(session, services, call_id, error)
            return True
        except BACKEND_FAULTS as error:
            services.health.failed(error)
            if pause_s is None:
                return False
            await asyncio.sleep(pause_s)
        else:
            services.health.worked()
            return settlement
    return False


async def tell_not_settled(
    session: AgiSession,
    services: RouteServices,
    call_id: str,
    error: NotThisCallError | UnbelievableEndError,
) -> None:
    """Log it and, where it is this channel's call, note why recovery will have to end it."""
    log.warning(
        "agi.bad_peer",
        peer=session.peer_host,
        uniqueid=session.values.get("agi_uniqueid", ""),
        call_id=call_id if account_id_of(call_id) is not None else "",
        error=str(error),
    )
    if isinstance(error, NotThisCallError):
        return
    try:
        await services.db.execute(
            statement("calls/flag_session"), account_id_of(call_id), call_id, str(error)
        )
    except BACKEND_FAULTS as fault:
        services.health.failed(fault)
