"""From a rate sheet to its card: what `rates import` and an upload to the web do alike."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import fields, replace
from typing import Any

from agi_server.tariffs.rate_cards import CardImport
from rating.rate import Rate
from rating.rate_card import OWN_RULES, PricingRules
from rating.rate_sheet import SheetOptions, SheetReading, open_rate_sheet

_DELETES_TOLD = 20


async def stage_sheet(
    importing: CardImport,
    content: bytes,
    options: SheetOptions,
    progress: Callable[[int], None] | None = None,
) -> SheetReading:
    """Read a sheet to its end and stage its rates; with any error nothing of it is to be stored."""
    reading = open_rate_sheet(content, options, progress=progress)
    await importing.stage(_faultless(reading))
    return reading


async def complete_sheet(
    importing: CardImport, reading: SheetReading, file: str, *, changes_only: bool
) -> None:
    """Add what stays of the version in force; of changes it is noted which delete nothing."""
    if changes_only and reading.deletes:
        unknown = await importing.not_on_card(reading.deletes)
        told = [(line, prefix) for prefix, line in reading.deletes.items() if prefix in unknown]
        for line, prefix in told[:_DELETES_TOLD]:
            reading.notes.append(f"{file}:{line}: deletes {prefix}, which the card does not have")
        if len(told) > _DELETES_TOLD:
            more, last = len(told) - _DELETES_TOLD, told[-1][0]
            reading.notes.append(f"and so do {more} more, the last is {file}:{last}")
    await importing.complete(changes_only=changes_only)


def rules_in_force(importing: CardImport) -> PricingRules:
    """Those of the version that the import replaces."""
    return importing.replaces.rules if importing.replaces else OWN_RULES


def rules_of_import(
    importing: CardImport, reading: SheetReading, asked: Mapping[str, Any] | None = None
) -> PricingRules:
    """The rules asked for, else those that the sheet's format brings, else those in force."""
    brought = {
        field.name: getattr(reading.rules, field.name)
        for field in fields(PricingRules)
        if getattr(reading.rules, field.name) != getattr(OWN_RULES, field.name)
    }
    return replace(rules_in_force(importing), **{**brought, **(asked or {})})


def _faultless(reading: SheetReading) -> Iterator[Rate]:
    """The rates up to the first error; the rest is read for its errors only."""
    for rate in reading.rates:
        if not reading.errors:
            yield rate
