from collections.abc import Callable
from typing import Any

import uvloop


def pytest_asyncio_loop_factories() -> dict[str, Callable[[], Any]]:
    """The daemon's own event loop: peers that break off look different to each kind of loop."""
    return {"uvloop": uvloop.new_event_loop}
