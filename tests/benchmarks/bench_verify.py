"""How long `ledger verify` takes: 10,000,000 entries, one for each settled call.

    python tests/benchmarks/bench_verify.py [--entries N] [--accounts N] [--keep DIR]

On real PostgreSQL, by the real command, from a cold start of it. The books are made by SQL with the
triggers off (the guards would look at each row), then verified; then a single figure in the middle
is changed and must be found. With --keep the books stay in DIR and are used again.
"""

import argparse
import os
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory

import click
import psycopg

from agi_server.storage.embedded import embedded_backends
from agi_server.storage.postgres import migrations

# Every account is refilled once and has talked for as many seconds as fit into its calls.
ACCOUNTS = """
INSERT INTO account (account_number, status, currency, balance_micros, created_at)
SELECT (10000000 + n)::text, 1, 'USD', 1000000000 - %(calls)s * 5000, now()
FROM generate_series(1, %(accounts)s) n
"""
# Of every second account, twice side by side: the second one begins with account 2.
BOOKS = """
INSERT INTO call_session (
    account_id, call_id, state, server, uniqueid, channel, identified_by, callerid, dialled,
    destination, authorized_at, expires_at, limit_ms, held_micros, currency, plan_id, version_id,
    prefix, trunk_ids, route, dialstatus, hangupcause, talk_ms, billed_seconds, cost_micros,
    buy_cost_micros, price_lines, witness, settled_at)
SELECT a, a || '-' || md5(a || '.' || n), 'settled', '127.0.0.1', 'pbx-' || n, 'PJSIP/phone-' || n,
       'accountcode', '33123456789', '442079460000', '442079460000', t, t + interval '1 hour',
       3600000, 60000, 'USD', 1, 1, '44', '{1}', 1, 'ANSWER', 16, 5000, 5, 5000, 3000,
       '[{"what": "talk", "seconds": 5, "micros": 5000}]', 'handler', t + interval '5 seconds'
FROM generate_series(1, %(calls)s) n, generate_series(%(first)s, %(accounts)s, 2) a,
     LATERAL (SELECT timestamptz '2026-10-02' + n * interval '1 minute' AS t) x;
INSERT INTO ledger_entry (
    account_id, period, movement_id, part, kind, debit, credit, amount_micros, currency,
    balance_micros, created_at, created_by)
SELECT a, '2026-10-01', 'refill:first', 0, 'refill', 'refills', 'customer', 1000000000, 'USD',
       1000000000, '2026-10-01', 'bench'
FROM generate_series(%(first)s, %(accounts)s, 2) a;
INSERT INTO ledger_entry (
    account_id, period, movement_id, part, kind, debit, credit, amount_micros, currency,
    balance_micros, created_at, created_by)
SELECT a, date_trunc('month', t AT TIME ZONE 'UTC'),
       'call:' || a || '-' || md5(a || '.' || n), 0, 'call', 'customer', 'revenue', 5000, 'USD',
       1000000000 - 5000 * n::bigint, t + interval '5 seconds', 'agi-server'
FROM generate_series(1, %(calls)s) n, generate_series(%(first)s, %(accounts)s, 2) a,
     LATERAL (SELECT timestamptz '2026-10-02' + n * interval '1 minute' AS t) x
"""
BIG = ("call_session", "ledger_entry")
DAMAGE = "UPDATE ledger_entry SET amount_micros = amount_micros {} WHERE movement_id = %s"


def indexes(connection: psycopg.Connection) -> list[tuple[str, str]]:
    """How to drop each index of the big tables, and how to make it again."""
    constraints = connection.execute(
        "SELECT format('ALTER TABLE %%s DROP CONSTRAINT %%I', conrelid::regclass, conname),"
        " format('ALTER TABLE %%s ADD CONSTRAINT %%I %%s', conrelid::regclass, conname,"
        " pg_get_constraintdef(oid))"
        " FROM pg_constraint WHERE contype IN ('p', 'u') AND conrelid::regclass::text = ANY (%s)",
        (list(BIG),),
    )
    others = connection.execute(
        "SELECT format('DROP INDEX %%I', indexname), indexdef FROM pg_indexes i"
        " WHERE tablename = ANY (%s) AND NOT EXISTS"
        " (SELECT FROM pg_constraint WHERE conname = i.indexname)",
        (list(BIG),),
    )
    return [*constraints, *others]


def run(dsn: str, *statements: str) -> None:
    """With the triggers off: the guards would look at each row."""
    with psycopg.connect(dsn, autocommit=True) as connection:
        connection.execute("SET session_replication_role = replica")
        connection.execute("SET synchronous_commit = off")
        connection.execute("SET maintenance_work_mem = '512MB'")
        for statement in statements:
            connection.execute(statement)  # type: ignore[call-overload]


def make(dsn: str, entries: int, accounts: int) -> None:
    begin = time.perf_counter()
    numbers = {"calls": str(entries // accounts - 1), "accounts": str(accounts)}

    def filled(sql: str, first: int = 1) -> list[str]:
        for name, value in {**numbers, "first": str(first)}.items():
            sql = sql.replace(f"%({name})s", value)
        return sql.strip().split(";")

    with psycopg.connect(dsn) as connection:
        made_again = indexes(connection)
    # Neither indexes nor a log for rows that come all at once, and that nobody needs after a crash.
    bare = [drop for drop, _ in made_again] + [f"ALTER TABLE {each} SET UNLOGGED" for each in BIG]
    run(dsn, *filled(ACCOUNTS), *bare)
    with ThreadPoolExecutor() as workers:
        for _ in workers.map(lambda first: run(dsn, *filled(BOOKS, first)), (1, 2)):
            pass
    run(dsn, *(create for _, create in made_again), "VACUUM ANALYZE")
    click.echo(f"made {entries:,} entries in {time.perf_counter() - begin:.0f} s")


def verify() -> subprocess.CompletedProcess[str]:
    begin = time.perf_counter()
    command = [sys.executable, "-m", "agi_server", "ledger", "verify"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    click.echo(f"verified in {time.perf_counter() - begin:.1f} s: {done.stdout.strip()}")
    return done


def measure(dsn: str) -> None:
    assert verify().returncode == 0
    with psycopg.connect(dsn, autocommit=True) as connection:
        connection.execute("SET session_replication_role = replica")
        found = connection.execute(
            "SELECT movement_id FROM ledger_entry WHERE kind = 'call' AND account_id ="
            " (SELECT max(id) / 2 FROM account) LIMIT 1"
        ).fetchone()
        assert found is not None
        connection.execute(DAMAGE.format("+ 1"), found)  # type: ignore[arg-type]
        done = verify()
        assert done.returncode == 1
        assert found[0].partition(":")[2] in done.stdout
        connection.execute(DAMAGE.format("- 1"), found)  # type: ignore[arg-type]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--entries", type=int, default=10_000_000)
    parser.add_argument("--accounts", type=int, default=10_000)
    parser.add_argument("--keep", type=Path)
    chosen = parser.parse_args()
    with ExitStack() as stack:
        directory = chosen.keep or Path(stack.enter_context(TemporaryDirectory(prefix="bench-")))
        backends = stack.enter_context(embedded_backends(directory))
        migrations.upgrade(backends.postgres_dsn)
        with psycopg.connect(backends.postgres_dsn) as connection:
            there = connection.execute("SELECT EXISTS (SELECT FROM ledger_entry)").fetchone()
        if there == (False,):
            make(backends.postgres_dsn, chosen.entries, chosen.accounts)
        os.environ["AGI_SERVER_EMBEDDED"] = str(directory)
        measure(backends.postgres_dsn)


if __name__ == "__main__":
    sys.exit(main())
