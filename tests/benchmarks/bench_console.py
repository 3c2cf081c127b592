"""How long the console's lists and searches take with many customers and calls.

    .venv/bin/python tests/benchmarks/bench_console.py [CUSTOMERS] [CALLS] [FOLDER]

Starts a private PostgreSQL and Valkey, fills them (console_fill.sql), and asks each page of a real
daemon over HTTP, as an administrator and as the resellers of three groups: one of ten customers,
one of a tenth of all, one whose customers do not call. What is in FOLDER stays there, and is used
again.
"""

import asyncio
import statistics
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, cast
from urllib.parse import parse_qsl

import httpx

sys.path.insert(0, str(Path(__file__).parents[1]))

import asyncpg

from agi_server.asterisk.link import AsteriskLinks
from agi_server.calls.recover import Recovery
from agi_server.ledger.verify import verify
from agi_server.settings import Settings
from agi_server.storage.embedded import embedded_backends
from agi_server.storage.postgres import migrations
from agi_server.storage.postgres.pool import open_pool
from agi_server.tariffs.plans import create_plan
from agi_server.tariffs.trunks import create_trunk
from agi_server.web.auth.operators import create_operator
from agi_server.web.auth.roles import Role
from agi_server.web.auth.secrets import csrf_token
from agi_server.web.server import serve_web
from rating.rate import Rate
from support.business import Business
from support.clock import Clock

_PASSWORD = "correct horse battery"
_TIMES = 7
_PORT = 18099
_WANTED_MS = 300
_TRUNKS = tuple(f"carrier-{n}" for n in range(1, 9))
_OPERATORS = {"alice": None, "few": "small", "many": "large", "none": "silent"}


def customers_paths(account: int) -> list[str]:
    """Customers: lists, searches, and all that is listed of one."""
    return [
        "/customers", "/customers?status=suspended", "/customers?plan=standard",
        "/customers?group=large", "/customers?group=small", "/customers?campaign=campaign-3",
        f"/customers?search=family{account}", "/customers?search=ann", "/customers?search=nobody",
        f"/customers?search={440000000000 + account}",
        f"/customers?search=ann{account}@example.com",
        "/customers?search=%2B4420700", "/customers?search=00000", "/customers?search=00-00-00",
        f"/customers/{account}", f"/customers/{account}/calls",
        f"/customers/{account}/calls?state=denied",
        f"/customers/{account}/calls?reason=fraud_guard", f"/customers/{account}/ledger",
        f"/customers/{account}/history",
    ]  # fmt: skip


def other_paths(today: date, *, is_admin: bool) -> list[str]:
    """Calls, DIDs, reports and, for those who run the business, what it has."""
    week, quarter = (f"first={today - timedelta(days=days)}&last={today}" for days in (6, 89))
    ways = ("day", "destination", "account", *(("trunk", "group") if is_admin else ()))
    measures = ("revenue", "asr", "acd", *(("cost", "margin") if is_admin else ()))
    return [
        "/calls", "/calls?state=settled", "/calls?state=denied", "/calls?state=void",
        "/calls?reason=no_credit", "/calls?reason=no_rate", "/calls?reason=fraud_guard",
        "/calls/live", "/dids", "/dids?search=49300000", "/dids?unassigned=yes",
        "/dids?group=city-7",
        *(f"/reports?by={way}&{week}" for way in ways),
        *(f"/reports?by={way}" for way in ways),
        *(f"/reports?by=destination&measure={measure}" for measure in measures),
        f"/reports?by=day&{quarter}", f"/reports?by=account&{quarter}",
        *(("/groups", "/groups/3", "/series", "/campaigns", "/trunks", "/plans", "/rates",
           "/rates/world", "/rates/world/1", "/dids/493000000007") if is_admin else ()),
    ]  # fmt: skip


async def main(customers: int, calls: int, folder: Path) -> None:
    """Fill, ask, print."""
    with embedded_backends(folder) as servers:
        migrations.upgrade(servers.postgres_dsn)
        async with open_pool(servers.postgres_dsn, max_size=2) as pool:
            if not await pool.fetchval("SELECT EXISTS (SELECT FROM call_session)"):
                business = Business(pool, Clock(), servers.postgres_dsn, servers.redis_url)
                await fill(business, customers, calls)
            highest = await pool.fetchval("SELECT max(id) FROM account")
        settings = Settings.model_validate({"web": {"port": _PORT}})
        links = AsteriskLinks((), now=Clock())
        serving = asyncio.create_task(
            serve_web(
                settings,
                servers.postgres_dsn,
                links,
                cast(Recovery, None),  # it ends no call
                lambda: datetime.now(UTC),
            )
        )
        middle = highest // 2 + 1
        busiest = {"alice": 1, "few": middle, "many": 10, "none": highest}
        try:
            for name, account in busiest.items():
                await ask(name, account)
        finally:
            serving.cancel()
            await asyncio.gather(serving, return_exceptions=True)


async def fill(business: Business, customers: int, calls: int) -> None:
    """A business that has grown."""
    started = time.monotonic()
    await business.open()
    for name in _TRUNKS:
        await create_trunk(business.pool, name, f"PJSIP/{{number}}@{name}")
    rates = [
        Rate(
            prefix=f"{country}{area}",
            destination=f"Country {country} area {area}",
            price_micros_per_minute=5_000 + country * area % 397 * 1_000,
            buy_price_micros_per_minute=3_000 + country * area % 397 * 800,
        )
        for country in range(20, 100)
        for area in range(1, 9)
    ]
    await business.card("world", rates, trunks=_TRUNKS)
    await create_plan(business.pool, "other", ["world"])
    owner = await asyncpg.connect(business.postgres_dsn)
    try:
        await owner.execute(f"SET bench.customers = {customers}; SET bench.calls = {calls}")
        sql = Path(__file__).with_name("console_fill.sql").read_text(encoding="utf-8")
        await owner.execute(sql)
        await owner.execute("VACUUM ANALYZE")
    finally:
        await owner.close()
    for name, group in _OPERATORS.items():
        role = Role.ADMIN if group is None else Role.RESELLER
        await create_operator(
            business.pool, name, role=role, group=group, password=_PASSWORD, at=datetime.now(UTC)
        )
    tell(f"{customers} customers, {calls} calls, filled in {time.monotonic() - started:.0f} s")
    async with business.pool.acquire() as db:
        wrong = await verify(db)
    assert not wrong, wrong[:5]


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
        cookie = signed.headers["set-cookie"].partition(";")[0]
        headers = {"cookie": cookie}
        is_admin = _OPERATORS[name] is None
        today = datetime.now(UTC).date()
        for path in [*customers_paths(account), *other_paths(today, is_admin=is_admin)]:
            await measure(client, name, "GET", path, headers=headers)
        csrf = {"csrf": csrf_token(cookie.partition("=")[2])}
        by_htmx = {**headers, "hx-request": "true"}
        number = {**csrf, "search": str(3000000000 + account)}
        await measure(client, name, "POST", "/customers", headers=by_htmx, data=number)
        for found in ("found_group=large", "found_status=suspended") if is_admin else ("",):
            form = {**csrf, "whom": "found", "plan": "=other", **dict(parse_qsl(found))}
            path = "/customers/bulk"
            await measure(client, name, "POST", path, told=found, headers=headers, data=form)


async def measure(
    client: httpx.AsyncClient, name: str, method: str, path: str, told: str = "", **about: Any
) -> None:
    """Ask some times, and tell."""
    took = []
    for _ in range(_TIMES):
        started = time.perf_counter()
        answer = await client.request(method, path, **about)
        took.append((time.perf_counter() - started) * 1000)
        assert answer.status_code == 200, (path, answer.status_code)
    slow = "  SLOW" if statistics.median(took) > _WANTED_MS else ""
    tell(f"{name:6} {statistics.median(took):7.0f} ms median {max(took):7.0f} ms most"
          f"  {path}{f' ({method} {told})' if method == 'POST' else ''}{slow}")  # fmt: skip


@contextmanager
def chosen_folder(words: list[str]) -> Iterator[Path]:
    """The one that is named, or one for this run."""
    if words:
        yield Path(words[0])
        return
    with TemporaryDirectory(prefix="bench-console-") as folder:
        yield Path(folder)


if __name__ == "__main__":
    customers, calls, *rest = sys.argv[1:] or ("100000", "1000000")
    with chosen_folder(rest) as folder:
        asyncio.run(main(int(customers), int(calls), folder))
