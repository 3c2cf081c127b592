"""What is checked across the fields of an account. Pure.

Each agreement names the attributes it is about; it is asked when one of them was given.
"""

from collections.abc import Callable, Mapping, Set
from dataclasses import dataclass, field
from typing import Any

from agi_server.accounts.account_terms import LimitsSection
from agi_server.accounts.codes import ExpiryMode, PaymentType, Restriction
from agi_server.accounts.country_forms import phone_number, vat_number
from agi_server.accounts.field_rules import WITHHELD
from agi_server.accounts.years import check_year
from agi_server.refused import InvalidFieldError


@dataclass(frozen=True, slots=True)
class Outcome:
    """What is wrong, and what other values follow from those given, by attribute."""

    problems: tuple[InvalidFieldError, ...] = ()
    values: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Agreement:
    """A rule over several attributes. `check` gets the page and the attributes that were given."""

    attributes: frozenset[str]
    check: Callable[[LimitsSection, Set[str]], Outcome]


_AGREED = Outcome()


def _problem(name: str, message: str) -> Outcome:
    return Outcome((InvalidFieldError(name, message),))


def _credit_limit(page: LimitsSection, given: Set[str]) -> Outcome:
    if not page.credit_limit_micros or page.payment_type is PaymentType.POSTPAID:
        return _AGREED
    return _problem("credit_limit", "is for postpaid accounts only")


def _expiry_date(page: LimitsSection, given: Set[str]) -> Outcome:
    if (page.expiry_mode is ExpiryMode.AT_DATE) == (page.expiry_date is not None):
        return _years(page)
    if page.expiry_date is not None and "expiry_date" not in given:
        return Outcome(values={"expiry_date": None})
    return _problem("expiry_date", "goes with expiry at_date, and only with it")


def _years(page: LimitsSection) -> Outcome:
    # In another zone the year 9999 could be one that no calendar has.
    try:
        if page.expiry_date is not None:
            check_year(page.expiry_date)
    except ValueError as error:
        return _problem("expiry_date", str(error))
    return _AGREED


def _expiry_days(page: LimitsSection, given: Set[str]) -> Outcome:
    counts = page.expiry_mode in (ExpiryMode.AFTER_FIRST_USE, ExpiryMode.AFTER_CREATION)
    if counts == (page.expiry_days is not None):
        return _AGREED
    if page.expiry_days is not None and "expiry_days" not in given:
        return Outcome(values={"expiry_days": None})
    return _problem(
        "expiry_days", "goes with expiry after_first_use or after_creation, and only so"
    )


def _restriction(page: LimitsSection, given: Set[str]) -> Outcome:
    if not page.restricted_numbers or page.restriction is not Restriction.NONE:
        return _AGREED
    if "restricted_numbers" not in given:
        return Outcome(values={"restricted_numbers": ()})
    return _problem("restriction", "must say blacklist or whitelist for the numbers")


def _presented_callerid(page: LimitsSection, given: Set[str]) -> Outcome:
    number = page.presented_callerid
    if number is None or number == WITHHELD or number in page.callerids:
        return _AGREED
    if "presented_callerid" not in given:
        return Outcome(values={"presented_callerid": None})
    return _problem("presented_callerid", f"must be one of the account's CallerIDs, or {WITHHELD}")


def _phones(page: LimitsSection, given: Set[str]) -> Outcome:
    problems, values = [], {}
    for name, number in (("phone", page.phone), ("fax", page.fax)):
        if name in given and number is not None:
            try:
                values[name] = phone_number(number, page.country)
            except ValueError as error:
                problems.append(InvalidFieldError(name, str(error)))
    return Outcome(tuple(problems), values)


def _vat_number(page: LimitsSection, given: Set[str]) -> Outcome:
    if page.vat_number is None:
        return _AGREED
    try:
        return Outcome(values={"vat_number": vat_number(page.vat_number, page.country)})
    except ValueError as error:
        return _problem("vat_number", str(error))


GIVES_WAY = frozenset({"expiry_date", "expiry_days", "restricted_numbers", "presented_callerid"})
"""What belongs to another attribute and goes with it, where it was not given itself."""

FIELD_AGREEMENTS = (
    Agreement(frozenset({"credit_limit_micros", "payment_type"}), _credit_limit),
    Agreement(frozenset({"expiry_mode", "expiry_date", "timezone"}), _expiry_date),
    Agreement(frozenset({"expiry_mode", "expiry_days"}), _expiry_days),
    Agreement(frozenset({"restriction", "restricted_numbers"}), _restriction),
    Agreement(frozenset({"presented_callerid", "callerids"}), _presented_callerid),
    Agreement(frozenset({"phone", "fax"}), _phones),
    Agreement(frozenset({"vat_number", "country"}), _vat_number),
)
