"""The `call` route: asks, speaks, dials over the routes, settles what was really talked."""

import asyncio
from collections.abc import Callable

import pytest

from support.business import MICROS, Business, nothing_reserved
from support.channel import Channel, Dialled
from support.clock import Clock
from support.event_log import EventLog
from support.fixtures import NewChannel, StartDaemon

NUMBER = "442079460000"
ANSWERED = Dialled(talk_ms=5000)
FAILED = Dialled(status="CONGESTION", cause=34)
GATEWAY, BACKUP = f"PJSIP/{NUMBER}@gw", f"PJSIP/{NUMBER}@backup"


@pytest.fixture(autouse=True)
def time_stands_still(clock: Clock) -> None:
    """But for what a channel rings and talks, so that talk times are exact."""
    clock.freeze()


async def test_a_phone_that_dialled_is_put_through_without_a_word_and_charged_for_its_talk(
    business: Business, channel: NewChannel, events: EventLog
) -> None:
    account = await business.customer(MICROS)
    phone = channel(accountcode=account.account_number, dials=[ANSWERED])
    answer = await phone.call()
    assert [[GATEWAY, "60", "L(1000000:61000:30000)iU(agi-server-answered)"]] == phone.dialled()
    assert [] == phone.heard()
    assert [("customer", 5000)] == await business.charges(account)
    assert await nothing_reserved(business, account)
    assert ("allow", "") == (answer.decision, answer.call)  # nothing is left for the handler
    assert 1 == len(events.of("call.settled"))


async def test_the_hangup_handler_of_a_settled_call_has_nothing_to_do(
    business: Business, channel: NewChannel, events: EventLog
) -> None:
    account = await business.customer()
    phone = channel(accountcode=account.account_number, dials=[ANSWERED])
    await phone.call()
    before = len(events.events)
    await phone.settle(5000)
    assert before == len(events.events)


async def test_the_next_route_is_tried_where_the_carrier_failed_and_named_in_the_record(
    business: Business, channel: NewChannel, events: EventLog
) -> None:
    account = await business.customer()
    for status in ("CONGESTION", "CHANUNAVAIL"):
        phone = channel(
            accountcode=account.account_number, dials=[Dialled(status=status), ANSWERED]
        )
        await phone.call()
        assert [GATEWAY, BACKUP] == [dial[0] for dial in phone.dialled()]
        call = events.of("call.settled")[-1]["call_id"]
        session = await business.session(call)
        assert ("ANSWER", 2, 5000) == tuple(
            session[name] for name in ("dialstatus", "route", "talk_ms")
        )
    assert [("customer", 5000)] * 2 == await business.charges(account)


@pytest.mark.parametrize("status", ["BUSY", "NOANSWER", "CANCEL", "DONTCALL", "INVALIDARGS"])
async def test_no_other_route_is_tried_for_what_is_the_called_partys_own(
    business: Business, channel: NewChannel, status: str
) -> None:
    account = await business.customer()
    phone = channel(accountcode=account.account_number, dials=[Dialled(status=status)])
    await phone.call()
    assert 1 == len(phone.dialled())
    assert [] == await business.charges(account)
    assert await nothing_reserved(business, account)


async def test_when_every_route_failed_nothing_is_charged(
    business: Business, channel: NewChannel
) -> None:
    account = await business.customer()
    phone = channel(accountcode=account.account_number, dials=[FAILED, FAILED])
    await phone.call()
    assert 2 == len(phone.dialled())
    assert [] == await business.charges(account)
    assert await nothing_reserved(business, account)


async def test_talk_is_measured_from_the_answer_of_the_called_party_not_of_the_ivr(
    business: Business, channel: NewChannel, events: EventLog
) -> None:
    account = await business.customer()
    phone = channel(
        digits=[account.account_number, NUMBER],
        dials=[Dialled(status="CONGESTION", ring_ms=20_000), Dialled(talk_ms=3000, ring_ms=9000)],
    )
    await phone.call("?destination=ask")
    assert int(phone.variables["ANSWEREDTIME_MS"]) > 30_000  # what Asterisk would have said
    assert [("customer", 3000)] == await business.charges(account)
    (settled,) = events.of("call.settled")
    assert 3000 == settled["talk_ms"]


async def test_an_answer_of_a_route_before_is_not_taken_for_that_of_a_busy_one(
    business: Business, channel: NewChannel
) -> None:
    """AUTH_ANSWERED_AT would survive: a channel may have talked before."""
    account = await business.customer()
    phone = channel(accountcode=account.account_number, dials=[Dialled(status="BUSY")])
    phone.variables["AUTH_ANSWERED_AT"] = phone.clock.epoch()
    await phone.call()
    assert [] == await business.charges(account)
    assert await nothing_reserved(business, account)


async def test_an_account_number_is_asked_for_three_times_at_most(
    business: Business, channel: NewChannel, events: EventLog
) -> None:
    account = await business.customer()
    wrong = "999999999"
    lucky = channel(digits=[wrong, "", account.account_number], dials=[ANSWERED])
    assert (await lucky.call()).allowed
    assert 3 == lucky.heard().count("agent-user")
    unlucky = channel(digits=[wrong, wrong, wrong, account.account_number])
    answer = await unlucky.call()
    assert ("deny", "account_not_found") == (answer.decision, answer.reason)
    assert [account.account_number] == unlucky.digits
    assert [] == unlucky.dialled()


async def test_a_pin_caller_hears_balance_and_time_then_calls_one_number_after_the_other(
    business: Business, channel: NewChannel, events: EventLog
) -> None:
    account = await business.customer(2 * MICROS)
    phone = channel(
        extension="s",
        digits=[account.account_number, NUMBER, "49301234567", ""],
        dials=[ANSWERED, Dialled(talk_ms=61_000)],
    )
    await phone.call()
    assert [GATEWAY, "PJSIP/49301234567@gw"] == [dial[0] for dial in phone.dialled()]
    assert [("customer", 5000), ("customer", MICROS)] == await business.charges(account)
    said = phone.heard()
    assert said[:4] == ["agent-user", "vm-youhave", "2", "digits/dollars"]
    assert "vm-goodbye" == said[-1]
    assert 3 == said.count("vm-enter-num-to-call")
    assert 2 == len(events.of("call.authorized"))
    assert await nothing_reserved(business, account)


async def test_prompts_longer_than_the_deadline_deny_nobody(
    business: Business, start_daemon: StartDaemon, clock: Clock
) -> None:
    """While a caller listens the deadline does not run: it is ours, not theirs."""
    daemon = await start_daemon(fastagi={"deadline_ms": 300})
    account = await business.customer()
    for extension, digits in (
        (NUMBER, [account.account_number]),
        ("s", [account.account_number, NUMBER]),
    ):
        phone = Channel(daemon.port, clock, extension=extension, digits=digits, dials=[ANSWERED])

        async def listens(command: list[str], phone: Channel = phone) -> bytes:
            await asyncio.sleep(0.2)  # stands for what a caller hears; the deadline is 0.3 s
            return phone.react(command)

        for spoken in ("STREAM FILE", "SAY NUMBER", "GET DATA", "ANSWER"):
            phone.on(spoken, listens)
        assert "" == (await phone.call()).reason
        assert [GATEWAY] == [dial[0] for dial in phone.dialled()]


async def test_a_denied_caller_without_a_word_gets_the_prompt_as_a_variable(
    business: Business, channel: NewChannel
) -> None:
    account = await business.customer(0)
    phone = channel(accountcode=account.account_number)
    answer = await phone.call()
    assert ("no_credit", [], []) == (answer.reason, phone.dialled(), phone.heard())
    assert answer.prompt


@pytest.mark.parametrize("how", ["hangs up", "closes"])
@pytest.mark.parametrize("command", ["ANSWER", "GET DATA", "STREAM FILE", "SAY NUMBER"])
async def test_who_leaves_before_the_dial_pays_nothing_and_leaves_nothing(
    business: Business,
    channel: NewChannel,
    events: EventLog,
    command: str,
    how: str,
) -> None:
    account = await business.customer(simultaneous_access=1)
    phone = channel(digits=[account.account_number, NUMBER])

    async def leaves(words: list[str]) -> bytes | None:
        if how == "closes":
            return None
        reply = phone.react(words)
        phone.hung_up = True
        return reply + b"HANGUP\n"

    phone.on(command, leaves)
    await phone.call("?destination=ask")
    (denied,) = await events.wait("call.denied")
    assert "cancelled" == denied["reason"]
    assert [] == await business.charges(account)
    assert await nothing_reserved(business, account)


async def test_who_hangs_up_while_it_rings_pays_nothing(
    business: Business, channel: NewChannel
) -> None:
    account = await business.customer()
    rings = Dialled(status="CANCEL", cause=127, caller_hangs_up=True)
    phone = channel(accountcode=account.account_number, dials=[rings])
    await phone.call()
    assert [] == await business.charges(account)
    assert await nothing_reserved(business, account)


async def test_who_hangs_up_during_the_talk_pays_for_it_and_is_asked_nothing_more(
    business: Business, channel: NewChannel
) -> None:
    account = await business.customer()
    talks = Dialled(talk_ms=5000, caller_hangs_up=True)
    phone = channel(digits=[account.account_number, NUMBER, NUMBER], dials=[talks])
    await phone.call("?destination=ask")
    assert [("customer", 5000)] == await business.charges(account)
    assert [NUMBER] == phone.digits
    assert await nothing_reserved(business, account)


async def test_a_connection_lost_during_the_dial_is_settled_by_the_handler(
    business: Business, channel: NewChannel, events: EventLog
) -> None:
    account = await business.customer()
    phone = channel(accountcode=account.account_number, dials=[ANSWERED])

    async def lost(words: list[str]) -> None:
        phone.react(words)

    phone.on("EXEC Dial", lost)
    await phone.call()
    assert 1 == (await business.account(account)).in_use
    await phone.settle(5000)
    assert [("customer", 5000)] == await business.charges(account)
    assert await nothing_reserved(business, account)
    assert 1 == len(events.of("call.settled"))


@pytest.mark.parametrize(
    "reply",
    [
        b"200 result=1 (ANSWER|x|16||)\n",
        b"200 result=1 (ANSWER|||soon|later)\n",
        b"200 result=1 ()\n",
        b"511 Command Not Permitted on a dead channel\n",
    ],
)
async def test_an_outcome_that_cannot_be_read_is_left_to_the_handler(
    business: Business,
    channel: NewChannel,
    reply: bytes,
) -> None:
    account = await business.customer()
    phone = channel(accountcode=account.account_number, dials=[ANSWERED])

    async def nonsense(words: list[str]) -> bytes:
        return reply

    phone.on("GET FULL VARIABLE", nonsense)
    await phone.call()
    assert [] == await business.charges(account)
    await phone.settle(5000)
    assert [("customer", 5000)] == await business.charges(account)
    assert await nothing_reserved(business, account)


@pytest.mark.parametrize("react", [lambda _: b"200 result=-2\n", lambda _: b"510 Invalid\n"])
async def test_an_asterisk_that_cannot_dial_charges_nothing(
    business: Business, channel: NewChannel, react: Callable[[list[str]], bytes]
) -> None:
    account = await business.customer()
    phone = channel(accountcode=account.account_number)

    async def cannot(words: list[str]) -> bytes:
        return react(words)

    phone.on("EXEC Dial", cannot)
    await phone.call()
    assert [] == await business.charges(account)
    assert await nothing_reserved(business, account)


async def test_who_hangs_up_while_the_answer_is_set_is_dialled_for_in_vain_and_pays_nothing(
    business: Business, channel: NewChannel
) -> None:
    account = await business.customer(simultaneous_access=1)
    phone = channel(accountcode=account.account_number)

    async def leaves(words: list[str]) -> bytes:
        phone.hung_up = True
        return phone.react(words) + b"HANGUP\n"

    phone.on("EXEC MSet", leaves)
    await phone.call()
    assert [] == await business.charges(account)
    assert await nothing_reserved(business, account)
