"""The seed of a random run: told when it begins, and again when it fails."""

import os
import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

SOAK_SECONDS = float(os.environ.get("SOAK_SECONDS", "300"))
"""How long each of the runs of `make soak` takes."""


def drawn_seed() -> int:
    """SOAK_SEED if it is set, else any."""
    return int(os.environ.get("SOAK_SEED") or secrets.randbits(32))


@contextmanager
def told_seed(seed: int, capsys: pytest.CaptureFixture[str]) -> Iterator[Callable[[str], None]]:
    """Says the seed of the block before it begins, and with its failure; gives a way to say on."""

    def tell(what: str) -> None:
        with capsys.disabled():
            print(f"\n{what}", end=" ", flush=True)  # noqa: T201 - beside pytest's own words

    tell(f"SOAK_SEED={seed}")
    try:
        yield tell
    except BaseException as failure:
        failure.add_note(f"the seed of this run: SOAK_SEED={seed}")
        raise
