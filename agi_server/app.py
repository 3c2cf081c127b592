"""Start here: the only place that builds the daemon from its parts."""

import asyncio
import signal
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime
from typing import Any

import structlog

from agi_server.asterisk.link import AsteriskLinks
from agi_server.background import Background
from agi_server.calls.authorize import Authorizer
from agi_server.calls.extend import Extender
from agi_server.calls.outcome_log import OutcomeLog
from agi_server.calls.own_lock import OwnLock
from agi_server.calls.recover import Recovery
from agi_server.calls.sessions import SessionMemory
from agi_server.calls.settle import Settler
from agi_server.calls.slot_repair import SlotRepair
from agi_server.calls.stop import Stopper
from agi_server.calls.supervise import Supervisor
from agi_server.calls.trunk_leases import TrunkLeases
from agi_server.calls.void import Voider
from agi_server.fastagi.server import FastAgiServer
from agi_server.routes.dispatch import Dispatcher
from agi_server.routes.services import RouteServices
from agi_server.settings import Settings
from agi_server.storage.postgres.health import JobHealth, PostgresHealth
from agi_server.storage.postgres.pool import connect, open_pool
from agi_server.storage.redis.slots import open_slots
from agi_server.tariffs.tables import TariffStore

log = structlog.get_logger()

_TARIFFS_CHANNEL = "tariffs"
_STOPPED_CHANNEL = "account_stopped"
# A listener that lost its connection tries again so often; so does a failed reload.
_LISTEN_RETRY_S = 1.0
_TARIFFS_CHECK_S = 30.0
_STOPPED_CHECK_S = 5.0
# A large rate card takes a while to read; what takes longer is no answer.
_LISTEN_PATIENCE_S = 120.0
# Giving up a half-open connection and voiding what may have been held over it takes some seconds.
_BACKGROUND_END_S = 10.0


def utc_now() -> datetime:
    """The clock of the daemon."""
    return datetime.now(UTC)


async def serve(settings: Settings, postgres_dsn: str, redis_url: str) -> None:
    """Run the daemon until SIGTERM or SIGINT: then drain and return.

    Raises OSError or asyncpg.PostgresError when it cannot start.
    """
    stopping = asyncio.Event()
    loop = asyncio.get_running_loop()
    for signal_number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(signal_number, stopping.set)
    async with running(settings, postgres_dsn, redis_url) as server:
        log.info("server.started", host=settings.fastagi.host, port=server.port)
        await stopping.wait()
        log.info("server.draining")
    log.info("server.stopped")


@asynccontextmanager
async def running(
    settings: Settings,
    postgres_dsn: str,
    redis_url: str,
    *,
    now: Callable[[], datetime] = utc_now,
) -> AsyncIterator[FastAgiServer]:
    """The daemon, listening, with `now` as its clock; leaving the context drains it."""
    deadline_ms = settings.fastagi.deadline_ms
    async with (
        open_pool(
            postgres_dsn,
            min_size=min(2, settings.postgres.pool_size),
            max_size=settings.postgres.pool_size,
            statement_timeout_ms=deadline_ms,
            plan="once",
        ) as pool,
        open_slots(redis_url, settings.redis.timeout_ms) as slots,
    ):
        background = Background()
        tariffs = TariffStore(settings.accounts.currency, postgres_dsn)
        await _load_tariffs(postgres_dsn, tariffs, now)
        sessions = SessionMemory()
        links = AsteriskLinks(settings.ami, now=now)
        settler = Settler(
            db=pool,
            slots=slots,
            sessions=sessions,
            links=links,
            now=now,
            charge_zero_talk=settings.rating.charge_zero_talk,
        )
        voider = Voider(
            db=pool,
            slots=slots,
            sessions=sessions,
            background=background,
            statement_timeout_ms=deadline_ms,
            now=now,
        )
        leases = TrunkLeases(slots)
        repair = SlotRepair(db=pool, slots=slots, background=background, now=now)
        services = RouteServices(
            settings=settings,
            db=pool,
            slots=slots,
            authorizer=Authorizer(
                db=pool,
                slots=slots,
                tariffs=tariffs,
                sessions=sessions,
                repair=repair,
                voider=voider,
                leases=leases,
                calls=settings.calls,
                accounts=settings.accounts,
                rating=settings.rating,
                now=now,
            ),
            settler=settler,
            voider=voider,
            background=background,
            outcomes=OutcomeLog(db=pool, now=now),
            leases=leases,
            health=PostgresHealth(),
            own_lock=OwnLock(
                db=pool,
                most_tries=settings.accounts.failures_per_caller,
                window_s=settings.accounts.failures_window_s,
                now=now,
            ),
        )
        recovery = Recovery(
            db=pool,
            settler=settler,
            links=links,
            unseen_end=settings.calls.unseen_end,
            now=now,
        )
        supervisor = Supervisor(
            db=pool,
            links=links,
            recovery=recovery,
            round_s=settings.calls.recover_every_s,
        )
        extender = Extender(db=pool, links=links, sessions=sessions, calls=settings.calls, now=now)
        stopper = Stopper(db=pool, links=links)
        if settings.web.enabled:
            # Read only where it is wanted, and before a call can come: the web's libraries take
            # half a second, in which nobody would be answered.
            from agi_server.web.server import serve_web
        server = FastAgiServer(settings.fastagi, Dispatcher(services))
        await server.start()
        jobs = [
            asyncio.create_task(_follow_tariffs(postgres_dsn, tariffs, now)),
            asyncio.create_task(_recover(recovery, settings.calls.recover_every_s)),
            asyncio.create_task(_mend_slots(repair, settings.calls.recover_every_s, deadline_ms)),
        ]
        if settings.web.enabled:
            serving = serve_web(settings, postgres_dsn, links, recovery, now)
            jobs.append(asyncio.create_task(serving))
        if settings.ami:
            jobs += [
                asyncio.create_task(links.run()),
                asyncio.create_task(supervisor.run(JobHealth("supervision"))),
                asyncio.create_task(extender.run(JobHealth("extension of calls"))),
                asyncio.create_task(_follow_stopped_accounts(postgres_dsn, stopper)),
            ]
        try:
            yield server
        finally:
            await server.drain()
            for job in jobs:
                job.cancel()
            await asyncio.gather(*jobs, return_exceptions=True)
            await background.finish(_BACKGROUND_END_S)


async def _load_tariffs(dsn: str, tariffs: TariffStore, now: Callable[[], datetime]) -> None:
    # On a connection of its own: a large card takes longer than a statement of a call may.
    connection = await connect(dsn)
    try:
        await tariffs.reload(connection, now())
    finally:
        await connection.close()


async def _follow_tariffs(dsn: str, tariffs: TariffStore, now: Callable[[], datetime]) -> None:
    """Reload the rating tables whenever the database says that they changed."""

    async def reload(connection: Any) -> None:
        await tariffs.reload(connection, now())

    await _follow(dsn, _TARIFFS_CHANNEL, "tariffs", reload, _TARIFFS_CHECK_S)


async def _follow_stopped_accounts(dsn: str, stopper: Stopper) -> None:
    """Hang up calls whenever the database says that an account may not call any more."""

    async def look(_: Any) -> None:
        await stopper.look()

    await _follow(dsn, _STOPPED_CHANNEL, "stopped accounts", look, _STOPPED_CHECK_S)


async def _follow(
    dsn: str, channel: str, name: str, work: Callable[[Any], Awaitable[None]], check_s: float
) -> None:
    """Do `work` now, and whenever the database notifies this channel."""
    health = JobHealth(name)

    async def round_(connection: Any) -> None:
        await work(connection)
        health.worked()

    while True:
        try:
            await _listen(dsn, channel, round_, check_s)
        except Exception as error:
            health.failed(error)
        await asyncio.sleep(_LISTEN_RETRY_S)


async def _listen(
    dsn: str, channel: str, work: Callable[[Any], Awaitable[None]], check_s: float
) -> None:
    """Until the connection is lost. What changed before it listened is seen at its start.

    Now and then it looks without being told: a connection may be half open and say nothing.
    """
    changed = asyncio.Event()
    connection = await connect(dsn, command_timeout_s=_LISTEN_PATIENCE_S)
    try:
        connection.add_termination_listener(lambda _: changed.set())
        await connection.add_listener(channel, lambda *_: changed.set())
        while not connection.is_closed():
            changed.clear()
            await work(connection)
            with suppress(TimeoutError):
                async with asyncio.timeout(check_s):
                    await changed.wait()
    finally:
        connection.terminate()


async def _recover(recovery: Recovery, every_s: int) -> None:
    """End calls whose end nobody saw. At first wait: a handler may be asking again just now."""
    health = JobHealth("recovery")
    while True:
        await asyncio.sleep(every_s)
        try:
            await recovery.settle_overdue()
        except Exception as error:
            health.failed(error)
        else:
            health.worked()


async def _mend_slots(repair: SlotRepair, every_s: int, deadline_ms: int) -> None:
    """Make Redis count what PostgreSQL has open.

    A hold begins within the deadline and ends by its statement timeout, which is as long.
    """
    health = JobHealth("slots")
    while True:
        await asyncio.sleep(every_s)
        try:
            await repair.mend_all(2 * deadline_ms / 1000)
        except Exception as error:
            health.failed(error)
        else:
            health.worked()
