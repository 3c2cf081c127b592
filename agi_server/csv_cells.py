"""Cells of CSV files for people, whose spreadsheets take some texts for formulas."""

import re

_FORMULA = ("=", "+", "-", "@", "\t", "\r")
_NUMBER = re.compile(r"[+-]?[0-9]+(\.[0-9]+)?")


def plain_cell(value: object) -> object:
    """The value; a text that would be a formula after a ' as spreadsheets write such texts."""
    if isinstance(value, str) and value.startswith(_FORMULA) and not _NUMBER.fullmatch(value):
        return f"'{value}"
    return value
