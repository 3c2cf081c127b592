"""Amounts and times spoken with the sounds every Asterisk has."""

from agi_server.fastagi.session import AgiSession
from agi_server.routes.caller import play, speak
from agi_server.routes.prompts import AND, DOLLARS, MINUS, MINUTES, SECONDS, YOU_HAVE
from agi_server.wire.commands import exec_app, say_number
from rating.money import MICROS_PER_UNIT

_MICROS_PER_CENT = MICROS_PER_UNIT // 100
# Larger numbers are not spoken: Asterisk's limit, and nobody listens that long.
_MOST = 999_999_999


async def say_balance(session: AgiSession, balance_micros: int, currency: str) -> None:
    """ "You have twelve dollars and fifty"; another currency's letters stand for its name."""
    units, cents = divmod(abs(balance_micros) // _MICROS_PER_CENT, 100)
    await play(session, YOU_HAVE)
    if balance_micros < 0:
        await play(session, MINUS)
    await _say_number(session, units)
    if currency == "USD":
        await play(session, DOLLARS)
    else:
        await speak(session, exec_app("SayAlpha", currency))
    if cents:
        await play(session, AND)
        await _say_number(session, cents)


async def say_time_left(session: AgiSession, limit_ms: int) -> None:
    """ "You have three minutes", or the seconds when it is less than one."""
    seconds = limit_ms // 1000
    await play(session, YOU_HAVE)
    await _say_number(session, seconds // 60 or seconds)
    await play(session, MINUTES if seconds >= 60 else SECONDS)


async def _say_number(session: AgiSession, number: int) -> None:
    await speak(session, say_number(min(number, _MOST)))
