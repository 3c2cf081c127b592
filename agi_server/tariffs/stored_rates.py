"""Rates as rows: the usual terms in columns, a rate with any other term whole as JSON beside."""

from collections.abc import Mapping, Sequence
from operator import attrgetter
from typing import Any
from zoneinfo import ZoneInfo

from rating.money import RoundingMode
from rating.rate import Rate, rate_of_checked
from rating.rate_card import OWN_RULES, PricingRules
from rating.rate_json import rate_as_json, rate_from_json

RATE_COLUMNS = (
    "prefix",
    "destination",
    "price_micros_per_minute",
    "initial_s",
    "increment_s",
    "connection_fee_micros",
    "minimum_charge_micros",
    "buy_price_micros_per_minute",
    "buy_initial_s",
    "buy_increment_s",
    "effective_from",
    "terms",
)
"""The columns of the table `rate` without its version, in the order of all statements."""

_in_columns = attrgetter(*RATE_COLUMNS[:-1])
_FIELDS = Rate.__slots__
_OTHERS = tuple(name for name in _FIELDS if name not in RATE_COLUMNS)
_other_terms = attrgetter(*_OTHERS)
_PLAIN = Rate(prefix="0")
_NO_OTHER_TERMS = _other_terms(_PLAIN)
# Where each field of a rate comes from: a column of the row, or the end of it for the defaults.
_WHERE = tuple(
    RATE_COLUMNS.index(name) if name in RATE_COLUMNS else len(RATE_COLUMNS) + _OTHERS.index(name)
    for name in _FIELDS
)


def row_of_rate(rate: Rate) -> tuple[Any, ...]:
    """The values of `RATE_COLUMNS`."""
    plain = _other_terms(rate) == _NO_OTHER_TERMS
    return (*_in_columns(rate), None if plain else rate_as_json(rate))


def rate_of_row(row: Sequence[Any]) -> Rate:
    """The rate of a row of `RATE_COLUMNS`. Raises RateError for terms that nobody stored here."""
    terms = row[-1]
    if terms is not None:
        return rate_from_json(terms)
    values = (*row, *_NO_OTHER_TERMS)
    return rate_of_checked([values[index] for index in _WHERE])


def rate_of_json_row(row: Mapping[str, Any]) -> Rate:
    """The rate of a row that the database made a JSON object of."""
    if row["terms"] is not None:
        return rate_from_json(row["terms"])
    return rate_from_json({name: row[name] for name in RATE_COLUMNS[:-1]})


def rules_as_json(rules: PricingRules) -> dict[str, Any]:
    """The rules of a card that differ from our own convention.

    Raises ValueError for a zone that has no IANA name.
    """
    values: dict[str, Any] = {
        "rounding_decimals": rules.rounding_decimals,
        "rounding_mode": rules.rounding_mode.value,
        "increments_from_zero": rules.increments_from_zero,
        "price_by_start": rules.price_by_start,
    }
    own = {name: getattr(OWN_RULES, name) for name in values}
    json = {name: value for name, value in values.items() if value != own[name]}
    if rules.zone != OWN_RULES.zone:
        if not isinstance(rules.zone, ZoneInfo) or not rules.zone.key:
            raise ValueError("zone: must be an IANA time zone")
        json["zone"] = rules.zone.key
    return json


def rules_of_json(json: Mapping[str, Any] | None) -> PricingRules:
    """The rules that `rules_as_json` wrote; our own convention for none."""
    if not json:
        return OWN_RULES
    values = dict(json)
    if "zone" in values:
        values["zone"] = ZoneInfo(values["zone"])
    if "rounding_mode" in values:
        values["rounding_mode"] = RoundingMode(values["rounding_mode"])
    return PricingRules(**values)
