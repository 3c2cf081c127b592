"""The connection to a real Asterisk's AMI: its live channels, orders to them, and their ends."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime

import pytest
from ami_relay import ami_relay
from asterisk_server import AsteriskServer
from exchange import TALK_TOLERANCE_MS, Exchange
from pydantic import SecretStr
from sip_scenarios import Answers, HangUp, WaitForGoOn
from sipp import callee, calling

from agi_server.asterisk.ami import AmiError, AmiRefusedError
from agi_server.asterisk.link import AsteriskLinks
from agi_server.asterisk.live_calls import Change
from agi_server.settings import AmiSettings
from support.ami_watch import AmiWatch, ami_watch


def ami_of(port: int) -> AmiSettings:
    return AmiSettings(host="127.0.0.1", port=port, user="agi-server", secret=SecretStr("loopback"))


@asynccontextmanager
async def watching(port: int) -> AsyncIterator[AmiWatch]:
    """A connection to the Asterisk at this port, made."""
    async with ami_watch(ami_of(port)) as watch:
        await watch.until(lambda: watch.catch_ups == 1)
        yield watch


async def test_a_call_is_seen_from_its_first_ring_to_its_end(exchange: Exchange) -> None:
    customer = await exchange.customer()
    async with (
        watching(exchange.asterisk.ami_port) as watch,
        callee(exchange.asterisk, "gw", Answers()) as gw,
        calling(
            exchange.asterisk, customer.number, WaitForGoOn(), HangUp(), user=customer.user
        ) as caller,
    ):
        answered = await watch.told_of(Change.ANSWERED, "PJSIP/1001-")
        assert answered.talking
        assert (True, customer.account.account_number) == (
            answered.uniqueid.startswith("test-"),
            answered.accountcode,
        )
        await watch.link.refresh()
        assert answered is watch.link.channels[answered.uniqueid]
        await caller.go_on()
        ended = await watch.told_of(Change.ENDED, "PJSIP/1001-")
        (record,) = await exchange.settled(customer)
        seen = await gw.ended()
    assert record.uniqueid == ended.uniqueid
    assert not ended.talking
    assert seen.talk_ms is not None
    assert ended.answered_at is not None
    end = ended.parted_at or ended.ended_at
    assert end is not None
    talk_ms = (end - ended.answered_at).total_seconds() * 1000
    assert abs(talk_ms - seen.talk_ms) <= TALK_TOLERANCE_MS
    assert {} == watch.link.channels


async def test_a_call_is_hung_up_and_its_absolute_timeout_moved(exchange: Exchange) -> None:
    first, second = await exchange.customer(1), await exchange.customer(2)
    async with (
        watching(exchange.asterisk.ami_port) as watch,
        callee(exchange.asterisk, "gw", Answers()) as gw,
        calling(exchange.asterisk, first.number, WaitForGoOn(), user=first.user),
        calling(exchange.asterisk, second.number, WaitForGoOn(), user=second.user),
    ):
        one, two = [
            await watch.told_of(Change.ANSWERED, f"PJSIP/{each.user}-") for each in (first, second)
        ]
        await watch.link.set_variable(one.channel, "AUTH_ROUTE", 'a,"b')
        assert 'a,"b' == await watch.link.get_variable(one.channel, "AUTH_ROUTE")
        await watch.link.set_variable(one.channel, "AUTH_ROUTE", "1")
        await watch.link.hangup(one.channel)
        await watch.link.absolute_timeout(two.channel, 1)
        await gw.ended(number=first.number)
        await gw.ended(number=second.number)
        await exchange.settled(first)
        await exchange.settled(second)
        with pytest.raises(AmiRefusedError, match="No such channel"):
            await watch.link.hangup(one.channel)


async def test_what_ended_while_the_connection_was_cut_is_told_afterwards(
    exchange: Exchange,
) -> None:
    first, second = await exchange.customer(1), await exchange.customer(2)
    async with (
        ami_relay(exchange.asterisk.ami_port) as relay,
        watching(relay.port) as watch,
        callee(exchange.asterisk, "gw", Answers()) as gw,
        calling(
            exchange.asterisk, first.number, WaitForGoOn(), HangUp(), user=first.user
        ) as caller,
    ):
        before = await watch.told_of(Change.ANSWERED, "PJSIP/1001-")
        relay.cut()
        await watch.disconnected()
        with pytest.raises(AmiError, match="not connected"):
            await watch.link.hangup(before.channel)
        await caller.go_on()
        await exchange.settled(first)
        async with calling(
            exchange.asterisk, second.number, WaitForGoOn(), HangUp(), user=second.user
        ) as other:
            await gw.answered(2)
            await relay.connect()
            ended = await watch.told_of(Change.ENDED, "PJSIP/1001-")
            # The one that began meanwhile is known, with the instant of its answer.
            found = await watch.told_of(Change.ANSWERED, f"PJSIP/{second.user}-")
            assert found.talking
            await other.go_on()
            (record,) = await exchange.settled(second)
    assert (before.uniqueid, None) == (ended.uniqueid, ended.ended_at)
    assert found.answered_at == record.answered_at


async def test_a_frozen_connection_is_noticed_and_replaced(asterisk: AsteriskServer) -> None:
    async with ami_relay(asterisk.ami_port) as relay, watching(relay.port) as watch:
        relay.freeze()
        await watch.disconnected()
        relay.cut()
        await relay.connect()
        await watch.until(lambda: watch.catch_ups == 2)
        assert watch.link.connected


async def test_a_channel_is_looked_for_at_the_server_its_uniqueid_names(
    asterisk: AsteriskServer,
) -> None:
    links = AsteriskLinks([ami_of(asterisk.ami_port), ami_of(1)], now=lambda: datetime.now(UTC))
    async with links.reached():
        here, nobody = links.all
        assert (True, False) == (here.connected, nobody.connected)
        assert here is links.of("test-1795374336.1", "10.0.0.1")
        assert None is links.of("pbx2-1795374336.1", "127.0.0.1")
        assert nobody is links.of("1795374336.1", "127.0.0.1")
