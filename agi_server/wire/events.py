"""What the wire tells, and how much of a peer's talk it bears."""

from collections.abc import Mapping
from dataclasses import dataclass, fields


@dataclass(frozen=True, slots=True, kw_only=True)
class WireLimits:
    """How much is read before a peer is called hostile. Lengths count the line feed;
    the last two are per session."""

    max_line_bytes: int = 8192
    max_environment_lines: int = 192  # Asterisk sends 22, and up to 127 arguments
    max_environment_bytes: int = 65536
    max_reply_bytes: int = 65536
    max_extra_lines: int = 64  # HANGUP and 1xx, which answer nothing
    max_commands: int = 1000

    def __post_init__(self) -> None:
        for field in fields(self):
            if getattr(self, field.name) < 1:
                raise ValueError(f"{field.name} must be at least 1")


@dataclass(frozen=True, slots=True, kw_only=True)
class EnvironmentReceived:
    """The environment is complete: a command may be sent. `arguments` are agi_arg_1 … agi_arg_n."""

    values: Mapping[str, str]
    arguments: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """The answer to the outstanding command.

    `code` 200 done, 510 unknown command, 511 the channel is dead, 520 wrong usage. `result` is
    what stands behind `result=` ("" for other codes than 200), `value` what stands in brackets
    behind it, `timed_out` whether that is the word timeout, `endpos` the sample a playback
    stopped at, `text` all that came behind the code.
    """

    code: int
    result: str = ""
    value: str | None = None
    timed_out: bool = False
    endpos: int | None = None
    text: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class HungUp:
    """The caller's channel is gone. Replies still come, 511 to what needs a live channel."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Closed:
    """The peer closed the connection, whatever was half said."""


Event = EnvironmentReceived | Reply | HungUp | Closed
