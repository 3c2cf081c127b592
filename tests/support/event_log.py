"""The daemon's log as the tests read it: the events, masked as an operator sees them."""

import asyncio
import sys
from typing import Any

import pytest
import structlog

from agi_server.observe.masking import mask_event


class EventLog:
    """All events in their order."""

    def __init__(self) -> None:
        self.events: list[dict[str, Any]] = []
        self._arrived = asyncio.Event()

    def of(self, name: str, **values: Any) -> list[dict[str, Any]]:
        """The events of a name that have these values; None for a key that an event lacks."""
        return [
            event
            for event in self.events
            if event["event"] == name
            and all(event.get(key) == value for key, value in values.items())
        ]

    async def wait(self, name: str, count: int = 1, **values: Any) -> list[dict[str, Any]]:
        """Until so many such events were logged."""
        while len(found := self.of(name, **values)) < count:
            self._arrived.clear()
            await self._arrived.wait()
        return found

    def capture(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Take the place of the log in every module of the daemon, whoever configured it before."""
        logger = structlog.wrap_logger(None, processors=[self._process])
        for name, module in list(sys.modules.items()):
            if name.partition(".")[0] == "agi_server" and hasattr(module, "log"):
                monkeypatch.setattr(module, "log", logger)

    def _process(self, _: Any, level: str, event: Any) -> Any:
        self.events.append({**mask_event(event), "level": level})
        self._arrived.set()
        raise structlog.DropEvent
