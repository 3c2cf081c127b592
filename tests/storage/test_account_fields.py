"""Every field of the account is stored, read back, changed and audited."""

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
    *log, made = await list_changes(pool, account.id)
    assert ("account", None, "created") == (made.field, made.old, made.new)
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
