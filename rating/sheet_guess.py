"""The columns of a rate sheet without a header, told by what its cells look like."""

import re
from collections.abc import Sequence

from rating.sheet_columns import CURRENCY_CODES, Layout

_USUAL_SECONDS = frozenset(
    map(str, (1, 2, 3, 5, 6, 10, 12, 15, 20, 24, 30, 36, 45, 50, 60, 90, 120, 180, 300, 600))
)
"""Of increments. Columns of other numbers may be anything."""
_SAY_WHICH = "say which is which (--columns prefix,destination,price_per_minute,initial,increment)"


def guess_layout(rows: Sequence[Sequence[str]]) -> Layout | str:
    """The layout, or what leaves it in doubt.

    One column of amounts is the price; one of digits before it, or anywhere, the prefix; two of
    seconds behind it initial and further increment; one of increments like 60/6, one of ISO dates,
    one of currencies; the first of words the destination.
    """
    width = max(map(len, rows), default=0)
    kinds = [_kind(_cells(rows, index)) for index in range(width)]
    columns = [kind if kind != "digits" else "" for kind in kinds]
    prices = _places(kinds, "price_per_minute")
    if len(prices) != 1:
        return _doubt("prices with decimals", prices)
    digits = _places(kinds, "digits")
    behind = [index for index in digits if index > prices[0]]
    if (
        len(digits) == 3
        and len(behind) == 2
        and "increments" not in kinds
        and all(_USUAL_SECONDS.issuperset(_cells(rows, index)) for index in behind)
    ):
        columns[behind[0]], columns[behind[1]] = "initial", "increment"
        digits = digits[:1]
    if len(digits) != 1:
        return _doubt("prefixes", digits)
    columns[digits[0]] = "prefix"
    for kind in ("increments", "effective_from", "currency"):
        found = _places(kinds, kind)
        if len(found) > 1:
            return _doubt(kind, found)
    for index in _places(kinds, "destination")[1:]:
        columns[index] = ""
    return Layout(tuple(columns), tuple(f"column {index + 1}" for index in range(width)))


def _cells(rows: Sequence[Sequence[str]], index: int) -> list[str]:
    return [row[index].strip() if index < len(row) else "" for row in rows]


def _places(kinds: Sequence[str], wanted: str) -> list[int]:
    return [index for index, kind in enumerate(kinds) if kind == wanted]


def _doubt(what: str, places: Sequence[int]) -> str:
    if not places:
        return f"no column looks like {what}: {_SAY_WHICH}"
    numbers = [str(index + 1) for index in places]
    told = ", ".join(numbers[:-1]) + f" and {numbers[-1]}"
    return f"columns {told} may be {what}: {_SAY_WHICH}"


def _kind(cells: Sequence[str]) -> str:
    filled = [cell for cell in cells if cell]
    if filled and all(cell in CURRENCY_CODES for cell in filled):
        return "currency"
    for kind, pattern in (
        ("digits", r"\+?[0-9]{1,15}"),
        ("price_per_minute", r"[0-9]*[.,][0-9]+|[0-9]+"),
        ("increments", r"[0-9]+/[0-9]+"),
        ("effective_from", r"[0-9]{4}-[0-9]{2}-[0-9]{2}.*"),
        ("destination", r".*[^\W\d_].*"),
    ):
        if filled and all(re.fullmatch(pattern, cell) for cell in filled):
            return kind
    return ""
