"""From what a caller dialled to the number that is rated: one way for calls and for quotes."""

from rating.country_rules import Dialling, rules_of_caller
from rating.number import Normalised, NumberInvalid, normalise_by_steps


def normalise_dialled(
    dialled: str,
    country: str | None,
    default_country: str | None,
    plan: Dialling | None = None,
) -> Normalised | NumberInvalid:
    """By the rules of the call plan, the account's country, and the country of the setting."""
    rules = rules_of_caller(plan or Dialling(), country or "", default_country or "")
    return normalise_by_steps(dialled, rules)
