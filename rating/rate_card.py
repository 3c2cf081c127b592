"""A rate card: a named, immutable version of rates in one currency, and the rules they share."""

from dataclasses import dataclass

from rating.money import RoundingMode


@dataclass(frozen=True, slots=True, kw_only=True)
class PricingRules:
    """What all rates of a card have in common when a call is priced.

    `rounding_decimals` (0 to 6) and `rounding_mode` apply once per call. `increments_from_zero`
    counts as A2Billing and MagnusBilling do: further increments from the start of the call and not
    from the end of the initial one (30/20 at 31 s bills 40 s, not 50), a stage's last increment may
    run past the stage's end, and grace is added to the bought time too.
    """

    rounding_decimals: int = 6
    rounding_mode: RoundingMode = RoundingMode.HALF_UP
    increments_from_zero: bool = False

    def __post_init__(self) -> None:
        if not 0 <= self.rounding_decimals <= 6:
            raise ValueError(f"rounding_decimals: {self.rounding_decimals!r} is not 0 to 6")


OWN_RULES = PricingRules()
"""Our own convention: half up to 10⁻⁶, increments from the end of the initial one."""
