"""The daemon's links to Asterisk servers, connected, for tests of what is done over them."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress

from agi_server.asterisk.link import AsteriskLinks
from agi_server.settings import AmiSettings
from support.ami_watch import PATIENCE_S
from support.clock import Clock


class Linked:
    """Links that run, and a way to wait until they know something."""

    def __init__(self, links: AsteriskLinks) -> None:
        self.links = links
        self._news = asyncio.Event()
        for link in links.all:
            link.listen(lambda *_: self._news.set())
            link.on_caught_up(lambda _: self._news.set())

    async def until(self, is_so: Callable[[], bool]) -> None:
        """Wait until this is true; it is looked at with all news, and now and then without."""
        async with asyncio.timeout(PATIENCE_S):
            while not is_so():
                self._news.clear()
                with suppress(TimeoutError):
                    await asyncio.wait_for(self._news.wait(), 0.05)

    async def connected(self, server: int = 0) -> None:
        """Until this server has been logged in to and has listed its channels."""
        await self.until(lambda: self.links.all[server].connected)

    async def lost(self, server: int = 0) -> None:
        """Until the loss of the connection to this server has been noticed."""
        await self.until(lambda: not self.links.all[server].connected)

    async def talking(self, uniqueid: str, server: int = 0) -> None:
        """Until it is known that this caller talks to somebody."""
        channels = self.links.all[server].channels
        await self.until(lambda: uniqueid in channels and channels[uniqueid].talking)

    async def over(self, uniqueid: str, server: int = 0) -> None:
        """Until it is known that this channel has ended."""
        await self.until(lambda: uniqueid not in self.links.all[server].channels)


@asynccontextmanager
async def linked(clock: Clock, *servers: AmiSettings) -> AsyncIterator[Linked]:
    """Links to these servers, each tried once when the block begins."""
    watch = Linked(AsteriskLinks(servers, now=clock))
    async with watch.links.reached():
        yield watch
