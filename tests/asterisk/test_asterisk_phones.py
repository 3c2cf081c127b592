"""Phones that Asterisk reads from the database, without a reload."""

from collections.abc import AsyncIterator

import psycopg.conninfo
import pytest
from asterisk_server import (
    AsteriskServer,
    configure_with_samples,
    free_tcp_port,
    free_udp_port,
    running_asterisk,
)
from asterisk_tree import AsteriskTree
from exchange import Exchange
from postgres_port import postgres_port
from sip_phone import call, register
from sip_scenarios import Answers
from sipp import callee

from agi_server.accounts.phones import (
    Credentials,
    PhoneOwner,
    Technology,
    create_phone,
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


def iax_general() -> str:
    return f"[general]\nbindaddr=127.0.0.1\nbindport={free_udp_port()}\n"


def with_realtime(server: AsteriskServer, dsn: str, port: int) -> None:
    """The samples as they are; only the database is the test's own."""
    configure_with_samples(server)
    etc = server.folder / "etc"
    database = psycopg.conninfo.conninfo_to_dict(dsn)
    ours = {
        "pgsql,agi_server,": f"pgsql,{database['dbname']},",
        "dbport=5432": f"dbport={port}",
        "dbname=agi_server": f"dbname={database['dbname']}",
        "dbuser=asterisk": f"dbuser={database['user']}",
    }
    for name in ("extconfig", "sorcery", "res_pgsql"):
        (etc / f"{name}.conf").write_text(f'#include "agi-server/realtime/{name}.conf"\n')
        sample = etc / f"agi-server/realtime/{name}.conf"
        text = sample.read_text()
        for theirs, our in ours.items():
            text = text.replace(theirs, our)
        sample.write_text(text)
    with (etc / "modules.conf").open("a") as modules:
        modules.write('#include "agi-server/realtime/modules.conf"\n')
    (etc / "iax.conf").write_text(iax_general())


@pytest.fixture
async def pbx(
    asterisk_tree: AsteriskTree, business: Business, start_process: StartProcess
) -> AsyncIterator[Exchange]:
    """An exchange whose customers' phones are in the database."""
    dsn = business.postgres_dsn
    with (
        postgres_port(dsn) as port,
        running_asterisk(asterisk_tree, lambda server: with_realtime(server, dsn, port)) as server,
    ):
        exchange = Exchange(
            asterisk=server,
            business=business,
            start_process=start_process,
            fastagi_port=free_tcp_port(),
            differences_ms=[],
        )
        await exchange.open()
        yield exchange


async def phone_of(
    pbx: Exchange, account_id: int, number: str, technology: Technology = Technology.SIP
) -> Credentials:
    owner = PhoneOwner(account_id=account_id, account_number=number, language="en")
    async with pbx.business.pool.acquire() as db, db.transaction():
        return await create_phone(db, owner, technology, PhonesSettings(), at=pbx.business.now())


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
