"""Which column of a rate sheet is what: our own names, and the words carriers put into headers."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from difflib import get_close_matches

from rating.sheet_cells import CURRENCIES_OF_SIGN
from rating.sheet_words import (
    CENT_WORDS,
    CURRENCY_WORDS,
    HEADING_WORDS,
    MINUTE_WORDS,
    SECOND_WORDS,
    VAGUE_DESTINATIONS,
    folded,
    words_of,
)

PLAIN_HEADER = (
    "prefix",
    "destination",
    "price_per_minute",
    "initial",
    "increment",
    "connection_fee",
    "minimum_charge",
    "buy_price_per_minute",
    "buy_initial",
    "buy_increment",
    "effective_from",
)
"""Columns of the plain sheet (shared/contracts.md, section 8)."""
REQUIRED_COLUMNS = PLAIN_HEADER[:4]
MORE_COLUMNS = (
    "buy_connection_fee",
    "disconnection_fee",
    "disconnection_fee_after",
    "stages",
    "short_call_threshold",
    "short_call_time",
    "block_surcharge",
    "block",
    "grace",
    "hours",
    "effective_until",
    "action",
)
"""What else a rate may have; a plain sheet has them where it needs them."""

OTHER_COLUMNS = ("country_code", "increments", "buy_increments", "blocked", "currency")
"""What only carriers' sheets have."""

INCREMENT_COLUMNS = (
    ("initial", "increment", "increments"),
    ("buy_initial", "buy_increment", "buy_increments"),
)
"""Initial and further increment, and the column that has both as 60/6."""

MONEY_COLUMNS = {
    "price_per_minute": "price_micros_per_minute",
    "connection_fee": "connection_fee_micros",
    "minimum_charge": "minimum_charge_micros",
    "buy_price_per_minute": "buy_price_micros_per_minute",
    "buy_connection_fee": "buy_connection_fee_micros",
    "disconnection_fee": "disconnection_fee_micros",
    "block_surcharge": "block_surcharge_micros",
}
SECONDS_COLUMNS = {
    "initial": "initial_s",
    "increment": "increment_s",
    "buy_initial": "buy_initial_s",
    "buy_increment": "buy_increment_s",
    "disconnection_fee_after": "disconnection_fee_after_s",
    "short_call_threshold": "short_call_threshold_s",
    "short_call_time": "short_call_time_s",
    "block": "block_s",
    "grace": "grace_s",
}

_COLUMN_OF = {word: column for column, words in HEADING_WORDS.items() for word in words} | {
    name.replace("_", " "): name for name in (*PLAIN_HEADER, *MORE_COLUMNS, *OTHER_COLUMNS)
}
_BREAKOUTS = ("breakout", "breakouts")
_VAGUE_DESTINATIONS = (*_BREAKOUTS, *VAGUE_DESTINATIONS)
"""Without a column of prefixes a breakout is one."""
_OUR_COLUMNS = frozenset((*PLAIN_HEADER, *MORE_COLUMNS, *OTHER_COLUMNS))
CURRENCY_CODES = (
    *("USD", "EUR", "GBP", "CHF", "CAD", "AUD", "NZD", "INR", "JPY", "CNY", "HKD", "SGD", "BRL"),
    *("MXN", "ARS", "CLP", "COP", "PEN", "SEK", "NOK", "DKK", "PLN", "CZK", "HUF", "RON", "BGN"),
    *("RUB", "UAH", "ILS", "AED", "SAR", "EGP", "ZAR", "NGN", "KES", "GHS", "PKR", "BDT", "LKR"),
    *("THB", "VND", "IDR", "MYR", "KRW", "XOF", "XAF"),
)
"""Currencies that are told from other words of three letters in a heading."""
_CURRENCIES_OF = {code.lower(): frozenset((code,)) for code in CURRENCY_CODES} | CURRENCIES_OF_SIGN
_CURRENCIES_OF |= {word: frozenset(codes) for word, codes in CURRENCY_WORDS.items()}
_NO_CURRENCY = frozenset(("us", "euro", "euros", *(code.lower() for code in CURRENCY_CODES)))


@dataclass(frozen=True, slots=True)
class Layout:
    """The columns of a sheet: what each cell of a row is (empty: nothing of ours)."""

    columns: tuple[str, ...]
    headings: tuple[str, ...]

    def heading(self, column: str) -> str:
        """The sheet's own word for one of our columns."""
        return self.headings[self.columns.index(column)] if column in self.columns else column


def column_of(heading: str) -> str:
    """Our name of a column, or empty for a heading that means nothing to us.

    Case, accents, punctuation, currencies and units in the heading do not matter; neither does what
    stands in brackets, unless the rest means nothing.
    """
    words = words_of(re.sub(r"\(.*?\)|\[.*?\]", " ", heading)).split()
    for left_out in (frozenset[str](), _NO_CURRENCY, _NO_CURRENCY | SECOND_WORDS):
        column = _COLUMN_OF.get(" ".join(word for word in words if word not in left_out))
        if column:
            return column
    return _COLUMN_OF.get(words_of(heading), "")


def price_doubts(heading: str, currency: str) -> Iterator[str]:
    """Why the column of prices under this heading must not be read as they stand: it says another
    currency than the card's (empty: any will do), cents, or a price a second."""
    words = re.findall(r"us\$|[^\W\d_]+|[€£¢$¥]", folded(heading))
    named = [word for word in words if word in _CURRENCIES_OF]
    if currency and named and not any(currency in _CURRENCIES_OF[word] for word in named):
        said = ", ".join(sorted({word.upper() for word in named}))
        yield f"says {said}: the card is in {currency}"
    if not CENT_WORDS.isdisjoint(words):
        yield "is in cents: prices are read in whole units, give them so"
    if not SECOND_WORDS.isdisjoint(words):
        yield "is a price a second: prices are read a minute, give them so"


def is_in_minutes(heading: str) -> bool:
    """Whether a heading says so in brackets, as in ``Initial (min)``."""
    units = [set(words_of(unit).split()) for unit in re.findall(r"[(\[](.*?)[)\]]", heading)]
    return any(unit and unit <= MINUTE_WORDS for unit in units)


def known_columns(cells: Sequence[str]) -> int:
    """How many of a row's cells are headings that we know."""
    return sum(
        bool(column_of(cell)) or words_of(cell) in _VAGUE_DESTINATIONS
        for cell in cells
        if cell.strip()
    )


def our_column(name: str) -> str:
    """One of our columns, by its own name or by a word that carriers use; else empty."""
    return name if name in _OUR_COLUMNS else column_of(name)


def layout_of(
    cells: Sequence[str], ignored: Sequence[str] = (), mapped: Sequence[tuple[str, str]] = ()
) -> Layout:
    """The layout that a header row describes; `ignored` headings mean nothing to us.

    `mapped` are headings with our names for them, which go before what we would read there.
    """
    headings = tuple(" ".join(cell.split()) for cell in cells)
    columns = ["" if heading in ignored else column_of(heading) for heading in headings]
    words = ["" if heading in ignored else words_of(heading) for heading in headings]
    _map_headings(headings, columns, mapped)
    if "prefix" not in columns and "country_code" in columns:
        columns[columns.index("country_code")] = "prefix"
    _place_vague_headings(words, columns)
    for initial, increment, both in INCREMENT_COLUMNS:
        if initial not in columns and increment in columns and both not in columns:
            # One column for both, like "Increment" with 60/6 or 60 in it.
            columns[columns.index(increment)] = both
        elif initial in columns and increment not in columns and both in columns:
            # The initial one has a column of its own, so "Interval" is the further one.
            columns[columns.index(both)] = increment
    return Layout(tuple(columns), headings)


def has_headings(cells: Sequence[str], mapped: Sequence[tuple[str, str]]) -> bool:
    """Whether a row has all of the mapped headings."""
    found = {_plain(cell) for cell in cells}
    return all(_plain(heading) in found for heading, _ in mapped)


def _plain(heading: str) -> str:
    return " ".join(heading.split()).casefold()


def _map_headings(
    headings: Sequence[str], columns: list[str], mapped: Sequence[tuple[str, str]]
) -> None:
    wanted = {_plain(heading): our_column(name) for heading, name in mapped}
    for index, heading in enumerate(headings):
        if _plain(heading) in wanted:
            columns[index] = wanted[_plain(heading)]
        elif columns[index] in wanted.values():
            columns[index] = ""


def _place_vague_headings(words: Sequence[str], columns: list[str]) -> None:
    if "prefix" not in columns:
        for word in _BREAKOUTS:
            if word in words and not columns[words.index(word)]:
                columns[words.index(word)] = "prefix"
                break
    if "destination" not in columns:
        for word in _VAGUE_DESTINATIONS:
            if word in words and not columns[words.index(word)]:
                columns[words.index(word)] = "destination"
                break


def suggestion(heading: str) -> str:
    """Which of our headings an unknown one may have been meant for, or empty."""
    close = get_close_matches(words_of(heading), _COLUMN_OF, n=1, cutoff=0.85)
    return _COLUMN_OF[close[0]] if close else ""
