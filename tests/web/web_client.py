"""A daemon's console and API as tests see them, and a browser without a window."""

import secrets
from dataclasses import dataclass
from html.parser import HTMLParser
from typing import Any

import httpx

from agi_server.web.auth.operators import create_operator, create_token
from agi_server.web.auth.roles import Role
from agi_server.web.auth.secrets import csrf_token
from support.business import Business

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


class Client:
    """A program with a token of an operator."""

    def __init__(self, url: str, token: str = "") -> None:
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        self._client = httpx.AsyncClient(base_url=f"{url}/api/v1", headers=headers)

    async def ask(self, method: str, path: str, status: int = 200, **about: Any) -> Any:
        """The JSON of an answer of this status; errors are problems."""
        answer = await self._client.request(method, path, **about)
        assert status == answer.status_code, answer.text
        if status >= 400:
            assert "application/problem+json" == answer.headers["content-type"]
            assert status == answer.json()["status"]
        return answer.json() if answer.content else None

    async def refill(self, customer: int, key: str, amount: str, status: int = 201) -> Any:
        return await self.ask(
            "POST", f"/customers/{customer}/refills", status,
            json={"amount": amount}, headers={"Idempotency-Key": key},
        )  # fmt: skip


def typed_in(page: str) -> dict[str, str]:
    """What stands in the fields of a page's forms, by name; boxes only when they are ticked."""
    reader = _Fields()
    reader.feed(page)
    return reader.texts


class _Fields(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.texts: dict[str, str] = {}
        self._select = self._area = ""
        self._option = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        about = dict(attrs)
        name, value = about.get("name") or "", about.get("value") or ""
        match tag:
            case "select":
                self._select = name
            case "textarea":
                self._area = name
                self.texts[name] = ""
            case "option" if "selected" in about:
                self._option = "value" not in about
                self.texts[self._select] = value
            case "input" if about.get("type") != "checkbox" or "checked" in about:
                self.texts[name] = value

    def handle_data(self, data: str) -> None:
        if self._area:
            self.texts[self._area] += data
        elif self._option:
            self.texts[self._select], self._option = data, False

    def handle_endtag(self, tag: str) -> None:
        if tag == "textarea":
            self._area = ""


class Browser:
    """A browser without a window: keeps cookies, sends forms with the token of the page, and each
    with a reference of its own."""

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
        form = {"csrf": token, "reference": secrets.token_hex(16), **(form or {})}
        return await self.client.post(path, data=form, files=files, headers=self._headers(headers))

    @property
    def csrf(self) -> str:
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
