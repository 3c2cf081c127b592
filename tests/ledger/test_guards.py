"""The database itself refuses what must never be, whatever the code above it does."""

from collections.abc import AsyncIterator
from typing import Any

import asyncpg
import pytest

from agi_server.storage.postgres import migrations
from agi_server.storage.postgres.pool import connect
from support.business import MICROS, Business
from support.channel import Channel
from support.clock import Clock
from support.daemons import Daemon

CHANGES = (
    "UPDATE ledger_entry SET amount_micros = 1",
    "DELETE FROM ledger_entry",
    "TRUNCATE ledger_entry",
)


@pytest.fixture
async def owner(business: Business) -> AsyncIterator[Any]:
    """Logged in as the owner of the tables, without giving up its rights."""
    connection = await asyncpg.connect(business.postgres_dsn)
    yield connection
    await connection.close()


@pytest.fixture
async def settled(business: Business, daemon: Daemon, clock: Clock) -> str:
    """The id of a settled call."""
    account = await business.customer(MICROS)
    phone = Channel(daemon.port, clock, accountcode=account.account_number)
    call = (await phone.authorize()).call
    clock.advance(30)
    await phone.settle(5000)
    return call


@pytest.mark.parametrize("change", CHANGES)
async def test_what_was_booked_is_changed_by_nobody(
    business: Business, owner: Any, change: str
) -> None:
    await business.customer(MICROS)
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await business.pool.execute(change)
    with pytest.raises(asyncpg.RaiseError, match="append-only"):
        await owner.execute(change)


@pytest.mark.parametrize(
    "way_out",
    [
        "ALTER TABLE ledger_entry DISABLE TRIGGER ledger_entry_append_only",
        "DROP TRIGGER ledger_entry_append_only ON ledger_entry",
        "SET session_replication_role = replica",
        "DROP TABLE ledger_entry",
        "CREATE OR REPLACE FUNCTION refuse_ledger_change() RETURNS trigger"
        " LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END'",
        "DELETE FROM alembic_version",
    ],
)
async def test_the_daemons_role_cannot_switch_the_guards_off(
    business: Business, way_out: str
) -> None:
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await business.pool.execute(way_out)


@pytest.mark.parametrize(
    "change",
    [
        "state = 'open'",
        "state = 'void'",
        "cost_micros = cost_micros + 1",
        "billed_seconds = 0",
        "talk_ms = 0",
        "settled_at = now()",
        "held_micros = 0",
        "authorized_at = now()",
    ],
)
async def test_a_settled_call_keeps_its_figures(
    business: Business, settled: str, change: str
) -> None:
    with pytest.raises(asyncpg.CheckViolationError, match="cannot be changed"):
        await business.pool.execute(f"UPDATE call_session SET {change}")  # noqa: S608


async def test_an_open_call_keeps_its_name(
    business: Business, daemon: Daemon, clock: Clock
) -> None:
    account = await business.customer(MICROS)
    phone = Channel(daemon.port, clock, accountcode=account.account_number)
    await phone.authorize()
    for change in ("account_id = account_id + 1", "uniqueid = 'other'", "currency = 'EUR'"):
        with pytest.raises(asyncpg.CheckViolationError, match="cannot be changed"):
            await business.pool.execute(f"UPDATE call_session SET {change}")  # noqa: S608


ENTRY = (
    "INSERT INTO ledger_entry SELECT account_id, {period}, {movement}, {part}, kind, debit, credit,"
    " amount_micros, currency, {balance}, created_at, created_by FROM ledger_entry"
    " WHERE kind = 'call'"
)


@pytest.mark.parametrize(
    ("columns", "why"),
    [
        ({"period": "period + interval '1 month'"}, "no settled call"),
        ({"movement": "'call:1-' || repeat('0', 32)"}, "no settled call"),
        ({"movement": "'more:' || substr(movement_id, 6)"}, "no settled call"),
        ({"part": "1", "balance": "balance_micros - amount_micros"}, "not the balance"),
        ({"part": "1"}, "not what the call cost"),
    ],
)
async def test_a_call_is_posted_once_and_an_entry_fits_the_balance(
    business: Business, settled: str, columns: dict[str, str], why: str
) -> None:
    same = {
        "period": "period",
        "movement": "movement_id",
        "part": "part",
        "balance": "balance_micros",
    }
    with pytest.raises(asyncpg.CheckViolationError, match=why):
        await business.pool.execute(ENTRY.format(**same | columns))
    with pytest.raises(asyncpg.UniqueViolationError):
        await business.pool.execute(ENTRY.format(**same))


@pytest.mark.parametrize("table", ["call_session", "account"])
async def test_the_daemons_role_deletes_nothing_that_entries_are_about(
    business: Business, settled: str, table: str
) -> None:
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await business.pool.execute(f"DELETE FROM {table}")  # noqa: S608


async def test_a_login_of_its_own_can_do_what_the_daemon_does_and_no_more(
    business: Business, owner: Any
) -> None:
    await owner.execute("DROP ROLE IF EXISTS daemon_login")
    await owner.execute("CREATE ROLE daemon_login LOGIN IN ROLE agi_server_daemon")
    dsn = business.postgres_dsn.replace("//agi_server@", "//daemon_login@")
    connection = await connect(dsn)
    try:
        assert "agi_server_daemon" == await connection.fetchval("SELECT current_user")
        await connection.execute("RESET ROLE")
        for change in CHANGES:
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                await connection.execute(change)
        assert 0 == await connection.fetchval("SELECT count(*) FROM ledger_entry")
    finally:
        await connection.close()
        await owner.execute("DROP ROLE daemon_login")


async def test_an_owner_that_may_not_create_roles_still_upgrades_and_works(
    business: Business, owner: Any
) -> None:
    await owner.execute("DROP DATABASE IF EXISTS modest")
    await owner.execute("DROP ROLE IF EXISTS modest_owner")
    await owner.execute("CREATE ROLE modest_owner LOGIN")
    await owner.execute("CREATE DATABASE modest OWNER modest_owner")
    dsn = business.postgres_dsn.replace("//agi_server@", "//modest_owner@")
    dsn = dsn.replace("/test?", "/modest?")
    try:
        assert () == migrations.upgrade(dsn).pending
        connection = await connect(dsn)
        try:
            assert "modest_owner" == await connection.fetchval("SELECT current_user")
            assert 0 == await connection.fetchval("SELECT count(*) FROM account")
        finally:
            await connection.close()
    finally:
        await owner.execute("DROP DATABASE modest WITH (FORCE)")
        await owner.execute("DROP ROLE modest_owner")
