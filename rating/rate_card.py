"""A rate card: a named, immutable version of rates in one currency, and the rules they share."""

from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo

from rating.money import RoundingMode


@dataclass(frozen=True, slots=True, kw_only=True)
class PricingRules:
    """What all rates of a card have in common when a call is priced.

    `rounding_decimals` (0 to 6) and `rounding_mode` apply once per call. `increments_from_zero`
    counts as A2Billing and MagnusBilling do: further increments from the start of the call and not
    from the end of the initial one (30/20 at 31 s bills 40 s, not 50), a stage's last increment may
    run past the stage's end, and grace is added to the bought time too. `zone` is where the hours
    of time windows are read; `price_by_start` keeps the price of the call's first second to its
    end, as the peers do, instead of changing it at the windows' edges.
    """

    rounding_decimals: int = 6
    rounding_mode: RoundingMode = RoundingMode.HALF_UP
    increments_from_zero: bool = False
    zone: tzinfo = UTC
    price_by_start: bool = False

    def __post_init__(self) -> None:
        if not 0 <= self.rounding_decimals <= 6:
            raise ValueError(f"rounding_decimals: {self.rounding_decimals!r} is not 0 to 6")


OWN_RULES = PricingRules()
"""Our own convention: half up to 10⁻⁶, increments from the end of the initial one, UTC."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RateCard:
    """One version of a rate card, without its rates. Valid from the first instant to before the
    second (UTC; None: unbounded). Its `trunks` carry its calls, in their order."""

    name: str
    version: int
    currency: str
    trunks: tuple[str, ...] = ()
    rules: PricingRules = OWN_RULES
    valid_from: datetime | None = None
    valid_until: datetime | None = None

    def valid_at(self, at: datetime) -> bool:
        """Whether calls that start at this instant are priced by the card."""
        return (self.valid_from is None or self.valid_from <= at) and (
            self.valid_until is None or at < self.valid_until
        )
