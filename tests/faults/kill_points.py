"""Dying at one point of what a process does: what the process itself and its test share.

A point is where a task is about to be resumed, or has just said what it waits for: between two
points nothing of the process is seen outside. Every task that the work in question starts counts
as well, whatever it awaits, so a new `await` in the product is a new point of the sweep.
"""

import asyncio
import ctypes
import mmap
import os
import signal
from collections.abc import Coroutine
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from support.clock import Clock


class _Shared(ctypes.Structure):
    """Lies in a file that both processes map."""

    _fields_ = (
        ("die_at", ctypes.c_int64),
        ("passed", ctypes.c_int64),
        ("advanced_s", ctypes.c_double),
    )


class KillSwitch:
    """Says at which point a process dies; 0 is never. `passed` counts while it is armed."""

    def __init__(self, file: Path) -> None:
        if not file.exists():
            file.write_bytes(bytes(ctypes.sizeof(_Shared)))
        with file.open("r+b") as opened:
            self._map = mmap.mmap(opened.fileno(), 0)
        self._shared = _Shared.from_buffer(self._map)

    def arm(self, die_at: int) -> None:
        """Count from now on, and die at this point."""
        self._shared.passed = 0
        self._shared.die_at = die_at

    def disarm(self) -> int:
        """Count no more; returns how many points were passed, the last one deadly perhaps."""
        self._shared.die_at = 0
        return int(self._shared.passed)

    def point(self) -> None:
        """One more point is passed, or it is the last."""
        shared = self._shared
        if shared.die_at:
            shared.passed += 1
            if shared.passed == shared.die_at:
                os.kill(os.getpid(), signal.SIGKILL)

    def now(self) -> datetime:
        """The time of the process: real, and what its test has let pass."""
        return datetime.now(UTC) + timedelta(seconds=self._shared.advanced_s)

    def clock(self) -> Clock:
        """The same time, which the test moves."""
        switch = self

        class Shared(Clock):
            def __call__(self) -> datetime:
                return switch.now()

            def advance(self, seconds: float) -> None:
                switch._shared.advanced_s += seconds

        return Shared()


class _Counted(Coroutine[Any, Any, Any]):
    """A coroutine whose every resumption and suspension is a point."""

    def __init__(self, work: Coroutine[Any, Any, Any], switch: KillSwitch) -> None:
        self._work = work
        self._switch = switch

    def send(self, value: Any) -> Any:
        self._switch.point()
        yielded = self._work.send(value)
        self._switch.point()
        return yielded

    def throw(self, *error: Any) -> Any:
        self._switch.point()
        yielded = self._work.throw(*error)
        self._switch.point()
        return yielded

    def close(self) -> None:
        self._work.close()

    def __await__(self) -> Any:
        return self._work.__await__()


def counting_loop(switch: KillSwitch, roots: tuple[str, ...]) -> asyncio.AbstractEventLoop:
    """A loop that counts the tasks whose coroutine has one of these names, and all they start.

    It is asyncio's own, which sends when it is told to, and not at the end of the round: so at a
    suspension the statement has left and its answer has not come.
    """
    loop = asyncio.SelectorEventLoop()

    def new_task(
        loop: asyncio.AbstractEventLoop, work: Coroutine[Any, Any, Any], **about: Any
    ) -> asyncio.Task[Any]:
        try:
            parent = asyncio.current_task(loop)
        except RuntimeError:
            parent = None
        inherited = parent is not None and isinstance(parent.get_coro(), _Counted)
        if inherited or work.__qualname__ in roots:
            work = _Counted(work, switch)
        return asyncio.Task(work, loop=loop, **about)

    loop.set_task_factory(new_task)
    return loop
