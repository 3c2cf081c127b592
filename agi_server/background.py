"""Work that goes on beside the calls and is waited for before the daemon stops."""

import asyncio
from collections.abc import Coroutine
from typing import Any

import structlog

log = structlog.get_logger()


class Background:
    """Keeps its tasks alive, logs the one that fails, and ends them in order."""

    def __init__(self) -> None:
        self._tasks: set[asyncio.Task[Any]] = set()

    def start(self, work: Coroutine[Any, Any, Any]) -> None:
        """Run it beside the caller; nobody waits for its result."""
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._ended)

    async def finish(self, timeout_s: float) -> None:
        """Wait for what is under way and what follows from it, then cancel what still is."""
        loop = asyncio.get_running_loop()
        ends = loop.time() + timeout_s
        while self._tasks and (left_s := ends - loop.time()) > 0:
            await asyncio.wait(self._tasks, timeout=left_s)
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _ended(self, task: asyncio.Task[Any]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            log.error("background.failed", error=str(error), exc_type=type(error).__name__)
