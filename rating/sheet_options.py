"""What is said of a rate sheet by who imports it."""

from dataclasses import dataclass
from datetime import UTC, tzinfo
from enum import StrEnum

from rating.sheet_cells import CellError, DateOrder, read_increments, shown


class SheetFormat(StrEnum):
    """What a file is: told by itself, A2Billing's export, or a sheet with a price a prefix."""

    AUTO = "auto"
    A2BILLING = "a2billing"
    CSV = "csv"


@dataclass(frozen=True, slots=True, kw_only=True)
class SheetOptions:
    """What a sheet does not say itself.

    Dates without a time begin at midnight in `zone`; `date_order` is needed for dates like
    31/01/2025. `decimal` is the sign before decimals, needed if it cannot be told. `columns` are
    our names of the columns of a sheet without a header (empty: not used). `headings` are those of
    the header that mean something else than we read there, or nothing to us, with our names for
    them. The first `skip_lines` are not read. `increments` (initial,
    further) hold where the sheet has none. With `currency` a sheet that names another is refused.
    `ignored` are headings of columns not to read. `worksheet` is the one of a workbook.
    `country_code` goes before each prefix of a sheet that leaves it out everywhere.
    """

    format: SheetFormat = SheetFormat.AUTO
    zone: tzinfo = UTC
    date_order: DateOrder | None = None
    decimal: str = ""
    columns: tuple[str, ...] = ()
    headings: tuple[tuple[str, str], ...] = ()
    skip_lines: int = 0
    increments: tuple[int, int] | None = None
    currency: str = ""
    ignored: tuple[str, ...] = ()
    worksheet: str = ""
    country_code: str = ""


class SheetOptionError(ValueError):
    """What was declared is not like that; the message shows it and says what is expected."""


def parse_columns(text: str) -> tuple[tuple[str, ...], tuple[tuple[str, str], ...]]:
    """`SheetOptions.columns` of ``prefix,destination,…``, or `headings` of ``HEADING=NAME,…``."""
    names = [name.strip() for name in text.split(",")]
    if "=" not in text:
        return tuple(names), ()
    headings: dict[str, str] = {}
    for each in names:
        heading, sign, name = (part.strip() for part in each.rpartition("="))
        if not (heading and sign and name):
            raise SheetOptionError(f"{shown(each)} is not like 'Breakout Name=destination'")
        headings[heading] = name
    return (), tuple(headings.items())


def parse_increments(text: str) -> tuple[int, int]:
    """`SheetOptions.increments` of ``60/6``; ``60`` alone is both."""
    try:
        initial, further = read_increments(text)
    except CellError as error:
        raise SheetOptionError(f"{shown(text)} is not like 60/6") from error
    if not further:
        raise SheetOptionError(f"{shown(text)}: the further increment is at least 1")
    return initial, further


def parse_country_code(text: str) -> str:
    """`SheetOptions.country_code` of ``49`` or ``+49``."""
    code = text.removeprefix("+")
    if not (code.isascii() and code.isdigit() and len(code) <= 7):
        raise SheetOptionError(f"{shown(text)} is not 1 to 7 digits")
    return code
