"""A lasting connection to an AMI, and what it told a test so far."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime

from agi_server.asterisk.link import AsteriskLink
from agi_server.asterisk.live_calls import Change, LiveChannel
from agi_server.settings import AmiSettings

PATIENCE_S = 30


class AmiWatch:
    """A link, what it told, and how often it has caught up."""

    def __init__(self, settings: AmiSettings) -> None:
        self.link = AsteriskLink(
            settings, now=lambda: datetime.now(UTC), ping_every_s=0.2, timeout_s=2
        )
        self.told: list[tuple[Change, LiveChannel]] = []
        self.catch_ups = 0
        self._news = asyncio.Event()
        self.link.listen(self._hear)
        self.link.on_caught_up(self._caught_up)

    def _hear(self, _: AsteriskLink, change: Change, channel: LiveChannel) -> None:
        self.told.append((change, channel))
        self._news.set()

    def _caught_up(self, _: AsteriskLink) -> None:
        self.catch_ups += 1
        self._news.set()

    async def until(self, is_so: Callable[[], bool]) -> None:
        """Wait until this is true; it is looked at with all news, and now and then without."""
        async with asyncio.timeout(PATIENCE_S):
            while not is_so():
                self._news.clear()
                with suppress(TimeoutError):
                    await asyncio.wait_for(self._news.wait(), 0.05)

    async def disconnected(self) -> None:
        """Wait until the loss of the connection is noticed."""
        await self.until(lambda: not self.link.connected)

    async def told_of(self, change: Change, channel: str) -> LiveChannel:
        """The last channel whose name begins like this, once this has become of it."""

        def found() -> list[LiveChannel]:
            return [
                each
                for what, each in self.told
                if what is change and each.channel.startswith(channel)
            ]

        await self.until(lambda: bool(found()))
        return found()[-1]


@asynccontextmanager
async def ami_watch(settings: AmiSettings) -> AsyncIterator[AmiWatch]:
    """Running, as long as the block does, and not necessarily connected."""
    watch = AmiWatch(settings)
    task = asyncio.create_task(watch.link.run())
    try:
        yield watch
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
