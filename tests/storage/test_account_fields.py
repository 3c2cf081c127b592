"""Every field of the account is stored, read back, changed and audited; rules say what is wrong."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any

import pytest

from agi_server.accounts import did_groups, groups, series
from agi_server.accounts.account import (
    FIELDS,
    Account,
    new_account_of_texts,
    texts_to_values,
)
from agi_server.accounts.audit import Editor, list_changes
from agi_server.accounts.campaigns import create_campaign
from agi_server.accounts.changes import update_account
from agi_server.accounts.codes import Restriction
from agi_server.accounts.customers import create_account, find_by_id
from agi_server.accounts.field_kinds import show_value
from agi_server.accounts.fields import Kind, Settable
from agi_server.accounts.passwords import is_secret
from agi_server.refused import InvalidFieldsError
from agi_server.storage.postgres.pool import open_pool
from agi_server.tariffs import plans, rate_cards
from rating.rate import Rate

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
EDITOR = Editor(changed_by="test", at=NOW)

GIVEN: dict[str, object] = {
    "account_number": "1000000001",
    "web_login": "anne",
    "web_password": "correct horse",
    "group": "offices",
    "series": "cards",
    "last_name": "Dupont",
    "first_name": "Anne",
    "email": "anne@example.com",
    "address": "1 rue de Rivoli",
    "city": "Paris",
    "state": "Île-de-France",
    "country": "FR",
    "postal_code": "75001",
    "phone": "+33123456789",
    "fax": "+33123456780",
    "company_name": "Dupont & Fils",
    "company_website": "https://www.example.com/fr",
    "payment_type": "postpaid",
    "plan": "standard",
    "did_group": "paris",
    "timezone": "Europe/Paris",
    "language": "fr-CA",
    "currency": "EUR",
    "status": "new",
    "simultaneous_access": 3,
    "run_service": True,
    "run_autorefill": True,
    "initial_balance": "20.00",
    "credit_limit": "50.50",
    "credit_limit_notification": "5.00",
    "mail_permitted": False,
    "notification_email": "bills@example.com",
    "campaign": "spring",
    "expiry": "at_date",
    "expiry_date": "2027-07-01 23:59:59",
    "create_sip": True,
    "create_iax": True,
    "mac_address": "00-08-74-4C-7F-1D",
    "invoice_day": 28,
    "vat": "5.5",
    "vat_number": "FR12123456789",
    "discount": "99.99",
    "traffic_per_month": 600,
    "target_traffic": "United Kingdom",
    "restriction": "whitelist",
    "restricted_numbers": ["442079460000", "4930*", "_33[1-5]X."],
    "callerids": ["33123456789", "442079460000"],
    "note": "met at the fair",
    "locked": True,
    "lock_pin": "4711",
    "presented_callerid": "442079460000",
    "calls_per_second": 2,
    "max_price_per_minute": "0.90",
    "max_cost_per_call": "10.00",
    "max_cost_per_hour": "20.00",
    "max_cost_per_day": "100.00",
}
CHANGED: dict[str, object] = {
    "web_login": "dupont",
    "web_password": "battery staple",
    "group": "homes",
    "last_name": "Martin",
    "first_name": "Ana",
    "email": "ana@example.es",
    "address": "Calle Mayor 1",
    "city": "Madrid",
    "state": "Madrid",
    "country": "ES",
    "postal_code": "28013",
    "phone": "+34912345678",
    "fax": "+34912345679",
    "company_name": "Martin S.L.",
    "company_website": "example.es",
    "payment_type": "prepaid",
    "plan": "night",
    "did_group": "madrid",
    "timezone": "Europe/Madrid",
    "language": "es",
    "status": "active",
    "simultaneous_access": 0,
    "run_service": False,
    "run_autorefill": False,
    "initial_balance": "0.00",
    "credit_limit": "0.00",
    "credit_limit_notification": None,
    "mail_permitted": True,
    "notification_email": None,
    "campaign": "summer",
    "expiry": "after_creation",
    "expiry_date": None,
    "expiry_days": 30,
    "create_sip": False,
    "create_iax": False,
    "mac_address": "00-08-74-4C-7F-1E",
    "invoice_day": 1,
    "vat": "21",
    "vat_number": "ESB12345678",
    "discount": "0",
    "traffic_per_month": None,
    "target_traffic": "Portugal",
    "restriction": "none",
    "restricted_numbers": [],
    "callerids": ["34912345678"],
    "locked": False,
    "lock_pin": "00815",
    "presented_callerid": "withheld",
    "calls_per_second": 0,
    "max_price_per_minute": None,
    "max_cost_per_call": "1.00",
    "max_cost_per_hour": None,
    "max_cost_per_day": "0.000001",
}


@pytest.fixture
async def pool(postgres_dsn: str) -> AsyncIterator[Any]:
    async with open_pool(postgres_dsn) as pool:
        source = rate_cards.Source(name="x", sha256="0")
        rates = [Rate(prefix="44")]
        await rate_cards.store_version(
            pool, "retail", rates, source, currency=None, default_currency="EUR", at=NOW
        )
        for plan in ("standard", "night"):
            await plans.create_plan(pool, plan, ["retail"])
        for group in ("offices", "homes"):
            await groups.create_group(pool, group)
        for did_group in ("paris", "madrid"):
            await did_groups.create_did_group(pool, did_group)
        for campaign in ("spring", "summer"):
            await create_campaign(pool, campaign)
        await series.create_series(pool, "cards")
        yield pool


async def created(pool: Any) -> Account:
    account, _ = await create_account(
        pool,
        new_account_of_texts(GIVEN),
        number_length=10,
        max_callerids=2,
        created_by="test",
        at=NOW,
    )
    return account


def shown(account: Account, names: dict[str, object]) -> dict[str, object]:
    """The fields that can be read back."""
    return {
        field.name: show_value(field, getattr(account, field.attribute))
        for field in FIELDS
        if field.name in names and field.kind is not Kind.SECRET and field.name != "note"
    }


def readable(texts: dict[str, object]) -> dict[str, object]:
    return {name: texts[name] for name in texts.keys() - {"web_password", "lock_pin", "note"}}


def test_no_field_is_left_out_here() -> None:
    settable = {field.name for field in FIELDS if field.settable is not Settable.NEVER}
    always = {field.name for field in FIELDS if field.settable is Settable.ALWAYS}
    assert settable == {*GIVEN, "expiry_days"}
    assert always == {*CHANGED}


async def test_every_field_is_stored_and_read_back_as_it_was_given(pool: Any) -> None:
    account = await created(pool)
    assert readable(GIVEN) == shown(account, GIVEN)
    assert account == await find_by_id(pool, account.id)
    assert "0000001" == account.serial
    columns = await pool.fetchrow("SELECT * FROM account a JOIN customer c ON c.account_id = a.id")
    assert [] == [text for text in columns.values() if text in ("correct horse", "4711")]


async def test_every_field_is_changed_and_each_change_kept_but_for_secrets(pool: Any) -> None:
    account = await created(pool)
    changed, changes = await update_account(
        pool, account.id, texts_to_values(CHANGED), EDITOR, max_callerids=2
    )
    assert readable(CHANGED) == shown(changed, CHANGED)
    log = await list_changes(pool, account.id)
    assert set(CHANGED) == {change.field for change in changes} == {each.field for each in log}
    told = {each.field: (each.old, each.new) for each in log}
    assert {(None, "(secret)")} == {told["web_password"], told["lock_pin"]}
    old, new = told["restricted_numbers"]
    assert (set(GIVEN["restricted_numbers"]), None) == (set(str(old).split(", ")), new)  # type: ignore[call-overload]
    assert ("50.50", "0.00") == told["credit_limit"]
    assert {("test", NOW)} == {(each.changed_by, each.changed_at) for each in log}
    again, changes = await update_account(
        pool, account.id, {**texts_to_values(readable(CHANGED))}, EDITOR, max_callerids=2
    )
    assert (changed, []) == (again, changes)


async def test_secrets_are_kept_as_hashes_that_know_them(pool: Any) -> None:
    await created(pool)
    row = await pool.fetchrow("SELECT web_password_hash, lock_pin_hash FROM customer")
    assert await is_secret("correct horse", row["web_password_hash"])
    assert await is_secret("4711", row["lock_pin_hash"])
    assert not await is_secret("4712", row["lock_pin_hash"])
    assert not await is_secret("", None)


async def test_an_expiry_date_stays_the_same_on_the_clock_of_another_zone(pool: Any) -> None:
    account = await created(pool)
    change = {"timezone": "America/New_York"}
    moved, _ = await update_account(pool, account.id, change, EDITOR)
    assert account.expiry_date == moved.expiry_date
    assert datetime(2027, 7, 2, 3, 59, 59, tzinfo=UTC) == moved.expires_at


@pytest.mark.parametrize(
    ("date", "timezone"),
    [
        ("0001-01-01 00:00:00", "Asia/Tokyo"),
        ("9999-12-31 23:59:59", "America/New_York"),
        ("1999-12-31", "UTC"),
        ("3000-01-01", "UTC"),
    ],
)
async def test_an_expiry_date_that_no_clock_of_another_zone_can_show_is_refused(
    pool: Any, date: str, timezone: str
) -> None:
    texts = {"expiry": "at-date", "expiry_date": date, "timezone": timezone}
    account = await created(pool)
    expected = "expiry_date: must be in the years 2000 to 2999"
    with pytest.raises(InvalidFieldsError, match=expected):
        new_account_of_texts(texts)
    with pytest.raises(InvalidFieldsError, match=expected):
        await update_account(pool, account.id, texts_to_values(texts), EDITOR)
    with pytest.raises(InvalidFieldsError, match=expected):
        await groups.create_group(pool, "far", defaults=texts)


async def test_a_far_date_of_old_must_be_mended_where_the_zone_is_changed(pool: Any) -> None:
    account = await created(pool)
    far = datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC)
    zone = "UPDATE account SET timezone = 'UTC', expires_at = $1"
    await pool.execute(zone, far)
    change = {"timezone": "America/New_York"}
    with pytest.raises(InvalidFieldsError, match="expiry_date: must be in the years"):
        await update_account(pool, account.id, change, EDITOR)


async def test_what_no_longer_applies_goes_with_what_it_belonged_to(pool: Any) -> None:
    account = await created(pool)
    change = texts_to_values({"expiry": "never", "restriction": "none", "callerids": []})
    changed, _ = await update_account(pool, account.id, change, EDITOR)
    assert (None, (), None) == (
        changed.expiry_date,
        changed.restricted_numbers,
        changed.presented_callerid,
    )


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
    ("expiry_date", "2027-01-01", "goes with expiry at-date"),
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
