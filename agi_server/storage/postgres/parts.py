"""Long lists for statements that take arrays."""

from collections.abc import Iterator, Sequence
from typing import TypeVar

ROWS_AT_A_TIME = 2_000

_Item = TypeVar("_Item")


def in_parts(items: Sequence[_Item]) -> Iterator[Sequence[_Item]]:
    """So many at a time that each statement is done in good time."""
    for begin in range(0, len(items), ROWS_AT_A_TIME):
        yield items[begin : begin + ROWS_AT_A_TIME]
