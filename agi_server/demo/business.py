"""The business of the demo, made by the services that the commands use: nothing is written past
them."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from importlib.resources import files
from typing import Any

from agi_server.accounts import customers
from agi_server.accounts.account import (
    AccountStatus,
    ExpiryMode,
    PaymentType,
    Restriction,
    new_account,
)
from agi_server.accounts.audit import Editor
from agi_server.accounts.changes import update_account
from agi_server.accounts.new_dids import NewDid, add_did
from agi_server.accounts.phones import PhoneOwner, Technology, create_phone
from agi_server.settings.table import PhonesSettings
from agi_server.tariffs import plans, rate_cards, trunks
from rating.money import MICROS_PER_UNIT
from rating.rate_sheet import parse_plain_sheet

CURRENCY = "USD"
CARD, PLAN = "retail", "standard"
TRUNKS = ("carrier-a", "carrier-b")
CREATED_BY = "demo"


@dataclass(frozen=True, slots=True, kw_only=True)
class Customer:
    """A customer of the demo. The numbers are known to everybody: for real ones, let the program
    draw them."""

    name: str
    account_number: str
    refill_micros: int = 10 * MICROS_PER_UNIT
    fields: Mapping[str, Any] = field(default_factory=dict)


ALICE = Customer(
    name="Alice",
    account_number="1000000001",
    fields={"simultaneous_access": 2},
)
BOB = Customer(
    name="Bob",
    account_number="1000000002",
    refill_micros=5 * MICROS_PER_UNIT,
    fields={"callerids": ("447700900123",)},
)
HOTEL = Customer(
    name="Hotel Bellevue",
    account_number="1000000003",
    refill_micros=0,
    fields={
        "payment_type": PaymentType.POSTPAID,
        "credit_limit_micros": 50 * MICROS_PER_UNIT,
        "simultaneous_access": 0,
    },
)
CAROL = Customer(name="Carol", account_number="1000000004", refill_micros=12_500_000)
DAN = Customer(name="Dan", account_number="1000000005", refill_micros=50_000)
ERIN = Customer(name="Erin", account_number="1000000006")
FRANK = Customer(
    name="Frank", account_number="1000000007", fields={"status": AccountStatus.SUSPENDED}
)
GRACE = Customer(
    name="Grace",
    account_number="1000000008",
    fields={"expiry_mode": ExpiryMode.AT_DATE, "expiry_date": datetime(2024, 12, 31)},
)
HEIDI = Customer(name="Heidi", account_number="1000000009")
IVAN = Customer(
    name="Ivan",
    account_number="1000000010",
    fields={"restriction": Restriction.BLACKLIST, "restricted_numbers": ("882*",)},
)
JUDY = Customer(name="Judy", account_number="1000000011")
CUSTOMERS = (ALICE, BOB, HOTEL, CAROL, DAN, ERIN, FRANK, GRACE, HEIDI, IVAN, JUDY)
JUDYS_DID = "442079461000"


async def open_business(pool: Any, at: datetime) -> dict[str, int]:
    """Trunks, a rate card, a plan and the customers; returns the account ids by customer name."""
    for trunk in TRUNKS:
        await trunks.create_trunk(pool, trunk, f"PJSIP/{{number}}@{trunk}")
    sheet = files(__package__).joinpath("rates.csv").read_bytes()
    await rate_cards.store_version(
        pool,
        CARD,
        parse_plain_sheet(sheet.decode().splitlines(keepends=True)).rates,
        rate_cards.Source(name="rates.csv", sha256=hashlib.sha256(sheet).hexdigest()),
        currency=CURRENCY,
        default_currency=CURRENCY,
        trunks=TRUNKS,
        activate=True,
        at=at,
    )
    await plans.create_plan(pool, PLAN, [CARD])
    ids = {}
    for customer in CUSTOMERS:
        account, _ = await customers.create_account(
            pool,
            new_account(
                account_number=customer.account_number,
                currency=CURRENCY,
                plan=PLAN,
                **customer.fields,
            ),
            number_length=10,
            max_callerids=5,
            refill_micros=customer.refill_micros,
            created_by=CREATED_BY,
            at=at,
        )
        ids[customer.name] = account.id
    editor = Editor(changed_by=CREATED_BY, at=at)
    await update_account(pool, ids[HEIDI.name], {"locked": True}, editor)
    await _give_number(pool, ids[JUDY.name], editor)
    return ids


async def _give_number(pool: Any, account_id: int, editor: Editor) -> None:
    """A phone, and a DID that rings there; its owner pays who is called on it."""
    owner = PhoneOwner(account_id=account_id, account_number=JUDY.account_number, language="en")
    new = NewDid(number=JUDYS_DID, account_id=account_id, plan=PLAN, destinations=("sip",))
    async with pool.acquire() as db, db.transaction():
        await create_phone(db, owner, Technology.SIP, PhonesSettings(), at=editor.at)
        await add_did(db, new, editor)
