"""A customer's phone with a password: it registers and calls by digest authentication (SIPp)."""

import re
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from html import escape

from asterisk_server import AsteriskServer, free_udp_port
from sip_scenarios import (
    SDP,
    SDP_TYPE,
    CalleeBehaviour,
    scenario_of,
    sending,  # its messages are made alike
)
from sipp import SippProcess, callee_at, running_sipp


async def register(
    asterisk: AsteriskServer, user: str, secret: str, *, rings_at: int | None = None
) -> int:
    """Register, to ring at a port; the last status that Asterisk answers with."""
    parts = [
        _request("REGISTER", 1, user, "", rings_at=rings_at),
        '<recv response="403" optional="true" next="end"/>',
        '<recv response="401" auth="true"/>',
        _request("REGISTER", 2, user, "", secret, rings_at=rings_at),
        '<recv response="401" optional="true" next="end"/>',
        '<recv response="200"/>',
    ]
    trace = await _played(asterisk, parts)
    assert trace is not None
    return int(re.findall(r"received .*\n\nSIP/2.0 ([0-9]+)", trace)[-1])


async def call(asterisk: AsteriskServer, user: str, secret: str, number: str, talk_ms: int) -> bool:
    """Call a number, talk, hang up; whether all of it went so."""
    parts = [
        _request("INVITE", 1, user, number),
        '<recv response="401" auth="true"/>',
        _request("ACK", 1, user, number),
        _request("INVITE", 2, user, number, secret),
        *(f'<recv response="{status}" optional="true"/>' for status in (100, 180, 183)),
        '<recv response="200"/>',
        _request("ACK", 2, user, number),
        f'<pause milliseconds="{talk_ms}"/>',
        _request("BYE", 3, user, number, secret),
        '<recv response="200"/>',
    ]
    return await _played(asterisk, parts) is not None


async def _played(asterisk: AsteriskServer, parts: Sequence[str]) -> str | None:
    """The trace; None when it went otherwise."""
    arguments = (f"127.0.0.1:{asterisk.sip_port}", "-m", "1", "-timeout", "20s")
    scenario = scenario_of("phone", parts)
    async with running_sipp(asterisk.tree, scenario, free_udp_port(), *arguments) as sipp:
        _, trace, process = sipp
        if await process.wait():
            return None
        return trace.read_text(errors="replace").replace("\r", "")


@asynccontextmanager
async def ringing(
    asterisk: AsteriskServer, user: str, secret: str, behaviour: CalleeBehaviour
) -> AsyncIterator[SippProcess]:
    """The phone, registered, which takes calls as told while the block runs."""
    port = free_udp_port()
    async with callee_at(asterisk, port, behaviour) as phone:
        assert 200 == await register(asterisk, user, secret, rings_at=port)
        yield phone


def _request(
    method: str,
    cseq: int,
    user: str,
    number: str,
    secret: str | None = None,
    *,
    rings_at: int | None = None,
) -> str:
    target = f"{number}@[remote_ip]:[remote_port]" if number else "[remote_ip]:[remote_port]"
    # The ACK of a refusal belongs to the INVITE's transaction.
    branch = (
        f"z9hG4bK-[pid]-[call_number]-{'INVITE' if (method, cseq) == ('ACK', 1) else method}{cseq}"
    )
    # A refusal's tag begins no dialog.
    tag = "[peer_tag_param]" if method in ("ACK", "BYE") else ""
    headers = f"""Via: SIP/2.0/UDP [local_ip]:[local_port];branch={branch}
From: <sip:{user}@[remote_ip]>;tag=[pid]p[call_number]
To: <sip:{number or user}@[remote_ip]>{tag}
Call-ID: [call_id]
CSeq: {cseq} {method}
Contact: <sip:{user}@[local_ip]:{rings_at or "[local_port]"}>"""
    if secret is not None:
        headers += f"\n[authentication username={user} password={escape(secret)}]"
    if method == "INVITE":
        return sending(f"INVITE sip:{target} SIP/2.0", headers + SDP_TYPE, SDP, again=True)
    return sending(f"{method} sip:{target} SIP/2.0", headers, again=method != "ACK")
