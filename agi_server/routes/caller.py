"""Find out who is calling, and ask for the account number where that is wanted."""

from contextlib import suppress

from agi_server.calls.decision import Denial
from agi_server.calls.identify import Found, Lookup, Method, first_lookup
from agi_server.calls.reasons import Reason
from agi_server.calls.request import CallRequest
from agi_server.fastagi.session import AgiSession, PeerGoneError
from agi_server.routes.parameters import Ask, CallParameters
from agi_server.routes.prompts import ENTER_ACCOUNT_NUMBER, WRONG_ACCOUNT_NUMBER
from agi_server.routes.services import RouteServices, Turn
from agi_server.routes.variables import asterisk_language, channel_language
from agi_server.wire.commands import Command, answer, get_data, stream_file

MAX_ACCOUNT_DIGITS = 15
DIGIT_TIMEOUT_MS = 8_000
# A prompt, and every digit typed at leisure.
_TYPING_PATIENCE_S = 180.0
_PROMPT_PATIENCE_S = 60.0


async def identify(
    session: AgiSession,
    services: RouteServices,
    turn: Turn,
    request: CallRequest,
    parameters: CallParameters,
    ask: Ask,
) -> Found | Denial:
    """Who is calling, by the first method that applies; `ask` says whether the caller may be asked.

    Somebody found may still be refused. A denial means that nobody was found or a backend failed.
    """
    configured = tuple(Method(name) for name in services.settings.calls.identify)
    methods = parameters.identify or configured
    lookup: Lookup | None = None
    if parameters.forward is not None:
        lookup = Lookup(method=Method.FORWARD, call_id=parameters.forward)
        return await turn.wait(services.authorizer.find(request, lookup))
    if parameters.account is not None or ask != "always":
        lookup = first_lookup(request, parameters.account, methods)
    found: Found | Denial | None = None
    if lookup is not None:
        found = await turn.wait(services.authorizer.find(request, lookup))
        if isinstance(found, Denial) or found.account is not None:
            return found
        if lookup.method is not Method.CALLERID:
            return found
    if ask == "never" or Method.PIN not in methods:
        return found or Denial(reason=Reason.ACCOUNT_NOT_FOUND)
    return await _ask_account_number(session, services, turn, request)


async def _ask_account_number(
    session: AgiSession, services: RouteServices, turn: Turn, request: CallRequest
) -> Found | Denial:
    """By DTMF, so many tries as the setting allows."""
    found: Found | Denial = Denial(reason=Reason.ACCOUNT_NOT_FOUND, identified_by=Method.PIN.value)
    await pick_up(session)
    for _ in range(services.settings.calls.pin_tries):
        digits = await ask_digits(session, ENTER_ACCOUNT_NUMBER, MAX_ACCOUNT_DIGITS)
        turn.restart()
        if session.hung_up:
            return Denial(reason=Reason.CANCELLED, identified_by=Method.PIN.value)
        if digits:
            lookup = Lookup(method=Method.PIN, account_number=digits)
            found = await turn.wait(services.authorizer.find(request, lookup))
            if isinstance(found, Denial) or found.account is not None:
                return found
            refused = services.authorizer.refuse_caller(found)
            if refused is not None and refused.reason is Reason.TOO_MANY_ATTEMPTS:
                return refused
        await play(session, WRONG_ACCOUNT_NUMBER)
    if session.hung_up:
        return Denial(reason=Reason.CANCELLED, identified_by=Method.PIN.value)
    return found


async def ask_digits(session: AgiSession, prompt: str, most: int) -> str:
    """Play a prompt and collect digits, up to `#`; empty when none came or the caller is gone."""
    if session.hung_up:
        return ""
    try:
        reply = await session.ask(
            get_data(prompt, DIGIT_TIMEOUT_MS, most), patience_s=_TYPING_PATIENCE_S
        )
    except PeerGoneError:
        return ""
    if reply.code != 200 or not (reply.result.isascii() and reply.result.isdigit()):
        session.hung_up = session.hung_up or reply.code == 511 or reply.result == "-1"
        return ""
    return reply.result


async def pick_up(session: AgiSession) -> None:
    """Answer the caller, so that we can speak; harmless on an answered channel."""
    await speak(session, answer())


async def speak_language(session: AgiSession, tag: str) -> None:
    """Switch the prompts to the account's language, where the channel has another."""
    if asterisk_language(tag) != session.values.get("agi_language"):
        await speak(session, channel_language(tag))


async def play(session: AgiSession, file: str) -> None:
    """Play one prompt to its end."""
    await speak(session, stream_file(file))


async def speak(session: AgiSession, command: Command) -> None:
    """Have something said or played; nothing happens when the caller is gone."""
    if not session.hung_up:
        with suppress(PeerGoneError):
            await session.ask(command, patience_s=_PROMPT_PATIENCE_S)
