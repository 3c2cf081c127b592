"""Phones that Asterisk reads from the database, without a reload."""

from collections.abc import AsyncIterator

import pytest
from asterisk_server import (
    AsteriskServer,
    configure_with_samples,
    running_asterisk,
)
from asterisk_tree import AsteriskTree
from exchange import Exchange
from realtime import iax_general, phone_of, realtime_exchange
from sip_phone import call, register
from sip_scenarios import Answers
from sipp import callee

from agi_server.accounts.phones import (
    Technology,
    export_iax,
    export_pjsip,
    list_phones,
    remove_phones,
    renew_secret,
)
from agi_server.settings import PhonesSettings
from support.business import Business
from support.fixtures import StartProcess

NUMBER = "442079460001"


@pytest.fixture
async def pbx(
    asterisk_tree: AsteriskTree, business: Business, start_process: StartProcess
) -> AsyncIterator[Exchange]:
    """An exchange whose customers' phones are in the database."""
    async with realtime_exchange(asterisk_tree, business, start_process) as exchange:
        yield exchange


async def test_a_new_phone_registers_and_calls_at_once_and_not_after_its_removal(
    pbx: Exchange,
) -> None:
    customer = await pbx.customer()
    account = customer.account
    phone = await phone_of(pbx, account.id, account.account_number)
    name, secret = phone.user_name, phone.secret
    assert 200 == await register(pbx.asterisk, name, secret)
    (listed,) = await list_phones(pbx.business.pool, account.id)
    assert (name, True) == (listed.user_name, listed.registered)

    async with callee(pbx.asterisk, "gw", Answers()):
        assert await call(pbx.asterisk, name, secret, customer.number, talk_ms=1500)
    (record,) = await pbx.settled(customer)
    assert (account.id, "accountcode") == (record.account_id, record.identified_by)

    assert 401 == await register(pbx.asterisk, name, "wrong" + secret)
    async with pbx.business.pool.acquire() as db, db.transaction():
        renewed = await renew_secret(db, account.id, Technology.SIP, PhonesSettings())
    assert 401 == await register(pbx.asterisk, name, secret)
    assert 200 == await register(pbx.asterisk, name, renewed.secret)

    assert [name] == await remove_phones(pbx.business.pool, account.id)
    # Nobody of this name: to this exchange a carrier, which cannot register.
    assert 403 == await register(pbx.asterisk, name, renewed.secret)
    assert [] == await list_phones(pbx.business.pool, account.id)


async def test_asterisk_knows_an_iax_phone_from_the_database(pbx: Exchange) -> None:
    account = (await pbx.customer()).account
    phone = await phone_of(pbx, account.id, account.account_number, Technology.IAX)
    shown = pbx.asterisk.cli(f"iax2 show peer {phone.user_name} load")
    assert phone.user_name in shown
    assert "Dynamic      : Yes" in shown


async def test_exported_phones_are_what_asterisk_reads_from_files_too(
    asterisk_tree: AsteriskTree, pbx: Exchange
) -> None:
    account = (await pbx.customer()).account
    phone = await phone_of(pbx, account.id, account.account_number)
    iax = await phone_of(pbx, account.id, account.account_number, Technology.IAX)
    pjsip_conf = await export_pjsip(pbx.business.pool)
    iax_conf = await export_iax(pbx.business.pool)

    def with_files(server: AsteriskServer) -> None:
        configure_with_samples(server)
        with (server.folder / "etc/pjsip.conf").open("a") as file:
            file.write(pjsip_conf)
        (server.folder / "etc/iax.conf").write_text(iax_general() + iax_conf)
        with (server.folder / "etc/modules.conf").open("a") as file:
            file.write("load=chan_iax2.so\n")

    with running_asterisk(asterisk_tree, with_files) as other:
        assert 200 == await register(other, phone.user_name, phone.secret)
        assert iax.user_name in other.cli(f"iax2 show peer {iax.user_name}")
