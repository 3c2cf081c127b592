"""All channel variables that Asterisk gets from us, in one place (contracts.md, section 2)."""

from agi_server.accounts.field_rules import WITHHELD
from agi_server.calls.decision import Decision, Denial, Grant
from agi_server.routes.prompts import DENIAL_PROMPTS
from agi_server.tariffs.tables import MAX_ROUTES
from agi_server.wire.commands import Command, mset, set_variable

# Where the samples' subroutine on the called channel writes the moment of the answer.
ANSWERED_AT = "AUTH_ANSWERED_AT"
# Which of the routes was dialled last, 1..n; the `call` route sets it, the samples too.
ROUTE = "AUTH_ROUTE"
CALL = "AUTH_CALL"
# Rolling mode: the seconds of talk that are paid for. The samples' subroutine gives them to both
# channels as TIMEOUT(absolute), which counts from then on.
SLICE = "AUTH_SLICE"
ABSOLUTE_TIMEOUT = "TIMEOUT(absolute)"
# Asterisk keeps these from one Dial to the next: what an earlier call of the channel left behind
# must not be taken for the end of this one, should it never be dialled.
_NOT_DIALLED_YET = (("DIALSTATUS", ""), ("ANSWEREDTIME_MS", ""))


def decision_variables(decision: Decision, *, prompt: bool = True) -> Command:
    """Every variable, whatever the decision, so that nothing of an earlier answer remains.

    `prompt=False` leaves AUTH_PROMPT empty, when the caller has heard why not already.
    """
    if not isinstance(decision, Denial):
        if isinstance(decision, Grant):
            call_id, language = decision.call_id, decision.language
            targets, presented = decision.dial_targets, decision.presented_callerid
        else:  # an emergency call has no session: an empty AUTH_CALL is never settled
            call_id, language, presented = "", "", ""
            targets = (decision.dial_target,)
        pairs = [
            ("AUTH_DECISION", "allow"),
            ("AUTH_REASON", ""),
            (CALL, call_id),
            ("AUTH_DIAL", targets[0]),
            ("AUTH_DIAL_OPTIONS", decision.dial_options),
            ("AUTH_RING_TIMEOUT", str(decision.ring_timeout_s)),
            ("AUTH_LIMIT_MS", str(decision.limit_ms)),
            ("AUTH_ROUTES", str(len(targets))),
            ("AUTH_CALLERID", presented),
            ("AUTH_PROMPT", ""),
            ("AUTH_LANGUAGE", asterisk_language(language)),
            *_NOT_DIALLED_YET,
        ]
        if isinstance(decision, Grant) and decision.absolute_timeout_s is not None:
            pairs += [
                (SLICE, str(decision.limit_ms // 1000)),
                (ABSOLUTE_TIMEOUT, str(decision.absolute_timeout_s)),
            ]
        further = targets[1:]
    else:
        pairs = [
            ("AUTH_DECISION", "deny"),
            ("AUTH_REASON", decision.reason.value),
            (CALL, ""),
            ("AUTH_DIAL", ""),
            ("AUTH_DIAL_OPTIONS", ""),
            ("AUTH_RING_TIMEOUT", "0"),
            ("AUTH_LIMIT_MS", "0"),
            ("AUTH_ROUTES", "0"),
            ("AUTH_CALLERID", ""),
            ("AUTH_PROMPT", DENIAL_PROMPTS[decision.reason] if prompt else ""),
            ("AUTH_LANGUAGE", asterisk_language(decision.language)),
        ]
        further = ()
    for route in range(2, MAX_ROUTES + 1):
        target = further[route - 2] if route - 2 < len(further) else ""
        pairs.append((f"AUTH_DIAL_{route}", target))
    return mset(pairs)


def without_slice(*pairs: tuple[str, str]) -> Command:
    """After a rolling call that was not the channel's end: no other call is cut at its slice."""
    return mset([*pairs, (SLICE, ""), (ABSOLUTE_TIMEOUT, "0")])


def present_callerid(number: str) -> Command:
    """Have the called party see this number, or none: what the samples do with AUTH_CALLERID."""
    if number == WITHHELD:
        return mset([("CALLERID(pres)", "prohib")])
    return mset([("CALLERID(num)", number)])


def asterisk_language(tag: str) -> str:
    """Asterisk's name of a BCP 47 tag: `pt-BR` is `pt_BR` there, `de` is `de`."""
    return tag.replace("-", "_")


def channel_language(tag: str) -> Command:
    """Have the prompts that follow spoken in the account's language."""
    return mset([("CHANNEL(language)", asterisk_language(tag))])


def balance_variables(balance: str, currency: str, reason: str) -> Command:
    """What `balance` tells: the amount as a decimal string, or why not."""
    return mset([("AUTH_BALANCE", balance), ("AUTH_CURRENCY", currency), ("AUTH_REASON", reason)])


def lock_variables(locked: str, reason: str) -> Command:
    """What `lock` tells: `yes` or `no` as the lock is now, or why it was not touched."""
    return mset([("AUTH_LOCKED", locked), ("AUTH_REASON", reason)])


def ping_variable(answer: str) -> Command:
    """`ok` when PostgreSQL and Redis answer."""
    return set_variable("AUTH_PING", answer)
