"""The console and the API of a real daemon, and clients of theirs."""

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest
from web_client import Browser, Client, Web

import agi_server.web.server  # noqa: F401 - loaded late by the daemon, too late for the log of tests
from support.business import Business
from support.event_log import EventLog
from support.fixtures import StartDaemon

StartWeb = Callable[..., Awaitable[Web]]


@pytest.fixture
async def start_web(business: Business, start_daemon: StartDaemon, events: EventLog) -> StartWeb:
    """Start a daemon that serves the console; keyword arguments are sections of the settings."""

    async def start(**sections: dict[str, Any]) -> Web:
        daemon = await start_daemon(web={"port": 0}, **sections)
        (started,) = await events.wait("web.started")
        return Web(f"http://127.0.0.1:{started['port']}", business, daemon.port)

    return start


@pytest.fixture
async def web(start_web: StartWeb) -> Web:
    """The console and the API with the default settings."""
    return await start_web()


@pytest.fixture
async def admin(web: Web) -> Client:
    """With the token of an administrator."""
    await web.operator()
    return Client(web.url, await web.token())


@pytest.fixture
async def browse(web: Web) -> AsyncIterator[Callable[[], Browser]]:
    """New browsers, none of which has signed in."""
    browsers: list[Browser] = []

    def new() -> Browser:
        browsers.append(Browser(web.url))
        return browsers[-1]

    yield new
    for browser in browsers:
        await browser.client.aclose()
