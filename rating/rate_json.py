"""Rates as JSON objects: what a store keeps of the terms that it has no column for."""

from collections.abc import Mapping
from dataclasses import fields
from datetime import datetime
from typing import Any

from rating.rate import Rate, RateError, RateWindow, Stage

_DEFAULTS = {field.name: field.default for field in fields(Rate) if field.name != "prefix"}


def rate_as_json(rate: Rate) -> dict[str, Any]:
    """The fields of a rate that differ from their defaults, and its prefix, as JSON values."""
    json: dict[str, Any] = {"prefix": rate.prefix}
    for name, default in _DEFAULTS.items():
        value = getattr(rate, name)
        if value == default:
            continue
        if name == "stages":
            value = [_stage_as_json(stage) for stage in rate.stages]
        elif name == "windows":
            value = [_window_as_json(window) for window in rate.windows]
        elif name == "effective_from":
            value = value.isoformat()
        json[name] = value
    return json


def rate_from_json(json: Mapping[str, Any]) -> Rate:
    """The rate of such an object. Raises RateError that begins with the field's name."""
    values = dict(json)
    for name in values.keys() - _DEFAULTS.keys() - {"prefix"}:
        raise RateError(f"{name}: no field of a rate")
    try:
        if "stages" in values:
            values["stages"] = tuple(Stage(**stage) for stage in values["stages"])
        if "windows" in values:
            values["windows"] = tuple(_window_from_json(window) for window in values["windows"])
        if values.get("effective_from"):
            values["effective_from"] = datetime.fromisoformat(values["effective_from"])
        return Rate(**values)
    except (TypeError, AttributeError, KeyError) as error:
        raise RateError(f"rate: {error}") from error


def _stage_as_json(stage: Stage) -> dict[str, int]:
    return {field.name: getattr(stage, field.name) for field in fields(Stage)}


def _window_as_json(window: RateWindow) -> dict[str, Any]:
    return {
        "start_minute": window.start_minute,
        "end_minute": window.end_minute,
        "rate": rate_as_json(window.rate),
    }


def _window_from_json(window: Mapping[str, Any]) -> RateWindow:
    return RateWindow(
        start_minute=window["start_minute"],
        end_minute=window["end_minute"],
        rate=rate_from_json(window["rate"]),
    )
