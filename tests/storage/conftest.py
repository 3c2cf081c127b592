"""The pool that tests of what is stored ask."""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from agi_server.storage.postgres.pool import open_pool


@pytest.fixture
async def pool(postgres_dsn: str) -> AsyncIterator[Any]:
    async with open_pool(postgres_dsn) as pool:
        yield pool
