"""Speed and memory of rate imports: 1,000,000 prefixes over 50 cards, then all in one sheet.

    python tests/benchmarks/bench_import.py [--prefixes N] [--cards N] [--processes N]

Runs the real command on a private PostgreSQL, as many at a time as there are processes: a first
import into an empty card, the same sheets with every hundredth price changed, a dry run and an
export. Memory is the largest of any process of ours; PostgreSQL's is its own.
"""

import argparse
import os
import random
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from tempfile import TemporaryDirectory

from bench_rating import rates_of

from agi_server.storage.embedded import embedded_backends
from agi_server.storage.postgres import migrations
from rating.money import format_money

HEADER = "prefix,destination,price_per_minute,initial,increment,connection_fee"
HEADER += ",buy_price_per_minute,effective_from\n"


def sheet(card: int, count: int, changed: bool) -> Iterator[str]:
    """The lines of a carrier's sheet; `changed`: as it may come a month later."""
    chooser = random.Random(card)
    yield HEADER
    for rate in rates_of(card, count):
        price = rate.price_micros_per_minute
        if chooser.random() < 0.01 and changed:
            price += 500
        yield (
            f"{rate.prefix},{rate.destination},{format_money(price)},{rate.initial_s}"
            f",{rate.increment_s},{format_money(rate.connection_fee_micros)}"
            f",{format_money(rate.buy_price_micros_per_minute)},2025-06-01\n"
        )


def run(env: dict[str, str], *arguments: str) -> int:
    """Peak memory of a command in kB. Raises RuntimeError when it fails."""
    words = [sys.executable, "-m", "agi_server", *arguments]
    pid = os.posix_spawn(
        sys.executable,
        words,
        env,
        file_actions=[(os.POSIX_SPAWN_OPEN, 1, os.devnull, os.O_WRONLY, 0)],
    )
    _, status, usage = os.wait4(pid, 0)
    if status:
        raise RuntimeError(f"{' '.join(words)} ended with {status}")
    return usage.ru_maxrss


def timed(name: str, processes: int, work: Callable[[int], int], cards: int) -> None:
    begin = time.perf_counter()
    with ThreadPoolExecutor(processes) as pool:
        peak = max(pool.map(work, range(cards)))
    wall_s = time.perf_counter() - begin
    sys.stdout.write(f"{name:34} {wall_s:8.1f} {peak * 1024 / 1e6:8.0f}\n")
    sys.stdout.flush()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--prefixes", type=int, default=1_000_000)
    parser.add_argument("--cards", type=int, default=50)
    parser.add_argument("--processes", type=int, default=2)
    options = parser.parse_args()
    cards, processes = options.cards, options.processes
    with TemporaryDirectory() as name, embedded_backends(Path(name, "data")) as servers:
        migrations.upgrade(servers.postgres_dsn)
        env = {**os.environ, "AGI_SERVER_POSTGRES__DSN": servers.postgres_dsn}
        env.pop("AGI_SERVER_EMBEDDED", None)
        for card in range(cards):
            for month in (0, 1):
                with Path(name, f"{card}-{month}.csv").open("w") as file:
                    file.writelines(sheet(card, options.prefixes // cards, bool(month)))
        for month in (0, 1):
            with Path(name, f"all-{month}.csv").open("w") as file:
                file.writelines(sheet(0, options.prefixes, bool(month)))

        def import_(file: str, card: str, *more: str) -> int:
            path = str(Path(name, file))
            return run(env, "rates", "import", path, "--card", card, "--trunk", "gw", *more)

        run(env, "trunk", "create", "gw", "--dial", "PJSIP/{number}@gw")
        sys.stdout.write(f"{options.prefixes:,} prefixes, {processes} processes at a time\n")
        sys.stdout.write(f"{'':34} {'s':>8} {'MB':>8}\n")
        timed(
            f"{cards} cards, first import",
            processes,
            lambda card: import_(f"{card}-0.csv", f"c{card}", "--activate"),
            cards,
        )
        timed(
            f"{cards} cards, dry run of the next",
            processes,
            lambda card: import_(f"{card}-1.csv", f"c{card}", "--dry-run"),
            cards,
        )
        timed(
            f"{cards} cards, next import",
            processes,
            lambda card: import_(f"{card}-1.csv", f"c{card}", "--activate"),
            cards,
        )
        timed("1 card, first import", 1, lambda _: import_("all-0.csv", "all", "--activate"), 1)
        timed("1 card, next import", 1, lambda _: import_("all-1.csv", "all", "--activate"), 1)
        export = ("rates", "export", "--card", "all", "-o", str(Path(name, "out.csv")))
        timed("1 card, export", 1, lambda _: run(env, *export), 1)


if __name__ == "__main__":
    main()
