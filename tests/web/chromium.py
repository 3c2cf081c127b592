"""A real Chromium: Debian's package, installed when it is missing and this user may."""

import os
import shutil
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from tempfile import TemporaryDirectory

from playwright.async_api import BrowserContext, async_playwright

_FLAGS = (
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
)  # fmt: skip
_INSTALL_S = 500
# A busy machine decides no test.
_PATIENCE_MS = 60_000


class ChromiumUnavailableError(Exception):
    """There is none, and it cannot be installed; the message says why."""


def find_chromium() -> str:
    """Its path; it is installed once a machine. Raises ChromiumUnavailableError."""
    if found := shutil.which("chromium"):
        return found
    if os.geteuid() != 0 or shutil.which("apt-get") is None:
        raise ChromiumUnavailableError("needs Debian's package chromium: apt-get install chromium")
    for command in (["update"], ["install", "--yes", "--no-install-recommends", "chromium"]):
        done = subprocess.run(
            ["apt-get", "--quiet", *command], capture_output=True, text=True, timeout=_INSTALL_S
        )
        if done.returncode:
            raise ChromiumUnavailableError(done.stderr.strip()[-300:])
    return shutil.which("chromium") or "/usr/bin/chromium"


@asynccontextmanager
async def browser_window(
    executable: str, *, width: int = 1280, height: int = 900
) -> AsyncIterator[BrowserContext]:
    """A browser with a new profile and a window of this size."""
    with TemporaryDirectory(prefix="chromium-") as profile:
        async with async_playwright() as playwright:
            context = await playwright.chromium.launch_persistent_context(
                profile,
                executable_path=executable,
                headless=True,
                args=list(_FLAGS),
                viewport={"width": width, "height": height},
                locale="en-GB",
            )
            context.set_default_timeout(_PATIENCE_MS)
            try:
                yield context
            finally:
                await context.close()
