"""What Asterisk asks for, as a value: independent of AGI."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class CallRequest:
    """One caller's wish to be put through.

    `server` is the address of the Asterisk that asks, `dialled` what the caller dialled as it
    came, `callerid` and `accountcode` are empty when Asterisk does not know them. `plan` names a
    call plan that replaces the account's own.
    """

    server: str
    uniqueid: str
    channel: str
    callerid: str
    accountcode: str
    dialled: str
    plan: str | None = None

    @property
    def source(self) -> str:
        """The endpoint the call came in on: `PJSIP/gw` of `PJSIP/gw-0000002d`."""
        return self.channel.rpartition("-")[0] or self.channel
