"""A2Billing's rates: its fields, and calls priced as it prices them (shared/rating.md, section 3).

Money is a decimal string per minute, times are whole seconds, 0 means not used. A stage counts only
if it has a price and a length, and only while those before it do.
"""

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from rating.grant import MAX_FREE_S, grant_seconds
from rating.money import MoneyError, format_money, parse_money
from rating.price import price_call
from rating.rate import MAX_SECONDS, Rate, RateError, Stage
from rating.rate_card import PricingRules

A2BILLING_RULES = PricingRules(increments_from_zero=True, price_by_start=True)
"""How the peer counts; the rules of an imported card."""

MONEY_FIELDS = {
    "rateinitial": "price_micros_per_minute",
    "connectcharge": "connection_fee_micros",
    "disconnectcharge": "disconnection_fee_micros",
    "additional_block_charge": "block_surcharge_micros",
    "minimal_cost": "minimum_charge_micros",
    "buyrate": "buy_price_micros_per_minute",
}
SECONDS_FIELDS = {
    "initblock": "initial_s",
    "disconnectcharge_after": "disconnection_fee_after_s",
    "rounding_threshold": "short_call_threshold_s",
    "rounding_calltime": "short_call_time_s",
    "additional_block_charge_time": "block_s",
    "additional_grace": "grace_s",
    "buyrateinitblock": "buy_initial_s",
}
GRANULARITY_FIELDS = {"billingblock": "increment_s", "buyrateincrement": "buy_increment_s"}
STAGE_FIELDS = tuple(
    (f"stepcharge{stage}", f"charge{stage}", f"timecharge{stage}", f"billingblock{stage}")
    for stage in "abc"
)
RATE_FIELDS = frozenset(MONEY_FIELDS) | frozenset(SECONDS_FIELDS) | frozenset(GRANULARITY_FIELDS)
RATE_FIELDS |= frozenset(field for fields in STAGE_FIELDS for field in fields)

_CALL_FIELDS = frozenset(("duration", "credit", "min_credit_2call"))
_ENVELOPE = frozenset(("id", "kind", "tags", "expected", "in"))
_UNBOUNDED_S = 10**15
"""Above any limit that money of 10¹² units buys at 10⁻⁶ a minute."""


class A2BillingError(ValueError):
    """A field is missing, unknown or not what it should be; the message begins with its name."""


def rate_of_fields(prefix: str, fields: Mapping[str, object], **more: Any) -> Rate:
    """The rate that A2Billing's fields describe; a field that is missing is not used.

    `more` are fields of `Rate` that the mapping does not hold. Raises A2BillingError.
    """
    terms: dict[str, Any] = dict(more)
    for field, name in MONEY_FIELDS.items():
        terms[name] = money_field(fields, field)
    for field, name in SECONDS_FIELDS.items():
        terms[name] = seconds_field(fields, field)
    for field, name in GRANULARITY_FIELDS.items():
        terms[name] = max(seconds_field(fields, field), 1)
    try:
        return Rate(prefix=prefix, stages=_stages(fields), **terms)
    except RateError as error:
        raise A2BillingError(str(error)) from error


def field_problems(fields: Mapping[str, object]) -> Iterator[A2BillingError]:
    """Every field of a rate that `rate_of_fields` would refuse."""
    amounts = frozenset(MONEY_FIELDS) | {name for names in STAGE_FIELDS for name in names[:2]}
    for name in fields.keys() & RATE_FIELDS:
        try:
            if name in amounts:
                money_field(fields, name)
            else:
                seconds_field(fields, name)
        except A2BillingError as error:
            yield error


def _stages(fields: Mapping[str, object]) -> tuple[Stage, ...]:
    stages: list[Stage] = []
    used = True
    for entry_fee, price, length, increment in STAGE_FIELDS:
        # All are read, so that an error in an unused stage is an error too.
        values = (
            money_field(fields, entry_fee),
            money_field(fields, price),
            seconds_field(fields, length),
            seconds_field(fields, increment),
        )
        used = used and bool(values[1] and values[2])
        if used:
            stages.append(
                Stage(
                    length_s=values[2],
                    price_micros_per_minute=values[1],
                    increment_s=max(values[3], 1),
                    entry_fee_micros=values[0],
                )
            )
    return tuple(stages)


def money_field(fields: Mapping[str, object], name: str, *, signed: bool = False) -> int:
    """Micros of a field, 0 if it is missing or empty. Raises A2BillingError."""
    value = fields.get(name)
    if value is None or value == "":
        return 0
    if isinstance(value, bool) or not isinstance(value, str | int):
        raise A2BillingError(f"{name}: {_shown(value)} is not an amount")
    try:
        return parse_money(str(value), signed=signed)
    except MoneyError as error:
        raise A2BillingError(f"{name}: {error}") from error


def seconds_field(fields: Mapping[str, object], name: str) -> int:
    """Whole seconds of a field, 0 if it is missing or empty. Raises A2BillingError."""
    value = fields.get(name)
    if value is None or value == "":
        return 0
    text = str(value) if isinstance(value, str | int) and not isinstance(value, bool) else ""
    if not (text.isascii() and text.isdigit() and int(text[:12]) <= MAX_SECONDS):
        raise A2BillingError(
            f"{name}: {_shown(value)} is not whole seconds from 0 to {MAX_SECONDS}"
        )
    return int(text)


def _shown(value: object) -> str:
    return repr(value)[:40]


def price_lines(lines: Iterable[str]) -> Iterator[str]:
    """`rates price --format a2billing`: a JSON object for each line that is not empty.

    In: a line of rating-vectors.jsonl, or its ``in`` flat with ``id``; with ``duration`` the call
    is priced, with ``credit`` its limit is sought. Out: ``id``, ``cost``, ``buy_cost`` (6 places),
    ``billed_seconds``, ``max_seconds``, null where not asked for; ``refused`` with the reason of a
    refusal; ``error`` instead of an answer to a line that cannot be read.
    """
    for number, line in enumerate(lines, start=1):
        if line.strip():
            yield json.dumps(_answer(number, line))


def _answer(number: int, line: str) -> dict[str, object]:
    answer: dict[str, object] = dict.fromkeys(
        ("id", "cost", "buy_cost", "billed_seconds", "max_seconds")
    )
    try:
        line.encode()  # what was no UTF-8 came as surrogates
        # Numbers with a point stay text: money is never a float.
        case = json.loads(line, parse_float=str)
        if not isinstance(case, dict):
            raise A2BillingError("not a JSON object")
        answer["id"] = case.get("id")
        fields = _fields_of(case)
        rate = rate_of_fields("0", fields)
        if "duration" in fields:
            answer |= _priced(rate, seconds_field(fields, "duration"))
        if "credit" in fields:
            answer |= _limited(rate, fields)
    except A2BillingError as error:
        answer["error"] = f"line {number}: {error}"
    except UnicodeEncodeError:
        answer["error"] = f"line {number}: not UTF-8"
    except (ValueError, RecursionError) as error:
        answer["error"] = f"line {number}: not JSON: {error}"
    return answer


def _fields_of(case: dict[str, Any]) -> dict[str, object]:
    fields = case.get("in", {name: case[name] for name in case if name not in _ENVELOPE})
    if not isinstance(fields, dict):
        raise A2BillingError("in: not a JSON object")
    for name in fields:
        if name not in RATE_FIELDS and name not in _CALL_FIELDS:
            raise A2BillingError(f"{name[:40]}: unknown field")
    fields = {
        name: value
        for name, value in fields.items()
        if value is not None or name not in _CALL_FIELDS
    }
    if "rateinitial" not in fields:
        raise A2BillingError("rateinitial: missing")
    if "duration" not in fields and "credit" not in fields:
        raise A2BillingError("duration: missing, and credit too")
    return fields


def _priced(rate: Rate, duration_s: int) -> dict[str, object]:
    price = price_call(rate, duration_s, rules=A2BILLING_RULES)
    return {
        "cost": _six_places(price.total_micros),
        "buy_cost": _six_places(price.buy_total_micros),
        "billed_seconds": price.billed_seconds,
    }


def _limited(rate: Rate, fields: Mapping[str, object]) -> dict[str, object]:
    credit = money_field(fields, "credit", signed=True)
    limit = 0
    if credit >= money_field(fields, "min_credit_2call"):
        limit = grant_seconds(
            rate, credit, _UNBOUNDED_S, rules=A2BILLING_RULES, max_free_s=MAX_FREE_S
        )
    return {"max_seconds": limit} if limit else {"max_seconds": 0, "refused": "no_credit"}


def _six_places(micros: int) -> str:
    units, _, decimals = format_money(micros).partition(".")
    return f"{units}.{decimals:0<6}"
