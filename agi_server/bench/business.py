"""A business that exists for a benchmark: a daemon of its own with customers, rates and a trunk."""

import asyncio
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from agi_server.accounts import customers
from agi_server.accounts.account import new_account
from agi_server.ledger.verify import verify
from agi_server.refused import RefusedError
from agi_server.storage.embedded import embedded_backends
from agi_server.storage.postgres import migrations
from agi_server.storage.postgres.pool import open_pool
from agi_server.tariffs import plans, rate_cards, trunks
from rating.rate import Rate

DESTINATIONS = ("442079460000", "33123456789", "4930123456", "12125550123", "61298765432")
CREATED_BY = "bench"
_CURRENCY = "USD"
_CARD, _PLAN, _TRUNK = "bench", "bench", "bench"
_FUNDS_MICROS = 10**12
_RATES = 10_000
_LOG_CHECK_S = 0.05


@dataclass(frozen=True, slots=True, kw_only=True)
class BenchBusiness:
    """The daemon's port and process, and the account numbers of its customers."""

    port: int
    pid: int
    postgres_dsn: str
    accountcodes: Sequence[str]

    def cpu_s(self) -> float:
        """CPU seconds that the daemon has used; 0 where there is no /proc to tell."""
        try:
            stat = Path(f"/proc/{self.pid}/stat").read_text()
        except OSError:
            return 0.0
        ticks = stat.rpartition(")")[2].split()[11:13]
        return sum(map(int, ticks)) / os.sysconf("SC_CLK_TCK")

    async def problems(self) -> list[str]:
        """What is wrong with the books after the load."""
        async with open_pool(self.postgres_dsn, max_size=1) as pool, pool.acquire() as db:
            return [
                f"{each.what} of account {each.account_id}: stored {each.stored},"
                f" by its entries {each.recomputed}"
                for each in await verify(db)
            ]


@contextmanager
def bench_business(directory: Path | None, accounts: int) -> Iterator[BenchBusiness]:
    """PostgreSQL, Valkey, a business and a daemon, all in a new folder below `directory` (None: the
    system's temporary folder) and gone afterwards.

    Raises EmbeddedStartError, and RefusedError for a daemon that does not start.
    """
    if directory is not None:
        directory.mkdir(parents=True, exist_ok=True)
    with (
        TemporaryDirectory(prefix="agi-server-bench-", dir=directory) as folder,
        embedded_backends(Path(folder, "data")) as servers,
    ):
        migrations.upgrade(servers.postgres_dsn)
        accountcodes = asyncio.run(_open(servers.postgres_dsn, accounts))
        with _daemon(Path(folder), servers.postgres_dsn, servers.redis_url) as (port, pid):
            yield BenchBusiness(
                port=port, pid=pid, postgres_dsn=servers.postgres_dsn, accountcodes=accountcodes
            )


async def _open(dsn: str, accounts: int) -> list[str]:
    async with open_pool(dsn, max_size=4) as pool:
        at = datetime.now(UTC)
        await trunks.create_trunk(pool, _TRUNK, "PJSIP/{number}@bench")
        await rate_cards.store_version(
            pool,
            _CARD,
            _rates(),
            rate_cards.Source(name="bench", sha256="bench"),
            currency=_CURRENCY,
            default_currency=_CURRENCY,
            trunks=(_TRUNK,),
            activate=True,
            at=at,
        )
        await plans.create_plan(pool, _PLAN, [_CARD])
        return [await _customer(pool, 10**9 + number, at) for number in range(accounts)]


def _rates() -> list[Rate]:
    """Some thousand prefixes as a usual card has; each number finds a long one."""
    firsts = range(10 ** (len(str(_RATES)) - 1), 10 ** len(str(_RATES)), 9)
    prefixes = {str(first) for first in firsts} | {number[:5] for number in DESTINATIONS}
    return [
        Rate(
            prefix=prefix,
            destination=f"destination {prefix[:2]}",
            price_micros_per_minute=60_000,
            buy_price_micros_per_minute=40_000,
        )
        for prefix in sorted(prefixes)
    ]


async def _customer(pool: Any, number: int, at: datetime) -> str:
    account, _ = await customers.create_account(
        pool,
        new_account(
            account_number=str(number), currency=_CURRENCY, plan=_PLAN, simultaneous_access=0
        ),
        number_length=10,
        max_callerids=0,
        refill_micros=_FUNDS_MICROS,
        created_by=CREATED_BY,
        at=at,
    )
    return account.account_number


@contextmanager
def _daemon(folder: Path, postgres_dsn: str, redis_url: str) -> Iterator[tuple[int, int]]:
    """`agi-server serve` with the default settings, on a free port."""
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith("AGI_SERVER")},
        "AGI_SERVER_POSTGRES__DSN": postgres_dsn,
        "AGI_SERVER_REDIS__URL": redis_url,
        "AGI_SERVER_FASTAGI__PORT": "0",
        "AGI_SERVER_LOG__FORMAT": "json",
    }
    log, no_settings = folder / "agi-server.log", folder / "agi-server.toml"
    no_settings.touch()  # else those of this machine would count
    command = [sys.executable, "-m", "agi_server", "serve", "--config", str(no_settings)]
    with log.open("wb") as output:
        process = subprocess.Popen(command, env=environment, stdout=output)
    try:
        yield _port(process, log), process.pid
    finally:
        process.terminate()
        process.wait()


def _port(process: "subprocess.Popen[bytes]", log: Path) -> int:
    """Where the daemon listens, once it does: it says so in its log."""
    while True:
        ended = process.poll() is not None
        for line in log.read_text("utf-8").splitlines():
            if '"server.started"' in line:
                return int(json.loads(line)["port"])
        if ended:
            raise RefusedError("the daemon ended before it listened; what it said stands above")
        time.sleep(_LOG_CHECK_S)
