"""How long the console's lists and searches take with many customers and calls.

    .venv/bin/python tests/benchmarks/bench_console.py [CUSTOMERS] [CALLS]

Starts a private PostgreSQL and Valkey, fills them, and asks each page of a real daemon over HTTP,
as an administrator, as the reseller of a group of 10 and of one of a tenth of all customers.
"""

import asyncio
import statistics
import sys
import time
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import cast

import httpx

sys.path.insert(0, str(Path(__file__).parents[1]))

from agi_server.accounts.groups import create_group
from agi_server.asterisk.link import AsteriskLinks
from agi_server.calls.recover import Recovery
from agi_server.settings import Settings
from agi_server.storage.embedded import embedded_backends
from agi_server.storage.postgres import migrations
from agi_server.storage.postgres.pool import open_pool
from agi_server.web.auth.operators import create_operator
from agi_server.web.auth.roles import Role
from agi_server.web.server import serve_web
from support.business import Business
from support.clock import Clock

_PASSWORD = "correct horse battery"
_TIMES = 7
_PORT = 18099

_FILL = (
    """INSERT INTO account (account_number, plan_id, group_id, currency, created_at, status)
    SELECT (3000000000 + n)::text, (SELECT min(id) FROM call_plan),
           CASE WHEN n <= 10 THEN (SELECT id FROM account_group WHERE name = 'small')
                WHEN n % 10 = 0 THEN (SELECT id FROM account_group WHERE name = 'large') END,
           'USD', now(), CASE WHEN n % 500 = 0 THEN 6 ELSE 1 END
    FROM generate_series(1, $1::int) n""",
    """UPDATE customer SET last_name = 'Family' || account_id, first_name = 'Ann',
           email = 'ann' || account_id || '@example.com',
           phone = '+4420' || (70000000 + account_id),
           serial = lpad(account_id::text, 7, '0'),
           mac_address = upper(substr(regexp_replace(lpad(to_hex(account_id), 12, '0'),
                               '(..)', '\\1-', 'g'), 1, 17))
    WHERE account_id > 0 AND $1::int > 0""",
    """INSERT INTO callerid (number, account_id)
    SELECT (440000000000 + id)::text, id FROM account WHERE $1::int > 0""",
    """INSERT INTO call_session (account_id, call_id, state, server, uniqueid, channel, callerid,
           dialled, destination, authorized_at, currency, talk_ms, billed_seconds, cost_micros,
           dialstatus, reason, settled_at)
    SELECT a, a || '-' || lpad(to_hex(n), 32, '0'),
           CASE WHEN n % 20 = 0 THEN 'denied' ELSE 'settled' END,
           '127.0.0.1', 'x-' || n, 'PJSIP/x', '', '442079460000', '442079460000',
           now() - n * interval '2 seconds', 'USD', 10000, 10, 10000, 'ANSWER',
           CASE WHEN n % 20 = 0 THEN 'no_credit' END, now()
    FROM (SELECT n, 1 + abs(hashint4(n)) % (SELECT count(*) FROM account) AS a
          FROM generate_series(1, $1::int) n) s""",
)


def paths(account: int) -> list[str]:
    """Every list and search."""
    return [
        "/customers", "/customers?status=suspended", "/customers?plan=standard",
        "/customers?group=large", "/customers?group=small", f"/customers?search=family{account}",
        "/customers?search=ann", "/customers?search=nobody",
        f"/customers?search={440000000000 + account}",
        f"/customers?search={3000000000 + account}", f"/customers?search=ann{account}@example.com",
        "/customers?search=%2B4420700", "/customers?search=00000", "/customers?search=00-00-00",
        "/calls", "/calls?state=denied", "/calls?state=void", "/calls?reason=no_credit",
        "/calls?reason=fraud_guard", "/calls/live", f"/customers/{account}",
        f"/customers/{account}/calls", f"/customers/{account}/ledger",
    ]  # fmt: skip


async def main(customers: int, calls: int) -> None:
    """Fill, ask, print."""
    with (
        TemporaryDirectory(prefix="bench-console-") as folder,
        embedded_backends(Path(folder)) as servers,
    ):
        migrations.upgrade(servers.postgres_dsn)
        async with open_pool(servers.postgres_dsn, max_size=2) as pool:
            await Business(pool, Clock(), servers.postgres_dsn, servers.redis_url).open()
            for name in ("small", "large"):
                await create_group(pool, name)
            now = datetime.now(UTC)
            for name, group in (("alice", None), ("few", "small"), ("many", "large")):
                role = Role.ADMIN if group is None else Role.RESELLER
                await create_operator(
                    pool, name, role=role, group=group, password=_PASSWORD, at=now
                )
            started = time.monotonic()
            for sql in _FILL:
                await pool.execute(sql, calls if "call_session" in sql else customers, timeout=900)
            await pool.execute("VACUUM ANALYZE", timeout=900)
            tell(f"{customers} customers, {calls} calls, filled in"
                  f" {time.monotonic() - started:.0f} s")  # fmt: skip
        settings = Settings.model_validate({"web": {"port": _PORT}})
        serving = asyncio.create_task(
            serve_web(
                settings,
                servers.postgres_dsn,
                AsteriskLinks((), now=Clock()),
                cast(Recovery, None),  # it ends no call
                lambda: datetime.now(UTC),
            )
        )
        try:
            for name, account in (("alice", customers // 2 + 1), ("few", 5), ("many", 20)):
                await ask(name, account)
        finally:
            serving.cancel()
            await asyncio.gather(serving, return_exceptions=True)


def tell(line: str) -> None:
    """As it comes."""
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


async def ask(name: str, account: int) -> None:
    """The median and the slowest of some answers to each page."""
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{_PORT}", timeout=120) as client:
        for _ in range(100):
            try:
                signed = await client.post("/sign-in", data={"name": name, "password": _PASSWORD})
                break
            except httpx.ConnectError:
                await asyncio.sleep(0.1)
        headers = {"cookie": signed.headers["set-cookie"].partition(";")[0]}
        for path in paths(account):
            took = []
            for _ in range(_TIMES):
                started = time.perf_counter()
                answer = await client.get(path, headers=headers)
                took.append((time.perf_counter() - started) * 1000)
                assert answer.status_code == 200, (path, answer.status_code)
            slow = "  SLOW" if statistics.median(took) > 300 else ""
            tell(f"{name:6} {statistics.median(took):7.0f} ms median {max(took):7.0f} ms most"
                  f"  {path}{slow}")  # fmt: skip


if __name__ == "__main__":
    asyncio.run(main(*(int(word) for word in (sys.argv[1:] or ("100000", "1000000")))))
