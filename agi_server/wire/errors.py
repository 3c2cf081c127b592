"""What can go wrong on the wire: we erred, or the peer did."""

from agi_server.wire.events import Event


class WireError(Exception):
    """Base of every error the AGI wire raises. Its message never quotes what the peer sent,
    which may hold an account number."""


class LocalProtocolError(WireError):
    """We asked for something AGI cannot carry: a command out of turn, a line feed in a value."""


class RemoteProtocolError(WireError):
    """The peer does not speak AGI, or goes beyond a limit. Close the connection.

    `events` are those that the same `receive()` had read before the fault.
    """

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.events: tuple[Event, ...] = ()
