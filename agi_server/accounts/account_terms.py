"""The last sections of the account's fields: invoices, notes with the terms of calls, lock and
limits. As `account_sections`, which has the first."""

from dataclasses import dataclass

from agi_server.accounts import field_rules as rules
from agi_server.accounts.account_sections import AMOUNT, StatusSection
from agi_server.accounts.codes import Restriction
from agi_server.accounts.fields import Kind, Settable, described
from agi_server.accounts.restriction_rules import check_rule


@dataclass(frozen=True, slots=True, kw_only=True)
class InvoiceSection(StatusSection):
    """When and how it is invoiced."""

    invoice_day: int | None = described(
        None,
        "Invoice day",
        "1 to 28, in the account's time zone; empty: no invoice.",
        Kind.NUMBER,
        check=rules.between(1, 28),
    )
    vat_basis_points: int = described(
        0,
        "VAT",
        "Percent added on invoices, e.g. 21 or 5.5.",
        Kind.PERCENT,
        name="vat",
        check=rules.percent_below(100),
        needed=True,
    )
    vat_number: str | None = described(
        None,
        "VAT registration number",
        "Printed on the invoice; of the country's form where it has one.",
        Kind.TEXT,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class NotesSection(InvoiceSection):
    """Discount, traffic, and whom it may call and be called from."""

    discount_basis_points: int = described(
        0,
        "Discount",
        "Percent off the price of calls, e.g. 7.5.",
        Kind.PERCENT,
        name="discount",
        check=rules.percent_below(100),
        needed=True,
    )
    traffic_minutes_per_month: int | None = described(
        None,
        "Traffic per month",
        "Minutes expected a month, beside those measured.",
        Kind.NUMBER,
        name="traffic_per_month",
        check=rules.between(0),
        unit="minutes",
    )
    target_traffic: str | None = described(
        None, "Target traffic", "Where it should go, in words.", Kind.TEXT
    )
    restriction: Restriction = described(
        Restriction.NONE,
        "Restriction",
        "What the restricted numbers are: not to be called, or the only ones to be called.",
        Kind.CHOICE,
        choices=Restriction,
        needed=True,
    )
    restricted_numbers: tuple[str, ...] = described(
        (),
        "Restricted numbers",
        "Numbers, prefixes (4420*) or patterns (_44[12]XXXX.).",
        Kind.LIST,
        item="restricted number",
        check=rules.each(check_rule),
    )
    callerids: tuple[str, ...] = described(
        (),
        "CallerIDs",
        "Numbers from which a call needs no account number.",
        Kind.LIST,
        item="CallerID",
        check=rules.each(rules.callerid),
    )
    note: str | None = described(
        None,
        "Note",
        "First entry of the customer's history.",
        Kind.TEXT,
        settable=Settable.ON_CREATION,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class LimitsSection(NotesSection):
    """What bounds its calls beyond its funds."""

    locked: bool = described(
        False,
        "Own lock",
        "The customer has locked outgoing calls.",
        Kind.FLAG,
        needed=True,
    )
    lock_pin: str | None = described(
        None,
        "Lock PIN",
        "4 to 10 digits that lift the own lock. Only its hash is kept.",
        Kind.SECRET,
        check=rules.lock_pin,
    )
    presented_callerid: str | None = described(
        None,
        "Presented CallerID",
        "One of the account's own numbers, or withheld; empty: the phone's.",
        Kind.TEXT,
        check=rules.presented_callerid,
    )
    calls_per_second: int = described(
        0,
        "Calls per second",
        "New calls it may start in a second; 0 is without limit.",
        Kind.NUMBER,
        check=rules.between(0),
        unit="calls",
        needed=True,
    )
    max_price_micros_per_minute: int | None = described(
        None,
        "Maximum price per minute",
        "Dearer calls are refused; empty: none is.",
        Kind.MONEY,
        name="max_price_per_minute",
        check=AMOUNT,
    )
    max_cost_micros_per_call: int | None = described(
        None,
        "Maximum cost per call",
        "A call ends before it costs more; empty: no such limit.",
        Kind.MONEY,
        name="max_cost_per_call",
        check=AMOUNT,
    )
    max_cost_micros_per_hour: int | None = described(
        None,
        "Maximum cost per hour",
        "Of all calls that end within an hour; empty: no such limit.",
        Kind.MONEY,
        name="max_cost_per_hour",
        check=AMOUNT,
    )
    max_cost_micros_per_day: int | None = described(
        None,
        "Maximum cost per day",
        "Of all calls that end within 24 hours; empty: no such limit.",
        Kind.MONEY,
        name="max_cost_per_day",
        check=AMOUNT,
    )
