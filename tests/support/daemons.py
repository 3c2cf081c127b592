"""Daemons: in the test's own event loop, or as a process of their own that can be killed."""

import asyncio
import json
import os
import sys
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

from agi_server.app import running
from agi_server.fastagi.server import FastAgiServer
from agi_server.settings import Settings
from support.clock import Clock


def quick_settings(**sections: dict[str, Any]) -> Settings:
    """The default settings on a free port; a section's values replace its defaults.

    The deadline is longer than the default: a busy machine must not decide how a test ends.
    """
    sections = {"fastagi": {}, **sections}
    sections["fastagi"] = {"port": 0, "deadline_ms": 20_000, **sections["fastagi"]}
    sections.setdefault("web", {"enabled": False})
    return Settings.model_validate(sections)


class Daemon:
    """One daemon in the test's event loop."""

    def __init__(self) -> None:
        self._stack = AsyncExitStack()
        self.server: FastAgiServer

    async def start(
        self, settings: Settings, postgres_dsn: str, redis_url: str, now: Clock
    ) -> None:
        """Listen, with a clock that the test moves."""
        self.server = await self._stack.enter_async_context(
            running(settings, postgres_dsn, redis_url, now=now)
        )

    @property
    def port(self) -> int:
        return self.server.port

    async def stop(self) -> None:
        """Drain and end; again is harmless."""
        await self._stack.aclose()


class DaemonProcess:
    """`agi-server serve` as an operator runs it; `events` is what it has logged."""

    def __init__(
        self, postgres_dsn: str, redis_url: str, config: Path | None = None, **settings: str
    ) -> None:
        self._options = () if config is None else ("--config", str(config))
        self._environment = {
            **{name: value for name, value in os.environ.items() if "AGI_SERVER" not in name},
            "AGI_SERVER_POSTGRES__DSN": postgres_dsn,
            "AGI_SERVER_REDIS__URL": redis_url,
            "AGI_SERVER_FASTAGI__PORT": "0",
            "AGI_SERVER_WEB__ENABLED": "false",
            **settings,
        }
        self._process: asyncio.subprocess.Process
        self._reading = asyncio.Lock()
        self.events: list[dict[str, Any]] = []
        self.port = 0

    async def start(self) -> None:
        """Until it accepts calls."""
        self._process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "agi_server", "serve", *self._options,
            env=self._environment, stdout=asyncio.subprocess.PIPE,
        )  # fmt: skip
        self.port = (await self.wait("server.started"))["port"]

    async def wait(self, name: str) -> dict[str, Any]:
        """Read its log up to the next event of this name."""
        while (event := await self._read(name))["event"] != name:
            pass
        return event

    def of(self, name: str, **values: Any) -> list[dict[str, Any]]:
        """The events of a name that have these values, of those that were read so far."""
        return [
            event
            for event in self.events
            if event["event"] == name and values.items() <= event.items()
        ]

    async def logged(self, name: str, count: int = 1, **values: Any) -> list[dict[str, Any]]:
        """Read its log until so many such events are in it; several may wait at a time."""
        while len(found := self.of(name, **values)) < count:
            async with self._reading:
                if len(self.of(name, **values)) < count:  # nobody read it while we waited
                    await self._read(name)
        return found

    async def _read(self, wanted: str) -> dict[str, Any]:
        assert self._process.stdout is not None
        if not (line := await self._process.stdout.readline()):
            raise AssertionError(f"the daemon ended before {wanted}: {self.events[-3:]}")
        event: dict[str, Any] = json.loads(line)
        self.events.append(event)
        return event

    async def kill(self) -> None:
        """SIGKILL, as the kernel does when memory ends."""
        self._process.kill()
        await self._process.communicate()

    async def terminate(self) -> int:
        """SIGTERM; returns its exit code when it has ended."""
        self._process.terminate()
        return await self.ended()

    def send_signal(self, number: int) -> None:
        self._process.send_signal(number)

    async def ended(self) -> int:
        """Its exit code, when it has one."""
        output, _ = await self._process.communicate()
        self.events += [json.loads(line) for line in output.splitlines()]
        assert self._process.returncode is not None
        return self._process.returncode

    @property
    def lives(self) -> bool:
        return hasattr(self, "_process") and self._process.returncode is None
