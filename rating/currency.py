"""Currencies: a dated table of exchange rates, and prices converted exactly."""

import re
from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from fractions import Fraction

from rating.money import round_micros
from rating.price import Price, PriceLine

_CODE = re.compile(r"[A-Z]{3}", re.ASCII)
_VALUE = re.compile(r"[0-9]{1,12}(?:\.[0-9]{1,12})?", re.ASCII)


class CurrencyError(ValueError):
    """A currency or an exchange rate is not what it should be; the message says which."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ExchangeRate:
    """From `effective_from` (UTC) on, one unit of the base currency is worth `per_base` of this."""

    currency: str
    per_base: Fraction
    effective_from: datetime

    def __post_init__(self) -> None:
        if not _CODE.fullmatch(self.currency):
            raise CurrencyError(f"currency: {self.currency[:20]!r} is not an ISO 4217 code")
        if self.per_base <= 0:
            raise CurrencyError(f"per_base: {self.per_base} is not positive")
        if self.effective_from.tzinfo is None:
            raise CurrencyError("effective_from: has no time zone")


@dataclass(frozen=True, slots=True)
class Exchange:
    """The rate at which one call is converted: an amount in `source` times `factor` is `target`'s.

    Kept with the call, so that it can be re-rated.
    """

    source: str
    target: str
    factor: Fraction

    def convert(self, micros: int) -> int:
        """The amount in the target currency, rounded half up to micros."""
        return round_micros(micros * self.factor.numerator, self.factor.denominator)

    def greatest_within(self, target_micros: int) -> int:
        """The greatest amount in the source currency that converts to at most `target_micros`.

        What is available in the target's currency buys as much time as this much in the source's:
        converting never falls as the amount rises, so the limit stays the exact inverse.
        """
        # a·f rounds to at most t exactly while a·f < t + 1/2 (a half goes up, away from zero), or
        # ≤ t + 1/2 below zero.
        bound = (target_micros + Fraction(1, 2)) / self.factor
        whole = bound.numerator // bound.denominator
        return whole if self.convert(whole) <= target_micros else whole - 1


class ExchangeTable:
    """Exchange rates against one base currency, each from its date on."""

    def __init__(self, base: str, rates: Iterable[ExchangeRate]) -> None:
        self.base = base
        self._rates: dict[str, list[tuple[datetime, Fraction]]] = {}
        for rate in rates:
            if rate.currency == base:
                raise CurrencyError(f"currency: {base} is the base, its rate is 1")
            self._rates.setdefault(rate.currency, []).append((rate.effective_from, rate.per_base))
        for currency, dated in self._rates.items():
            dated.sort()
            if len({date for date, _ in dated}) < len(dated):
                raise CurrencyError(f"currency: {currency} has two rates from the same instant")

    def exchange(self, source: str, target: str, at: datetime) -> Exchange | None:
        """How to convert at an instant; None if either currency has no rate in force then."""
        if source == target:
            return Exchange(source, target, Fraction(1))
        source_per_base, target_per_base = self._per_base(source, at), self._per_base(target, at)
        if source_per_base is None or target_per_base is None:
            return None
        return Exchange(source, target, target_per_base / source_per_base)

    def _per_base(self, currency: str, at: datetime) -> Fraction | None:
        if currency == self.base:
            return Fraction(1)
        dated = self._rates.get(currency, [])
        index = bisect_right(dated, at, key=lambda entry: entry[0])
        return dated[index - 1][1] if index else None


def parse_exchange_rate(text: str) -> Fraction:
    """A positive decimal with at most 12 decimals. Raises CurrencyError."""
    if not _VALUE.fullmatch(text.strip()) or not Fraction(text.strip()):
        raise CurrencyError(f"{text[:40]!r} is not a positive rate like 1.0856")
    return Fraction(text.strip())


def convert_price(price: Price, exchange: Exchange) -> Price:
    """The price in the target currency: the total is the converted total, and the lines still add
    up (each is what it adds to the converted sum so far). Prices per minute stay as they were
    agreed, in the source currency."""
    lines: list[PriceLine] = []
    so_far = converted_so_far = 0
    for line in price.lines:
        so_far += line.amount_micros
        converted = exchange.convert(so_far)
        lines.append(line._replace(amount_micros=converted - converted_so_far))
        converted_so_far = converted
    return price._replace(
        lines=tuple(lines),
        total_micros=converted_so_far,
        buy_total_micros=exchange.convert(price.buy_total_micros),
    )
