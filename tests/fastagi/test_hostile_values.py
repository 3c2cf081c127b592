"""What a caller or peer can write into an environment changes nothing but its own call."""

import secrets

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from support.business import MICROS, Business, nothing_reserved
from support.channel import Channel
from support.event_log import EventLog
from support.fixtures import NewChannel

VARIABLES = {
    "AUTH_DECISION", "AUTH_REASON", "AUTH_CALL", "AUTH_DIAL", "AUTH_DIAL_OPTIONS",
    "AUTH_RING_TIMEOUT", "AUTH_LIMIT_MS", "AUTH_ROUTES", "AUTH_CALLERID", "AUTH_PROMPT",
    "AUTH_LANGUAGE", "AUTH_DIAL_2", "AUTH_DIAL_3", "AUTH_DIAL_4", "AUTH_DIAL_5", "AGISTATUS",
    "DIALSTATUS", "ANSWEREDTIME_MS",  # of an earlier Dial: emptied
}  # fmt: skip

hostile_bytes = st.lists(
    st.one_of(
        st.sampled_from(
            [
                b'"', b"'", b",", b"(", b")", b"[", b"]", b"\\", b"&", b"=", b"|", b";", b"%0a",
                b"${SHELL(id)}", b"$[1+1]", b"&account=", b"?account=", b"\n", b"\r\n", b"\xff",
                b"\xc3", b"agi_accountcode: ", b"agi_extension: 4930123", b"HANGUP",
                b"200 result=1", b"AUTH_DECISION=allow", b"agi_arg_1: account=",
            ]
        ),
        st.binary(max_size=8).map(lambda data: data.replace(b"\0", b"")),
    ),
    max_size=8,
).map(b"".join)  # fmt: skip


@settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@example(name=b'Bob"\nagi_accountcode: {victim}', number=b"33123456789")
@example(name=b"Bob", number=b"33123456789\nagi_accountcode: {victim}")
@example(name=b"Bob\n\nHANGUP", number=b"1")
@example(name=b"Bob\n\n200 result=1", number=b"1")
@given(name=hostile_bytes, number=hostile_bytes)
async def test_no_name_or_number_of_a_caller_reaches_another_account_or_variable(
    business: Business, channel: NewChannel, events: EventLog, name: bytes, number: bytes
) -> None:
    victim = await business.customer(MICROS)
    caller = await business.customer(MICROS)
    secret = victim.account_number.encode()
    phone = channel(
        accountcode=caller.account_number,
        calleridname=name.replace(b"{victim}", secret) + b" ",
        callerid=number.replace(b"{victim}", secret),
        extension="1800123456",
    )
    answer = await phone.authorize()
    assert phone.variables.keys() <= VARIABLES
    assert {} == await business.states(victim)
    if answer.allowed:
        assert answer.call.startswith(f"{caller.id}-")
        assert "PJSIP/1800123456@gw" == answer.dial
        await phone.settle()
    assert [] == events.of("agi.failed") + events.of("backend.down")
    events.events.clear()


@pytest.mark.parametrize(
    "query",
    [
        "?",
        "?account",
        "?account=",
        "?account=1234567890&account=1234567890",
        "?account=12345",
        "?account=%0a",
        "?account=1234567890%00",
        "?account=1234567890%0aagi_accountcode",
        "?account=%zz",
        "?account=%ff",
        "?who=1234567890",
        "?ask=perhaps",
        "?identify=",
        "?identify=dna",
        "?identify=pin%2Cpin",
        "?plan=a%00b",
        "?destination=44%00",
    ],
)
async def test_a_parameter_that_is_unclear_denies_and_is_logged(
    business: Business, channel: NewChannel, events: EventLog, query: str
) -> None:
    account = await business.customer()
    phone = channel(accountcode=account.account_number)
    answer = await phone.authorize(query)
    if query == "?":
        assert answer.allowed  # nothing was given
        return
    assert ("deny", "unavailable") == (answer.decision, answer.reason)
    assert 1 == len(events.of("agi.bad_peer"))
    assert "1234567890" not in str(events.events)
    assert {} == await business.states(account)


@pytest.mark.parametrize("script", ["", "/", "nowhere", "../settle", "authorize/x", "AUTHORIZE"])
async def test_an_unknown_route_denies_and_is_logged(
    business: Business, channel: NewChannel, events: EventLog, script: str
) -> None:
    account = await business.customer()
    phone = channel(accountcode=account.account_number)
    await phone.run(script)
    assert "deny" == phone.answer.decision
    assert "an unknown route" == events.of("agi.bad_peer")[0]["error"]


async def test_a_plus_in_a_parameter_is_a_plus(business: Business, channel: NewChannel) -> None:
    account = await business.customer()
    phone = channel(accountcode=account.account_number, extension="s")
    assert "PJSIP/442079460000@gw" == (await phone.authorize("?destination=+442079460000")).dial
    assert "number_invalid" == (await phone.authorize("?destination=44 2079460000")).reason


@pytest.mark.parametrize("key", ["uniqueid", "name", "callerid", "accountcode", "extension"])
async def test_a_value_of_absurd_length_is_the_peers_fault_and_not_the_databases(
    business: Business, channel: NewChannel, events: EventLog, key: str
) -> None:
    """An index of PostgreSQL takes no value of several kilobytes."""
    account = await business.customer()
    phone = channel(accountcode=account.account_number, callerid="33123456789")
    setattr(phone, key, secrets.token_hex(3900))
    answer = await phone.authorize()
    assert (key == "callerid") == answer.allowed
    await phone.authorize("?account=999999999")
    await phone.settle()
    assert [] == events.of("backend.down") + events.of("agi.failed")
    assert await nothing_reserved(business, account)


async def test_the_account_number_of_a_caller_shows_in_no_event(
    business: Business, channel: NewChannel, events: EventLog
) -> None:
    account = await business.customer()
    typed = [account.account_number, "442079460000"]
    for phone, script in (
        (channel(accountcode=account.account_number), "authorize"),
        (channel(), f"authorize?account={account.account_number}"),
        (channel(), f"authorize?account={account.account_number}&nonsense=1"),
        (channel(digits=typed), "authorize?ask=missing"),
        (channel(callerid=account.account_number), "authorize"),
        (channel(extension=account.account_number), "authorize"),
    ):
        await phone.run(script)
        if isinstance(phone, Channel) and phone.answer.allowed:
            await phone.settle()
    assert account.account_number not in str(events.events)
