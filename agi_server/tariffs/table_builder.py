"""Prefix tables of stored versions, built so that no call waits meanwhile.

Large ones are made by a process of their own: building them here would hold the interpreter for
seconds. The process reads the rates as a stream, so neither ever has them all as objects.
"""

import asyncio
import pickle
import subprocess
import sys
from collections.abc import Collection, Iterator
from contextlib import closing, suppress
from typing import Any

from agi_server.storage.postgres.hosts import connect_plainly
from agi_server.storage.postgres.statements import statement
from agi_server.tariffs.stored_rates import rate_of_row
from rating.prefix_table import PrefixTable
from rating.rate import Rate

FEW_RATES = 2_000
"""Up to so many rates are built in this process: some 20 ms in a thread."""
_ROWS_AT_A_TIME = 5_000


class TableBuildError(Exception):
    """The process that builds a table ended without it; its last words stand in the message."""


async def build_tables(
    db: Any, version_ids: Collection[int], dsn: str | None = None
) -> dict[int, PrefixTable]:
    """The tables of versions. `dsn` names the database for the building process; without it all are
    made here, which blocks the event loop while they are large.

    Raises what asyncpg raises, TableBuildError, and RateError for a rate that cannot be.
    """
    tables: dict[int, PrefixTable] = {}
    large: list[int] = []
    for version_id in version_ids:
        few = await db.fetchval(statement("tariffs/count_rates"), version_id, FEW_RATES + 1)
        if dsn is not None and few > FEW_RATES:
            large.append(version_id)
        else:
            rates = await read_rates(db, version_id)
            tables[version_id] = await asyncio.to_thread(PrefixTable, rates)
    if dsn is not None and large:
        tables |= await _built_beside(dsn, large)
    return tables


async def read_rates(db: Any, version_id: int, number: str | None = None) -> list[Rate]:
    """The rates of one version, or only those that may apply to a number."""
    prefixes = None if number is None else [number[:end] for end in range(1, len(number) + 1)]
    rows = await db.fetch(statement("tariffs/load_rates"), version_id, prefixes)
    return [rate_of_row(tuple(row)) for row in rows]


async def _built_beside(dsn: str, version_ids: list[int]) -> dict[int, PrefixTable]:
    process = await asyncio.to_thread(_start, dsn, version_ids)
    try:
        return {
            version_id: await asyncio.to_thread(_receive, process, version_id)
            for version_id in version_ids
        }
    finally:
        process.kill()  # harmless when it has ended; else nobody wants its tables any more
        await asyncio.to_thread(process.communicate)


def _start(dsn: str, version_ids: list[int]) -> "subprocess.Popen[bytes]":
    command = [sys.executable, "-m", __name__, *map(str, version_ids)]
    pipe = subprocess.PIPE
    process = subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=pipe)
    assert process.stdin is not None
    # It may hold a password: not on the command line, where everybody reads it.
    with suppress(BrokenPipeError):
        process.stdin.write(dsn.encode() + b"\n")
        process.stdin.flush()
    return process


def _receive(process: "subprocess.Popen[bytes]", version_id: int) -> PrefixTable:
    assert process.stdout is not None
    assert process.stderr is not None
    try:
        # Large parts are read straight into their place, with the interpreter free meanwhile.
        table: PrefixTable = pickle.load(process.stdout)
    except (EOFError, OSError, pickle.UnpicklingError):
        last_words = process.stderr.read().decode(errors="replace").strip().splitlines()[-1:]
        raise TableBuildError(f"version {version_id}: {' '.join(last_words)}") from None
    return table


def _stream(dsn: str, version_id: int) -> Iterator[Rate]:
    with closing(connect_plainly(dsn)) as connection:
        connection.execute("SET TIME ZONE 'UTC'")
        cursor = connection.cursor("rates", binary=True)
        cursor.itersize = _ROWS_AT_A_TIME
        cursor.execute(
            "SELECT prefix, destination, price_micros_per_minute, initial_s, increment_s,"
            " connection_fee_micros, minimum_charge_micros, buy_price_micros_per_minute,"
            " buy_initial_s, buy_increment_s, effective_from, terms"
            " FROM rate WHERE version_id = %s",
            (version_id,),
        )
        yield from map(rate_of_row, cursor)


def _main() -> None:
    dsn = sys.stdin.readline().rstrip("\n")
    for version_id in sys.argv[1:]:
        table = PrefixTable(_stream(dsn, int(version_id)))
        pickle.dump(table, sys.stdout.buffer, protocol=5)
        sys.stdout.buffer.flush()


if __name__ == "__main__":
    _main()
