"""How versions of rate cards and their changes are shown."""

from dataclasses import fields
from datetime import UTC, datetime, tzinfo
from datetime import time as midnight
from typing import Any

import click

from agi_server.cli.output import money, print_list, time
from agi_server.tariffs.rate_cards import CardVersion
from agi_server.tariffs.stored_rates import rules_as_json
from rating.hours import short_hours
from rating.rate import Rate
from rating.rate_card import PricingRules
from rating.rate_diff import DiffSummary, RateChange
from rating.rate_terms import format_stage, rates_by_hours

_KINDS = ("new", "up", "down", "removed", "other", "unchanged")
_RULES_IN_WORDS: dict[str, str | dict[bool, str]] = {
    "rounding_decimals": "prices have {after} decimals, not {before}",
    "rounding_mode": "prices are rounded {after}, not {before}",
    "increments_from_zero": {
        True: "further increments count from the start of the call",
        False: "further increments count from the end of the initial one",
    },
    "zone": "hours and dates are those of {after}, not of {before}",
    "price_by_start": {
        True: "a call keeps the price of its first second",
        False: "a call changes its price with the hours",
    },
}
_ALWAYS_SHOWN = (
    *("prefix", "price_micros_per_minute", "initial_s", "increment_s", "effective_from"),
    *("stages", "windows"),
)
_OF_HOURS = tuple(
    name for name in Rate.__slots__ if name not in (*_ALWAYS_SHOWN, "destination", "blocked")
)
_USUAL = Rate(prefix="0")


def diff_fields(diff: DiffSummary) -> dict[str, Any]:
    """The counts by kind, the changes that matter most, and numbers left without a rate."""
    counts = {"other_terms" if kind == "other" else kind: diff.counts[kind] for kind in _KINDS}
    gaps = [
        {"prefix": gap.prefix, "from": time(gap.begins), "until": time(gap.ends)}
        for gap in diff.gaps
    ]
    changes = [{**_change(change), "from": time(change.begins)} for change in diff.changes()]
    return {**counts, "changes": changes, "without_rate": diff.counts["gaps"], "gaps": gaps}


def print_diff(diff: DiffSummary, zone: tzinfo) -> None:
    """A line of counts, a table of the changes that matter most, dates in the card's zone, and
    on stderr a warning for numbers that would have no rate for a time."""
    counts = diff_fields(diff)
    counts = {kind: count for kind, count in counts.items() if isinstance(count, int)}
    gap_count = counts.pop("without_rate")
    click.echo(", ".join(f"{count} {kind.replace('_', ' ')}" for kind, count in counts.items()))
    changes = diff.changes()
    listed = [{**_change(each), "from": _date(each.begins, zone)} for each in changes]
    if listed:
        columns = ["change", "prefix", "destination", "old", "new"]
        if any(change.begins for change in changes):
            columns.insert(3, "from")
        print_list(listed, as_json=False, columns=columns)
    changed = sum(counts.values()) - counts["unchanged"]
    if changed > len(listed):
        click.echo(f"… and {changed - len(listed)} more changes (--changes {changed} shows all)")
    for gap in diff.gaps:
        begins, ends = _date(gap.begins, zone), _date(gap.ends, zone)
        click.echo(f"warning: {gap.prefix} has no rate from {begins} until {ends}", err=True)
    if gap_count > len(diff.gaps):
        click.echo(f"warning: {gap_count - len(diff.gaps)} more have none for a time", err=True)


def _date(instant: datetime | None, zone: tzinfo) -> str | None:
    """The day that begins then in a zone, else the instant to the second in UTC."""
    if instant is None:
        return None
    local = instant.astimezone(zone)
    if local.timetz().replace(tzinfo=None) == midnight():
        return local.date().isoformat()
    return instant.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


def print_rules(old: PricingRules, new: PricingRules) -> None:
    """Which rules of pricing change, in words."""
    for field in fields(PricingRules):
        before, after = getattr(old, field.name), getattr(new, field.name)
        if before != after:
            words = _RULES_IN_WORDS[field.name]
            told = words[after] if isinstance(words, dict) else words
            click.echo(f"changed rule: {told.format(before=before, after=after)}")


def tell_version(version: CardVersion) -> None:
    """A line about a version, and one about what it lacks."""
    if version.active:
        state = "active"
    elif version.effective_at is None:
        state = "not active: rates activate makes it so"
    elif version.superseded_at is not None and version.superseded_at <= version.effective_at:
        state = "not active"
    else:
        state = f"active from {time(version.effective_at)}"
    click.echo(f"{version.card} version {version.version}, {version.rates} rates, {state}")
    if not version.trunks:
        click.echo(f"{version.card} has no trunk: its calls are refused (no_route)", err=True)


def version_fields(version: CardVersion) -> dict[str, Any]:
    """A version as JSON and tables show it."""
    return {
        "card": version.card,
        "version": version.version,
        "active": version.active,
        "in_force_from": time(version.effective_at),
        "in_force_until": time(version.superseded_at),
        "rates": version.rates,
        "currency": version.currency,
        "trunks": list(version.trunks),
        "rules": rules_as_json(version.rules),
        "file": version.source_name,
        "sha256": version.source_sha256,
        "imported_at": time(version.imported_at),
        "activated_at": time(version.activated_at),
    }


def _change(change: RateChange) -> dict[str, Any]:
    known = change.new or change.old
    differing = [
        name
        for name in Rate.__slots__
        if name not in (*_ALWAYS_SHOWN, "destination")
        and change.old
        and change.new
        and getattr(change.old, name) != getattr(change.new, name)
    ]
    old, new = _terms(change.old, differing), _terms(change.new, differing)
    if change.old and change.new and old == new:
        old = f"{old}, destination {change.old.destination}"
        new = f"{new}, destination {change.new.destination}"
    return {
        "change": change.kind,
        "prefix": change.prefix,
        "destination": known.destination if known else "",
        "old": old,
        "new": new,
    }


def _terms(rate: Rate | None, differing: list[str]) -> str | None:
    """Price per minute and increments, e.g. `0.0125 60/6`, stages, hours, and what else differs."""
    if rate is None:
        return None
    terms = ["blocked"] if rate.blocked else [_price_terms(rate, differing)]
    for other, intervals in rates_by_hours(rate):
        hours = short_hours(intervals)
        unusual = [name for name in _OF_HOURS if getattr(other, name) != getattr(_USUAL, name)]
        told = f"blocked {hours}" if other.blocked else f"{hours} {_price_terms(other, unusual)}"
        terms.append(told)
    return ", ".join(terms)


def _price_terms(rate: Rate, named: list[str]) -> str:
    terms = [f"{money(rate.price_micros_per_minute)} {rate.initial_s}/{rate.increment_s}"]
    if rate.stages:
        terms.append("stages " + " ".join(map(format_stage, rate.stages)))
    for name in named:
        value = getattr(rate, name)
        if "_micros" in name:
            value = money(value)
        if value or isinstance(value, str):
            label = name.replace("_micros", "").removesuffix("_s").replace("_", " ")
            terms.append(f"{label} {value}")
    return ", ".join(terms)
