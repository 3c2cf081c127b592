"""The dialplan of the samples fails closed, whatever daemon, carrier or caller do."""

import pytest
from asterisk_server import ACCESS_NUMBER, SAMPLES, AsteriskServer, free_tcp_port
from fastagi_peer import fastagi_peer
from sip_scenarios import Answers, HangUp, Redirects, Refuses, WaitForGoOn
from sipp import call, callee, calling

GRANTED = {
    "AUTH_DECISION": "allow",
    "AUTH_CALL": "call-1",
    "AUTH_DIAL": "PJSIP/5551234@gw",
    "AUTH_DIAL_OPTIONS": "L(60000:20000:10000)",
    "AUTH_LIMIT_MS": "60000",
    "AUTH_RING_TIMEOUT": "10",
    "AUTH_ROUTES": "1",
}


def test_samples_load_without_a_complaint(asterisk: AsteriskServer) -> None:
    booting, _, _ = asterisk.log.partition("Asterisk Ready")
    complaints = [line for line in booting.splitlines() if " ERROR[" in line or "declined" in line]
    assert [] == complaints


def test_samples_ship_no_secret_that_everybody_knows() -> None:
    lines = [line for each in SAMPLES.rglob("*.conf") for line in each.read_text().splitlines()]
    assert [] == [line for line in lines if line.startswith(("secret", "password", "dbpass"))]


@pytest.mark.parametrize("user", ["1001", "c1001"])
async def test_nothing_is_dialled_when_no_daemon_listens(
    asterisk: AsteriskServer, user: str
) -> None:
    async with callee(asterisk, "gw", Answers()) as gw:
        seen = await call(asterisk, "5551234", user=user)
        assert 403 == seen.status
        assert 183 in seen.provisional, "the caller hears why"
        assert 0 == await gw.calls_seen()


@pytest.mark.parametrize("user", ["1001", "c1001"])
async def test_nothing_is_dialled_when_the_daemon_hangs_up_without_a_word(
    asterisk: AsteriskServer, user: str
) -> None:
    async with fastagi_peer() as daemon, callee(asterisk, "gw", Answers()) as gw:
        asterisk.point_to(daemon.port)
        seen = await call(asterisk, "5551234", user=user)
        assert 403 == seen.status
        assert 1 == len(daemon.requests)
        assert 0 == await gw.calls_seen()


@pytest.mark.parametrize("flaw", [{"AUTH_DIAL_OPTIONS": ""}, {"AUTH_DECISION": "deny"}])
async def test_nothing_is_dialled_without_an_allow_and_dial_options(
    asterisk: AsteriskServer, flaw: dict[str, str]
) -> None:
    grant = GRANTED | flaw
    async with fastagi_peer(0, grant) as daemon, callee(asterisk, "gw", Answers()) as gw:
        asterisk.point_to(daemon.port)
        assert 403 == (await call(asterisk, "5551234")).status
        assert 0 == await gw.calls_seen()


@pytest.mark.parametrize("user", ["1001", "c1001"])
@pytest.mark.parametrize(
    "number",
    [
        "5551%0Aagi_accountcode%3A%201000000002",
        "5551%0A%0A200%20result=0",
        "5551&account=1000000002",
        "5551%22,%5B%28$%7BEXTEN%7D",
        "5551%20",
        "5551%C3%A9",
    ],
)
async def test_a_number_that_is_not_all_digits_never_reaches_the_daemon(
    asterisk: AsteriskServer, number: str, user: str
) -> None:
    async with fastagi_peer(0, GRANTED) as daemon, callee(asterisk, "gw", Answers()) as gw:
        asterisk.point_to(daemon.port)
        seen = await call(asterisk, number, user=user)
        assert seen.status in (404, 484)
        assert [] == daemon.requests
        assert 0 == await gw.calls_seen()


async def test_a_calling_number_with_a_line_feed_never_reaches_the_daemon(
    asterisk: AsteriskServer,
) -> None:
    async with fastagi_peer(0, GRANTED) as daemon:
        asterisk.point_to(daemon.port)
        user = "442079460000%0Aagi_accountcode%3A%201000000002"
        seen = await call(asterisk, ACCESS_NUMBER, user=user)
        assert 484 == seen.status
        assert [] == daemon.requests


async def test_a_redirecting_carrier_does_not_choose_where_the_call_goes(
    asterisk: AsteriskServer,
) -> None:
    async with (
        fastagi_peer(0, GRANTED) as daemon,
        callee(asterisk, "gw", Redirects(number=ACCESS_NUMBER)) as gw,
    ):
        asterisk.point_to(daemon.port)
        seen = await call(asterisk, "5551234")
        assert seen.status is not None
        assert seen.status >= 400
        assert 1 == await gw.calls_seen()
        assert ["authorize", "settle"] == daemon.scripts


async def test_the_called_channel_has_a_limit_of_its_own_behind_that_of_dial(
    asterisk: AsteriskServer,
) -> None:
    grant = {**GRANTED, "AUTH_LIMIT_MS": "1000"}
    async with fastagi_peer(0, grant) as daemon, callee(asterisk, "gw", Answers()) as gw:
        asterisk.point_to(daemon.port)
        await call(asterisk, "5551234")
        seen = await gw.ended()
        assert "the other end" == seen.hung_up_by
        assert 3000 == pytest.approx(seen.talk_ms, abs=300)


async def test_the_answer_time_of_a_failed_route_is_not_lent_to_the_next(
    asterisk: AsteriskServer,
) -> None:
    grant = {**GRANTED, "AUTH_ANSWERED_AT": "1700000000.000"}
    async with fastagi_peer(0, grant) as daemon, callee(asterisk, "gw", Refuses(status=486)):
        asterisk.point_to(daemon.port)
        assert 486 == (await call(asterisk, "5551234")).status
        *_, answered_at, ended_at = await daemon.settled()
        assert "" == answered_at
        assert ended_at


async def test_settle_is_told_again_when_no_daemon_listened_at_the_end_of_the_call(
    asterisk: AsteriskServer,
) -> None:
    port = free_tcp_port()
    asterisk.point_to(port)
    async with (
        callee(asterisk, "gw", Answers()) as gw,
        calling(asterisk, "5551234", WaitForGoOn(), HangUp()) as caller,
    ):
        async with fastagi_peer(port, GRANTED):
            await gw.answered()
        await caller.go_on()
        talk_ms = (await gw.ended()).talk_ms
        async with fastagi_peer(port) as daemon:
            call_id, dialstatus, *_, answered_at, ended_at = await daemon.settled()
    assert ("call-1", "ANSWER") == (call_id, dialstatus)
    assert talk_ms == pytest.approx((float(ended_at) - float(answered_at)) * 1000, abs=300)
