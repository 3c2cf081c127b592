"""AGI without I/O: bytes to events, commands to bytes, scripted sessions. Knows nobody."""

from agi_server.wire.commands import Command
from agi_server.wire.errors import LocalProtocolError, RemoteProtocolError, WireError
from agi_server.wire.protocol import (
    AgiConnection,
    Closed,
    EnvironmentReceived,
    Event,
    HungUp,
    Reply,
    WireLimits,
)

__all__ = [
    "AgiConnection",
    "Closed",
    "Command",
    "EnvironmentReceived",
    "Event",
    "HungUp",
    "LocalProtocolError",
    "RemoteProtocolError",
    "Reply",
    "WireError",
    "WireLimits",
]
