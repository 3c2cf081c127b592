"""How long a reload of the rating tables keeps a call waiting: 1,000,000 prefixes, then a new one.

    python tests/benchmarks/bench_reload.py [--prefixes N] [--cards N]

On real PostgreSQL, in the daemon's event loop. A probe wakes every millisecond and looks up some
numbers; the longest time between two of its turns is what a decision may have been delayed. Beside
it stands the CPU time that this process used between two turns: the delay that is ours, where the
machine has other things to do as well.
"""

import argparse
import asyncio
import resource
import sys
import time
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import click
import uvloop
from bench_rating import rates_of

from agi_server.storage.embedded import embedded_backends
from agi_server.storage.postgres import migrations
from agi_server.storage.postgres.pool import connect, open_pool
from agi_server.tariffs import plans, rate_cards
from agi_server.tariffs.tables import TariffStore

NUMBERS = ("442079460000", "33123456789", "15551234567")


async def store(pool: Any, card: int, count: int, version: str) -> float:
    """Seconds to store and activate a version of a card."""
    rates = list(rates_of(card, count))
    begin = time.perf_counter()
    await rate_cards.store_version(
        pool,
        f"card-{card}",
        rates,
        rate_cards.Source(name="bench.csv", sha256=f"{card} {version}"),
        currency="USD",
        default_currency="USD",
        activate=True,
        at=datetime.now(UTC),
    )
    return time.perf_counter() - begin


async def longest_wait(tariffs: TariffStore, work: Any) -> str:
    """The time that the work took, and the longest that the probe waited meanwhile."""
    task = asyncio.create_task(work)
    begin = last = time.perf_counter()
    last_cpu = time.process_time()
    longest = longest_cpu = 0.0
    while not task.done():
        await asyncio.sleep(0.001)
        for number in NUMBERS:
            tariffs.current.quote(1, "USD", number, datetime.now(UTC))
        now, now_cpu = time.perf_counter(), time.process_time()
        longest, last = max(longest, now - last), now
        longest_cpu, last_cpu = max(longest_cpu, now_cpu - last_cpu), now_cpu
    await task
    took_s = time.perf_counter() - begin
    return (
        f"{took_s:.2f} s, longest wait {longest * 1000:.1f} ms,"
        f" of CPU time {longest_cpu * 1000:.1f} ms"
    )


async def measure(dsn: str, prefixes: int, cards: int) -> None:
    async with open_pool(dsn) as pool:
        took = [await store(pool, card, prefixes // cards, "1") for card in range(cards)]
        click.echo(f"stored {prefixes:,} prefixes over {cards} cards in {sum(took):.1f} s")
        await plans.create_plan(pool, "bench", [f"card-{card}" for card in range(cards)])
        connection = await connect(dsn)
        tariffs = TariffStore("USD", dsn)

        async def reload() -> None:
            await tariffs.reload(connection, datetime.now(UTC))

        click.echo(f"first load: {await longest_wait(tariffs, reload())}")
        await store(pool, 0, prefixes // cards, "2")
        click.echo(f"one card anew: {await longest_wait(tariffs, reload())}")
        await store(pool, cards, prefixes, "1")
        await plans.create_plan(pool, "one", [f"card-{cards}"])
        click.echo(f"{prefixes:,} in one card: {await longest_wait(tariffs, reload())}")
        await connection.close()
    resident_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    click.echo(f"memory of this process at most, its lists of rates included: {resident_mb:.0f} MB")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--prefixes", type=int, default=1_000_000)
    parser.add_argument("--cards", type=int, default=50)
    chosen = parser.parse_args()
    with (
        TemporaryDirectory(prefix="bench-") as directory,
        embedded_backends(Path(directory)) as backends,
    ):
        migrations.upgrade(backends.postgres_dsn)
        uvloop.run(measure(backends.postgres_dsn, chosen.prefixes, chosen.cards))


if __name__ == "__main__":
    sys.exit(main())
