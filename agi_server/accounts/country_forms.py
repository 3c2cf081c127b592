"""What takes its form from the country: phone numbers and VAT registration numbers. Pure."""

import re

from rating.country_rules import rules_of_country
from rating.number import INTERNATIONAL_RULES, NumberInvalid, normalise

# The form after the country's letters. Greece writes EL; Northern Ireland XI, as Great Britain.
_VAT_FORMS = {
    "AT": r"U[0-9]{8}",
    "BE": r"[01][0-9]{9}",
    "BG": r"[0-9]{9,10}",
    "CH": r"E[0-9]{9}(MWST|TVA|IVA)?",
    "CY": r"[0-9]{8}[A-Z]",
    "CZ": r"[0-9]{8,10}",
    "DE": r"[0-9]{9}",
    "DK": r"[0-9]{8}",
    "EE": r"[0-9]{9}",
    "ES": r"[A-Z0-9][0-9]{7}[A-Z0-9]",
    "FI": r"[0-9]{8}",
    "FR": r"[A-HJ-NP-Z0-9]{2}[0-9]{9}",
    "GB": r"([0-9]{9}|[0-9]{12}|GD[0-9]{3}|HA[0-9]{3})",
    "GR": r"[0-9]{9}",
    "HR": r"[0-9]{11}",
    "HU": r"[0-9]{8}",
    "IE": r"([0-9][A-Z0-9+*][0-9]{5}[A-Z]|[0-9]{7}[A-Z]{2})",
    "IT": r"[0-9]{11}",
    "LT": r"([0-9]{9}|[0-9]{12})",
    "LU": r"[0-9]{8}",
    "LV": r"[0-9]{11}",
    "MT": r"[0-9]{8}",
    "NL": r"[0-9]{9}B[0-9]{2}",
    "NO": r"[0-9]{9}(MVA)?",
    "PL": r"[0-9]{10}",
    "PT": r"[0-9]{9}",
    "RO": r"[0-9]{2,10}",
    "SE": r"[0-9]{12}",
    "SI": r"[0-9]{8}",
    "SK": r"[0-9]{10}",
}
_LETTERS = {"GR": "(EL|GR)", "GB": "(GB|XI)"}
_ANY_VAT = re.compile(r"[A-Z0-9+*./-]{2,20}")


def phone_number(text: str, country: str | None) -> str:
    """E.164 with its `+`, of a number as it is written in the country.

    Where the country's dialling rules are not known the number must come with its country code.
    Raises ValueError: what is allowed.
    """
    dialled = re.sub(r"\(0\)|[-\s()./]", "", text)
    rules = rules_of_country(country or "") or INTERNATIONAL_RULES
    number = normalise(dialled, rules)
    if isinstance(number, NumberInvalid) or number in rules.emergency_numbers or len(number) < 7:
        example = "+33 1 23 45 67 89"
        if rules is INTERNATIONAL_RULES:
            raise ValueError(f"must be a phone number with its country code, such as {example}")
        raise ValueError(f"must be a phone number as dialled in {country}, or such as {example}")
    return f"+{number}"


def vat_number(text: str, country: str | None) -> str:
    """A VAT registration number in capitals without blanks, of the country's form if it has one.

    Raises ValueError: what is allowed.
    """
    number = re.sub(r"[\s.-]", "", text).upper()
    form = _VAT_FORMS.get(country or "")
    if form is None:
        if not _ANY_VAT.fullmatch(number):
            raise ValueError("must be 2 to 20 letters and digits")
        return number
    assert country is not None
    if re.fullmatch(_LETTERS.get(country, country) + form, number):
        return number
    if re.fullmatch(form, number):
        return ("EL" if country == "GR" else country) + number
    raise ValueError(f"must have the form of a VAT number of {country}")
