"""The messages with which the business refuses something, as templates: found in its source."""

import ast
import itertools
import re
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]
# What the forms of the console ask, and what is told by line of a rate sheet; the rest is told to
# commands, or by line of other files.
FILES = (
    *(f"agi_server/accounts/{name}.py" for name in (
        "account", "account_lists", "agreements", "bulk_change", "callerids", "campaigns",
        "confirmation", "country_forms", "customers", "did_destinations", "dids", "field_kinds",
        "field_rules", "group_plans", "groups", "membership", "notes", "number",
        "restriction_rules", "restrictions", "series",
    )),
    "agi_server/ledger/booking.py", "agi_server/tariffs/plans.py", "agi_server/tariffs/trunks.py",
    "agi_server/tariffs/dialling_texts.py", "agi_server/tariffs/rate_cards.py",
    "agi_server/tariffs/sheet_import.py",
    "agi_server/web/did_scope.py", "agi_server/web/console/dids.py",
    "agi_server/web/console/rates.py", "agi_server/web/console/tariffs.py", "rating/money.py",
    "rating/number.py", "rating/country_rules.py", "rating/sheet_options.py",
    "agi_server/web/sheet_form.py", "agi_server/one_line.py", "rating/rate.py", "rating/hours.py",
    "rating/rate_sheet.py", *(f"rating/sheet_{name}.py" for name in (
        "a2billing", "cells", "columns", "entries", "header", "notes", "reader", "rows",
    )),
)  # fmt: skip
_REFUSALS = {
    "ValueError": 0, "RestrictionRuleError": 0, "MoneyError": 0, "RefusedError": 0,
    "NotFoundError": 0, "BookingRefusedError": 0, "ConfirmationError": 0, "InvalidFieldError": 1,
    "_problem": 1, "NumberRulesError": 0, "SheetOptionError": 0, "RateError": 0, "HoursError": 0,
    "CellError": 0, "SheetUnreadableError": 1, "SheetError": 2,
}  # fmt: skip
# Their messages begin with the field that they are about.
_NAMED = ("NumberRulesError", "BookingRefusedError", "RateError")
_PLACE = re.compile(r"%\(v[0-9]+\)s")


def refusals() -> set[str]:
    """All templates, with places like %(low)s for what is filled in."""
    found: set[str] = set()
    for file in FILES:
        found |= set(_templates(ast.parse((ROOT / file).read_text())))
    return found


def _templates(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            if node.func.attr == "append" and ast.unparse(node.func.value).endswith("notes"):
                yield from _note(node.args[0])
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            position = _REFUSALS.get(node.func.id)
            if position is not None and len(node.args) > position:
                template = _template(node.args[position])
                if template is not None:
                    field, colon, rest = template.partition(": ")
                    named = (
                        colon
                        and node.func.id in _NAMED
                        and (field.isidentifier() or node.func.id != "BookingRefusedError")
                    )
                    template = rest if named else template
                    if re.search("[a-z]{2}", _PLACE.sub("", template)):
                        yield _numbered(template)
        elif isinstance(node, ast.Yield) and node.value is not None:
            yield from _note(node.value)
        elif isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "message":
            template = _template(node.value)
            if template is not None:
                yield template


def _note(message: ast.expr) -> Iterator[str]:
    """What is told of a sheet beside its rates."""
    template = _template(message)
    if template is not None and re.search("[a-z]{2}", _PLACE.sub("", template)):
        yield _numbered(template)


def _numbered(template: str) -> str:
    """With its places counted from 1."""
    count = itertools.count(1)
    return _PLACE.sub(lambda _: f"%(v{next(count)})s", template)


def _template(message: ast.expr) -> str | None:
    """None for what is no text of its own, such as another error's message."""
    if isinstance(message, ast.Constant) and isinstance(message.value, str):
        return message.value
    if not isinstance(message, ast.JoinedStr):
        return None
    parts, places = [], 0
    for part in message.values:
        if isinstance(part, ast.Constant):
            parts.append(str(part.value))
        else:
            places += 1
            parts.append(f"%(v{places})s")
    return "".join(parts)
