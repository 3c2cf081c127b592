"""What Asterisk asks for, as a value: independent of AGI."""

import re
from dataclasses import dataclass

_CALL_ID = re.compile(r"([1-9][0-9]{0,17})-[0-9a-f]{32}")
_CALLERID = re.compile(r"\+?([0-9]{3,15})")


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

    @property
    def caller(self) -> str | None:
        """The digits of the CallerID; None when it is withheld, which may read `anonymous`."""
        number = _CALLERID.fullmatch(self.callerid)
        return number[1] if number else None


def account_id_of(call_id: str) -> int | None:
    """The account a call id names; None when it is not a call id."""
    match = _CALL_ID.fullmatch(call_id)
    return int(match[1]) if match else None
