"""From what a caller dialled to the number that is rated: one way for calls and for quotes."""

from rating.country_rules import rules_of_country
from rating.number import INTERNATIONAL_RULES, Normalised, NumberInvalid, normalise_by_steps


def normalise_dialled(
    dialled: str, country: str | None, default_country: str | None
) -> Normalised | NumberInvalid:
    """By the rules of the account's country, else of the setting's, else international ones."""
    rules = rules_of_country(country or default_country or "") or INTERNATIONAL_RULES
    return normalise_by_steps(dialled, rules)
