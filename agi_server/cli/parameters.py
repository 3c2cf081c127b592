"""Types of arguments and options, and options that many commands have."""

import getpass
import os
import re
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from enum import IntEnum
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import click

from agi_server.accounts.codes import Restriction
from agi_server.cli.backends import Session
from rating.money import MoneyError, parse_money

if TYPE_CHECKING:
    from agi_server.accounts.account import Account
    from agi_server.accounts.audit import Editor


class _Money(click.ParamType[int]):
    name = "amount"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        if isinstance(value, int):
            return value
        try:
            return parse_money(value)
        except MoneyError as error:
            self.fail(str(error), param, ctx)


class _Percent(click.ParamType[int]):
    """As hundredths of a percent."""

    name = "percent"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        if isinstance(value, int):
            return value
        match = re.fullmatch(r"([0-9]{1,2})(?:\.([0-9]{1,2}))?", value.strip(), re.ASCII)
        if match is None:
            self.fail(f"{value!r} is no percentage from 0 to 99.99", param, ctx)
        return int(match[1]) * 100 + int((match[2] or "").ljust(2, "0"))


# Others can be neither stored nor reckoned with.
_FIRST_YEAR, _LAST_YEAR = 1900, 2999


class _Time(click.ParamType[datetime]):
    name = "time"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> datetime:
        if isinstance(value, datetime):
            return value
        try:
            moment = datetime.fromisoformat(value)
        except ValueError:
            self.fail(f"{value!r} is no time like 2026-03-01T12:00:00Z", param, ctx)
        if not _FIRST_YEAR <= moment.year <= _LAST_YEAR:
            self.fail(f"{value!r} is not in the years {_FIRST_YEAR} to {_LAST_YEAR}", param, ctx)
        return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


class _Zone(click.ParamType[ZoneInfo]):
    name = "zone"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> ZoneInfo:
        if isinstance(value, ZoneInfo):
            return value
        try:
            return ZoneInfo(value)
        except (ZoneInfoNotFoundError, ValueError, OSError):
            self.fail(f"{value!r} is no time zone like Europe/Berlin", param, ctx)


class _Address(click.ParamType[tuple[str, int]]):
    name = "host:port"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[str, int]:
        if isinstance(value, tuple):
            return value
        host, _, port = value.rpartition(":")
        if not host or not (port.isascii() and port.isdigit()) or int(port) > 65535:
            self.fail(f"{value!r} is no address like 127.0.0.1:4573", param, ctx)
        return host.removeprefix("[").removesuffix("]"), int(port)


class Words(click.Choice[str]):
    """A choice of words, which may be written with `-` or, as JSON shows them, with `_`."""

    def __init__(self, words: Iterable[str]) -> None:
        super().__init__([word.replace("_", "-") for word in words])

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        return super().convert(str(value).strip().replace("_", "-"), param, ctx)


ADDRESS = _Address()
MONEY = _Money()
PERCENT = _Percent()
TIME = _Time()
ZONE = _Zone()

json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON.")
account_argument = click.argument("account", metavar="ACCOUNT")

restriction_option = click.option(
    "--restriction",
    type=click.Choice([mode.name.lower() for mode in Restriction]),
    help="What the restricted numbers are: not to be called, or the only ones to be called.",
)


def words(kind: type[IntEnum]) -> click.Choice[str]:
    """A choice of the words for a coded value."""
    return Words(member.name.lower() for member in kind)


reason_option = click.option(
    "--reason", metavar="TEXT", help="Why: kept in the customer's history."
)


def limit_option(default: int) -> Callable[..., Any]:
    """`--limit N`."""
    return click.option(
        "--limit",
        type=click.IntRange(1, 100_000),
        default=default,
        show_default=True,
        help="Print at most so many.",
    )


async def named_account(db: Any, name: str) -> "Account":
    """The account that ACCOUNT names. Raises NotFoundError."""
    from agi_server.accounts.customers import find_named  # commands without accounts start sooner

    return await find_named(db, name)


def operator() -> str:
    """Who runs this command, for the ledger and the log."""
    try:
        return f"cli:{getpass.getuser()}"
    except (KeyError, OSError):
        return f"cli:{os.getuid()}"


def editor(session: Session, reason: str | None = None) -> "Editor":
    """Who changes an account by this command, when, and why. Raises InvalidFieldError."""
    from agi_server.editor import Editor, checked_reason

    return Editor(changed_by=operator(), at=session.now, reason=checked_reason(reason))
