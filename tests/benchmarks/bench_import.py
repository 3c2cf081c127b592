"""Speed and memory of rate imports: 1,000,000 prefixes over 50 cards, then all in one sheet.

    python tests/benchmarks/bench_import.py [--prefixes N] [--cards N] [--processes N]

Runs the real command on a private PostgreSQL, as many at a time as there are processes: a first
import into an empty card, then the same sheet with every hundredth price changed, and an export.
CPU seconds are those of the commands and of the database's sessions: what the wall clock shows on
two free cores is half their sum. Memory is the peak of the largest command.
"""

import argparse
import os
import random
import resource
import sys
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from tempfile import TemporaryDirectory

from bench_rating import rates_of

from agi_server.storage.embedded import embedded_backends
from rating.money import format_money

HEADER = "prefix,destination,price_per_minute,initial,increment,connection_fee"
HEADER += ",buy_price_per_minute,effective_from\n"


def write_sheets(folder: str, name: str, card: int, count: int) -> None:
    """A carrier's sheet, and the one it sends a month later."""
    chooser = random.Random(card)
    with (
        Path(folder, f"{name}-0.csv").open("w") as old,
        Path(folder, f"{name}-1.csv").open("w") as new,
    ):
        for file in (old, new):
            file.write(HEADER)
        for rate in rates_of(card, count):
            price = rate.price_micros_per_minute
            for file, raised in ((old, 0), (new, 500 if chooser.random() < 0.01 else 0)):
                file.write(
                    f"{rate.prefix},{rate.destination},{format_money(price + raised)}"
                    f",{rate.initial_s},{rate.increment_s}"
                    f",{format_money(rate.connection_fee_micros)}"
                    f",{format_money(rate.buy_price_micros_per_minute)},2025-06-01\n"
                )


def run(env: dict[str, str], *arguments: str) -> float:
    """Peak memory of a command in MB. Raises RuntimeError when it fails."""
    words = [sys.executable, "-m", "agi_server", *arguments]
    silence = (os.POSIX_SPAWN_OPEN, 1, os.devnull, os.O_WRONLY, 0)
    pid = os.posix_spawn(sys.executable, words, env, file_actions=[silence])
    _, status, usage = os.wait4(pid, 0)
    if status:
        raise RuntimeError(f"{' '.join(words)} ended with {status}")
    return usage.ru_maxrss * 1024 / 1e6


def cpu_seconds(folder: str) -> tuple[float, float]:
    """Used so far by the commands that have ended, and by ended sessions of the database."""
    (pid_file,) = Path(folder).rglob("postmaster.pid")
    stat = Path("/proc", pid_file.read_text().split()[0], "stat").read_text()
    of_children = stat.rpartition(")")[2].split()[13:15]
    ours = resource.getrusage(resource.RUSAGE_CHILDREN)
    database_s = sum(map(int, of_children)) / os.sysconf("SC_CLK_TCK")
    return ours.ru_utime + ours.ru_stime, database_s


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--prefixes", type=int, default=1_000_000)
    parser.add_argument("--cards", type=int, default=50)
    parser.add_argument("--processes", type=int, default=2)
    options = parser.parse_args()
    cards, processes = options.cards, options.processes
    with TemporaryDirectory() as folder, embedded_backends(Path(folder, "data")) as servers:
        # By others: a command's peak begins with the size of the process that starts it.
        with ProcessPoolExecutor(processes, mp_context=get_context("spawn")) as makers:
            each = options.prefixes // cards
            made = [makers.submit(write_sheets, folder, f"c{n}", n, each) for n in range(cards)]
            made.append(makers.submit(write_sheets, folder, "all", 0, options.prefixes))
            for sheet in made:
                sheet.result()
        env = {**os.environ, "AGI_SERVER_POSTGRES__DSN": servers.postgres_dsn}
        # As on an operator's machine: no command compiles the modules that one before it did.
        env.pop("PYTHONDONTWRITEBYTECODE", None)
        run(env, "db", "upgrade")
        run(env, "trunk", "create", "gw", "--dial", "PJSIP/{number}@gw")

        def import_(card: str, month: int, *more: str) -> float:
            file = str(Path(folder, f"{card}-{month}.csv"))
            return run(env, "rates", "import", file, "--card", card, "--trunk", "gw", *more)

        def export(card: str) -> float:
            return run(env, "rates", "export", "--card", card, "-o", str(Path(folder, "out.csv")))

        out = sys.stdout
        out.write(f"{options.prefixes:,} prefixes, {processes} commands at a time\n")
        out.write(f"{'':28} {'s':>8} {'CPU s':>8} {'database':>8} {'MB':>8}\n")
        steps: tuple[tuple[str, Callable[[str], float]], ...] = (
            ("first import", lambda card: import_(card, 0, "--activate")),
            ("the next one, dry run", lambda card: import_(card, 1, "--dry-run")),
            ("the next one", lambda card: import_(card, 1, "--activate")),
            ("export", export),
        )
        for names in ([f"c{card}" for card in range(cards)], ["all"]):
            for step, work in steps:
                before, begin = cpu_seconds(folder), time.perf_counter()
                with ThreadPoolExecutor(processes) as commands:
                    peak = max(commands.map(work, names))
                wall_s = time.perf_counter() - begin
                ours, database = (
                    after - earlier
                    for after, earlier in zip(cpu_seconds(folder), before, strict=True)
                )
                out.write(f"{f'{len(names)} cards, {step}':28}")
                out.write(f" {wall_s:8.1f} {ours:8.1f} {database:8.1f} {peak:8.0f}\n")
                out.flush()


if __name__ == "__main__":
    main()
