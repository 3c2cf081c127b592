"""The provisioning file of a phone, for whoever has its device token."""

from xml.etree import ElementTree

import asyncpg
import pytest

from agi_server.accounts.bulk import CreatedCustomer, CustomerFile, create_accounts
from agi_server.accounts.csv_lines import CsvLine
from agi_server.accounts.customers import CreationRules, list_accounts
from agi_server.accounts.phones import (
    Credentials,
    PhoneOwner,
    Technology,
    create_phone,
    list_phones,
    provisioning_file,
    remove_phones,
)
from agi_server.settings import PhonesSettings
from support.business import Business

MAC = "00-08-74-4C-7F-1D"
SETTINGS = PhonesSettings(server="sip.example.net", server_port=5070)


async def phone(business: Business) -> Credentials:
    account = await business.customer(mac_address=MAC)
    owner = PhoneOwner(
        account_id=account.id, account_number=account.account_number, language="fr-CA"
    )
    async with business.pool.acquire() as db, db.transaction():
        return await create_phone(db, owner, Technology.SIP, SETTINGS, at=business.now())


async def test_a_phone_gets_its_own_settings_with_its_device_token(business: Business) -> None:
    made = await phone(business)
    assert made.device_token is not None
    text = await provisioning_file(business.pool, MAC, made.device_token, SETTINGS)
    assert text is not None
    account = ElementTree.fromstring(text).find("account")
    assert account is not None
    assert {
        "server": "sip.example.net",
        "port": "5070",
        "transport": "udp",
        "user": made.user_name,
        "password": made.secret,
        "codecs": "alaw,ulaw",
    } == {each.tag: each.text for each in account}
    assert made.secret not in repr(made)


async def test_without_the_token_or_the_phone_there_is_nothing(business: Business) -> None:
    made = await phone(business)
    assert made.device_token is not None
    assert None is await provisioning_file(business.pool, MAC, "x" * 24, SETTINGS)
    other = "00-08-74-4C-7F-1E"
    assert None is await provisioning_file(business.pool, other, made.device_token, SETTINGS)
    await remove_phones(business.pool, 1)
    assert None is await provisioning_file(business.pool, MAC, made.device_token, SETTINGS)


async def test_no_secret_lies_in_the_database(business: Business) -> None:
    made = await phone(business)
    for table in ("phone", "asterisk.ps_auths", "asterisk.ps_endpoints", "asterisk.ps_aors"):
        rows = await business.pool.fetch(f"SELECT t::text AS text FROM {table} t")  # noqa: S608
        for row in rows:
            assert made.secret not in row["text"]
            assert str(made.device_token) not in row["text"]


async def test_many_customers_get_their_phones_with_them_or_nobody_is_created(
    business: Business,
) -> None:
    async def create() -> list[CreatedCustomer]:
        return await create_accounts(
            business.pool,
            CustomerFile(
                lines=[CsvLine(line=line, texts={"create_sip": "yes"}) for line in (2, 3)],
                problems=[],
            ),
            CreationRules(number_length=10, max_callerids=5),
            phones=SETTINGS,
            texts={},
            currency="USD",
            generate_passwords=False,
            created_by="test",
            at=business.now(),
        )

    created = await create()
    told = {phone.user_name for customer in created for phone in customer.phones}
    assert told == {phone.user_name for phone in await list_phones(business.pool)}
    assert 2 == len(told)
    refuses_phones = "ALTER TABLE asterisk.ps_aors ADD CHECK (max_contacts IS NULL) NOT VALID"
    await business.as_owner(refuses_phones)
    with pytest.raises(asyncpg.CheckViolationError):
        await create()
    assert [each.account for each in created] == await list_accounts(business.pool)
