"""`agi-server bench`: how many calls a daemon takes, and how long each waits."""

import asyncio
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from pathlib import Path

import click
import uvloop

from agi_server.bench.business import DESTINATIONS, BenchBusiness, bench_business
from agi_server.bench.caller import Caller
from agi_server.bench.load import Latency, LoadResult, put_load
from agi_server.cli.backends import Command, embedded_word, log_to_stderr, with_settings
from agi_server.cli.faults import REFUSED
from agi_server.cli.output import print_json, print_list
from agi_server.cli.parameters import ADDRESS, json_option
from agi_server.cli.signals import stopped_by_any_signal
from agi_server.settings import Settings

_WARM_UP_CALLS = 200


@click.command(cls=Command)
@click.option("--to", type=ADDRESS, metavar="HOST:PORT", help="Otherwise the daemon set here.")
@click.option(
    "--account",
    "accounts",
    multiple=True,
    metavar="NUMBER",
    help="A customer who makes the calls, and pays for them; repeatable.",
)
@click.option(
    "--destination",
    "destinations",
    multiple=True,
    metavar="NUMBER",
    help="A number that is dialled; repeatable. Otherwise some of several countries.",
)
@click.option("--calls", type=click.IntRange(min=1), default=2000, show_default=True,
              help="Calls at each parallelism.")  # fmt: skip
@click.option("--parallel", "parallels", type=click.IntRange(1, 10_000), multiple=True,
              default=(1, 8, 50), show_default="1, 8, 50",
              help="Calls at a time; repeatable, one after the other.")  # fmt: skip
@click.option("--customers", type=click.IntRange(1, 100_000), default=500, show_default=True,
              help="Customers of the business of its own.")  # fmt: skip
@click.option("--talk", "talk_s", type=click.FloatRange(min=0), default=0.0, metavar="SECONDS",
              help="How long each call talks; otherwise it ends at once.")  # fmt: skip
@click.option("--patience", "patience_s", type=click.FloatRange(min=0.1), default=30.0,
              show_default=True, metavar="SECONDS",
              help="An answer that takes longer is an error.")  # fmt: skip
@json_option
@with_settings
def bench(
    settings: Settings,
    to: tuple[str, int] | None,
    accounts: tuple[str, ...],
    destinations: tuple[str, ...],
    calls: int,
    parallels: tuple[int, ...],
    customers: int,
    talk_s: float,
    patience_s: float,
    as_json: bool,
) -> int:
    """Make calls over FastAGI as fast as they are taken: authorize, then settle.

    With --account, against a running daemon: its customers pay for the calls as for any other. With
    --embedded instead, against a daemon with a PostgreSQL, a Valkey and customers of its own in a
    new folder (below DIR), which is removed afterwards; then the books are verified too. Times are
    from opening the connection. Exit code 1 when a call was not granted and settled.

    \b
    Example:
      agi-server bench --embedded
      agi-server bench --account 1000000001 --destination 442079460000 --calls 500 --parallel 20
    """
    log_to_stderr(settings)
    with stopped_by_any_signal(), ExitStack() as stack:
        business: BenchBusiness | None = None
        if accounts:
            host, port = to or (settings.fastagi.host, settings.fastagi.port)
        else:
            if to is not None or (word := embedded_word()) is None:
                raise click.UsageError(
                    "who makes the calls? --account NUMBER names customers of a running daemon,"
                    " --embedded brings daemon and customers of its own"
                )
            business = stack.enter_context(bench_business(Path(word) if word else None, customers))
            host, port, accounts = "127.0.0.1", business.port, tuple(business.accountcodes)
        caller = Caller(host, port, talk_s=talk_s, patience_s=patience_s)
        numbers = destinations or DESTINATIONS

        def put(number_of_calls: int, parallel: int) -> LoadResult:
            with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
                return runner.run(
                    put_load(
                        caller,
                        calls=number_of_calls,
                        parallel=parallel,
                        accountcodes=accounts,
                        destinations=numbers,
                    )
                )

        return _measure(put, business, calls, parallels, as_json=as_json)


def _measure(
    put: Callable[[int, int], LoadResult],
    business: BenchBusiness | None,
    calls: int,
    parallels: Sequence[int],
    *,
    as_json: bool,
) -> int:
    if business is not None:
        put(min(_WARM_UP_CALLS, calls), min(parallels))
    rows: list[dict[str, object]] = []
    failed = False
    for parallel in parallels:
        daemon_s = business.cpu_s() if business is not None else 0.0
        result = put(calls, parallel)
        rows.append(_fields(result))
        if business is not None:
            rows[-1]["daemon_cpu_us"] = _us_a_call(business.cpu_s() - daemon_s, result)
        failed = failed or bool(result.errors)
    problems = asyncio.run(business.problems()) if business is not None else []
    if as_json:
        print_json({"loads": rows, "problems": problems})
    else:
        _tell(rows, problems, verified=business is not None)
    return REFUSED if failed or problems else 0


def _fields(result: LoadResult) -> dict[str, object]:
    return {
        "parallel": result.parallel,
        "calls": result.calls,
        "errors": result.errors,
        "calls_per_s": round(result.calls_per_s, 1),
        **_latency("decision", result.decision),
        **_latency("settle", result.settle),
        "client_cpu_us": _us_a_call(result.client_cpu_s, result),
    }


def _latency(of: str, latency: Latency) -> dict[str, object]:
    return {
        f"{of}_{'max' if percent == 100 else f'p{percent}'}_ms": round(ms, 2)
        for percent, ms in latency.ms.items()
    }


def _us_a_call(seconds: float, result: LoadResult) -> int:
    return round(seconds / result.calls * 1_000_000)


def _tell(rows: Sequence[dict[str, object]], problems: Sequence[str], *, verified: bool) -> None:
    print_list(
        [{**row, "errors": sum(_errors(row).values())} for row in rows],
        as_json=False,
    )
    for row in rows:
        for error, count in _errors(row).items():
            click.echo(f"{count} of {row['calls']} calls, {row['parallel']} at a time: {error}")
    for problem in problems:
        click.echo(f"ledger verify: {problem}")
    if verified and not problems:
        click.echo("ledger verify: the books balance")


def _errors(row: dict[str, object]) -> dict[str, int]:
    errors = row["errors"]
    assert isinstance(errors, dict)
    return errors
