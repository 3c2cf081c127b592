"""What a call costs when it has ended, by the terms that authorize promised it."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from fractions import Fraction
from typing import Any

from agi_server.calls.call_end import CallEnd
from agi_server.calls.packages import PackageTerms
from rating.currency import Exchange, convert_price
from rating.price import Price, billable_seconds, price_call
from rating.rate import Rate
from rating.rate_card import PricingRules
from rating.routing import SellPrice


@dataclass(frozen=True, slots=True, kw_only=True)
class CardTerms:
    """By what a card prices a call: its rate, its rules, and the factor to the account's currency.

    `version_id` names the version, and with prefix and date the rate. None: it costs nothing, by no
    card.
    """

    version_id: int | None
    rate: Rate
    rules: PricingRules
    factor: Fraction = Fraction(1)


@dataclass(frozen=True, slots=True, kw_only=True)
class CallTerms:
    """Everything a call is priced by. `routes` has the card of each route, in their order.

    The customer pays by `sell`, or by the route that carried the call, and before that with the
    part of a `package`. The hold reckons with an answer up to `answer_by` (None: whenever).
    """

    sell: CardTerms
    routes: tuple[CardTerms, ...]
    sell_price: SellPrice = SellPrice.FIRST_CARD
    discount_basis_points: int = 0
    answer_by: datetime | None = None
    package: PackageTerms | None = None

    @property
    def priced_by_route(self) -> bool:
        """Whether what the customer pays depends on the route that carries the call."""
        return self.sell_price is SellPrice.ROUTE and len(set(map(_card, self.routes))) > 1

    def route_that_carried(self, told: int | None) -> int:
        """Its number from 1: the first where none was told, or one that there was not."""
        return told if told is not None and 1 <= told <= len(self.routes) else 1

    def price(
        self, end: CallEnd, authorized_at: datetime, limit_ms: int, now: datetime
    ) -> Price | None:
        """The price in the account's currency; None for a call that nobody answered.

        An answered one lasted at least its first second. Its hours count from the answer; one that
        Asterisk's clock puts outside of what the hold reckons with counts as the nearest in it.
        The buy side is that of the card whose route carried the call.
        """
        if end.talk_ms is None:
            return None
        seconds = max(1, billable_seconds(end.talk_ms, limit_ms))
        started_at = end.answered_at or now - timedelta(milliseconds=end.talk_ms)
        if self.answer_by is not None:
            started_at = min(started_at, self.answer_by)
        started_at = max(started_at, authorized_at)
        carrier = self.routes[self.route_that_carried(end.route) - 1]
        sell = carrier if self.sell_price is SellPrice.ROUTE else self.sell
        free_seconds = self.package.free_seconds if self.package else 0
        price = _converted(sell, seconds, started_at, self.discount_basis_points, free_seconds)
        if carrier is sell:
            return price
        buy = _converted(carrier, seconds, started_at)
        return price._replace(
            buy_total_micros=buy.buy_total_micros, buy_billed_seconds=buy.buy_billed_seconds
        )


def _card(terms: CardTerms) -> tuple[int | None, str]:
    return terms.version_id, terms.rate.prefix


def _converted(
    terms: CardTerms,
    seconds: int,
    started_at: datetime,
    discount_basis_points: int = 0,
    free_seconds: int = 0,
) -> Price:
    price = price_call(
        terms.rate,
        seconds,
        rules=terms.rules,
        discount_basis_points=discount_basis_points,
        started_at=started_at,
        free_seconds=free_seconds,
    )
    return price if terms.factor == 1 else convert_price(price, Exchange("", "", terms.factor))


def lines_as_json(price: Price | None) -> list[dict[str, Any]]:
    """The lines of a price as the CDR keeps them."""
    return [
        {
            "kind": line.kind.value,
            "seconds": line.seconds,
            "price_micros_per_minute": line.price_micros_per_minute,
            "amount_micros": line.amount_micros,
        }
        for line in (price.lines if price else ())
    ]
