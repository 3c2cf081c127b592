"""Calls whose hangup handler never comes: AMI and Asterisk's own records tell how they ended."""

import asyncio
import json
import os
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from urllib.parse import parse_qs, urlsplit

from ami_relay import ami_relay
from asterisk_server import free_tcp_port, mortal_asterisk
from asterisk_tree import AsteriskTree
from exchange import DECISION, TALK_TOLERANCE_MS, Customer, Exchange, ami_of, soon
from sip_scenarios import Answers, HangUp, WaitForGoOn
from sipp import Caller, SippProcess, callee, calling

from agi_server.calls.records import CallRecord, list_calls
from support.business import Business
from support.channel import Channel
from support.fixtures import StartProcess


@asynccontextmanager
async def talking(
    exchange: Exchange, line: int = 1
) -> AsyncIterator[tuple[Customer, Caller, SippProcess]]:
    """A call of decision mode that is being talked on, and that supervision has seen answered."""
    customer = await exchange.customer(line, DECISION, simultaneous_access=1)
    async with (
        callee(exchange.asterisk, "gw", Answers()) as gw,
        calling(
            exchange.asterisk, customer.number, WaitForGoOn(), HangUp(), user=customer.user
        ) as caller,
    ):
        await gw.answered()
        await exchange.logged("call.answered", account_id=customer.account.id)
        yield customer, caller, gw


async def ended(exchange: Exchange, customer: Customer, event: str) -> CallRecord:
    """The record of the customer's only call, once it was ended so; debited once, nothing held."""
    await exchange.logged(event, account_id=customer.account.id)
    (record,) = await list_calls(
        exchange.business.pool, account_id=customer.account.id, state="settled"
    )
    charges = await exchange.business.charges(customer.account)
    assert [("customer", record.cost_micros)] == charges
    await exchange.assert_nothing_reserved(customer)
    return record


async def agi_server(exchange: Exchange, *command: str) -> tuple[int, str]:
    """What the command line says to this, with the settings of the exchange."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "agi_server", *command),
        env={
            **os.environ,
            "AGI_SERVER_POSTGRES__DSN": exchange.business.postgres_dsn,
            "AGI_SERVER_REDIS__URL": exchange.business.redis_url,
            "AGI_SERVER_AMI": json.dumps([ami_of(exchange.asterisk)]),
        },
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    output, _ = await process.communicate()
    assert process.returncode is not None
    return process.returncode, output.decode()


@asynccontextmanager
async def records_kept(exchange: Exchange) -> AsyncIterator[None]:
    """Asterisk writes its call records (CDR) into the table of the business."""
    asterisk = exchange.asterisk
    folder = parse_qs(urlsplit(exchange.business.postgres_dsn).query)["host"][0]
    async with ami_relay(f"{folder}/.s.PGSQL.5432") as relay:
        (asterisk.folder / "etc/cdr_pgsql.conf").write_text(
            f"[global]\nhostname=127.0.0.1\nport={relay.port}\ndbname=test\nuser=agi_server\n"
            "password=none\ntable=asterisk_cdr\nencoding=utf8\n"
        )
        # Beside this loop, which has to relay what the module asks.
        assert "Loaded" in await asyncio.to_thread(asterisk.cli, "module load cdr_pgsql.so")
        try:
            yield
        finally:
            await asyncio.to_thread(asterisk.cli, "module unload cdr_pgsql.so")


async def test_killed_during_the_talk_and_the_hangup_handler_fails(
    exchange: Exchange, undertaker: int
) -> None:
    async with talking(exchange) as (customer, caller, gw):
        await exchange.kill_daemon()
        await exchange.start_daemon()
        await exchange.logged("asterisk.connected", 2)
        exchange.asterisk.point_to(undertaker)
        await caller.go_on()
        record = await ended(exchange, customer, "call.recovered")
        seen = await gw.ended()
    assert ("ANSWER", "ami", None) == (record.dialstatus, record.witness, record.review)
    # By the name of the channel that answered.
    assert 1 == (await exchange.business.session(record.call_id))["route"]
    assert record.seen_answered_at is not None
    exchange.assert_talk(record, seen)


async def test_ended_while_the_daemon_was_dead_and_asterisk_kept_a_record(
    exchange: Exchange, undertaker: int
) -> None:
    async with (
        records_kept(exchange),
        talking(exchange) as (customer, caller, gw),
    ):
        await exchange.kill_daemon()
        exchange.asterisk.point_to(undertaker)
        await caller.go_on()
        seen = await gw.ended()
        await soon(lambda: exchange.business.pool.fetchval("SELECT true FROM asterisk_cdr"))
        await exchange.start_daemon()
        record = await ended(exchange, customer, "call.recovered")
    assert ("cdr", None) == (record.witness, record.review)
    assert 1 == (await exchange.business.session(record.call_id))["route"]
    exchange.assert_talk(record, seen)


async def test_ended_while_the_daemon_was_dead_and_nobody_saw_it(
    exchange: Exchange, undertaker: int
) -> None:
    async with talking(exchange) as (customer, caller, gw):
        await exchange.kill_daemon()
        exchange.asterisk.point_to(undertaker)
        await caller.go_on()
        seen = await gw.ended()
        exchange.asterisk.wait_until_idle()
        await exchange.start_daemon()
        record = await ended(exchange, customer, "call.orphan_settled")
    assert "last_seen" == record.witness
    assert "last sign of life" in (record.review or "")
    assert record.talk_ms is not None
    assert seen.talk_ms is not None
    assert record.talk_ms <= seen.talk_ms + TALK_TOLERANCE_MS
    flagged = await list_calls(exchange.business.pool, review=True)
    assert [record.call_id] == [each.call_id for each in flagged]


async def test_a_handler_that_tells_another_end_than_ami_saw_is_believed_and_flagged(
    exchange: Exchange,
) -> None:
    exchange.expected_faults.add("call.witnesses_differ")
    async with talking(exchange) as (customer, _, _):
        (live,) = await list_calls(exchange.business.pool, state="open")
        liar = Channel(exchange.fastagi_port, exchange.business.now, uniqueid=live.uniqueid)
        await liar.settle(status="NOANSWER", call=live.call_id)
        (record,) = await exchange.settled(customer)
        assert ("handler", 0) == (record.witness, record.talk_ms)
        assert "ami saw a talk of" in (record.review or "")
        await exchange.logged("call.witnesses_differ", call_id=live.call_id)


async def test_a_call_still_up_past_its_time_is_hung_up_and_settled_by_its_end(
    exchange: Exchange,
) -> None:
    async with talking(exchange) as (customer, _, gw):
        await exchange.business.pool.execute(
            "UPDATE call_session SET expires_at = authorized_at WHERE account_id = $1",
            customer.account.id,
        )
        seen = await gw.ended()
        (record,) = await exchange.settled(customer)
    assert ("ANSWER", "handler") == (record.dialstatus, record.witness)
    exchange.assert_talk(record, seen)


async def test_an_operator_hangs_up_a_call_and_resets_only_what_is_over(
    exchange: Exchange, undertaker: int
) -> None:
    async with talking(exchange) as (customer, _, gw):
        number = customer.account.account_number
        (live,) = await list_calls(exchange.business.pool, state="open")
        assert "answered" in (await agi_server(exchange, "calls", "live"))[1]
        assert (0, "1 calls in progress, 0 of them over\n") == await agi_server(
            exchange, "customer", "reset-in-use", number, "--yes"
        )
        await exchange.kill_daemon()
        exchange.asterisk.point_to(undertaker)
        code, said = await agi_server(exchange, "calls", "hangup", live.call_id)
        assert (0, True) == (code, said.startswith("hung up PJSIP/1001-"))
        await gw.ended()
        exchange.asterisk.wait_until_idle()
        code, said = await agi_server(exchange, "calls", "hangup", live.call_id)
        assert (1, True) == (code, "no longer has this call" in said)
        code, said = await agi_server(exchange, "customer", "reset-in-use", number, "--yes")
        assert (0, True) == (code, "1 of them over\n" in said and "ended 1" in said)
    await exchange.start_daemon()
    assert 1 == len(await exchange.business.charges(customer.account))
    await exchange.assert_nothing_reserved(customer)


async def test_calls_of_an_asterisk_that_died_are_settled_from_their_last_sign_of_life(
    asterisk_tree: AsteriskTree, business: Business, start_process: StartProcess
) -> None:
    with mortal_asterisk(asterisk_tree) as asterisk:
        exchange = Exchange(
            asterisk=asterisk.server,
            business=business,
            start_process=start_process,
            fastagi_port=free_tcp_port(),
            differences_ms=[],
        )
        await exchange.open()
        async with talking(exchange) as (customer, _, gw):
            answered_at = (await gw.answered()).answered_at
            killed_at = time.time()
            asterisk.kill()
            await exchange.logged("backend.down", backend="asterisk")
            noticed_at = time.time()
            (live,) = await list_calls(business.pool, state="open")
            asterisk.start()
            await exchange.logged("asterisk.connected", 2)
            record = await ended(exchange, customer, "call.orphan_settled")
        assert live.call_id == record.call_id
        assert "last_seen" == record.witness
        # It was up until the kernel closed its connections.
        least_ms, most_ms = (round((at - answered_at) * 1000) for at in (killed_at, noticed_at))
        assert record.talk_ms is not None
        assert least_ms - TALK_TOLERANCE_MS <= record.talk_ms <= most_ms + TALK_TOLERANCE_MS
        assert 0 == await exchange.daemon.terminate()
