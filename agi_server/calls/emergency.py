"""Emergency calls: for everybody, for nothing, decided by the settings before any backend."""

from agi_server.calls.decision import EmergencyCall
from agi_server.calls.dial import limit_option
from agi_server.settings import EmergencySettings

HARD_CAP_MS = 36_000_000
"""No call lasts longer than ten hours."""


def emergency_call(
    dialled: str, settings: EmergencySettings, ring_timeout_s: int
) -> EmergencyCall | None:
    """How to put an emergency call through; None for every other number."""
    number = dialled.strip("#*")
    if settings.dial is None or number not in settings.numbers:
        return None
    return EmergencyCall(
        number=number,
        dial_target=settings.dial.format(number=number),
        dial_options=limit_option(HARD_CAP_MS, 0, 0),
        limit_ms=HARD_CAP_MS,
        ring_timeout_s=ring_timeout_s,
    )
