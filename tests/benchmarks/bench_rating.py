"""Memory and speed of rating: 1,000,000 prefixes over 50 cards, beside a plain dict and a trie.

    python tests/benchmarks/bench_rating.py [--prefixes N] [--cards N]

Each contestant runs in a process of its own, so that memory is its own. The trie is marisa-trie
(`pip install --group bench`); without it that line is left out. Figures are for one core, in CPU
time; numbers are random over all cards, so caches do not flatter them. The calls are made in
rounds, and the best round counts: what others do on the machine at the time is no figure of ours.
"""

import argparse
import gc
import random
import resource
import struct
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from datetime import UTC, datetime
from importlib.util import find_spec
from multiprocessing import get_context
from pathlib import Path
from statistics import median, quantiles

from rating.grant import grant_seconds
from rating.prefix_table import PrefixTable
from rating.price import price_call, price_micros
from rating.rate import Rate

NOON = datetime(2025, 6, 1, 12, tzinfo=UTC)
CALLS = 10_000
ROUNDS = 7
RECORD = struct.Struct("<6q")
Lookup = Callable[[int, str], Rate | None]


def prefixes_of(card: int, count: int) -> list[str]:
    """Different prefixes of 1 to 9 digits, most of them long, as in carriers' sheets."""
    chooser = random.Random(card)
    found: set[str] = set()
    while len(found) < count:
        length = chooser.choices(range(9), (1, 2, 5, 10, 20, 30, 20, 10, 2))[0]
        first = str(chooser.randrange(1, 10))
        found.add(first + "".join(chooser.choices("0123456789", k=length)))
    return sorted(found)


def rates_of(card: int, count: int) -> Iterator[Rate]:
    """Every rate has a price of its own: nothing to share between them."""
    chooser = random.Random(-card)
    for prefix in prefixes_of(card, count):
        price = chooser.randrange(1_000, 1_000_000)
        yield Rate(
            prefix=prefix,
            destination=f"destination {chooser.randrange(2_000)}",
            price_micros_per_minute=price,
            initial_s=chooser.choice((1, 30, 60)),
            increment_s=chooser.choice((1, 6, 60)),
            connection_fee_micros=chooser.choice((0, 0, 10_000)),
            buy_price_micros_per_minute=price * 4 // 5,
        )


def table_lookup(cards: int, count: int) -> Lookup:
    tables = [PrefixTable(rates_of(card, count)) for card in range(cards)]
    return lambda card, number: tables[card].lookup(number, NOON)


def dict_lookup(cards: int, count: int) -> Lookup:
    tables = [{rate.prefix: rate for rate in rates_of(card, count)} for card in range(cards)]

    def lookup(card: int, number: str) -> Rate | None:
        table = tables[card]
        for length in range(len(number), 0, -1):
            rate = table.get(number[:length])
            if rate is not None:
                return rate
        return None

    return lookup


def trie_lookup(cards: int, count: int) -> Lookup:
    import marisa_trie

    tries = [
        marisa_trie.RecordTrie(
            RECORD.format,
            (
                (
                    rate.prefix,
                    (
                        rate.price_micros_per_minute,
                        rate.initial_s,
                        rate.increment_s,
                        rate.connection_fee_micros,
                        rate.buy_price_micros_per_minute,
                        int(rate.destination.split()[1]),
                    ),
                )
                for rate in rates_of(card, count)
            ),
        )
        for card in range(cards)
    ]

    def lookup(card: int, number: str) -> Rate | None:
        found = tries[card].prefixes(number)
        if not found:
            return None
        [(price, initial, increment, fee, buy, destination)] = tries[card][found[-1]]
        return Rate(
            prefix=found[-1],
            destination=f"destination {destination}",
            price_micros_per_minute=price,
            initial_s=initial,
            increment_s=increment,
            connection_fee_micros=fee,
            buy_price_micros_per_minute=buy,
        )

    return lookup


CONTESTANTS = {"prefix table": table_lookup, "plain dict": dict_lookup, "marisa-trie": trie_lookup}


def resident_mb() -> float:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * resource.getpagesize() / 1e6


def timed(work: Callable[[int, str], object], calls: list[tuple[int, str]]) -> tuple[float, float]:
    """Median and 99th percentile of the calls' microseconds, less what taking the time takes."""
    clock = time.thread_time_ns
    clock_takes = min(-clock() + clock() for _ in range(1_000)) / 1_000
    rounds: list[tuple[float, float]] = []
    for _ in range(ROUNDS):
        times = []
        for card, number in calls:
            begin = clock()
            work(card, number)
            times.append((clock() - begin) / 1_000 - clock_takes)
        rounds.append((median(times), quantiles(times, n=100)[98]))
    return min(rounds)


def run(name: str, cards: int, count: int) -> str:
    """One line of the table."""
    begin = time.process_time()
    lookup = CONTESTANTS[name](cards, count)
    built_s = time.process_time() - begin
    gc.collect()
    memory = resident_mb()
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e6
    chooser = random.Random(0)
    calls = [
        (chooser.randrange(cards), str(chooser.randrange(10**10, 10**12))) for _ in range(CALLS)
    ]

    def lookup_and_price(card: int, number: str) -> None:
        rate = lookup(card, number)
        if rate is not None:
            price_call(rate, 137)

    def lookup_and_total(card: int, number: str) -> None:
        rate = lookup(card, number)
        if rate is not None:
            price_micros(rate, 137)

    def lookup_and_limit(card: int, number: str) -> None:
        rate = lookup(card, number)
        if rate is not None:
            grant_seconds(rate, 5_000_000, 3_600)

    works = (lookup, lookup_and_total, lookup_and_limit, lookup_and_price)
    times = [timed(work, calls) for work in works]
    figures = (*(typical for typical, _ in times), times[-1][1])
    return f"{name:13} {built_s:8.1f} {memory:8.0f} {peak:8.0f}" + "".join(
        f" {figure:9.2f}" for figure in figures
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--prefixes", type=int, default=1_000_000)
    parser.add_argument("--cards", type=int, default=50)
    options = parser.parse_args()
    count = options.prefixes // options.cards
    out = sys.stdout
    out.write(
        f"{count * options.cards:,} prefixes over {options.cards} cards,"
        f" best of {ROUNDS} rounds of {CALLS:,} calls\n"
    )
    out.write(f"{'':13} {'build':>8} {'memory':>8} {'peak':>8} {'lookup':>9} {'+ total':>9}")
    out.write(f" {'+ limit':>9} {'+ price':>9} {'p99':>9}\n")
    out.write(f"{'':13} {'CPU s':>8} {'MB':>8} {'MB':>8}" + f" {'µs':>9}" * 5 + "\n")
    for name in CONTESTANTS:
        if name == "marisa-trie" and find_spec("marisa_trie") is None:
            out.write(f"{name:13} not installed: pip install --group bench\n")
            continue
        with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as process:
            out.write(process.submit(run, name, options.cards, count).result() + "\n")
        out.flush()


if __name__ == "__main__":
    main()
