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
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory

import click
import psycopg

from agi_server.storage.embedded import embedded_backends
from agi_server.storage.postgres import migrations

# Every account is refilled once and has talked for as many seconds as fit into its calls.
BOOKS = """
INSERT INTO account (account_number, status, currency, balance_micros, created_at)
SELECT (10000000 + n)::text, 1, 'USD', 1000000000 - %(calls)s * 5000, now()
FROM generate_series(1, %(accounts)s) n;
INSERT INTO call_session (
    account_id, call_id, state, server, uniqueid, channel, identified_by, callerid, dialled,
    destination, authorized_at, expires_at, limit_ms, held_micros, currency, plan_id, version_id,
    prefix, trunk_ids, route, dialstatus, hangupcause, talk_ms, billed_seconds, cost_micros,
    buy_cost_micros, price_lines, witness, settled_at)
SELECT a, a || '-' || md5(a || '.' || n), 'settled', '127.0.0.1', 'pbx-' || n, 'PJSIP/phone-' || n,
       'accountcode', '33123456789', '442079460000', '442079460000', t, t + interval '1 hour',
       3600000, 60000, 'USD', 1, 1, '44', '{1}', 1, 'ANSWER', 16, 5000, 5, 5000, 3000,
       '[{"what": "talk", "seconds": 5, "micros": 5000}]', 'handler', t + interval '5 seconds'
FROM generate_series(1, %(accounts)s) a, LATERAL generate_series(a - a + 1, %(calls)s) n,
     LATERAL (SELECT timestamptz '2026-10-02' + n * interval '1 minute' AS t) x;
INSERT INTO ledger_entry (
    account_id, period, movement_id, part, kind, debit, credit, amount_micros, currency,
    balance_micros, created_at, created_by)
SELECT a, '2026-10-01', 'refill:first', 0, 'refill', 'refills', 'customer', 1000000000, 'USD',
       1000000000, '2026-10-01', 'bench'
FROM generate_series(1, %(accounts)s) a;
INSERT INTO ledger_entry (
    account_id, period, movement_id, part, kind, debit, credit, amount_micros, currency,
    balance_micros, created_at, created_by)
SELECT account_id, date_trunc('month', authorized_at AT TIME ZONE 'UTC'), 'call:' || call_id, 0,
       'call', 'customer', 'revenue', 5000, 'USD',
       1000000000 - 5000 * (extract(epoch FROM authorized_at - '2026-10-02') / 60)::bigint,
       settled_at, 'agi-server'
FROM call_session;
"""
DAMAGE = "UPDATE ledger_entry SET amount_micros = amount_micros {} WHERE movement_id = %s"


def make(dsn: str, entries: int, accounts: int) -> None:
    begin = time.perf_counter()
    calls = entries // accounts - 1
    with psycopg.connect(dsn, autocommit=True) as connection:
        connection.execute("SET session_replication_role = replica")
        connection.execute("SET synchronous_commit = off")
        for sql in BOOKS.strip().split(";")[:-1]:
            text = sql.replace("%(calls)s", str(calls)).replace("%(accounts)s", str(accounts))
            connection.execute(text)
        connection.execute("VACUUM ANALYZE")
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
