"""Pages by key: each begins after the last row of the one before, however long the list is."""

import base64
import binascii
import json
from datetime import UTC, datetime
from typing import Any

from agi_server.refused import InvalidFieldError

PAGE_ROWS = 50
_LONGEST = 400


def cursor_of(*keys: object) -> str:
    """Names a row of a list; opaque to those who page."""
    plain = [key.isoformat() if isinstance(key, datetime) else key for key in keys]
    return base64.urlsafe_b64encode(json.dumps(plain).encode()).decode().rstrip("=")


def keys_of(cursor: str | None, *kinds: type) -> tuple[Any, ...]:
    """The keys of the row a cursor names, or as many None for none. Raises InvalidFieldError."""
    if not cursor:
        return (None,) * len(kinds)
    try:
        padded = cursor[:_LONGEST] + "=" * (-len(cursor) % 4)
        keys = json.loads(base64.b64decode(padded, altchars=b"-_", validate=True))
        if not isinstance(keys, list) or len(keys) != len(kinds):
            raise ValueError
        return tuple(_key(key, kind) for key, kind in zip(keys, kinds, strict=True))
    except (ValueError, binascii.Error, OverflowError, RecursionError):
        raise InvalidFieldError("after", "is not what an earlier page gave as next") from None


def _key(key: Any, kind: type[object]) -> Any:
    if kind is datetime:
        moment = datetime.fromisoformat(key) if isinstance(key, str) else None
        if moment is None or moment.tzinfo is None:
            raise ValueError
        return moment.astimezone(UTC)
    if type(key) is not kind:
        raise ValueError
    if isinstance(key, int) and not 0 <= key < 2**63:
        raise ValueError
    if isinstance(key, str) and "\0" in key:
        raise ValueError
    return key
