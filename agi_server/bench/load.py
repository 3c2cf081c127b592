"""Load: so many calls, so many at a time, and what came of them."""

import asyncio
import random
import resource
import secrets
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from agi_server.bench.caller import Caller, CallError, CallTimes

_PERCENTS = (50, 90, 99, 100)


@dataclass(frozen=True, slots=True, kw_only=True)
class Latency:
    """Milliseconds that so many percent of the calls waited at most; 100 is the slowest."""

    ms: Mapping[int, float]

    @classmethod
    def of(cls, seconds: Sequence[float]) -> "Latency":
        """By nearest rank; of nothing all are 0."""
        ordered = sorted(seconds) or [0.0]
        last = len(ordered) - 1
        return cls(ms={p: ordered[min(last, len(ordered) * p // 100)] * 1000 for p in _PERCENTS})


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadResult:
    """What came of a load. `errors` counts the calls that were not granted and settled, by how.

    `client_cpu_s` is what making the calls took: as long as it is less than `took_s`, the figures
    are the daemon's.
    """

    parallel: int
    calls: int
    took_s: float
    decision: Latency
    settle: Latency
    errors: Mapping[str, int]
    client_cpu_s: float

    @property
    def calls_per_s(self) -> float:
        """Granted and settled ones."""
        return (self.calls - sum(self.errors.values())) / self.took_s


async def put_load(
    caller: Caller,
    *,
    calls: int,
    parallel: int,
    accountcodes: Sequence[str],
    destinations: Sequence[str],
) -> LoadResult:
    """Make `calls` calls, `parallel` at a time, each begun when another has ended."""
    run = secrets.token_hex(6)
    chooser = random.Random(run)
    times: list[CallTimes] = []
    errors: Counter[str] = Counter()

    def left() -> Iterator[tuple[str, str, str]]:
        for number in range(calls):
            yield chooser.choice(accountcodes), chooser.choice(destinations), f"{run}.{number}"

    waiting = left()

    async def channel() -> None:
        for accountcode, destination, uniqueid in waiting:
            try:
                times.append(await caller.call(accountcode, destination, uniqueid))
            except CallError as error:
                errors[str(error)] += 1

    begin, cpu_s = time.perf_counter(), _cpu_s()
    async with asyncio.TaskGroup() as channels:
        for _ in range(min(parallel, calls)):
            channels.create_task(channel())
    return LoadResult(
        parallel=parallel,
        calls=calls,
        took_s=time.perf_counter() - begin,
        decision=Latency.of([each.decision_s for each in times]),
        settle=Latency.of([each.settle_s for each in times]),
        errors=dict(errors.most_common()),
        client_cpu_s=_cpu_s() - cpu_s,
    )


def _cpu_s() -> float:
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime
