"""An exchange whose customers' phones are in the database."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import psycopg.conninfo
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

from agi_server.accounts.phones import Credentials, PhoneOwner, Technology, create_phone
from agi_server.settings import PhonesSettings
from support.business import Business
from support.fixtures import StartProcess


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


@asynccontextmanager
async def realtime_exchange(
    tree: AsteriskTree,
    business: Business,
    start_process: StartProcess,
    *,
    extensions: str = "",
    **settings: str,
) -> AsyncIterator[Exchange]:
    """`extensions` are added to the dialplan, `settings` are the daemon's environment."""
    dsn = business.postgres_dsn

    def configure(server: AsteriskServer) -> None:
        with_realtime(server, dsn, port)
        with (server.folder / "etc/extensions.conf").open("a") as dialplan:
            dialplan.write(extensions)

    with postgres_port(dsn) as port, running_asterisk(tree, configure) as server:
        exchange = Exchange(
            asterisk=server,
            business=business,
            start_process=start_process,
            fastagi_port=free_tcp_port(),
            differences_ms=[],
            settings=settings,
        )
        await exchange.open()
        yield exchange


async def phone_of(
    pbx: Exchange, account_id: int, number: str, technology: Technology = Technology.SIP
) -> Credentials:
    owner = PhoneOwner(account_id=account_id, account_number=number, language="en")
    async with pbx.business.pool.acquire() as db, db.transaction():
        return await create_phone(db, owner, technology, PhonesSettings(), at=pbx.business.now())
