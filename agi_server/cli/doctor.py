"""`agi-server doctor`: is everything set up, and how to mend what is not."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime

import asyncpg
import click
import psycopg
from redis.asyncio import Redis
from redis.exceptions import RedisError

from agi_server.asterisk.checkup import Finding, check_asterisk
from agi_server.cli.backends import Backends, Command, backend_options, chosen_backends
from agi_server.cli.faults import REFUSED, NoDatabaseError
from agi_server.cli.output import print_json
from agi_server.cli.parameters import json_option
from agi_server.replay import play
from agi_server.settings import Settings, SettingsError, mask_url
from agi_server.storage.postgres import migrations
from agi_server.storage.postgres.pool import connect
from agi_server.storage.postgres.statements import statement
from agi_server.tariffs.tables import Tariffs, tariffs_for_number
from agi_server.wire.script import parse_script

_MUST_BE_ON = ("fsync", "full_page_writes", "synchronous_commit")
_OLDEST_POSTGRES = 150000  # UNIQUE NULLS NOT DISTINCT
_PING = parse_script(
    "AGI Tx >> agi_network: yes\nAGI Tx >> agi_network_script: ping\nAGI Tx >>\n"
    "AGI Rx << SET VARIABLE {{*}}AUTH_PING{{*}}ok{{*}}\nAGI Tx >> 200 result=1\n",
    "ping",
)
# Only what is in plans is wanted, not the rates.
_ANY_NUMBER = "0"
# Where a daemon that listens on all addresses is reached from here.
_FROM_HERE = {"0.0.0.0": "127.0.0.1", "::": "::1"}


@click.command(cls=Command)
@backend_options
@json_option
def doctor(as_json: bool) -> int:
    """Check settings, PostgreSQL, Redis, migrations, rates, the daemon and each Asterisk.

    Every finding says how to mend it. Changes nothing. Exit code 1 when something is wrong.

    \b
    Example:
      agi-server doctor --config /etc/agi-server/agi-server.toml
    """
    findings = _examine()
    if as_json:
        print_json(
            [{"what": f.what, "good": f.good, "found": f.found, "mend": f.mend} for f in findings]
        )
    else:
        for finding in findings:
            _tell(finding)
    return REFUSED if any(finding.good is False for finding in findings) else 0


def _examine() -> list[Finding]:
    try:
        with chosen_backends() as backends:
            settings = Finding(what="settings", good=True, found="valid")
            return [settings, *asyncio.run(_collect(backends))]
    except SettingsError as error:
        return [
            Finding(what="settings", good=False, found=problem, mend="correct or remove it")
            for problem in error.problems
        ]
    except NoDatabaseError as error:
        return [Finding(what="settings", good=False, found="no database", mend=str(error))]


async def _collect(backends: Backends) -> list[Finding]:
    findings = [finding async for finding in _postgres(backends.postgres_dsn, backends.settings)]
    findings.append(await _redis(backends.redis_url))
    findings.append(await _daemon(backends.settings))
    settings = backends.settings
    for ami in settings.ami:
        async for finding in check_asterisk(ami, settings.calls.answered_subroutine):
            findings.append(finding)
    if not settings.ami:
        findings.append(
            Finding(
                what="Asterisk",
                good=None,
                found="not looked at",
                mend="to have it checked, add [[ami]] with host, user and secret to the settings",
            )
        )
    return findings


async def _postgres(dsn: str, settings: Settings) -> AsyncIterator[Finding]:
    where = f"PostgreSQL {mask_url(dsn)}"
    try:
        connection = await connect(dsn, timeout_s=5)
    except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError, ValueError) as error:
        yield Finding(
            what=where,
            good=False,
            found=str(error) or type(error).__name__,
            mend="start it, or correct postgres.dsn",
        )
        return
    try:
        number = int(await connection.fetchval("SHOW server_version_num"))
        found = f"answers, version {await connection.fetchval('SHOW server_version')}"
        good = number >= _OLDEST_POSTGRES
        yield Finding(what=where, good=good, found=found, mend="" if good else "use 15 or newer")
        yield await _durability(connection)
        migrated = await _migrations(dsn)
        yield migrated
        if migrated.good:
            yield await _ledger(connection)
            tariffs = await tariffs_for_number(connection, _ANY_NUMBER, datetime.now(UTC), "")
            yield _rates(tariffs)
            if (rolling := _rolling_holds(tariffs, settings)) is not None:
                yield rolling
            if settings.calls.inbound_plan:
                yield _inbound_plan(tariffs, settings.calls.inbound_plan)
    finally:
        await connection.close()


async def _durability(connection: asyncpg.Connection) -> Finding:
    """What PostgreSQL has said to be committed must be there after a crash: a hold, a debit."""
    loose = [
        name
        for name in _MUST_BE_ON
        if await connection.fetchval(f"SHOW {name}") in ("off", "false")
    ]
    return Finding(
        what="durability",
        good=not loose,
        found=f"off: {', '.join(loose)}" if loose else "what is committed survives a crash",
        mend=f"as a superuser: ALTER SYSTEM SET {loose[0]} = on; SELECT pg_reload_conf(); look at"
        " ALTER DATABASE and ALTER ROLE, too"
        if loose
        else "",
    )


async def _migrations(dsn: str) -> Finding:
    try:
        status = await asyncio.to_thread(migrations.status, dsn)
    except psycopg.Error as error:
        return Finding(what="schema", good=False, found=str(error), mend="see PostgreSQL's log")
    missing = ", ".join(status.pending)
    return Finding(
        what="schema",
        good=not missing,
        found=f"missing: {missing}" if missing else f"up to date: {status.current}",
        mend="agi-server db upgrade" if missing else "",
    )


async def _ledger(connection: asyncpg.Connection) -> Finding:
    """Whoever may change what was booked, the daemon must not."""
    row = await connection.fetchrow(statement("ledger/who_may_change"))
    if row["role_may"]:
        return Finding(
            what="ledger",
            good=False,
            found=f"the daemon's role {row['role']} may change entries",
            mend="as a superuser: CREATE ROLE agi_server_daemon NOLOGIN; GRANT agi_server_daemon"
            f' TO "{row["login"]}"; then agi-server db upgrade',
        )
    found = f"the daemon works as {row['role']}, which may not change entries"
    if row["login_may"]:
        found += f"; its login {row['login']} could (docs/operations.md: a login of its own)"
    return Finding(what="ledger", good=True, found=found)


def _rates(tariffs: Tariffs) -> Finding:
    """A call needs a plan with an active card that has an enabled trunk."""
    cards = [card for plan in tariffs.plans.values() for card, _ in plan.cards]
    if any(card.trunks for card in cards):
        return Finding(what="rates", good=True, found=f"{len(cards)} active rate cards in plans")
    if cards:
        mend = "agi-server trunk create, then rates import FILE --card NAME --trunk NAME"
        return Finding(what="rates", good=False, found="no card has an enabled trunk", mend=mend)
    mend = "agi-server rates import FILE --card NAME --activate, then plan create NAME --card NAME"
    return Finding(what="rates", good=False, found="no plan has an active card", mend=mend)


def _inbound_plan(tariffs: Tariffs, name: str) -> Finding:
    """Every call to a DID without a plan of its own is priced by it, or refused."""
    there = name in tariffs.plan_ids
    return Finding(
        what="inbound plan",
        good=there,
        found=f"{name} prices DIDs without a plan of their own"
        if there
        else f"there is no plan {name}: calls to DIDs without a plan of their own are refused",
        mend="" if there else "correct calls.inbound_plan, or agi-server plan create it",
    )


def _rolling_holds(tariffs: Tariffs, settings: Settings) -> Finding | None:
    """Only supervision extends a rolling hold. None where no plan has one."""
    default = settings.calls.hold_mode
    rolling = sorted(
        p.name for p in tariffs.plans.values() if (p.hold_mode or default) == "rolling"
    )
    if not rolling:
        return None
    plans = f"plan{'s' if len(rolling) > 1 else ''} {', '.join(rolling)}"
    if settings.ami:
        return Finding(what="rolling holds", good=True, found=f"extended over AMI: {plans}")
    return Finding(
        what="rolling holds",
        good=False,
        found=f"extended by nobody: every call of {plans} ends after its first slice"
        f" (calls.slice_s, {settings.calls.slice_s} s)",
        mend="add an [[ami]] for each Asterisk to the settings, or hold in full:"
        " calls.hold_mode, agi-server plan update NAME --hold-mode full",
    )


async def _redis(url: str | None) -> Finding:
    if url is None:
        return Finding(
            what="Redis", good=False, found="not set", mend="set redis.url, or use --embedded DIR"
        )
    what = f"Redis {mask_url(url)}"
    redis = Redis.from_url(url, socket_timeout=5, socket_connect_timeout=5)
    try:
        version = (await redis.info("server"))["redis_version"]
    except (RedisError, OSError) as error:
        mend = "start it, or correct redis.url"
        return Finding(what=what, good=False, found=str(error), mend=mend)
    finally:
        await redis.aclose()
    return Finding(what=what, good=True, found=f"answers, version {version}")


async def _daemon(settings: Settings) -> Finding:
    host, port = settings.fastagi.host, settings.fastagi.port
    host = _FROM_HERE.get(host, host)
    what = f"daemon {host}:{port}"
    try:
        result = await play(_PING, host, port, deadline_s=5)
    except OSError as error:
        return Finding(
            what=what, good=None, found=f"not running ({error.strerror})", mend="agi-server serve"
        )
    if result.difference is None:
        return Finding(what=what, good=True, found="answers, its backends too")
    mend = "see its log; it answers only to addresses in fastagi.allow"
    return Finding(what=what, good=False, found="does not answer ok to ping", mend=mend)


def _tell(finding: Finding) -> None:
    sign = {True: "ok     ", False: "WRONG  ", None: "?      "}[finding.good]
    click.echo(f"{sign}{finding.what}: {finding.found}")
    if finding.mend:
        click.echo(f"       {finding.mend}")
