"""The console and the API of a real daemon, and clients of theirs."""

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from typing import Any

import httpx
import pytest

import agi_server.web.server  # noqa: F401 - loaded late by the daemon, too late for the log of tests
from agi_server.web.auth.operators import create_operator, create_token
from agi_server.web.auth.roles import Role
from support.business import Business
from support.event_log import EventLog
from support.fixtures import StartDaemon

PASSWORD = "correct horse battery"


@dataclass(frozen=True)
class Web:
    """Where a daemon serves the console and the API."""

    url: str
    business: Business
    fastagi_port: int

    async def operator(self, name: str = "alice", role: Role = Role.ADMIN, **about: Any) -> None:
        """Somebody who may sign in with PASSWORD."""
        about = {"group": None, **about}
        await create_operator(
            self.business.pool, name, role=role, password=PASSWORD,
            at=self.business.now(), **about,
        )  # fmt: skip

    async def token(self, name: str = "alice") -> str:
        """A token of the API."""
        return await create_token(self.business.pool, name, "test", at=self.business.now())


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


class Browser:
    """A browser without a window: keeps cookies, sends forms with the token of the page."""

    def __init__(self, url: str) -> None:
        # Secure cookies need TLS or a browser that trusts loopback, which httpx does not know.
        self.client = httpx.AsyncClient(base_url=url, follow_redirects=False)
        self.cookie = ""

    async def get(self, path: str, **headers: str) -> httpx.Response:
        return await self.client.get(path, headers=self._headers(headers))

    async def post(
        self, path: str, form: dict[str, Any] | None = None, csrf: str | None = None,
        files: Any = None, **headers: str,
    ) -> httpx.Response:  # fmt: skip
        token = self.csrf if csrf is None else csrf
        form = {"csrf": token, **(form or {})}
        return await self.client.post(path, data=form, files=files, headers=self._headers(headers))

    @property
    def csrf(self) -> str:
        from agi_server.web.auth.secrets import csrf_token

        return csrf_token(self.cookie.partition("=")[2]) if self.cookie else ""

    async def sign_in(
        self, name: str = "alice", password: str = PASSWORD, code: str = ""
    ) -> httpx.Response:
        answer = await self.post(
            "/sign-in", {"name": name, "password": password, "code": code}, csrf=""
        )
        if "set-cookie" in answer.headers:
            self.cookie = answer.headers["set-cookie"].partition(";")[0]
        return answer

    def _headers(self, headers: dict[str, str]) -> dict[str, str]:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return {"cookie": self.cookie, **named} if self.cookie else named


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
