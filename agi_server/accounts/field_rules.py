"""Rules of single fields. Each takes a value and gives it as it is stored; pure.

All raise ValueError with what is allowed, and without the value, which could be a secret.
"""

import re
from collections.abc import Callable, Iterable
from functools import cache
from importlib.resources import files

from babel import Locale
from babel.core import get_global, parse_locale
from email_validator import EmailNotValidError, validate_email

# PostgreSQL's integer.
_LARGEST_COUNT = 2**31 - 1
_LANGUAGE = re.compile(r"[A-Za-z]{2,3}([-_][A-Za-z0-9]{2,8})*")
_CALLERID = re.compile(r"\+?([0-9]{3,15})")
_LOGIN = re.compile(r"[a-z0-9][a-z0-9._@-]{2,63}")
_PIN = re.compile(r"[0-9]{4,10}", re.ASCII)
_WEBSITE = re.compile(r"(https?://)?[\w-]+(\.[\w-]+)+(:[0-9]+)?([/?#]\S*)?", re.IGNORECASE)
_HEX = re.compile(r"[0-9A-F]{12}")
SHORTEST_PASSWORD, LONGEST_PASSWORD = 8, 200
WITHHELD = "withheld"
"""A presented CallerID that shows none."""


def between(low: int, high: int = _LARGEST_COUNT) -> Callable[[int], int]:
    """A whole number of a range."""

    def check(value: int) -> int:
        if value < low:
            raise ValueError(f"must be at least {low}")
        if value > high:
            raise ValueError(f"must be at most {high}")
        return value

    return check


def percent_below(high: int) -> Callable[[int], int]:
    """Basis points below so many percent."""

    def check(value: int) -> int:
        if not 0 <= value < high * 100:
            raise ValueError(f"must be from 0 to {high - 1}.99")
        return value

    return check


@cache
def timezones() -> frozenset[str]:
    """IANA's names: not what else lies beside them on a system, such as `localtime`."""
    names = files("tzdata").joinpath("zones").read_text(encoding="utf-8").split()
    return frozenset(names) - {"Factory"}


def timezone(name: str) -> str:
    """An IANA name."""
    if name not in timezones():
        raise ValueError("must be an IANA time zone such as Europe/Paris")
    return name


def language(tag: str) -> str:
    """A BCP 47 tag, of a language, script and country that there are."""
    if not _LANGUAGE.fullmatch(tag) or not _is_spoken(tag.replace("_", "-")):
        raise ValueError("must be a language tag such as en or fr-CA")
    return tag


def _is_spoken(tag: str) -> bool:
    try:
        name, country, script, *_ = parse_locale(tag, sep="-")
    except ValueError:
        return False
    known = Locale("en")
    return (
        name in known.languages
        and (country is None or country in known.territories)
        and (script is None or script in known.scripts)
    )


@cache
def currencies() -> frozenset[str]:
    """The ISO 4217 codes of what is money somewhere now."""
    used = (each for countries in get_global("territory_currencies").values() for each in countries)
    return frozenset(code for code, _, end, is_tender in used if is_tender and end is None)


def currency(code: str) -> str:
    """ISO 4217."""
    code = code.upper()
    if code not in currencies():
        raise ValueError("must be a currency code of three letters such as EUR")
    return code


@cache
def countries() -> dict[str, str]:
    """The English names of all countries by their ISO 3166 code."""
    table = files("tzdata").joinpath("zoneinfo", "iso3166.tab").read_text(encoding="utf-8")
    lines = (line.split("\t") for line in table.splitlines() if line and line[0] != "#")
    return {code: name for code, name in lines}


def country(code: str) -> str:
    """ISO 3166, two letters."""
    code = code.upper()
    if code not in countries():
        raise ValueError("must be an ISO 3166 code of two letters such as GB")
    return code


def email(address: str) -> str:
    """An address that mail can be sent to; whether somebody reads it is not asked."""
    try:
        return validate_email(address, check_deliverability=False).normalized
    except EmailNotValidError:
        raise ValueError("must be a mail address such as ann@example.com") from None


def website(address: str) -> str:
    """A host name with or without http:// or https:// and path."""
    if not _WEBSITE.fullmatch(address):
        raise ValueError("must be an address such as www.example.com")
    return address


def web_login(login: str) -> str:
    """A user name, in small letters."""
    login = login.lower()
    if not _LOGIN.fullmatch(login):
        raise ValueError("must be 3 to 64 letters, digits or one of . _ @ -")
    return login


def web_password(password: str) -> str:
    """What a customer types on the self-care page."""
    if not SHORTEST_PASSWORD <= len(password) <= LONGEST_PASSWORD or not password.isprintable():
        raise ValueError(f"must have {SHORTEST_PASSWORD} to {LONGEST_PASSWORD} characters")
    return password


def lock_pin(pin: str) -> str:
    """What a customer types to lift the own lock."""
    if not _PIN.fullmatch(pin):
        raise ValueError("must be 4 to 10 digits")
    return pin


def mac_address(text: str) -> str:
    """`00-08-74-4C-7F-1D` of any usual spelling."""
    digits = re.sub(r"[-:. ]", "", text).upper()
    if not _HEX.fullmatch(digits):
        raise ValueError("must be a MAC address such as 00-08-74-4C-7F-1D")
    return "-".join(digits[at : at + 2] for at in range(0, 12, 2))


def callerid(text: str) -> str:
    """The digits of a CallerID, a leading `+` gone."""
    number = _CALLERID.fullmatch(text.strip())
    if number is None:
        raise ValueError("must be 3 to 15 digits")
    return number[1]


def presented_callerid(text: str) -> str:
    """A number, or the word that shows none; that it is the account's own is checked elsewhere."""
    if text.strip().lower() == WITHHELD:
        return WITHHELD
    try:
        return callerid(text)
    except ValueError:
        raise ValueError(f"must be a number of 3 to 15 digits, or {WITHHELD}") from None


def each(check: Callable[[str], str]) -> Callable[[Iterable[str]], tuple[str, ...]]:
    """All of a list, each once."""

    def check_all(items: Iterable[str]) -> tuple[str, ...]:
        return tuple(dict.fromkeys(check(item) for item in items))

    return check_all
