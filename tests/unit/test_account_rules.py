"""What may be in a field of the account as it was written; a refusal names the field and why."""

from datetime import datetime

import pytest

from agi_server.accounts.account import new_account_of_texts
from agi_server.accounts.codes import Restriction
from agi_server.refused import InvalidFieldsError

WRONG: list[tuple[str, object, str]] = [
    ("account_number", "12345", "6 to 15 digits"),
    ("web_login", "a b", "letters, digits"),
    ("web_password", "short", "8 to 200 characters"),
    ("balance", "5", "cannot be set"),
    ("serial", "5", "cannot be set"),
    ("email", "nobody", "a mail address"),
    ("address", "two\nlines", "one line"),
    ("city", "x" * 201, "at most 200 characters"),
    ("country", "XX", "ISO 3166"),
    ("phone", "99", "country code"),
    ("fax", "call me", "country code"),
    ("company_website", "no address", "such as www.example.com"),
    ("payment_type", "later", "one of prepaid, postpaid"),
    ("company_website", "javascript:alert(1).x", "such as www.example.com"),
    ("company_website", "ftp://www.example.com", "such as www.example.com"),
    ("timezone", "Mars/Olympus", "IANA"),
    ("timezone", "localtime", "IANA"),
    ("timezone", "posixrules", "IANA"),
    ("timezone", "Factory", "IANA"),
    ("timezone", "right/Europe/Paris", "IANA"),
    ("timezone", "europe/paris", "IANA"),
    ("language", "english please", "language tag"),
    ("language", "zz-QQQQ", "language tag"),
    ("language", "en-Latn-QQ", "language tag"),
    ("currency", "EURO", "three letters"),
    ("currency", "QQQ", "three letters"),
    ("currency", "DEM", "three letters"),
    ("currency", "XXX", "three letters"),
    ("status", "dead", "one of cancelled, active"),
    ("signup_confirmed", "yes", "cannot be set"),
    ("simultaneous_access", -1, "at least 0"),
    ("simultaneous_access", "many", "whole number"),
    ("simultaneous_access", 2**31, "at most"),
    ("run_service", "perhaps", "yes or no"),
    ("run_autorefill", 2, "yes or no"),
    ("initial_balance", "-1", "amount from 0"),
    ("credit_limit", "5", "postpaid accounts only"),
    ("credit_limit", 0.1, "as a text"),
    ("credit_limit_notification", "1e3", "at most 12 digits"),
    ("mail_permitted", "?", "yes or no"),
    ("notification_email", "x@", "a mail address"),
    ("first_use_at", "2026-01-01", "cannot be set"),
    ("expiry", "soon", "one of never"),
    ("expiry", "at-date", "expiry_date"),
    ("expiry_date", "2027-02-30", "a date like"),
    ("expiry_date", "2027-01-01", "goes with expiry at_date"),
    ("expiry_days", 0, "at least 1"),
    ("expiry_days", 5, "goes with expiry after"),
    ("create_sip", "sip", "yes or no"),
    ("create_iax", "iax", "yes or no"),
    ("mac_address", "00-08-74", "a MAC address"),
    ("in_use", 0, "cannot be set"),
    ("invoice_day", 29, "at most 28"),
    ("vat", "100", "from 0 to 99.99"),
    ("vat", "5.555", "at most 2 decimals"),
    ("vat_number", "!", "letters and digits"),
    ("discount", "100", "from 0 to 99.99"),
    ("traffic_per_month", "1.5", "whole number"),
    ("restriction", "grey", "one of none, blacklist"),
    ("restricted_numbers", ["44*"], "blacklist or whitelist"),
    ("restricted_numbers", ["x"], "no rule"),
    ("callerids", ["anonymous"], "3 to 15 digits"),
    ("callerids", 5, "a list"),
    ("locked", "maybe", "yes or no"),
    ("lock_pin", "123", "4 to 10 digits"),
    ("presented_callerid", "442079460000", "one of the account's CallerIDs"),
    ("calls_per_second", "", ""),
    ("max_price_per_minute", "free", "amount"),
    ("max_cost_per_call", "-0.01", "amount"),
    ("max_cost_per_hour", "1000000000000000", "amount"),
    ("max_cost_per_day", True, "as a text"),
    ("colour", "red", "no field"),
]


@pytest.mark.parametrize(("name", "text", "expected"), WRONG)
def test_a_wrong_field_is_named_with_what_is_allowed(
    name: str, text: object, expected: str
) -> None:
    if not expected:  # left empty, it is as if it were not given
        assert 0 == new_account_of_texts({name: text}).calls_per_second
        return
    with pytest.raises(InvalidFieldsError) as caught:
        new_account_of_texts({name: text})
    (problem,) = caught.value.problems
    assert expected in f"{problem.field}: {problem.message}"
    assert name == problem.field or problem.field in expected or name == "restricted_numbers"
    if name in ("account_number", "web_password", "lock_pin", "email", "phone"):
        assert str(text) not in problem.message


DEFAULTS: dict[str, object] = {
    "campaign": "spring", "plan": "standard", "invoice_day": 5, "timezone": "Europe/Paris",
    "restriction": "blacklist", "restricted_numbers": ["4490*"], "phone": "01 23 45 67 89",
    "country": "FR", "expiry": "at-date", "expiry_date": "2027-12-31",
}  # fmt: skip


def test_what_is_given_empty_is_empty_whatever_the_group_says() -> None:
    for empty in (None, "", " "):
        given = dict.fromkeys(("campaign", "plan", "invoice_day", "phone"), empty)
        new = new_account_of_texts({**given, "restricted_numbers": []}, DEFAULTS)
        assert (None,) * 4 == (new.campaign, new.plan, new.invoice_day, new.phone)
        assert (Restriction.BLACKLIST, ()) == (new.restriction, new.restricted_numbers)
    needed = new_account_of_texts({"timezone": None, "restriction": ""}, DEFAULTS)
    assert ("Europe/Paris", Restriction.BLACKLIST) == (needed.timezone, needed.restriction)


def test_what_is_not_given_is_as_the_group_says_unless_it_goes_with_something_else() -> None:
    new = new_account_of_texts({}, DEFAULTS)
    assert ("spring", "standard", 5, "+33123456789") == (
        new.campaign,
        new.plan,
        new.invoice_day,
        new.phone,
    )
    assert (("4490*",), datetime(2027, 12, 31, 23, 59, 59)) == (
        new.restricted_numbers,
        new.expiry_date,
    )
    new = new_account_of_texts({"expiry": "never", "restriction": "none"}, DEFAULTS)
    assert (None, ()) == (new.expiry_date, new.restricted_numbers)
    with pytest.raises(InvalidFieldsError, match="expiry_date: goes with"):
        new_account_of_texts({"expiry": "never", "expiry_date": "2027-01-01"}, DEFAULTS)


@pytest.mark.parametrize(
    ("name", "texts"),
    [
        ("currency", ("USD", "eur", "XOF", "JPY", "KWD", "ZMW", "XCD")),
        ("timezone", ("UTC", "Europe/Kyiv", "America/Argentina/Ushuaia", "Asia/Calcutta")),
        ("language", ("fr_CA", "es-419", "zh-Hant-TW", "sr-Latn", "mi", "en-GB")),
        ("company_website", ("http://a.example", "HTTPS://Example.com:8443/x?y=1", "bücher.de?x")),
    ],
)
def test_what_there_is_is_taken(name: str, texts: tuple[str, ...]) -> None:
    for text in texts:
        new = new_account_of_texts({name: text})
        assert (text.upper() if name == "currency" else text) == getattr(new, name)


@pytest.mark.parametrize(
    ("country", "phone", "stored_phone", "vat", "stored_vat"),
    [
        ("GB", "020 7946 0000", "+442079460000", "123 4567 89", "GB123456789"),
        ("FR", "01.23.45.67.89", "+33123456789", "FR 12 123456789", "FR12123456789"),
        ("DE", "+49 (0)30 123456", "+4930123456", "DE123456789", "DE123456789"),
        ("GR", "2101234567", "+302101234567", "123456789", "EL123456789"),
        ("US", "(212) 555-0100", "+12125550100", "12-3456789", "123456789"),
        ("ZW", "+263 4 123456", "+2634123456", None, None),
    ],
)
def test_phone_and_vat_numbers_have_the_form_of_the_country(
    country: str, phone: str, stored_phone: str, vat: str | None, stored_vat: str | None
) -> None:
    new = new_account_of_texts({"country": country, "phone": phone, "vat_number": vat})
    assert (stored_phone, stored_vat) == (new.phone, new.vat_number)
    if stored_vat and country != "US":
        with pytest.raises(InvalidFieldsError, match="vat_number: must have the form"):
            new_account_of_texts({"country": country, "vat_number": "12"})
