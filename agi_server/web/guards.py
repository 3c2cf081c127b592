"""What holds for every request: headers that bind the browser, and a bound on what is sent."""

from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from agi_server.web.api.problems import problem

LARGEST_BODY_BYTES = 64 * 1024 * 1024
"""A rate sheet of a million rows is smaller."""
LARGEST_JSON_BYTES = 1024 * 1024
"""Of the API; a thousand restricted numbers are far smaller."""
API = "/api/"

_HEADERS = {
    # No script and no style but our files: a hostile name on a page stays text.
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self';"
        " connect-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
}


class SecurityHeaders:
    """Adds the headers; what is not a file of ours is not kept by browsers or proxies."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers.update(_HEADERS)
                static = scope["path"].startswith("/static/")
                headers["Cache-Control"] = "public, max-age=3600" if static else "no-store"
            await send(message)

        await self._app(scope, receive, with_headers)


class BodyLimit:
    """Refuses a body that is too long, also one that does not say how long it is."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        largest = largest_body_bytes(scope["path"])
        declared = Headers(scope=scope).get("content-length", "0")
        if not declared.isdigit() or int(declared) > largest:
            refused = (
                problem(413, _too_large(largest))
                if scope["path"].startswith(API)
                else PlainTextResponse("the body is too large", 413)
            )
            await refused(scope, receive, send)
            return
        received = 0

        async def bounded() -> Message:
            nonlocal received
            message = await receive()
            received += len(message.get("body", b""))
            if received > largest:
                raise HTTPException(413, _too_large(largest))
            return message

        await self._app(scope, bounded, send)


def largest_body_bytes(path: str) -> int:
    """What may be sent to a path: rate sheets and forms are larger than the API's JSON."""
    is_json = path.startswith(API) and not path.endswith("/sheet")
    return LARGEST_JSON_BYTES if is_json else LARGEST_BODY_BYTES


def _too_large(largest: int) -> str:
    return f"the body is too large: at most {largest // 1024 // 1024} MiB"
