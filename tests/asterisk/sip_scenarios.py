"""What phones and carriers do in the tests, written as SIPp scenarios.

A scenario says only what is sent and expected. What happened, and when, is read from SIPp's own
trace of messages (sipp.py).
"""

from collections.abc import Sequence
from dataclasses import dataclass

# A message from the test itself that lets a waiting caller go on.
GO_ON = "MESSAGE"
KEY_PRESS_MS = 100

# --- what a callee does ---------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Answers:
    """Rings, answers, and hangs up after some time or waits for the other side to."""

    ring_ms: int = 0
    hangs_up_after_ms: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Refuses:
    """Rings and refuses, with 486 (busy), 480 (temporarily unavailable), 503 …"""

    status: int
    ring_ms: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class RingsForEver:
    """Rings until the caller gives up."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Redirects:
    """Answers 302: the caller should call another number instead."""

    number: str


CalleeBehaviour = Answers | Refuses | RingsForEver | Redirects

# --- what a caller does once the call is answered -------------------------------------------


@dataclass(frozen=True, slots=True)
class Wait:
    """Stay in the call for a while."""

    ms: int


@dataclass(frozen=True, slots=True)
class WaitForGoOn:
    """Stay in the call until the test says go on."""


@dataclass(frozen=True, slots=True)
class Type:
    """Press keys, one after the other (SIP INFO)."""

    keys: str


@dataclass(frozen=True, slots=True)
class Transfer:
    """Ask Asterisk by REFER to transfer the call to a number."""

    number: str


@dataclass(frozen=True, slots=True)
class HangUp:
    """End the call. A caller without this step waits for the other side to hang up."""


Step = Wait | WaitForGoOn | Type | Transfer | HangUp


def callee_scenario(behaviour: CalleeBehaviour) -> str:
    """A call that is taken as told. Whoever rings can be cancelled."""
    parts = [_RECEIVE_INVITE, _answer_invite("180 Ringing")]
    match behaviour:
        case RingsForEver():
            parts += ['<recv request="CANCEL"/>']
        case Redirects(number=number):
            parts += [_answer_invite("302 Moved", contact=f"{number}@[local_ip]")]
            parts += ['<recv request="ACK" next="end"/>']
        case Refuses(status=status, ring_ms=ring_ms):
            parts += [_ring(ring_ms), _answer_invite(f"{status} Refused")]
            parts += ['<recv request="ACK" next="end"/>']
        case Answers(ring_ms=ring_ms, hangs_up_after_ms=None):
            parts += [_ring(ring_ms), _answer_invite("200 OK", SDP), '<recv request="ACK"/>']
            parts += ['<recv request="BYE"/>', _OK, '<nop next="end"/>']
        case Answers(ring_ms=ring_ms, hangs_up_after_ms=talk_ms):
            parts += [_ring(ring_ms), _answer_invite("200 OK", SDP), '<recv request="ACK"/>']
            parts += [f'<recv request="BYE" timeout="{talk_ms}" ontimeout="hang_up"/>']
            parts += [_OK, '<nop next="end"/>', '<label id="hang_up"/>', _CALLEE_BYE]
            parts += ['<recv response="200" next="end"/>']
    parts += ['<label id="cancelled"/>', _OK, _answer_invite("487 Cancelled")]
    # SIPp refuses a scenario that keeps a header and never uses it.
    parts += ['<recv request="ACK"/>', '<Reference variables="from"/>']
    return scenario_of("callee", parts)


def _ring(ring_ms: int) -> str:
    if not ring_ms:
        return ""
    wait = f'<recv request="CANCEL" timeout="{ring_ms}" ontimeout="rung" next="cancelled"/>'
    return f'{wait}<label id="rung"/>'


def caller_scenario(steps: Sequence[Step], header: str = "") -> str:
    """A call that, once answered, goes through the steps and then waits for the other side's BYE.

    SIPp fills in `[user]`, `[caller_name]` and `[number]` as they are. `header` goes with the
    INVITE.
    """
    invite = _invite(f"\n{header}" if header else "")
    parts = [invite, _OPTIONAL_PROVISIONAL, _OPTIONAL_REFUSALS, '<recv response="200"/>', _ACK]
    for index, step in enumerate(steps):
        parts += _perform(step, f"step_{index}", cseq=100 * (index + 1))
    parts += ['<recv request="BYE"/>', '<label id="bye"/>', _OK, '<nop next="end"/>']
    parts += ['<label id="refused"/>', _ACK_OF_REFUSAL]
    return scenario_of("caller", parts)


def cancelling_scenario(ring_ms: int) -> str:
    """A call that its caller gives up after it has rung for some time."""
    parts = [_invite(), '<recv response="100" optional="true"/>', _OPTIONAL_REFUSALS]
    parts += ['<recv response="180"/>', f'<pause milliseconds="{ring_ms}"/>', _CANCEL]
    parts += ['<recv response="200"/>', '<recv response="487"/>']
    return scenario_of("cancelling caller", [*parts, '<label id="refused"/>', _ACK_OF_REFUSAL])


def _perform(step: Step, done: str, cseq: int) -> list[str]:
    match step:
        case Wait(ms=ms):
            wait = f'<recv request="BYE" timeout="{ms}" ontimeout="{done}" next="bye"/>'
            return [wait, f'<label id="{done}"/>']
        case WaitForGoOn():
            return [_OPTIONAL_BYE, f'<recv request="{GO_ON}"/>', _OK]
        case Type(keys=keys):
            presses: list[str] = []
            for offset, key in enumerate(keys):
                content = f"Signal={key}\nDuration={KEY_PRESS_MS}\n"
                presses += [_in_dialog("INFO", cseq + offset, _DTMF, content)]
                presses += [_OPTIONAL_BYE, '<recv response="200"/>']
                presses += _perform(Wait(KEY_PRESS_MS), f"{done}_{offset}", cseq)
            return presses
        case Transfer(number=number):
            answers = [
                f'<recv response="{status}" optional="true" next="{done}"/>'
                for status in (202, 403, 405, 501, 603)
            ]
            refer = _in_dialog("REFER", cseq, f"Refer-To: <sip:{number}@[remote_ip]>")
            return [refer, *answers, '<recv request="BYE" next="bye"/>', f'<label id="{done}"/>']
        case HangUp():
            return [_in_dialog("BYE", cseq), '<recv response="200" next="end"/>']


# --- the messages ---------------------------------------------------------------------------


def sending(start: str, headers: str, body: str = "", *, again: bool = False) -> str:
    """Send a message, again and again until it is answered where UDP asks for that."""
    attributes = ' retrans="500"' if again else ""
    text = f"{start}\n{headers}\nMax-Forwards: 70\nContent-Length: [len]\n\n{body}"
    return f"<send{attributes}><![CDATA[\n{text}\n]]></send>"


def _answer_invite(status: str, body: str = "", *, contact: str = "[local_ip]:[local_port]") -> str:
    """A response to the INVITE, even if a CANCEL came since."""
    headers = f"""[last_Via:]
[last_From:]
To:[$to];tag=[pid]s[call_number]
[last_Call-ID:]
CSeq:[$cseq]
Contact: <sip:{contact}>{SDP_TYPE if body else ""}"""
    return sending(f"SIP/2.0 {status}", headers, body, again=status.startswith("200"))


def _request(method: str, cseq: int, more: str = "", body: str = "", *, branch: str = "") -> str:
    """A caller's request."""
    start = f"{method} sip:[number]@[remote_ip]:[remote_port] SIP/2.0"
    headers = f"""Via: SIP/2.0/UDP [local_ip]:[local_port];branch={branch or "[branch]"}
From: [caller_name] <sip:[user]@[local_ip]>;tag=[pid]c[call_number]
To: <sip:[number]@[remote_ip]>[peer_tag_param]
Call-ID: [call_id]
CSeq: {cseq} {method}
Contact: <sip:caller@[local_ip]:[local_port]>{more}"""
    return sending(start, headers, body, again=method not in ("ACK", "CANCEL"))


def _in_dialog(method: str, cseq: int, more: str = "", body: str = "") -> str:
    return _request(method, cseq, f"\n{more}" if more else "", body)


def scenario_of(name: str, parts: Sequence[str]) -> str:
    body = "\n".join(part for part in parts if part)
    return (
        f'<?xml version="1.0" encoding="UTF-8"?>\n<scenario name="{name}">\n{body}\n'
        '<label id="end"/><nop/>\n</scenario>\n'
    )


def _invite(more: str = "") -> str:
    return _request("INVITE", 1, SDP_TYPE + more, SDP, branch=_INVITE_BRANCH)


SDP_TYPE = "\nContent-Type: application/sdp"
SDP = """v=0
o=u 1 1 IN IP4 [local_ip]
s=-
c=IN IP4 [media_ip]
t=0 0
m=audio [media_port] RTP/AVP 0
a=rtpmap:0 PCMU/8000
"""
_DTMF = "Content-Type: application/dtmf-relay"

_RECEIVE_INVITE = """<recv request="INVITE" rrs="true"><action>
<ereg regexp=".*" search_in="hdr" header="From:" assign_to="from"/>
<ereg regexp=".*" search_in="hdr" header="To:" assign_to="to"/>
<ereg regexp=".*" search_in="hdr" header="CSeq:" assign_to="cseq"/>
</action></recv>"""
_OK = sending(
    "SIP/2.0 200 OK",
    "[last_Via:]\n[last_From:]\n[last_To:]\n[last_Call-ID:]\n[last_CSeq:]",
)
_CALLEE_BYE = sending(
    "BYE [next_url] SIP/2.0",
    """Via: SIP/2.0/UDP [local_ip]:[local_port];branch=[branch]
From:[$to];tag=[pid]s[call_number]
To:[$from]
Call-ID: [call_id]
CSeq: 1 BYE""",
    again=True,
)

# A CANCEL and the ACK of a refusal belong to the INVITE's transaction, so they carry its branch.
_INVITE_BRANCH = "z9hG4bK-[pid]-[call_number]-invite"
_CANCEL = _request("CANCEL", 1, branch=_INVITE_BRANCH).replace("[peer_tag_param]", "")
_ACK_OF_REFUSAL = _request("ACK", 1, branch=_INVITE_BRANCH)
_ACK = _request("ACK", 1)
_OPTIONAL_BYE = '<recv request="BYE" optional="true" next="bye"/>'
_OPTIONAL_PROVISIONAL = "\n".join(
    f'<recv response="{status}" optional="true"/>' for status in (100, 180, 183)
)
# The final responses that Asterisk may give to an INVITE instead of answering it.
_OPTIONAL_REFUSALS = "\n".join(
    f'<recv response="{status}" optional="true" next="refused"/>'
    for status in (
        *(400, 401, 403, 404, 408, 410, 480, 484, 486, 487, 488, 500, 501, 502, 503, 600, 603),
    )
)
