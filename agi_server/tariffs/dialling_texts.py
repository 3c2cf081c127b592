"""How a plan's customers dial, as it is typed: values with commas between; empty is none."""

import re

from agi_server.refused import InvalidFieldError

_LENGTH = re.compile(r"[1-9]|1[0-5]", re.ASCII)
_SHORT_CODE = re.compile(r"[0-9X]{2,6}", re.ASCII)


def local_digits_of(text: str) -> tuple[int, ...]:
    """Of `7,8`: the lengths of local numbers. Raises InvalidFieldError."""
    for part in _parts(text):
        if not _LENGTH.fullmatch(part):
            raise InvalidFieldError("local_digits", f"{part!r} is not 1 to 15")
    return tuple(int(part) for part in _parts(text))


def short_codes_of(text: str) -> tuple[str, ...]:
    """Of `100,77XX`. Raises InvalidFieldError."""
    for part in _parts(text):
        if not _SHORT_CODE.fullmatch(part):
            raise InvalidFieldError("short_codes", f"{part!r} is not 2 to 6 digits, X for any")
    return tuple(_parts(text))


def _parts(text: str) -> list[str]:
    return [part.strip() for part in text.split(",")] if text.strip() else []
