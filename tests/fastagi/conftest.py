from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import uvloop


def pytest_asyncio_loop_factories() -> dict[str, Callable[[], Any]]:
    """The daemon's own event loop: peers that break off look different to each kind of loop."""
    return {"uvloop": uvloop.new_event_loop}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """uvloop swallows what pytest-timeout raises in its signal handler; a thread is heard."""
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.timeout(method="thread"))
