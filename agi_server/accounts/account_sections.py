"""The account's fields, section by section, in the order of the customer's page
(shared/accounts.md): types, defaults, words and rules. Each class adds a section to the one before;
those on what an account is charged and limited to are in `account_terms`.

Money is in micros of the account's currency. What is checked across fields is in `agreements`.
"""

from dataclasses import dataclass
from datetime import datetime

from agi_server.accounts import field_rules as rules
from agi_server.accounts.codes import AccountStatus, ExpiryMode, PaymentType
from agi_server.accounts.fields import Kind, Settable, described
from agi_server.accounts.number import check_account_number
from rating.money import MAX_MONEY_MICROS

AMOUNT = rules.between(0, MAX_MONEY_MICROS)
"""The rule of a field of money."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountSection:
    """Who the account is."""

    account_number: str | None = described(
        None,
        "Account number",
        "6 to 15 digits, a secret: who types it calls on its credit. Empty: generated.",
        Kind.TEXT,
        settable=Settable.ON_CREATION,
        check=check_account_number,
    )
    web_login: str | None = described(
        None,
        "Web login",
        "User name on the self-care page. Empty: generated.",
        Kind.TEXT,
        check=rules.web_login,
        needed=True,
    )
    web_password: str | None = described(
        None,
        "Web password",
        "8 characters or more, for the self-care page. Only its hash is kept.",
        Kind.SECRET,
        check=rules.web_password,
    )
    balance_micros: int = described(
        0,
        "Balance",
        "Changed by ledger entries only: refill, payment, call, fee, correction.",
        Kind.MONEY,
        name="balance",
        settable=Settable.NEVER,
    )
    group: str | None = described(
        None,
        "Customer group",
        "What its customers may do, and defaults for new ones.",
        Kind.REFERENCE,
        reference="group",
    )
    series: str | None = described(
        None,
        "Series",
        "The serial is the next one of this series.",
        Kind.REFERENCE,
        reference="series",
        settable=Settable.ON_CREATION,
    )
    serial: str | None = described(
        None,
        "Serial",
        "Number within the series, as printed on cards.",
        Kind.TEXT,
        settable=Settable.NEVER,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class PersonSection(AccountSection):
    """Whose account it is: on invoices and mails, searchable, emptied when a person is erased."""

    last_name: str | None = described(None, "Last name", "Family name.", Kind.TEXT)
    first_name: str | None = described(None, "First name", "Given name.", Kind.TEXT)
    email: str | None = described(
        None, "Email", "Mail address, e.g. ann@example.com.", Kind.TEXT, check=rules.email
    )
    address: str | None = described(None, "Address", "Street and number.", Kind.TEXT)
    city: str | None = described(None, "City", "Town or city.", Kind.TEXT)
    state: str | None = described(None, "State", "State or province.", Kind.TEXT)
    country: str | None = described(
        None,
        "Country",
        "ISO 3166, e.g. GB: how its numbers are dialled, and the form of its VAT number.",
        Kind.TEXT,
        check=rules.country,
    )
    postal_code: str | None = described(None, "Postal code", "Zip or postal code.", Kind.TEXT)
    phone: str | None = described(
        None, "Phone number", "As dialled in the country, or +33 1 23 45 67 89.", Kind.TEXT
    )
    fax: str | None = described(None, "Fax number", "As the phone number.", Kind.TEXT)
    company_name: str | None = described(None, "Company name", "On invoices.", Kind.TEXT)
    company_website: str | None = described(
        None, "Company website", "E.g. www.example.com.", Kind.TEXT, check=rules.website
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class StatusSection(PersonSection):
    """How it is served."""

    payment_type: PaymentType = described(
        PaymentType.PREPAID,
        "Payment type",
        "Prepaid: funds are the balance. Postpaid: the credit limit adds to it.",
        Kind.CHOICE,
        choices=PaymentType,
        needed=True,
    )
    plan: str | None = described(
        None,
        "Call plan",
        "Which rate cards price the calls; without one no call is priced.",
        Kind.REFERENCE,
        reference="plan",
    )
    did_group: str | None = described(
        None,
        "DID group",
        "Which DIDs the customer may request.",
        Kind.REFERENCE,
        reference="did-group",
    )
    timezone: str = described(
        "UTC",
        "Time zone",
        "IANA name, e.g. Europe/Paris: of times shown, expiry date and invoice day.",
        Kind.TEXT,
        check=rules.timezone,
        needed=True,
    )
    language: str = described(
        "en",
        "Language",
        "Of prompts, mails and pages, e.g. en, fr, es, pt-BR.",
        Kind.TEXT,
        check=rules.language,
        needed=True,
    )
    currency: str = described(
        "USD",
        "Currency",
        "ISO 4217, e.g. EUR. Empty: the setting's. Fixed at creation: the ledger is in it.",
        Kind.TEXT,
        check=rules.currency,
        settable=Settable.ON_CREATION,
        needed=True,
    )
    status: AccountStatus = described(
        AccountStatus.ACTIVE,
        "Status",
        "Only an active account may call.",
        Kind.CHOICE,
        choices=AccountStatus,
        needed=True,
    )
    signup_confirmed: bool = described(
        False,
        "Signup confirmed",
        "The customer has followed the link in the confirmation mail.",
        Kind.FLAG,
        settable=Settable.NEVER,
    )
    simultaneous_access: int = described(
        1,
        "Simultaneous access",
        "Calls at a time; 0 is without limit.",
        Kind.NUMBER,
        check=rules.between(0),
        unit="calls",
        needed=True,
    )
    run_service: bool = described(
        False, "Run service", "Recurring services charge this account.", Kind.FLAG, needed=True
    )
    run_autorefill: bool = described(
        False,
        "Run autorefill",
        "The autorefill job may act, whatever run service says.",
        Kind.FLAG,
        needed=True,
    )
    initial_balance_micros: int = described(
        0,
        "Initial balance",
        "Autorefill raises a lower balance to this once a period; 0: never.",
        Kind.MONEY,
        name="initial_balance",
        check=AMOUNT,
        needed=True,
    )
    credit_limit_micros: int = described(
        0,
        "Credit limit",
        "Postpaid: how far below zero calls may take the balance.",
        Kind.MONEY,
        name="credit_limit",
        check=AMOUNT,
        needed=True,
    )
    credit_limit_notification_micros: int | None = described(
        None,
        "Credit limit notification",
        "One mail when the available funds fall below this; empty: none.",
        Kind.MONEY,
        name="credit_limit_notification",
        check=AMOUNT,
    )
    mail_permitted: bool = described(
        True,
        "Notifications by mail",
        "Off: no mail but that of security.",
        Kind.FLAG,
        needed=True,
    )
    notification_email: str | None = described(
        None,
        "Email notification",
        "Where notifications go; empty: to the email.",
        Kind.TEXT,
        check=rules.email,
    )
    campaign: str | None = described(
        None,
        "Campaign",
        "Groups customers for reports and bulk actions.",
        Kind.REFERENCE,
        reference="campaign",
    )
    first_use_at: datetime | None = described(
        None,
        "First use",
        "The first answered call; expiry days may count from it.",
        Kind.MOMENT,
        settable=Settable.NEVER,
    )
    expiry_mode: ExpiryMode = described(
        ExpiryMode.NEVER,
        "Expiry",
        "Never, at the expiry date, or so many days after the first use or the creation.",
        Kind.CHOICE,
        name="expiry",
        choices=ExpiryMode,
        needed=True,
    )
    expiry_date: datetime | None = described(
        None,
        "Expiry date",
        "The last valid second, in the account's time zone, if it expires at a date.",
        Kind.DATE,
    )
    expiry_days: int | None = described(
        None,
        "Expiry days",
        "How long it is valid after its first use or its creation.",
        Kind.NUMBER,
        check=rules.between(1, 36_500),
        unit="days",
    )
    create_sip: bool = described(
        False,
        "Create SIP config",
        "Endpoint, auth and aor for a phone of this account; gone with it.",
        Kind.FLAG,
        needed=True,
    )
    create_iax: bool = described(
        False, "Create IAX config", "The same for IAX.", Kind.FLAG, needed=True
    )
    mac_address: str | None = described(
        None,
        "MAC address",
        "Of the phone, e.g. 00-08-74-4C-7F-1D: names its provisioning file.",
        Kind.TEXT,
        check=rules.mac_address,
    )
    in_use: int = described(
        0,
        "In use",
        "Calls in progress now.",
        Kind.NUMBER,
        settable=Settable.NEVER,
        unit="calls",
    )
