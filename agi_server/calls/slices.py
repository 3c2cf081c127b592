"""Rolling holds: how much of a call is paid for at a time, and when the next slice is due.

A call holds the price of its talk up to `limit_ms`, which grows slice by slice up to `cap_ms`.
Calls of one account share what is left: each takes at most its share of it, but at least a few
seconds, so that the last of the money is used up by all of them at about the same time.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from agi_server.calls.pricing import CallTerms, CardTerms
from agi_server.calls.sessions import OpenSession
from rating.currency import Exchange
from rating.grant import slice_seconds
from rating.price import price_micros
from rating.routing import SellPrice

_LONGEST_LEAD_S = 30.0
_LEAST_S = 10


@dataclass(frozen=True, slots=True)
class Slicing:
    """The measures that follow from the length of a slice, in seconds."""

    slice_s: int

    @property
    def lead_s(self) -> float:
        """So long before the end of a slice the next one is taken: AMI may be slow or away."""
        return min(_LONGEST_LEAD_S, self.slice_s / 2)

    @property
    def retry_s(self) -> float:
        """After this time what could not be done is tried again, several times within the lead."""
        return self.lead_s / 5

    @property
    def least_s(self) -> int:
        """The shortest slice that is worth the work, whatever the share of the money is."""
        return max(1, min(_LEAST_S, self.slice_s // 4))

    @property
    def least_first_s(self) -> int:
        """The shortest first slice: a call should not end early because AMI is away."""
        return max(1, self.slice_s // 3)

    def due_in_s(self, paid_s: float) -> float:
        """When to look after a call whose talk is paid for `paid_s` seconds from now on."""
        return max(paid_s - self.lead_s, self.retry_s)


def first_share(available_micros: int, open_calls: int, simultaneous_access: int) -> int:
    """What a new call may take of the funds: others of the account are in progress or may come."""
    calls = max(open_calls + 1, simultaneous_access - open_calls)
    return available_micros // calls


@dataclass(frozen=True, slots=True, kw_only=True)
class SliceFunds:
    """What an account has, in micros, when a call of it asks for more."""

    held_micros: int
    """By this call."""
    available_micros: int
    open_calls: int

    @property
    def fair_micros(self) -> int:
        """What the call holds, and its share of what is left."""
        return self.held_micros + self.available_micros // max(1, self.open_calls)

    @property
    def most_micros(self) -> int:
        """What the call holds, and all that is left."""
        return self.held_micros + self.available_micros


@dataclass(frozen=True, slots=True, kw_only=True)
class Slice:
    """Until which second of talk a call is paid for, and what it holds for that in all."""

    limit_s: int
    held_micros: int


def next_slice(
    session: OpenSession, funds: SliceFunds, slicing: Slicing, max_free_s: int
) -> Slice | None:
    """The next slice of a call; None when nothing more is affordable or the cap is reached.

    Where each route has a price of its own, the dearest counts: nobody knows which one carries it.
    """
    assert session.cap_ms is not None
    granted_s = session.limit_ms // 1000
    limit_s = min(
        slice_seconds(
            card.rate,
            granted_s,
            _exchange(card).greatest_within(funds.fair_micros),
            _exchange(card).greatest_within(funds.most_micros),
            slice_s=slicing.slice_s,
            least_s=slicing.least_s,
            at_most_s=session.cap_ms // 1000,
            max_free_s=max_free_s,
            **_when(session, card),
        )
        for card in _payers(session.terms)
    )
    if limit_s <= granted_s:
        return None
    price = max(
        _exchange(card).convert(price_micros(card.rate, limit_s, **_when(session, card)))
        for card in _payers(session.terms)
    )
    return Slice(limit_s=limit_s, held_micros=max(price, funds.held_micros))


def _payers(terms: CallTerms) -> Iterable[CardTerms]:
    """Whose prices the customer may have to pay."""
    return terms.routes if terms.sell_price is SellPrice.ROUTE else (terms.sell,)


def _exchange(card: CardTerms) -> Exchange:
    return Exchange("", "", card.factor)


def _when(session: OpenSession, card: CardTerms) -> dict[str, Any]:
    """By which rules and hours: the hold reckons with an answer at any second of the ringing."""
    return {
        "rules": card.rules,
        "discount_basis_points": session.terms.discount_basis_points,
        "started_at": session.authorized_at,
        "answered_by": session.terms.answer_by,
        "free_seconds": session.terms.package.free_seconds if session.terms.package else 0,
    }
